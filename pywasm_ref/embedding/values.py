"""Numbers between Python and the bits of an engine, both ways; references are in `references.py`.

    i32 i64   int, in the signed or the unsigned range going in (bool counts as 0 or 1), signed coming out
    f32 f64   float or int going in, rounded to the nearest; float coming out; NaN payloads survive
    v128      16 bytes, lane 0 first
    i8 i16    (fields of structures and arrays) like i32 going in, unsigned coming out

Anything out of range is an error and never wrapped.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import index
from typing import Any

from pywasm_ref.embedding import words
from pywasm_ref.numerics import F32 as F32_NUMBERS
from pywasm_ref.syntax.types import F32, F64, I8, I16, I32, I64, V128, StorageType

ToWasm = Callable[[Any], Any]
ToPython = Callable[[Any], Any]

F32_INFINITY, F32_PAYLOAD, F32_SIGN = 0x7F80_0000, 0x007F_FFFF, 0x8000_0000
F64_INFINITY, F64_PAYLOAD = 0x7FF << 52, (1 << 52) - 1
PAYLOAD_SHIFT = 52 - 23

# Integers


def _integer(value: Any, bits: int, name: str) -> int:
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"an int is expected for {name}, not {words.given(value)}") from None
    if -(1 << bits - 1) <= number < 1 << bits:
        return number & (1 << bits) - 1
    raise OverflowError(f"{words.given(number)} is out of range for {name}, which is -2**{bits - 1} to 2**{bits}-1")


def i32_to_wasm(value: Any) -> int:
    return _integer(value, 32, "i32")


def i64_to_wasm(value: Any) -> int:
    return _integer(value, 64, "i64")


def i8_to_wasm(value: Any) -> int:
    return _integer(value, 8, "i8")


def i16_to_wasm(value: Any) -> int:
    return _integer(value, 16, "i16")


def packed_to_python(i: int) -> int:
    """A field that is packed does not know its sign; it is read unsigned."""
    return i


def i32_to_python(i: int) -> int:
    return i - 0x1_0000_0000 if i & 0x8000_0000 else i


def i64_to_python(i: int) -> int:
    return i - 0x1_0000_0000_0000_0000 if i & 0x8000_0000_0000_0000 else i


# Floats


def f64_to_wasm(value: Any) -> int:
    return int.from_bytes(_pack(value, "f64"), "little")


def f64_to_python(bits: int) -> float:
    value: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return value


def f32_to_wasm(value: Any) -> int:
    """The nearest f32, infinity past the largest. A NaN keeps its sign and the upper bits of its payload."""
    double = _pack(value, "f32")
    if isinstance(value, int):  # by way of an f64 it would be rounded twice
        return F32_NUMBERS.from_ratio(value, 1)
    bits = int.from_bytes(double, "little")
    if bits & F64_INFINITY == F64_INFINITY and bits & F64_PAYLOAD:  # a conversion by the processor would make it a quiet NaN
        payload = (bits & F64_PAYLOAD) >> PAYLOAD_SHIFT or 1
        return bits >> 32 & F32_SIGN | F32_INFINITY | payload
    try:
        return int.from_bytes(struct.pack("<f", struct.unpack("<d", double)[0]), "little")
    except OverflowError:
        return bits >> 32 & F32_SIGN | F32_INFINITY


def f32_to_python(bits: int) -> float:
    if bits & F32_INFINITY == F32_INFINITY and bits & F32_PAYLOAD:
        return f64_to_python((bits & F32_SIGN) << 32 | F64_INFINITY | (bits & F32_PAYLOAD) << PAYLOAD_SHIFT)
    value: float = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    return value


def _pack(value: Any, name: str) -> bytes:
    try:
        return struct.pack("<d", value)
    except (struct.error, OverflowError):
        if isinstance(value, int | float):
            raise OverflowError(f"{words.given(value)} is out of range for {name}") from None
        raise TypeError(f"a float is expected for {name}, not {words.given(value)}") from None


# Vectors


def v128_to_wasm(value: Any) -> int:
    try:
        data = memoryview(value).tobytes()
    except TypeError:
        raise TypeError(f"16 bytes are expected for v128, not {words.given(value)}") from None
    if len(data) != 16:
        raise ValueError(f"16 bytes are expected for v128, not {len(data)}")
    return int.from_bytes(data, "little")


def v128_to_python(bits: int) -> bytes:
    return bits.to_bytes(16, "little")


NUMBERS: dict[StorageType, tuple[ToWasm, ToPython]] = {
    I8: (i8_to_wasm, packed_to_python),
    I16: (i16_to_wasm, packed_to_python),
    I32: (i32_to_wasm, i32_to_python),
    I64: (i64_to_wasm, i64_to_python),
    F32: (f32_to_wasm, f32_to_python),
    F64: (f64_to_wasm, f64_to_python),
    V128: (v128_to_wasm, v128_to_python),
}
"""The converters of each type that is no reference, to the engine and from it."""
