"""Literals: exact to the bit, against exact rational arithmetic."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.errors import Malformed
from pywasm_ref.numerics import F32, F64
from pywasm_ref.numerics.floats import Floats
from pywasm_ref.text.values import floating, integer, is_number, natural, string, vector

FORMATS = pytest.mark.parametrize("numbers", [F32, F64], ids=["f32", "f64"])


def value_of(bits: int, numbers: Floats) -> Fraction:
    """The exact value of the bits of a positive number; infinity is the power of two where it would stand."""
    exponent, fraction = bits >> numbers.mantissa, bits & (1 << numbers.mantissa) - 1
    bias = (1 << (numbers.width - numbers.mantissa - 2)) - 1
    if exponent == 0:
        return fraction * Fraction(2) ** (1 - bias - numbers.mantissa)
    return (fraction + (1 << numbers.mantissa)) * Fraction(2) ** (exponent - bias - numbers.mantissa)


def nearest(exact: Fraction, numbers: Floats) -> int:
    """The bits of the float nearest to a positive number, ties to even, by bisection over all floats."""
    low, high = 0, numbers.infinity
    if exact >= value_of(high, numbers):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if value_of(middle, numbers) <= exact:
            low = middle
        else:
            high = middle
    below, above = exact - value_of(low, numbers), value_of(high, numbers) - exact
    return low if below < above or (below == above and low % 2 == 0) else high


def read(text: str, numbers: Floats) -> int:
    """What a literal gives; infinity where it is refused as too large."""
    try:
        return floating(text, numbers)
    except Malformed as error:
        assert error.message == "constant out of range"
        return numbers.infinity


def exact_decimal(value: Fraction) -> str:
    """A number whose denominator is a power of two, with all its digits."""
    digits = max(value.denominator.bit_length() - 1, 0)
    scaled = str(value.numerator * 10**digits // value.denominator).rjust(digits + 1, "0")
    return f"{scaled[: len(scaled) - digits]}.{scaled[len(scaled) - digits :]}"


@FORMATS
@given(digits=st.integers(0, 10**40), point=st.integers(0, 40), exponent=st.integers(-400, 400))
def test_a_decimal_literal_is_rounded_once(numbers: Floats, digits: int, point: int, exponent: int) -> None:
    text = str(digits).rjust(point + 1, "0")
    text = f"{text[: len(text) - point]}.{text[len(text) - point :]}e{exponent}"
    assert read(text, numbers) == nearest(Fraction(digits) * Fraction(10) ** (exponent - point), numbers)


@FORMATS
@given(digits=st.integers(0, 16**40), point=st.integers(0, 40), exponent=st.integers(-1300, 1300))
def test_a_hexadecimal_literal_is_rounded_once(numbers: Floats, digits: int, point: int, exponent: int) -> None:
    text = f"{digits:x}".rjust(point + 1, "0")
    text = f"0x{text[: len(text) - point]}.{text[len(text) - point :]}p{exponent}"
    assert read(text, numbers) == nearest(Fraction(digits) * Fraction(2) ** (exponent - 4 * point), numbers)


@given(bits=st.integers(0, F32.infinity - 1), side=st.sampled_from([-1, 0, 1]), far=st.integers(1, 200))
def test_a_decimal_next_to_a_tie_of_f32_is_not_rounded_twice(bits: int, side: int, far: int) -> None:
    tie = (value_of(bits, F32) + value_of(bits + 1, F32)) / 2
    exact = tie + side * tie / (1 << far)
    assert read(exact_decimal(exact), F32) == nearest(exact, F32)


@given(bits=st.integers(0, F64.infinity - 1))
def test_the_shortest_decimal_of_a_double_reads_back(bits: int) -> None:
    text = repr(struct.unpack("<d", struct.pack("<Q", bits))[0])
    assert floating(text, F64) == bits
    assert floating("-" + text, F64) == bits | F64.sign


@FORMATS
def test_a_nan_carries_its_payload(numbers: Floats) -> None:
    assert floating("nan", numbers) == numbers.canonical_nan
    assert floating("-nan:0x1", numbers) == numbers.sign | numbers.infinity | 1
    assert floating("+nan:0x20_0000", numbers) == numbers.infinity | 0x200000


@pytest.mark.parametrize("text", ["nan:0x0", "nan:0x80_0000", "0x1p128", "1e39", "340282356779733661637539395458142568448"])
def test_an_f32_literal_past_the_range_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="constant out of range"):
        floating(text, F32)


def test_the_largest_decimal_that_still_rounds_down_is_taken() -> None:
    assert floating("340282356779733661637539395458142568447.999", F32) == F32.infinity - 1


@pytest.mark.parametrize("exponent", ["9" * 5000, "-" + "9" * 5000])
@pytest.mark.parametrize("head", ["1", "0", "0x1", "0x0", "0.000"])
def test_an_exponent_of_any_length_costs_nothing(head: str, exponent: str) -> None:
    text = head + ("p" if head.startswith("0x") else "e") + exponent
    vanishes = exponent[0] == "-" or not head.strip("0x.")
    assert read(text, F32) == (0 if vanishes else F32.infinity)
    assert read(text, F64) == (0 if vanishes else F64.infinity)


def test_digits_without_end_are_read() -> None:
    assert floating("0." + "0" * 100_000 + "1e100001", F32) == floating("1", F32)
    assert floating("0x0." + "0" * 100_000 + "1p400004", F64) == floating("1", F64)
    assert natural("0" * 100_000 + "7", 32) == 7


@given(st.integers(-(2**31), 2**32 - 1))
def test_an_integer_is_its_unsigned_representative(n: int) -> None:
    assert integer(str(n), 32) == n % 2**32
    assert integer(f"-0x{-n:x}" if n < 0 else f"0x{n:_X}", 32) == n % 2**32


@pytest.mark.parametrize("text", ["4294967296", "-2147483649", "0x1_0000_0000", "+2147483648", "1.0", "nan", "9" * 5000, "-" + "9" * 5000])
def test_an_integer_past_its_range_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="constant out of range"):
        integer(text, 32)


@pytest.mark.parametrize("text", ["0", "-0x1_f", "+1_000", "1.", "1.5e+3", "0x1.8p-3", "inf", "-nan", "nan:0x7f_ffff"])
def test_these_are_numbers(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "_1", "1_", "1__0", "0x", "0x_1", ".5", "1e", "0x1p", "nan:1", "nan:0x", "Inf", "0b1", "１"])
def test_these_are_no_numbers(text: str) -> None:
    assert not is_number(text)


def test_the_first_lane_is_the_lowest() -> None:
    assert vector("i32x4", ["1", "2", "3", "-1"]) == 1 | 2 << 32 | 3 << 64 | 0xFFFFFFFF << 96
    assert vector("f64x2", ["1", "-0"]) == 0x3FF0000000000000 | 1 << 127
    assert vector("i8x16", ["0xff", *["0"] * 14, "-128"]) == 0xFF | 0x80 << 120


def test_a_vector_needs_all_its_lanes() -> None:
    with pytest.raises(Malformed, match="wrong number of lane literals"):
        vector("i64x2", ["1"])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('""', b""),
        (r'"a\t\n\r\"\'\\b"', b"a\t\n\r\"'\\b"),
        (r'"\00\ff\41"', b"\x00\xff\x41"),
        (r'"\u{3b1}\u{10_ffff}"', "α\U0010ffff".encode()),
        ('"αβ"', "αβ".encode()),
    ],
)
def test_a_string_is_bytes(text: str, data: bytes) -> None:
    assert string(text) == data


@pytest.mark.parametrize("text", [r'"\u{d800}"', r'"\u{110000}"', r'"\u{ffffffffffffffff}"'])
def test_an_escape_must_be_a_scalar_value(text: str) -> None:
    with pytest.raises(Malformed, match="malformed UTF-8 encoding"):
        string(text)
