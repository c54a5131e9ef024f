"""Matching: when a value of one type can stand where another is expected.

All types here are closed (`types.close`), so no context is needed; a type of a module is closed in its context first.

Spec    valid/matching.html
"""

from __future__ import annotations

from pywasm_ref.syntax.types import (
    BOT,
    AbsHeapType,
    ArrayType,
    CompType,
    DefType,
    ExternType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    HeapType,
    Limits,
    MemType,
    PackType,
    RefType,
    ResultType,
    StorageType,
    StructType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.validation.types import is_subtype, kind

_H = AbsHeapType
_AGGREGATE = frozenset({_H.EQ, _H.ANY})

_ABOVE: dict[HeapType, frozenset[HeapType]] = {
    _H.ANY: frozenset({_H.ANY}),
    _H.EQ: frozenset({_H.EQ, _H.ANY}),
    _H.I31: _AGGREGATE | {_H.I31},
    _H.STRUCT: _AGGREGATE | {_H.STRUCT},
    _H.ARRAY: _AGGREGATE | {_H.ARRAY},
    _H.NONE: _AGGREGATE | {_H.I31, _H.STRUCT, _H.ARRAY, _H.NONE},
    _H.FUNC: frozenset({_H.FUNC}),
    _H.NOFUNC: frozenset({_H.FUNC, _H.NOFUNC}),
    _H.EXN: frozenset({_H.EXN}),
    _H.NOEXN: frozenset({_H.EXN, _H.NOEXN}),
    _H.EXTERN: frozenset({_H.EXTERN}),
    _H.NOEXTERN: frozenset({_H.EXTERN, _H.NOEXTERN}),
    _H.BOT: frozenset(AbsHeapType),
}
"""Each abstract heap type with all that it matches."""

_BELOW: dict[HeapType, frozenset[HeapType]] = {
    _H.STRUCT: frozenset({_H.NONE, _H.BOT}),
    _H.ARRAY: frozenset({_H.NONE, _H.BOT}),
    _H.FUNC: frozenset({_H.NOFUNC, _H.BOT}),
}
"""The abstract heap types that match every defined type of a kind."""


# Value types


def match_heaptype(t1: HeapType, t2: HeapType) -> bool:
    """Spec    valid/matching.html#match-heaptype"""
    if t1 is t2:
        return True
    if isinstance(t1, DefType):
        return is_subtype(t1, t2) if isinstance(t2, DefType) else t2 in _ABOVE[kind(t1)]
    if isinstance(t2, DefType):
        return t1 in _BELOW[kind(t2)]
    return t2 in _ABOVE[t1]


def match_reftype(t1: RefType, t2: RefType) -> bool:
    """Spec    valid/matching.html#match-reftype"""
    return (t2.null or not t1.null) and match_heaptype(t1.heap, t2.heap)


def match_valtype(t1: ValType, t2: ValType) -> bool:
    """Spec    valid/matching.html#match-valtype"""
    if t1 is t2 or t1 is BOT:
        return True
    return isinstance(t1, RefType) and isinstance(t2, RefType) and match_reftype(t1, t2)


def match_resulttype(ts1: ResultType, ts2: ResultType) -> bool:
    """Spec    valid/matching.html#match-resulttype"""
    return len(ts1) == len(ts2) and all(map(match_valtype, ts1, ts2))


# Composite and defined types


def match_storagetype(t1: StorageType, t2: StorageType) -> bool:
    """Spec    valid/matching.html#match-storagetype"""
    if isinstance(t1, PackType) or isinstance(t2, PackType):
        return t1 is t2
    return match_valtype(t1, t2)


def match_fieldtype(t1: FieldType, t2: FieldType) -> bool:
    """A field that can be written has to match both ways.

    Spec    valid/matching.html#match-fieldtype
    """
    if t1.mut is not t2.mut or not match_storagetype(t1.storage, t2.storage):
        return False
    return not t1.mut or match_storagetype(t2.storage, t1.storage)


def match_comptype(t1: CompType, t2: CompType) -> bool:
    """Spec    valid/matching.html#match-comptype"""
    if isinstance(t1, FuncType) and isinstance(t2, FuncType):
        return match_functype(t1, t2)
    if isinstance(t1, StructType) and isinstance(t2, StructType):
        return len(t1.fields) >= len(t2.fields) and all(map(match_fieldtype, t1.fields, t2.fields))
    return isinstance(t1, ArrayType) and isinstance(t2, ArrayType) and match_fieldtype(t1.field, t2.field)


def match_functype(t1: FuncType, t2: FuncType) -> bool:
    """Parameters match the other way round.

    Spec    valid/matching.html#match-functype
    """
    return match_resulttype(t2.params, t1.params) and match_resulttype(t1.results, t2.results)


def match_deftype(t1: DefType, t2: DefType) -> bool:
    """Spec    valid/matching.html#match-deftype"""
    return is_subtype(t1, t2)


# External types


def match_limits(t1: Limits, t2: Limits) -> bool:
    """Spec    valid/matching.html#match-limits"""
    return t1.min >= t2.min and (t2.max is None or (t1.max is not None and t1.max <= t2.max))


def match_tagtype(t1: TagType, t2: TagType) -> bool:
    """Tags are generative, so their types match only when each matches the other.

    Spec    valid/matching.html#match-tagtype
    """
    return t1.type is t2.type


def match_globaltype(t1: GlobalType, t2: GlobalType) -> bool:
    """Spec    valid/matching.html#match-globaltype"""
    if t1.mut is not t2.mut or not match_valtype(t1.type, t2.type):
        return False
    return not t1.mut or match_valtype(t2.type, t1.type)


def match_memtype(t1: MemType, t2: MemType) -> bool:
    """Spec    valid/matching.html#match-memtype"""
    same = t1.addr is t2.addr and t1.shared is t2.shared and t1.page_bits == t2.page_bits
    return same and match_limits(t1.limits, t2.limits)


def match_tabletype(t1: TableType, t2: TableType) -> bool:
    """Spec    valid/matching.html#match-tabletype"""
    same = t1.addr is t2.addr and match_limits(t1.limits, t2.limits)
    return same and match_reftype(t1.elem, t2.elem) and match_reftype(t2.elem, t1.elem)


def match_externtype(t1: ExternType, t2: ExternType) -> bool:
    """Spec    valid/matching.html#match-externtype"""
    match t1, t2:
        case FuncTypeUse(DefType() as dt1), FuncTypeUse(DefType() as dt2):
            return match_deftype(dt1, dt2)
        case TagType(), TagType():
            return match_tagtype(t1, t2)
        case GlobalType(), GlobalType():
            return match_globaltype(t1, t2)
        case MemType(), MemType():
            return match_memtype(t1, t2)
        case TableType(), TableType():
            return match_tabletype(t1, t2)
    return False
