"""What an assertion expects of a result, and whether a value is that: to the bit, and of the right type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Store, Value
from pywasm_ref.numerics import F32, F64
from pywasm_ref.script.commands import Either, Extern, Host, Lanes, Literal, Nan, Null, Number, Pattern, RefOf
from pywasm_ref.syntax.types import AbsHeapType, RefType, ValType

FLOATS = {32: F32, 64: F64}


# Literals


def value_of(store: Store, literal: Literal) -> Value:
    """The engine's value for a literal of the script."""
    match literal:
        case Number(_, bits):
            return bits
        case Null():
            return None
        case Extern():
            return store.host_alloc(literal)
        case Host(number):
            return store.extern_internalize(store.host_alloc(Extern(number)))


def type_of(literal: Literal) -> ValType:
    match literal:
        case Number(t, _):
            return t
        case Null(heap):
            return RefType(True, AbsHeapType.BOT if heap is None else heap)
        case Extern():
            return RefType(False, AbsHeapType.EXTERN)
        case Host():
            return RefType(False, AbsHeapType.ANY)


# Patterns


def matches(store: Store, t: ValType, value: Value, pattern: Pattern) -> bool:
    """Whether a value of type `t` is what the pattern describes."""
    return _MATCH[type(pattern)](store, t, value, pattern)


def all_match(store: Store, types: Sequence[ValType], values: Sequence[Value], patterns: Sequence[Pattern]) -> bool:
    if not len(types) == len(values) == len(patterns):
        return False
    return all(matches(store, *row) for row in zip(types, values, patterns, strict=True))


def _number(store: Store, t: ValType, value: Value, pattern: Number) -> bool:
    return t is pattern.type and value == pattern.bits


def _lanes(store: Store, t: ValType, value: Value, pattern: Lanes) -> bool:
    if t is not pattern.type:
        return False
    mask = 2**pattern.width - 1
    return all(_lane(value >> k * pattern.width & mask, pattern.width, lane) for k, lane in enumerate(pattern.lanes))


def _lane(bits: int, width: int, lane: int | Nan) -> bool:
    if not isinstance(lane, Nan):
        return bits == lane
    numbers = FLOATS[width]
    return numbers.is_canonical_nan(bits) if lane is Nan.CANONICAL else numbers.is_arithmetic_nan(bits)


def _null(store: Store, t: ValType, value: Value, pattern: Null) -> bool:
    return isinstance(t, RefType) and value is None


def _extern(store: Store, t: ValType, value: Value, pattern: Extern) -> bool:
    return is_ref(store, t, value, AbsHeapType.EXTERN) and host_number(store, value) == pattern.number


def _host(store: Store, t: ValType, value: Value, pattern: Host) -> bool:
    return is_ref(store, t, value, AbsHeapType.ANY) and host_number(store, value) == pattern.number


def _ref_of(store: Store, t: ValType, value: Value, pattern: RefOf) -> bool:
    return is_ref(store, t, value, pattern.heap)


def _either(store: Store, t: ValType, value: Value, pattern: Either) -> bool:
    return any(matches(store, t, value, p) for p in pattern.patterns)


_MATCH: dict[type, Callable[[Store, ValType, Value, Any], bool]] = {
    Number: _number,
    Lanes: _lanes,
    Null: _null,
    Extern: _extern,
    Host: _host,
    RefOf: _ref_of,
    Either: _either,
}


def is_ref(store: Store, t: ValType, value: Value, heap: AbsHeapType) -> bool:
    """Whether the value is a reference, not null, and below that heap type."""
    if not isinstance(t, RefType) or value is None:
        return False
    return functions.match_valtype(functions.ref_type(store, value), RefType(False, heap))


def host_number(store: Store, ref: Value) -> int | None:
    """The n of a reference that `(ref.extern n)` or `(ref.host n)` made; None for any other."""
    try:
        host = store.host_read(ref)
    except TypeError:
        return None
    return host.number if isinstance(host, Extern) else None
