"""The kinds of immediates, read and written: what follows an opcode.

A row of the table in `isa.py` names the kinds; `READ` and `WRITE` have a function for each. A kind has one part, unless `PARTS`
says otherwise. Nested instructions are no immediates here: `instructions.py` reads them without recursion.

Spec    binary/instructions.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.binary.types import (
    read_heaptype,
    read_reftype,
    read_valtype,
    write_heaptype,
    write_valtype,
)
from pywasm_ref.features import Feature
from pywasm_ref.syntax.instructions import BlockType, Catch, CatchKind
from pywasm_ref.syntax.types import HeapType, RefType, ValType

Parts = tuple[Any, ...]

NO_RESULT = 0x40
HAS_MEMORY = 0x40
MOST_ALIGN_WITHOUT_MEMORY = 0x1F
INDICES = ("labelidx", "typeidx", "funcidx", "localidx", "globalidx", "tagidx", "dataidx", "elemidx", "fieldidx", "u32")


def read_index(s: Reader) -> Parts:
    return (s.u32(),)


def write_index(w: Writer, x: int) -> None:
    w.unsigned(x)


def read_memidx(s: Reader) -> Parts:
    """An index; before there could be several memories, a zero byte."""
    if Feature.MULTI_MEMORY in s.features:
        return (s.u32(),)
    s.zero()
    return (0,)


def read_call_tableidx(s: Reader) -> int:
    """An index; before there could be several tables, a zero byte."""
    if Feature.REFERENCE_TYPES in s.features:
        return s.u32()
    s.zero()
    return 0


def read_tableidx_typeidx(s: Reader) -> Parts:
    index = s.u32()
    return read_call_tableidx(s), index


def read_memidx_dataidx(s: Reader) -> Parts:
    data = s.u32()
    return *read_memidx(s), data


def read_tableidx_elemidx(s: Reader) -> Parts:
    elem = s.u32()
    return s.u32(), elem


def write_two_turned(w: Writer, x: int, y: int) -> None:
    """The binary format has the second index first."""
    w.unsigned(y)
    w.unsigned(x)


def read_labels(s: Reader) -> Parts:
    return (s.vector(Reader.u32),)


def write_labels(w: Writer, labels: tuple[int, ...]) -> None:
    w.vector(labels, Writer.unsigned)


def read_blocktype(s: Reader) -> Parts:
    byte = s.peek()
    if byte == NO_RESULT:
        s.pos += 1
        return (None,)
    if byte is None or 0x40 < byte < 0x80:
        return (read_valtype(s),)
    at = s.pos
    index = s.signed(33)
    if index < 0 or Feature.MULTI_VALUE not in s.features:
        raise s.fail("malformed block type", at)
    return (index,)


def write_blocktype(w: Writer, t: BlockType) -> None:
    if t is None:
        w.byte(NO_RESULT)
    elif isinstance(t, int):
        w.signed(t)
    else:
        write_valtype(w, t)


def read_catches(s: Reader) -> Parts:
    return (s.vector(read_catch),)


def write_catches(w: Writer, catches: tuple[Catch, ...]) -> None:
    w.vector(catches, write_catch)


_CATCH_KINDS = {kind.value: kind for kind in CatchKind}
_CATCH_WITH_TAG = (CatchKind.CATCH, CatchKind.CATCH_REF)


def read_catch(s: Reader) -> Catch:
    kind = _CATCH_KINDS.get(s.byte())
    if kind is None:
        raise s.fail("malformed catch clause")
    tag = s.u32() if kind in _CATCH_WITH_TAG else None
    return Catch(kind, tag, s.u32())


def write_catch(w: Writer, catch: Catch) -> None:
    w.byte(catch.kind.value)
    if catch.tag is not None:
        w.unsigned(catch.tag)
    w.unsigned(catch.label)


def read_memarg(s: Reader) -> Parts:
    """Alignment and offset; a bit of the alignment says that a memory index stands between them."""
    at = s.pos
    flags = s.u32()
    memory = 0
    if Feature.MULTI_MEMORY not in s.features:
        most = MOST_ALIGN_WITHOUT_MEMORY
    else:
        most = 2 * HAS_MEMORY - 1
    if flags > most:
        raise s.fail("malformed memop flags", at)
    if flags & HAS_MEMORY:
        memory = s.u32()
    offset = s.u64() if Feature.MEMORY64 in s.features else s.u32()
    return memory, flags & ~HAS_MEMORY, offset


def write_memarg(w: Writer, memory: int, align: int, offset: int) -> None:
    if memory:
        w.unsigned(align | HAS_MEMORY)
        w.unsigned(memory)
    else:
        w.unsigned(align)
    w.unsigned(offset)


def read_laneidx(s: Reader) -> Parts:
    return (s.u8(),)


def read_lanes(s: Reader) -> Parts:
    return (tuple([s.u8() for _ in range(16)]),)


def write_lanes(w: Writer, lanes: tuple[int, ...]) -> None:
    for lane in lanes:
        w.unsigned(lane)


def read_i32(s: Reader) -> Parts:
    return (s.signed(32) & 0xFFFF_FFFF,)


def write_i32(w: Writer, value: int) -> None:
    w.signed(value - (value >> 31 << 32))


def read_i64(s: Reader) -> Parts:
    return (s.signed(64) & 0xFFFF_FFFF_FFFF_FFFF,)


def write_i64(w: Writer, value: int) -> None:
    w.signed(value - (value >> 63 << 64))


def read_f32(s: Reader) -> Parts:
    return (s.fixed(4),)


def write_f32(w: Writer, bits: int) -> None:
    w.fixed(bits, 4)


def read_f64(s: Reader) -> Parts:
    return (s.fixed(8),)


def write_f64(w: Writer, bits: int) -> None:
    w.fixed(bits, 8)


def read_v128(s: Reader) -> Parts:
    return (s.fixed(16),)


def write_v128(w: Writer, bits: int) -> None:
    w.fixed(bits, 16)


def read_heap(s: Reader) -> Parts:
    """The type that a null is of; before there were function references, it was written as the reference type."""
    if Feature.FUNCTION_REFERENCES in s.features:
        return (read_heaptype(s),)
    return (read_reftype(s).heap,)


def write_heap(w: Writer, t: HeapType) -> None:
    write_heaptype(w, t)


def read_ref(s: Reader) -> Parts:
    return (RefType(False, read_heaptype(s)),)


def read_ref_null(s: Reader) -> Parts:
    return (RefType(True, read_heaptype(s)),)


def write_ref(w: Writer, t: RefType) -> None:
    """The heap type only: whether it is nullable is in the opcode."""
    write_heaptype(w, t.heap)


def read_valtypes(s: Reader) -> Parts:
    return (s.vector(read_valtype),)


def write_valtypes(w: Writer, ts: tuple[ValType, ...]) -> None:
    w.vector(ts, write_valtype)


def read_castop(s: Reader) -> Parts:
    """A label and two reference types; one byte says which of them are nullable."""
    flags = s.byte()
    if flags > 3:
        raise s.fail("malformed br_on_cast flags")
    label = s.u32()
    source = RefType(bool(flags & 1), read_heaptype(s))
    return label, source, RefType(bool(flags & 2), read_heaptype(s))


def write_castop(w: Writer, label: int, source: RefType, target: RefType) -> None:
    w.byte(source.null | target.null << 1)
    w.unsigned(label)
    write_heaptype(w, source.heap)
    write_heaptype(w, target.heap)


def read_zero(s: Reader) -> Parts:
    s.zero()
    return ()


def write_zero(w: Writer) -> None:
    w.byte(0)


READ: dict[str, Callable[[Reader], Parts]] = {
    **dict.fromkeys(INDICES, read_index),
    "tableidx": read_index,
    "memidx": read_memidx,
    "tableidx typeidx": read_tableidx_typeidx,
    "memidx dataidx": read_memidx_dataidx,
    "tableidx elemidx": read_tableidx_elemidx,
    "labelidx*": read_labels,
    "blocktype": read_blocktype,
    "catch*": read_catches,
    "memarg": read_memarg,
    "laneidx": read_laneidx,
    "laneidx*16": read_lanes,
    "i32": read_i32,
    "i64": read_i64,
    "f32": read_f32,
    "f64": read_f64,
    "v128": read_v128,
    "heaptype": read_heap,
    "ref heaptype": read_ref,
    "ref null heaptype": read_ref_null,
    "valtype*": read_valtypes,
    "labelidx castop": read_castop,
    "zero": read_zero,
}

WRITE: dict[str, Callable[..., None]] = {
    **dict.fromkeys(INDICES, write_index),
    "tableidx": write_index,
    "memidx": write_index,
    "tableidx typeidx": write_two_turned,
    "memidx dataidx": write_two_turned,
    "tableidx elemidx": write_two_turned,
    "labelidx*": write_labels,
    "blocktype": write_blocktype,
    "catch*": write_catches,
    "memarg": write_memarg,
    "laneidx": write_index,
    "laneidx*16": write_lanes,
    "i32": write_i32,
    "i64": write_i64,
    "f32": write_f32,
    "f64": write_f64,
    "v128": write_v128,
    "heaptype": write_heap,
    "ref heaptype": write_ref,
    "ref null heaptype": write_ref,
    "valtype*": write_valtypes,
    "labelidx castop": write_castop,
    "zero": write_zero,
}

PARTS: dict[str, int] = {
    "tableidx typeidx": 2,
    "memidx dataidx": 2,
    "tableidx elemidx": 2,
    "memarg": 3,
    "labelidx castop": 3,
    "zero": 0,
}
"""How many parts a kind has that has not one."""

NESTED = ("instr*", "legacycatch*")
"""The kinds that hold instructions."""
