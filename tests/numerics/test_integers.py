"""Integer operators against the unbounded integers that they stand for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.numerics import I8, I16, I32, I64, V128, Integers
from tests.numerics.exact import integers

TYPES = (I8, I16, I32, I64, V128)
one_operand = st.sampled_from(TYPES).flatmap(lambda t: st.tuples(st.just(t), integers(t.width)))
two_operands = st.sampled_from(TYPES).flatmap(lambda t: st.tuples(st.just(t), integers(t.width), integers(t.width)))

Exact2 = Callable[[int, int], int]

MODULAR: dict[str, Exact2] = {
    "add": lambda i1, i2: i1 + i2,
    "sub": lambda i1, i2: i1 - i2,
    "mul": lambda i1, i2: i1 * i2,
    "and_": lambda i1, i2: i1 & i2,
    "or_": lambda i1, i2: i1 | i2,
    "xor": lambda i1, i2: i1 ^ i2,
    "andnot": lambda i1, i2: i1 & ~i2,
    "xchg": lambda i1, i2: i2,
}
"""What the operator is on unbounded integers; its result counts modulo 2**N, by signed and by unsigned operands alike."""

ORDERED: dict[str, Exact2] = {
    "lt": lambda j1, j2: j1 < j2,
    "gt": lambda j1, j2: j1 > j2,
    "le": lambda j1, j2: j1 <= j2,
    "ge": lambda j1, j2: j1 >= j2,
    "min": min,
    "max": max,
}
"""What the operator is on interpreted operands; each has a signed and an unsigned version."""


def signed(t: Integers, i: int) -> int:
    """The signed interpretation, by a definition of its own."""
    return i - (1 << t.width) if i >= 1 << (t.width - 1) else i


def clamped(j: int, low: int, high: int) -> int:
    return low if j < low else high if j > high else j


def bits(t: Integers, i: int) -> str:
    return f"{i:0{t.width}b}"


@given(one_operand)
def test_the_interpretations_are_each_others_inverses(operand: tuple[Integers, int]) -> None:
    t, i = operand
    assert t.signed(i) == signed(t, i)
    assert t.unsigned(t.signed(i)) == i
    assert t.unsigned(i - 3 * t.modulus) == i


@pytest.mark.parametrize("name", MODULAR)
@given(operands=two_operands)
def test_arithmetic_is_that_of_the_integers_modulo_a_power_of_two(name: str, operands: tuple[Integers, int, int]) -> None:
    t, i1, i2 = operands
    result = getattr(t, name)(i1, i2)
    assert result == MODULAR[name](i1, i2) % (1 << t.width)
    assert result == MODULAR[name](signed(t, i1), signed(t, i2)) % (1 << t.width)


@pytest.mark.parametrize("name", ORDERED)
@given(operands=two_operands)
def test_order_is_that_of_the_interpreted_operands(name: str, operands: tuple[Integers, int, int]) -> None:
    t, i1, i2 = operands
    assert getattr(t, f"{name}_u")(i1, i2) == ORDERED[name](i1, i2)
    assert getattr(t, f"{name}_s")(i1, i2) == ORDERED[name](signed(t, i1), signed(t, i2)) % (1 << t.width)


@given(two_operands)
def test_equality_is_that_of_the_representatives(operands: tuple[Integers, int, int]) -> None:
    t, i1, i2 = operands
    assert (t.eq(i1, i2), t.ne(i1, i2)) == (i1 == i2, i1 != i2)
    assert (t.eq(i1, i1), t.ne(i1, i1)) == (1, 0)
    assert t.eqz(i1) == (i1 == 0)


@given(two_operands)
def test_division_leaves_a_remainder_smaller_than_the_divisor_with_the_sign_of_the_dividend(operands: tuple[Integers, int, int]) -> None:
    t, i1, i2 = operands
    if i2 == 0 or (signed(t, i2) == -1 and i1 == t.sign):
        return
    assert (t.div_u(i1, i2), t.rem_u(i1, i2)) == divmod(i1, i2)
    j1, j2, remainder = signed(t, i1), signed(t, i2), signed(t, t.rem_s(i1, i2))
    assert signed(t, t.div_s(i1, i2)) * j2 + remainder == j1
    assert abs(remainder) < abs(j2)
    assert remainder == 0 or (remainder < 0) is (j1 < 0)


@pytest.mark.parametrize("t", TYPES, ids=repr)
@pytest.mark.parametrize("name", ["div_s", "div_u", "rem_s", "rem_u"])
def test_division_by_zero_traps(t: Integers, name: str) -> None:
    for dividend in (0, 1, t.sign, t.mask):
        with pytest.raises(Trap) as caught:
            getattr(t, name)(dividend, 0)
        assert caught.value.reason is TrapReason.INTEGER_DIVIDE_BY_ZERO


@pytest.mark.parametrize("t", TYPES, ids=repr)
def test_the_minimum_divided_by_minus_one_overflows_but_leaves_no_remainder(t: Integers) -> None:
    with pytest.raises(Trap) as caught:
        t.div_s(t.sign, t.mask)
    assert caught.value.reason is TrapReason.INTEGER_OVERFLOW
    assert t.rem_s(t.sign, t.mask) == 0
    assert t.div_s(t.sign, 1) == t.sign


@given(two_operands)
def test_shifts_multiply_and_divide_by_powers_of_two(operands: tuple[Integers, int, int]) -> None:
    t, i, n = operands
    k = n % t.width
    assert t.shl(i, n) == i * 2**k % (1 << t.width)
    assert t.shr_u(i, n) == i // 2**k
    assert signed(t, t.shr_s(i, n)) == signed(t, i) // 2**k


@given(two_operands)
def test_rotation_moves_the_bits_around_the_end(operands: tuple[Integers, int, int]) -> None:
    t, i, n = operands
    k = n % t.width
    assert bits(t, t.rotl(i, n)) == bits(t, i)[k:] + bits(t, i)[:k]
    assert t.rotr(t.rotl(i, n), n) == i


@given(one_operand)
def test_counting_looks_at_the_binary_digits(operand: tuple[Integers, int]) -> None:
    t, i = operand
    digits = bits(t, i)
    assert t.clz(i) == t.width - len(digits.lstrip("0"))
    assert t.ctz(i) == t.width - len(digits.rstrip("0"))
    assert t.popcnt(i) == digits.count("1")
    assert t.not_(i) == int(digits.translate({48: 49, 49: 48}), 2)


@given(one_operand)
def test_negation_and_absolute_value_are_modular(operand: tuple[Integers, int]) -> None:
    t, i = operand
    assert t.neg(i) == -signed(t, i) % (1 << t.width)
    assert t.abs(i) == abs(signed(t, i)) % (1 << t.width)


@pytest.mark.parametrize("t", [I16, I32, I64], ids=repr)
@given(data=st.data())
def test_extension_repeats_the_sign_of_the_low_bits(t: Integers, data: st.DataObject) -> None:
    i = data.draw(integers(t.width))
    for narrow, extended in ((I8, t.extend8_s), (I16, t.extend16_s), (I32, t.extend32_s)):
        if narrow.width <= t.width:
            assert signed(t, extended(i)) == signed(narrow, i % narrow.modulus)


@given(two_operands)
def test_saturation_stops_at_the_ends_of_the_range(operands: tuple[Integers, int, int]) -> None:
    t, i1, i2 = operands
    j1, j2, low, high = signed(t, i1), signed(t, i2), -t.sign, t.sign - 1
    assert signed(t, t.add_sat_s(i1, i2)) == clamped(j1 + j2, low, high)
    assert signed(t, t.sub_sat_s(i1, i2)) == clamped(j1 - j2, low, high)
    assert t.add_sat_u(i1, i2) == clamped(i1 + i2, 0, t.mask)
    assert t.sub_sat_u(i1, i2) == clamped(i1 - i2, 0, t.mask)
    assert t.avgr_u(i1, i2) == (i1 + i2) // 2 + (i1 + i2) % 2


@given(integers(16), integers(16))
def test_the_q15_product_rounds_to_nearest_and_saturates(i1: int, i2: int) -> None:
    product = signed(I16, i1) * signed(I16, i2)
    assert signed(I16, I16.q15mulr_sat_s(i1, i2)) == clamped((2 * product + 2**15) // 2**16, -(2**15), 2**15 - 1)


@given(integers(64), integers(64), integers(64))
def test_bitselect_takes_each_bit_from_one_operand(i1: int, i2: int, i3: int) -> None:
    digits = zip(bits(I64, i1), bits(I64, i2), bits(I64, i3), strict=True)
    assert bits(I64, I64.bitselect(i1, i2, i3)) == "".join(b1 if b3 == "1" else b2 for b1, b2, b3 in digits)


@given(integers(128), integers(128))
def test_wide_sums_and_differences_are_those_of_128_bits(a: int, b: int) -> None:
    def halves(j: int) -> tuple[int, int]:
        return j % 2**64, j // 2**64 % 2**64

    assert I64.add128(*halves(a), *halves(b)) == halves(a + b)
    assert I64.sub128(*halves(a), *halves(b)) == halves(a - b)


@given(integers(64), integers(64))
def test_wide_products_lose_nothing(i1: int, i2: int) -> None:
    low, high = I64.mul_wide_u(i1, i2)
    assert low + high * 2**64 == i1 * i2
    low, high = I64.mul_wide_s(i1, i2)
    assert low + signed(I64, high) * 2**64 == signed(I64, i1) * signed(I64, i2)
