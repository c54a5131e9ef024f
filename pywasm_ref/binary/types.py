"""Types, read and written.

Spec    binary/types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.errors import Malformed
from pywasm_ref.features import Feature, Features
from pywasm_ref.syntax.types import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    V128,
    AbsHeapType,
    ArrayType,
    CompType,
    ExternType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    HeapType,
    Limits,
    MemType,
    NumType,
    PackType,
    RecType,
    RefType,
    ResultType,
    StorageType,
    StructType,
    SubType,
    TableType,
    TagType,
    TypeIdx,
    ValType,
    VecType,
)

NUMBERS: dict[int, tuple[NumType | VecType, Feature]] = {
    0x7F: (I32, Feature.MVP),
    0x7E: (I64, Feature.MVP),
    0x7D: (F32, Feature.MVP),
    0x7C: (F64, Feature.MVP),
    0x7B: (V128, Feature.SIMD),
}
PACKED: dict[int, PackType] = {0x78: I8, 0x77: I16}
HEAP: dict[int, tuple[AbsHeapType, Feature]] = {
    0x74: (AbsHeapType.NOEXN, Feature.EXCEPTIONS),
    0x73: (AbsHeapType.NOFUNC, Feature.GC),
    0x72: (AbsHeapType.NOEXTERN, Feature.GC),
    0x71: (AbsHeapType.NONE, Feature.GC),
    0x70: (AbsHeapType.FUNC, Feature.MVP),
    0x6F: (AbsHeapType.EXTERN, Feature.REFERENCE_TYPES),
    0x6E: (AbsHeapType.ANY, Feature.GC),
    0x6D: (AbsHeapType.EQ, Feature.GC),
    0x6C: (AbsHeapType.I31, Feature.GC),
    0x6B: (AbsHeapType.STRUCT, Feature.GC),
    0x6A: (AbsHeapType.ARRAY, Feature.GC),
    0x69: (AbsHeapType.EXN, Feature.EXCEPTIONS),
}
REF, REF_NULL = 0x64, 0x63
FUNC, STRUCT, ARRAY = 0x60, 0x5F, 0x5E
SUB, SUB_FINAL, REC = 0x50, 0x4F, 0x4E

HAS_MAX, SHARED, ADDR64, PAGE_SIZE = 1, 2, 4, 8
DEFAULT_PAGE_BITS = 16
MOST_PAGE_BITS = 63

_NUMBER_CODES = {kind: code for code, (kind, _) in NUMBERS.items()}
_PACKED_CODES = {kind: code for code, kind in PACKED.items()}
_HEAP_CODES = {kind: code for code, (kind, _) in HEAP.items()}


@lru_cache(maxsize=64)
def heap_codes(features: Features) -> Mapping[int, AbsHeapType]:
    """The abstract heap types of one byte."""
    return {code: kind for code, (kind, feature) in HEAP.items() if feature in features}


@lru_cache(maxsize=64)
def value_codes(features: Features) -> Mapping[int, ValType]:
    """The value types of one byte; references among them are nullable."""
    codes: dict[int, ValType] = {code: kind for code, (kind, feature) in NUMBERS.items() if feature in features}
    if Feature.REFERENCE_TYPES in features:
        codes |= {code: RefType(True, heap) for code, heap in heap_codes(features).items()}
    return codes


def read_typeidx(s: Reader) -> TypeIdx:
    return s.u32()


def write_typeidx(w: Writer, x: HeapType) -> None:
    w.unsigned(_index(x))


def _index(x: HeapType) -> TypeIdx:
    if not isinstance(x, int):
        raise Malformed(f"{x!r} has no place in a binary")
    return x


def read_heaptype(s: Reader) -> HeapType:
    byte = s.peek()
    if byte is None:
        raise s.unexpected_end()
    heap = heap_codes(s.features).get(byte)
    if heap is not None:
        s.pos += 1
        return heap
    at = s.pos
    index = s.signed(33)
    if index < 0 or Feature.FUNCTION_REFERENCES not in s.features:
        raise s.fail("malformed heap type", at)
    return index


def write_heaptype(w: Writer, t: HeapType) -> None:
    code = _HEAP_CODES.get(t) if isinstance(t, AbsHeapType) else None
    if code is not None:
        w.byte(code)
    else:
        w.signed(_index(t))


def read_reftype(s: Reader) -> RefType:
    at = s.pos
    byte = _type_byte(s)
    heap = heap_codes(s.features).get(byte)
    if heap is not None:
        return RefType(True, heap)
    return _long_reftype(s, byte, at)


def _long_reftype(s: Reader, byte: int, at: int) -> RefType:
    """The two forms with a heap type of their own."""
    if byte not in (REF, REF_NULL) or Feature.FUNCTION_REFERENCES not in s.features:
        raise s.fail("malformed reference type", at)
    return RefType(byte == REF_NULL, read_heaptype(s))


def write_reftype(w: Writer, t: RefType) -> None:
    if not (t.null and isinstance(t.heap, AbsHeapType)):
        w.byte(REF_NULL if t.null else REF)
    write_heaptype(w, t.heap)


def _type_byte(s: Reader) -> int:
    """Types are negative numbers in LEB128, of one byte."""
    byte = s.byte()
    if byte >= 0x80:
        raise s.fail("integer representation too long", s.pos)
    return byte


def read_valtype(s: Reader) -> ValType:
    at = s.pos
    byte = _type_byte(s)
    t = value_codes(s.features).get(byte)
    return t if t is not None else _long_reftype(s, byte, at)


def write_valtype(w: Writer, t: ValType) -> None:
    if isinstance(t, RefType):
        write_reftype(w, t)
    elif isinstance(t, NumType | VecType):
        w.byte(_NUMBER_CODES[t])
    else:
        raise Malformed(f"{t!r} has no place in a binary")


def read_resulttype(s: Reader) -> ResultType:
    return s.vector(read_valtype)


def write_resulttype(w: Writer, ts: ResultType) -> None:
    w.vector(ts, write_valtype)


def read_storagetype(s: Reader) -> StorageType:
    packed = PACKED.get(s.peek() or 0)
    if packed is None:
        return read_valtype(s)
    s.pos += 1
    return packed


def write_storagetype(w: Writer, t: StorageType) -> None:
    if isinstance(t, PackType):
        w.byte(_PACKED_CODES[t])
    else:
        write_valtype(w, t)


def read_mut(s: Reader) -> bool:
    byte = s.byte()
    if byte > 1:
        raise s.fail("malformed mutability")
    return byte == 1


def read_fieldtype(s: Reader) -> FieldType:
    storage = read_storagetype(s)
    return FieldType(read_mut(s), storage)


def write_fieldtype(w: Writer, t: FieldType) -> None:
    write_storagetype(w, t.storage)
    w.byte(t.mut)


def read_comptype(s: Reader) -> CompType:
    byte = _type_byte(s)
    if byte == FUNC:
        params = read_resulttype(s)
        return FuncType(params, read_resulttype(s))
    if byte == STRUCT and Feature.GC in s.features:
        return StructType(s.vector(read_fieldtype))
    if byte == ARRAY and Feature.GC in s.features:
        return ArrayType(read_fieldtype(s))
    raise s.fail("malformed definition type")


def write_comptype(w: Writer, t: CompType) -> None:
    if isinstance(t, FuncType):
        w.byte(FUNC)
        write_resulttype(w, t.params)
        write_resulttype(w, t.results)
    elif isinstance(t, StructType):
        w.byte(STRUCT)
        w.vector(t.fields, write_fieldtype)
    else:
        w.byte(ARRAY)
        write_fieldtype(w, t.field)


def read_subtype(s: Reader) -> SubType:
    byte = s.peek()
    if byte not in (SUB, SUB_FINAL) or Feature.GC not in s.features:
        t = SubType(True, (), read_comptype(s))
    else:
        s.pos += 1
        supers = s.vector(read_typeidx)
        t = SubType(byte == SUB_FINAL, supers, read_comptype(s))
    same: SubType = s.memo.setdefault(t, t)
    return same


def write_subtype(w: Writer, t: SubType) -> None:
    if t.supers or not t.final:
        w.byte(SUB_FINAL if t.final else SUB)
        w.vector(t.supers, write_typeidx)
    write_comptype(w, t.comp)


def read_rectype(s: Reader) -> RecType:
    if s.peek() != REC or Feature.GC not in s.features:
        return RecType((read_subtype(s),))
    s.pos += 1
    return RecType(s.vector(read_subtype))


def write_rectype(w: Writer, t: RecType) -> None:
    if len(t.subtypes) == 1:
        write_subtype(w, t.subtypes[0])
    else:
        w.byte(REC)
        w.vector(t.subtypes, write_subtype)


def _read_flags(s: Reader, allowed: int) -> int:
    flags = s.byte()
    if flags & ~allowed:
        raise s.fail("malformed limits flags")
    return flags


def _read_limits(s: Reader, flags: int) -> Limits:
    """Sizes have 64 bits whatever the address type; too large a size is for the validator to refuse."""
    bits = 64 if Feature.MEMORY64 in s.features else 32
    least = s.unsigned(bits)
    return Limits(least, s.unsigned(bits) if flags & HAS_MAX else None)


def _write_limits(w: Writer, addr: NumType, limits: Limits, flags: int) -> None:
    w.byte(flags | (HAS_MAX if limits.max is not None else 0) | (ADDR64 if addr is I64 else 0))
    w.unsigned(limits.min)
    if limits.max is not None:
        w.unsigned(limits.max)


def read_memtype(s: Reader) -> MemType:
    allowed = HAS_MAX
    for feature, flag in ((Feature.THREADS, SHARED), (Feature.MEMORY64, ADDR64), (Feature.CUSTOM_PAGE_SIZES, PAGE_SIZE)):
        if feature in s.features:
            allowed |= flag
    flags = _read_flags(s, allowed)
    limits = _read_limits(s, flags)
    page_bits = s.u32() if flags & PAGE_SIZE else DEFAULT_PAGE_BITS
    if page_bits > MOST_PAGE_BITS:
        raise s.fail("invalid custom page size")
    return MemType(I64 if flags & ADDR64 else I32, limits, bool(flags & SHARED), page_bits)


def write_memtype(w: Writer, t: MemType) -> None:
    custom = t.page_bits != DEFAULT_PAGE_BITS
    _write_limits(w, t.addr, t.limits, (SHARED if t.shared else 0) | (PAGE_SIZE if custom else 0))
    if custom:
        w.unsigned(t.page_bits)


def read_tabletype(s: Reader) -> TableType:
    elem = read_reftype(s)
    flags = _read_flags(s, HAS_MAX | (ADDR64 if Feature.MEMORY64 in s.features else 0))
    return TableType(I64 if flags & ADDR64 else I32, _read_limits(s, flags), elem)


def write_tabletype(w: Writer, t: TableType) -> None:
    write_reftype(w, t.elem)
    _write_limits(w, t.addr, t.limits, 0)


def read_globaltype(s: Reader) -> GlobalType:
    t = read_valtype(s)
    return GlobalType(read_mut(s), t)


def write_globaltype(w: Writer, t: GlobalType) -> None:
    write_valtype(w, t.type)
    w.byte(t.mut)


def read_tagtype(s: Reader) -> TagType:
    s.zero()
    return TagType(read_typeidx(s))


def write_tagtype(w: Writer, t: TagType) -> None:
    w.byte(0)
    write_typeidx(w, t.type)


def read_externtype(s: Reader) -> ExternType:
    match s.byte():
        case 0:
            return FuncTypeUse(read_typeidx(s))
        case 1:
            return read_tabletype(s)
        case 2:
            return read_memtype(s)
        case 3:
            return read_globaltype(s)
        case 4 if has_tags(s.features):
            return read_tagtype(s)
        case _:
            raise s.fail("malformed import kind")


def write_externtype(w: Writer, t: ExternType) -> None:
    match t:
        case FuncTypeUse():
            w.byte(0)
            write_typeidx(w, t.type)
        case TableType():
            w.byte(1)
            write_tabletype(w, t)
        case MemType():
            w.byte(2)
            write_memtype(w, t)
        case GlobalType():
            w.byte(3)
            write_globaltype(w, t)
        case TagType():
            w.byte(4)
            write_tagtype(w, t)


def has_tags(features: Features) -> bool:
    return Feature.EXCEPTIONS in features or Feature.LEGACY_EXCEPTIONS in features
