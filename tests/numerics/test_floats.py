"""Floating-point operators against exact fractions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pywasm_ref.numerics import F32, F64, Floats
from tests.numerics.exact import KINDS, finite, floats, is_finite, is_nearest, magnitude, value

kinds = st.sampled_from(KINDS)
one_operand = kinds.flatmap(lambda kind: st.tuples(st.just(kind), floats(kind)))
two_operands = kinds.flatmap(lambda kind: st.tuples(st.just(kind), floats(kind), floats(kind)))
one_finite = kinds.flatmap(lambda kind: st.tuples(st.just(kind), finite(kind)))
two_finite = kinds.flatmap(lambda kind: st.tuples(st.just(kind), finite(kind), finite(kind)))

Unary = tuple[Floats, int]
Binary = tuple[Floats, int, int]

EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda q1, q2: q1 + q2,
    "sub": lambda q1, q2: q1 - q2,
    "mul": lambda q1, q2: q1 * q2,
    "div": lambda q1, q2: q1 / q2,
}
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"ceil": math.ceil, "floor": math.floor, "trunc": math.trunc, "nearest": round}
RELATIONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "eq": lambda q1, q2: q1 == q2,
    "ne": lambda q1, q2: q1 != q2,
    "lt": lambda q1, q2: q1 < q2,
    "gt": lambda q1, q2: q1 > q2,
    "le": lambda q1, q2: q1 <= q2,
    "ge": lambda q1, q2: q1 >= q2,
}
ARITHMETIC_2 = ("add", "sub", "mul", "div", "min", "max")
ARITHMETIC_1 = ("sqrt", *ROUNDINGS)


def is_negative(kind: Floats, z: int) -> bool:
    return z & kind.sign != 0


@pytest.mark.parametrize("name", EXACT)
@given(operands=two_finite)
def test_arithmetic_rounds_the_exact_result_once(name: str, operands: Binary) -> None:
    kind, z1, z2 = operands
    q1, q2 = value(kind, z1), value(kind, z2)
    if name == "div" and not q2:
        return
    assert is_nearest(kind, getattr(kind, name)(z1, z2), EXACT[name](q1, q2))


@given(two_finite)
def test_a_zero_result_has_the_sign_that_ieee_754_gives_it(operands: Binary) -> None:
    kind, z1, z2 = operands
    if kind.add(z1, z2) & kind.magnitude == 0:
        assert is_negative(kind, kind.add(z1, z2)) is (is_negative(kind, z1) and is_negative(kind, z2))
    if kind.mul(z1, z2) & kind.magnitude == 0:
        assert is_negative(kind, kind.mul(z1, z2)) is (is_negative(kind, z1) is not is_negative(kind, z2))
    assert kind.sub(z1, z2) == kind.add(z1, kind.neg(z2))


@given(two_finite)
def test_a_number_divided_by_zero_is_infinite_and_zero_by_zero_a_nan(operands: Binary) -> None:
    kind, z, zero = operands
    zero &= kind.sign
    if z & kind.magnitude:
        assert kind.div(z, zero) == kind.infinity | (z ^ zero) & kind.sign
        assert kind.div(zero, z) == (z ^ zero) & kind.sign
    else:
        assert kind.div(z, zero) == kind.canonical_nan


@given(kinds, st.data())
def test_infinities_stay_infinite_unless_they_cancel(kind: Floats, data: st.DataObject) -> None:
    z, plus, minus = data.draw(finite(kind)), kind.infinity, kind.infinity | kind.sign
    assert (kind.add(z, plus), kind.sub(z, plus), kind.add(plus, plus)) == (plus, minus, plus)
    assert (kind.sub(plus, plus), kind.add(plus, minus), kind.div(plus, minus)) == (kind.canonical_nan,) * 3
    assert kind.mul(z, plus) == (plus | z & kind.sign if z & kind.magnitude else kind.canonical_nan)
    assert kind.div(z, minus) == (z ^ minus) & kind.sign
    assert kind.div(minus, z) == (minus ^ z) & kind.sign | plus
    assert (kind.sqrt(plus), kind.sqrt(minus)) == (plus, kind.canonical_nan)


@given(one_finite)
def test_the_square_root_is_between_the_midpoints_of_its_neighbours(operand: Unary) -> None:
    kind, z = operand
    root = kind.sqrt(z)
    if value(kind, z) < 0:
        assert root == kind.canonical_nan
    elif value(kind, z) == 0:
        assert root == z
    else:
        low, high = ((magnitude(kind, root) + magnitude(kind, root + step)) / 2 for step in (-1, 1))
        assert low**2 < value(kind, z) < high**2


@pytest.mark.parametrize("name", ROUNDINGS)
@given(operand=one_finite)
def test_integral_rounding_is_exact_and_keeps_the_sign(name: str, operand: Unary) -> None:
    kind, z = operand
    result = getattr(kind, name)(z)
    assert value(kind, result) == ROUNDINGS[name](value(kind, z))
    assert is_negative(kind, result) is is_negative(kind, z)


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@pytest.mark.parametrize("name", ROUNDINGS)
def test_integral_rounding_leaves_infinities_alone(kind: Floats, name: str) -> None:
    for z in (kind.infinity, kind.infinity | kind.sign):
        assert getattr(kind, name)(z) == z


@given(two_operands)
@example((F32, 0, F32.sign))
@example((F64, F64.sign, 0))
def test_minimum_and_maximum_are_one_of_the_operands(operands: Binary) -> None:
    kind, z1, z2 = operands
    if kind.is_nan(z1) or kind.is_nan(z2):
        return
    low, high = kind.min(z1, z2), kind.max(z1, z2)
    assert {low, high} == {z1, z2}
    assert kind.le(low, high)
    if kind.eq(z1, z2):
        assert (is_negative(kind, low), is_negative(kind, high)) == (is_negative(kind, z1 | z2), is_negative(kind, z1 & z2))


@given(two_operands)
def test_pseudo_minimum_and_maximum_choose_by_one_comparison(operands: Binary) -> None:
    kind, z1, z2 = operands
    assert kind.pmin(z1, z2) == (z2 if kind.lt(z2, z1) else z1)
    assert kind.pmax(z1, z2) == (z2 if kind.lt(z1, z2) else z1)


@pytest.mark.parametrize("name", RELATIONS)
@given(operands=two_operands)
def test_relations_are_those_of_the_numbers_and_a_nan_only_differs(name: str, operands: Binary) -> None:
    kind, z1, z2 = operands
    if kind.is_nan(z1) or kind.is_nan(z2):
        assert getattr(kind, name)(z1, z2) == (name == "ne")
    else:  # an infinity counts as the number that it stands beyond, which is larger than every finite one
        assert getattr(kind, name)(z1, z2) == RELATIONS[name](value(kind, z1), value(kind, z2))


@given(one_operand, st.data())
def test_a_nan_operand_gives_the_positive_canonical_nan(operand: Unary, data: st.DataObject) -> None:
    kind, z = operand
    nan = kind.infinity | data.draw(st.integers(1, (1 << kind.mantissa) - 1)) | data.draw(st.sampled_from((0, kind.sign)))
    for name in ARITHMETIC_2:
        assert getattr(kind, name)(nan, z) == getattr(kind, name)(z, nan) == kind.canonical_nan, name
    for name in ARITHMETIC_1:
        assert getattr(kind, name)(nan) == kind.canonical_nan, name


@given(two_operands)
def test_sign_operators_move_one_bit_and_keep_a_payload(operands: Binary) -> None:
    kind, z1, z2 = operands
    rest = z1 & ~kind.sign
    assert kind.abs(z1) == rest
    assert kind.neg(z1) == rest | (~z1 & kind.sign)
    assert kind.copysign(z1, z2) == rest | (z2 & kind.sign)


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_nans_are_told_apart_by_their_payload(kind: Floats) -> None:
    quiet = 1 << (kind.mantissa - 1)
    for sign in (0, kind.sign):
        signalling, canonical, arithmetic = (sign | kind.infinity | payload for payload in (1, quiet, quiet + 1))
        assert [kind.is_nan(z) for z in (sign | kind.infinity, signalling, canonical, arithmetic)] == [False, True, True, True]
        assert [kind.is_canonical_nan(z) for z in (signalling, canonical, arithmetic)] == [False, True, False]
        assert [kind.is_arithmetic_nan(z) for z in (signalling, canonical, arithmetic)] == [False, True, True]


@given(one_operand)
def test_bits_and_python_numbers_convert_without_loss(operand: Unary) -> None:
    kind, z = operand
    assert kind.from_float(kind.to_float(z)) == (kind.canonical_nan if kind.is_nan(z) else z)
    if is_finite(kind, z):
        assert Fraction(kind.to_float(z)) == value(kind, z)


@given(kinds, st.floats())
def test_a_python_number_gives_the_nearest(kind: Floats, x: float) -> None:
    if math.isnan(x):
        assert kind.from_float(x) == kind.canonical_nan
    elif math.isinf(x):
        assert kind.from_float(x) == (kind.infinity if x > 0 else kind.infinity | kind.sign)
    else:
        assert is_nearest(kind, kind.from_float(x), Fraction(x))
        assert is_negative(kind, kind.from_float(x)) is (math.copysign(1, x) < 0)


@given(kinds, st.fractions() | st.builds(lambda n, e: n * Fraction(2) ** e, st.integers(-(2**70), 2**70), st.integers(-1200, 1100)))
def test_an_exact_ratio_gives_the_nearest(kind: Floats, exact: Fraction) -> None:
    assert is_nearest(kind, kind.from_ratio(exact.numerator, exact.denominator), exact)


@given(kinds, st.integers() | st.integers(-(2**130), 2**130))
def test_an_integer_gives_the_nearest(kind: Floats, j: int) -> None:
    assert is_nearest(kind, kind.from_integer(j), Fraction(j))


@given(kinds, st.data())
def test_a_ratio_halfway_between_two_numbers_gives_the_even_one(kind: Floats, data: st.DataObject) -> None:
    z = data.draw(st.integers(0, kind.infinity - 1))
    halfway = (magnitude(kind, z) + magnitude(kind, z + 1)) / 2
    assert kind.from_ratio(halfway.numerator, halfway.denominator) == z + z % 2


def test_the_largest_number_is_the_last_before_infinity() -> None:
    assert F32.from_float(3.4028235677973362e38) == F32.infinity - 1
    assert F32.from_float(3.4028235677973366e38) == F32.infinity
    assert F32.from_float(-1e39) == F32.infinity | F32.sign
    assert F64.from_ratio(-(10**400), 1) == F64.infinity | F64.sign
