"""Numbers between Python and bits: there and back, and never wrapped."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.embedding.values import (
    NUMBERS,
    f32_to_python,
    f32_to_wasm,
    f64_to_python,
    f64_to_wasm,
    i32_to_python,
    i32_to_wasm,
    i64_to_python,
    i64_to_wasm,
    v128_to_python,
    v128_to_wasm,
)
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, ValType

WIDTH: dict[ValType, int] = {I32: 32, I64: 64, F32: 32, F64: 64, V128: 128}


@given(st.sampled_from(list(WIDTH)), st.data())
def test_any_bits_survive_the_way_to_python_and_back(t: ValType, data: st.DataObject) -> None:
    to_wasm, to_python = NUMBERS[t]
    bits = data.draw(st.integers(0, 2 ** WIDTH[t] - 1))
    assert to_wasm(to_python(bits)) == bits


@pytest.mark.parametrize("bits", [0x7F80_0001, 0xFF80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0xFFFF_FFFF, 0x7F80_0000, 0x8000_0000, 1])
def test_an_f32_keeps_the_payload_of_a_nan_and_the_sign_of_zero(bits: int) -> None:
    assert f32_to_wasm(f32_to_python(bits)) == bits


def test_an_f64_nan_whose_payload_is_too_low_for_an_f32_stays_a_nan() -> None:
    assert f32_to_wasm(f64_to_python(0x7FF0_0000_0000_0001)) == 0x7F80_0001


@given(st.integers(-(2**31), 2**32 - 1))
def test_an_i32_is_taken_in_either_range_and_given_signed(number: int) -> None:
    back = i32_to_python(i32_to_wasm(number))
    assert -(2**31) <= back < 2**31
    assert (back - number) % 2**32 == 0


@given(st.integers(-(2**63), 2**64 - 1))
def test_an_i64_is_taken_in_either_range_and_given_signed(number: int) -> None:
    back = i64_to_python(i64_to_wasm(number))
    assert -(2**63) <= back < 2**63
    assert (back - number) % 2**64 == 0


@pytest.mark.parametrize("number", [2**32, -(2**31) - 1, 10**30, -(1 << 20_000), 1 << 20_000], ids=lambda n: hex(n)[:12])
def test_an_integer_out_of_range_is_an_error_and_not_wrapped(number: int) -> None:
    with pytest.raises(OverflowError, match="out of range for i32"):
        i32_to_wasm(number)


@pytest.mark.parametrize("value", [1.0, "1", None, b"1", [], object()])
def test_what_is_no_int_is_no_i32(value: Any) -> None:
    with pytest.raises(TypeError, match="an int is expected for i32"):
        i32_to_wasm(value)


def test_a_bool_counts_as_an_integer() -> None:
    assert (i32_to_wasm(True), i64_to_wasm(False)) == (1, 0)


@pytest.mark.parametrize("value", ["1", None, b"1", [], 1j])
def test_what_is_no_number_is_no_float(value: Any) -> None:
    with pytest.raises(TypeError, match="a float is expected for f64"):
        f64_to_wasm(value)


def test_an_int_too_large_for_a_float_is_an_error() -> None:
    with pytest.raises(OverflowError, match="out of range for f32"):
        f32_to_wasm(10**400)


@given(st.floats(allow_nan=False))
def test_a_float_is_rounded_to_the_nearest_f32(value: float) -> None:
    got = f32_to_python(f32_to_wasm(value))
    try:
        wanted = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        wanted = math.copysign(math.inf, value)
    assert got == wanted
    assert math.copysign(1, got) == math.copysign(1, value)


def test_a_v128_is_16_bytes_with_lane_0_first() -> None:
    assert v128_to_wasm(bytes([1, *[0] * 15])) == 1
    assert v128_to_python(1 << 120) == bytes([*[0] * 15, 1])
    assert v128_to_wasm(bytearray(16)) == v128_to_wasm(memoryview(bytes(16))) == 0


@pytest.mark.parametrize(
    ("value", "kind"), [(b"", ValueError), (bytes(15), ValueError), (bytes(17), ValueError), (0, TypeError), ("x" * 16, TypeError)]
)
def test_anything_but_16_bytes_is_no_v128(value: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="16 bytes are expected for v128"):
        v128_to_wasm(value)


@pytest.mark.parametrize(
    ("value", "nearest"),
    [
        (2**60 + 2**36 + 1, 2.0**60 + 2.0**37),  # as an f64 first it would be a tie, and go down to 2**60
        (-(2**60 + 2**36 + 1), -(2.0**60 + 2.0**37)),
        (2**60 + 2**36, 2.0**60),
        (2**24 + 1, 2.0**24),
        (2**24 + 3, 2.0**24 + 4),
        (2**128 - 2**103 - 1, 2.0**128 - 2.0**104),
        (2**128 - 2**103, math.inf),
        (True, 1.0),
    ],
)
def test_an_int_is_rounded_to_an_f32_once(value: int, nearest: float) -> None:
    assert f32_to_python(f32_to_wasm(value)) == nearest
