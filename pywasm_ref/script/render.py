"""Values and patterns in the words of a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pywasm_ref.embedding.engine import Store, Value
from pywasm_ref.numerics import F32 as F32_NUMBERS
from pywasm_ref.numerics import F64 as F64_NUMBERS
from pywasm_ref.numerics.floats import Floats
from pywasm_ref.script.commands import Either, Extern, Host, Lanes, Nan, Null, Number, Pattern, RefOf
from pywasm_ref.script.patterns import host_number, is_ref
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType, RefType, ValType

H = AbsHeapType
NARROW_FIRST = (H.I31, H.STRUCT, H.ARRAY, H.EQ, H.FUNC, H.EXN, H.EXTERN, H.ANY)


def number(t: ValType, bits: int) -> str:
    """A number as a literal of the text format that reads back to the same bits."""
    return NUMBERS[t](bits)


def value(store: Store, t: ValType, v: Value) -> str:
    """A value the way a script would write it, and without its type where it is a number."""
    if not isinstance(t, RefType):
        return number(t, v)
    if v is None:
        return "(ref.null)"
    n = host_number(store, v)
    if n is not None:
        return f"({'ref.extern' if is_ref(store, t, v, H.EXTERN) else 'ref.host'} {n})"
    if is_ref(store, t, v, H.I31):
        return f"(ref.i31 {store.i31_read(v)})"
    return next(f"(ref.{heap.value})" for heap in NARROW_FIRST if is_ref(store, t, v, heap))


def results(store: Store, types: Sequence[ValType], values: Sequence[Value]) -> str:
    return _row(_typed(t, value(store, t, v)) for t, v in zip(types, values, strict=True))


def patterns(expected: Iterable[Pattern]) -> str:
    return _row(map(pattern, expected))


def pattern(p: Pattern) -> str:
    match p:
        case Number(t, bits):
            return _typed(t, number(t, bits))
        case Lanes(t, width, lanes):
            return f"({t.value}.const {_shape(t, width)}{' '.join(map(_lane, lanes))})"
        case Null(heap):
            return f"(ref.null {heap.value})" if isinstance(heap, AbsHeapType) else "(ref.null)"
        case Host(n):
            return f"(ref.host {n})"
        case Extern(n):
            return f"(ref.extern {n})"
        case RefOf(heap):
            return f"(ref.{heap.value})"
        case Either(alternatives):
            return f"(either {' '.join(map(pattern, alternatives))})"


def _row(parts: Iterable[str]) -> str:
    return " ".join(parts) or "nothing"


def _typed(t: ValType, literal: str) -> str:
    return literal if isinstance(t, RefType) else f"({t.value}.const {literal})"


def _shape(t: ValType, width: int) -> str:
    return f"{'if'[width in (32, 64)]}{width}x{128 // width} " if t is V128 else ""


def _lane(lane: int | Nan) -> str:
    return lane.value if isinstance(lane, Nan) else hex(lane)


def _signed(width: int) -> Callable[[int], str]:
    return lambda bits: str(bits - (bits >> width - 1 << width))


def _float(numbers: Floats) -> Callable[[int], str]:
    digits = 9 if numbers.width == 32 else 17

    def render(bits: int) -> str:
        sign, magnitude = "-" if bits & numbers.sign else "", bits & numbers.magnitude
        if magnitude == numbers.canonical_nan:
            return f"{sign}nan"
        if magnitude >= numbers.infinity:
            payload = magnitude - numbers.infinity
            return f"{sign}nan:{payload:#x}" if payload else f"{sign}inf"
        x = numbers.to_float(magnitude)
        tries = (f"{x:.{n}g}" for n in range(1, digits))
        return sign + next((text for text in tries if numbers.from_float(float(text)) == magnitude), f"{x:.{digits}g}")

    return render


def _vector(bits: int) -> str:
    return "i32x4 " + " ".join(f"{bits >> 32 * i & 0xFFFF_FFFF:#010x}" for i in range(4))


NUMBERS: dict[ValType, Callable[[int], str]] = {
    I32: _signed(32),
    I64: _signed(64),
    F32: _float(F32_NUMBERS),
    F64: _float(F64_NUMBERS),
    V128: _vector,
}
