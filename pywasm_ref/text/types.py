"""Types, as the text format writes them.

Spec    text/types.html
"""

from __future__ import annotations

from pywasm_ref.features import Feature
from pywasm_ref.syntax.instructions import BlockType
from pywasm_ref.syntax.types import (
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    CompType,
    FieldType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemType,
    NumType,
    PackType,
    RecType,
    RefType,
    StorageType,
    StructType,
    SubType,
    TableType,
    TypeIdx,
    ValType,
    VecType,
)
from pywasm_ref.text.names import Context, Space

_PACKS = {"i8": PackType.I8, "i16": PackType.I16}
_HEAPS = {heap.value: heap for heap in AbsHeapType if heap is not AbsHeapType.BOT}
_REFS: dict[str, RefType] = {
    "anyref": RefType(True, AbsHeapType.ANY),
    "eqref": RefType(True, AbsHeapType.EQ),
    "i31ref": RefType(True, AbsHeapType.I31),
    "structref": RefType(True, AbsHeapType.STRUCT),
    "arrayref": RefType(True, AbsHeapType.ARRAY),
    "nullref": RefType(True, AbsHeapType.NONE),
    "funcref": RefType(True, AbsHeapType.FUNC),
    "nullfuncref": RefType(True, AbsHeapType.NOFUNC),
    "exnref": RefType(True, AbsHeapType.EXN),
    "nullexnref": RefType(True, AbsHeapType.NOEXN),
    "externref": RefType(True, AbsHeapType.EXTERN),
    "nullexternref": RefType(True, AbsHeapType.NOEXTERN),
}
_VALUES: dict[str, ValType] = {**{t.value: t for t in NumType}, **{t.value: t for t in VecType}, **_REFS}

DEFAULT_PAGE_BITS = 16


def heaptype(c: Context) -> HeapType:
    """An abstract heap type, or a type index."""
    heap = _HEAPS.get(c.tokens.text)
    if heap is None:
        return c.index(c.types)
    c.tokens.i += 1
    return heap


def reftype(c: Context) -> RefType:
    """`(ref null? ht)`, or one of the short names."""
    tokens = c.tokens
    short = _REFS.get(tokens.text)
    if short is not None:
        tokens.i += 1
        return short
    if not tokens.enter("ref"):
        raise tokens.unexpected("a type")
    null = tokens.accept("null")
    heap = heaptype(c)
    tokens.expect(")")
    return RefType(null, heap)


def valtype(c: Context) -> ValType:
    """A number, vector or reference type."""
    simple = _VALUES.get(c.tokens.text)
    if simple is None:
        return reftype(c)
    c.tokens.i += 1
    return simple


def valtypes(c: Context) -> list[ValType]:
    """Value types up to the closing parenthesis, which is stepped over."""
    types = []
    while not c.tokens.accept(")"):
        types.append(valtype(c))
    return types


def globaltype(c: Context) -> GlobalType:
    """`t`, or `(mut t)`."""
    if not c.tokens.enter("mut"):
        return GlobalType(False, valtype(c))
    t = valtype(c)
    c.tokens.expect(")")
    return GlobalType(True, t)


# Composite types


def storagetype(c: Context) -> StorageType:
    """A value type, or a packed one."""
    pack = _PACKS.get(c.tokens.text)
    if pack is None:
        return valtype(c)
    c.tokens.i += 1
    return pack


def fieldtype(c: Context) -> FieldType:
    """`t`, or `(mut t)`."""
    if not c.tokens.enter("mut"):
        return FieldType(False, storagetype(c))
    t = storagetype(c)
    c.tokens.expect(")")
    return FieldType(True, t)


def structtype(c: Context, x: TypeIdx) -> StructType:
    """The fields of a structure, which is type `x`; one field with a name, or any number without in each `(field …)`."""
    names = c.names.fields.setdefault(x, {})
    space = c.fields[x] = Space("field", names)
    fields: list[FieldType] = []
    while c.tokens.enter("field"):
        if c.tokens.text.startswith("$") or c.tokens.i in c.annotated:
            c.bind(space)
            fields.append(fieldtype(c))
            c.tokens.expect(")")
        else:
            while not c.tokens.accept(")"):
                space.bind(None)
                fields.append(fieldtype(c))
    if not names:
        del c.names.fields[x]
    return StructType(tuple(fields))


def functype(c: Context, locals_: Space | None = None) -> FuncType:
    """Parameters and results; where parameters may have names, `locals_` is the space to bind them in."""
    tokens = c.tokens
    params: list[ValType] = []
    while tokens.enter("param"):
        if locals_ is None:
            params += valtypes(c)
        else:
            named_or_many(c, locals_, params)
    results: list[ValType] = []
    while tokens.enter("result"):
        results += valtypes(c)
    if tokens.opens("param"):
        tokens.i += 1
        raise tokens.unexpected()
    return FuncType(tuple(params), tuple(results))


def named_or_many(c: Context, space: Space, types: list[ValType]) -> None:
    """`$x t )`, or `t* )`: the inside of a `(param …)` or a `(local …)`."""
    if c.tokens.text.startswith("$") or c.tokens.i in c.annotated:
        c.bind(space)
        types.append(valtype(c))
        c.tokens.expect(")")
    else:
        more = valtypes(c)
        space.count += len(more)
        types += more


def comptype(c: Context, x: TypeIdx) -> CompType:
    """What type `x` is made of."""
    tokens = c.tokens
    comp: CompType
    if tokens.enter("func"):
        comp = functype(c, AnonymousSpace())
    elif tokens.enter("struct"):
        comp = structtype(c, x)
    elif tokens.enter("array"):
        comp = ArrayType(fieldtype(c))
    else:
        tokens.accept("(")
        raise tokens.unexpected()
    tokens.expect(")")
    return comp


class AnonymousSpace(Space):
    """Parameters of a type: their names mean nothing, and may even repeat."""

    def __init__(self) -> None:
        super().__init__("local", {})

    def bind(self, name: str | None) -> int:
        """The index of a new entry, which will not be looked up."""
        return super().bind(None)


def subtype(c: Context, x: TypeIdx) -> SubType:
    """`(sub final? y* comptype)`, or just a composite type, which is final."""
    tokens = c.tokens
    if not tokens.enter("sub"):
        return SubType(True, (), comptype(c, x))
    final = tokens.accept("final")
    supers = []
    while c.has_index():
        supers.append(c.index(c.types))
    comp = comptype(c, x)
    tokens.expect(")")
    return SubType(final, tuple(supers), comp)


def rectype(c: Context) -> RecType:
    """`(rec (type …)*)`, or one `(type …)`; the names are bound already."""
    if not c.tokens.enter("rec"):
        return RecType((_typedef(c, len(c.subtypes)),))
    members: list[SubType] = []
    while not c.tokens.accept(")"):
        members.append(_typedef(c, len(c.subtypes) + len(members)))
    return RecType(tuple(members))


def _typedef(c: Context, x: TypeIdx) -> SubType:
    c.tokens.expect("(")
    c.tokens.expect("type")
    c.tokens.identifier()
    c.annotate(c.names.types, x)
    sub = subtype(c, x)
    c.tokens.expect(")")
    return sub


# Type uses


def typeuse(c: Context, locals_: Space | None = None) -> TypeIdx:
    """`(type x)?` and parameters and results, which must agree if both are given.

    Spec    text/modules.html#type-uses
    """
    x, inline = _typeuse_parts(c, locals_)
    return c.implicit_type(inline) if x is None else x


def blocktype(c: Context) -> BlockType:
    """A type use, of which the simplest ones need no type."""
    x, inline = _typeuse_parts(c, None)
    if x is not None:
        return x
    if inline.params or len(inline.results) > 1:
        return c.implicit_type(inline)
    return inline.results[0] if inline.results else None


_NO_TYPE = FuncType((), ())


def _typeuse_parts(c: Context, locals_: Space | None) -> tuple[TypeIdx | None, FuncType]:
    """The type that is referred to, and the one that is written out; they agree, or one of them is not given."""
    tokens = c.tokens
    if tokens.text != "(":
        return None, _NO_TYPE
    x = None
    at = tokens.at
    if tokens.enter("type"):
        at = tokens.at
        x = c.index(c.types)
        tokens.expect(")")
    inline = functype(c, locals_)
    if x is not None and (inline.params or inline.results) and inline != c.functype(x, at):
        raise tokens.error("inline function type does not match explicit type", at)
    return x, inline


# Limits


def addrtype(c: Context) -> NumType:
    """`i64` with the memory64 feature, or `i32`, which may be left out."""
    tokens = c.tokens
    if tokens.text == "i64" and Feature.MEMORY64 in c.features:
        tokens.i += 1
        return I64
    if tokens.text in ("f32", "f64", "i64"):
        raise tokens.error("malformed address type")
    tokens.accept("i32")
    return I32


def limits(c: Context) -> Limits:
    """A minimum, and perhaps a maximum; before memory64 neither could have more than 32 bits."""
    bits = 64 if Feature.MEMORY64 in c.features else 32
    low = c.tokens.natural(bits)
    return Limits(low, c.tokens.natural(bits) if c.has_index() else None)


def memtype(c: Context, addr: NumType) -> MemType:
    """What follows the address type of a memory."""
    bounds = limits(c)
    shared = c.tokens.accept("shared")
    return MemType(addr, bounds, shared, pagesize(c))


def pagesize(c: Context) -> int:
    """`(pagesize n)`, as a logarithm; 2**16 where it is left out.

    Fails   "invalid custom page size"  when n is not a power of two
    """
    tokens = c.tokens
    if not tokens.enter("pagesize"):
        return DEFAULT_PAGE_BITS
    at = tokens.at
    size = tokens.natural(64)
    tokens.expect(")")
    if size == 0 or size & (size - 1):
        raise tokens.error("invalid custom page size", at)
    return size.bit_length() - 1


def tabletype(c: Context, addr: NumType) -> TableType:
    """What follows the address type of a table."""
    bounds = limits(c)
    return TableType(addr, bounds, reftype(c))
