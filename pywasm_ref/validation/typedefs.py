"""Types as modules declare them: definitions, limits, imports.

Spec    valid/types.html
"""

from __future__ import annotations

from typing import cast

from pywasm_ref.errors import Invalid
from pywasm_ref.features import Feature
from pywasm_ref.syntax.types import (
    I32,
    I64,
    AbsHeapType,
    DefType,
    ExternType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    RecType,
    RefType,
    SubType,
    TableType,
    TagType,
    TypeIdx,
)
from pywasm_ref.validation.context import Context
from pywasm_ref.validation.gates import require, require_memtype, require_rectype
from pywasm_ref.validation.matching import match_comptype
from pywasm_ref.validation.types import expand, functype, roll

PAGE_BITS = (0, 16)


def define(c: Context, rectype: RecType) -> None:
    """Add the types of a recursive group to the context.

    Fails   Invalid  "unknown type", "sub type", or a feature that is off
    Spec    valid/types.html#recursive-types
    """
    require_rectype(c.features, rectype)
    start = len(c.types)
    c.types.extend(roll(rectype, c.types))
    for x, sub in enumerate(rectype.subtypes, start):
        if sub.supers:
            check_subtype(c, x, sub)


def check_subtype(c: Context, x: TypeIdx, sub: SubType) -> None:
    """A supertype stands earlier, is not final, and is matched by what extends it.

    Fails   Invalid  "sub type", "forward use of type"
    Spec    valid/types.html#valid-subtype
    """
    if len(sub.supers) > 1:
        raise Invalid(f"sub type {x} has more than one super type")
    above = cast(TypeIdx, sub.supers[0])
    if above >= x:
        raise Invalid(f"forward use of type {above} in sub type definition")
    supertype = c.types[above]
    if supertype.rectype.subtypes[supertype.index].final:
        raise Invalid(f"sub type {x} has final super type {above}")
    if not match_comptype(expand(c.types[x]), expand(supertype)):
        raise Invalid(f"sub type {x} does not match super type {above}")


def check_limits(limits: Limits, most: int, message: str) -> None:
    """Fails   Invalid  `message`, or "size minimum must not be greater than maximum" """
    if limits.min > most or (limits.max is not None and limits.max > most):
        raise Invalid(message)
    if limits.max is not None and limits.min > limits.max:
        raise Invalid(f"size minimum must not be greater than maximum: {limits.min} > {limits.max}")


def memtype(c: Context, mt: MemType) -> MemType:
    """Fails   Invalid  "invalid custom page size", "memory size", "shared memory must have maximum" """
    require_memtype(c.features, mt)
    if mt.page_bits not in PAGE_BITS:
        raise Invalid(f"invalid custom page size: 2**{mt.page_bits}")
    bits = 32 if mt.addr is I32 else 64
    most = min(1 << (bits - mt.page_bits), (1 << bits) - 1)
    size = "4GiB" if mt.addr is I32 else "16EiB"
    check_limits(mt.limits, most, f"memory size must be at most {most} pages ({size})")
    if mt.shared and mt.limits.max is None:
        raise Invalid("shared memory must have maximum")
    return mt


def tabletype(c: Context, tt: TableType) -> TableType:
    """Fails   Invalid  "table size", "unknown type" """
    if tt.addr is I64:
        require(c.features, Feature.MEMORY64, "a table with 64-bit addresses")
    bits = 32 if tt.addr is I32 else 64
    check_limits(tt.limits, (1 << bits) - 1, f"table size must be at most 2^{bits}-1 entries")
    return TableType(tt.addr, tt.limits, elemtype(c, tt.elem))


def elemtype(c: Context, t: RefType) -> RefType:
    """What a table or segment holds, closed; functions in tables have always been there.

    Fails   Invalid  "unknown type", or for a type of a feature that is off
    """
    return c.close(t) if t.heap is AbsHeapType.FUNC else c.valtype(t)


def globaltype(c: Context, gt: GlobalType) -> GlobalType:
    """Fails   Invalid  "unknown type" """
    return GlobalType(gt.mut, c.valtype(gt.type))


def tagtype(c: Context, tt: TagType) -> TagType:
    """Fails   Invalid  "unknown type", "non-function type", "non-empty tag result type" """
    if Feature.LEGACY_EXCEPTIONS not in c.features:
        require(c.features, Feature.EXCEPTIONS, "a tag")
    deftype = function(c, tt.type)
    if functype(deftype).results:
        raise Invalid("non-empty tag result type")
    return TagType(deftype)


def function(c: Context, x: TypeIdx | DefType) -> DefType:
    """Fails   Invalid  "unknown type", "non-function type" """
    if isinstance(x, DefType):
        return x
    c.functype(x)
    return c.types[x]


def externtype(c: Context, xt: ExternType) -> ExternType:
    """What is imported, in closed types.

    Fails   Invalid  as the type it is
    Spec    valid/types.html#external-types
    """
    match xt:
        case FuncTypeUse():
            return FuncTypeUse(function(c, xt.type))
        case TagType():
            return tagtype(c, xt)
        case MemType():
            return memtype(c, xt)
        case TableType():
            return tabletype(c, xt)
    if xt.mut:
        require(c.features, Feature.MUTABLE_GLOBALS, "the import of a mutable global")
    return globaltype(c, xt)
