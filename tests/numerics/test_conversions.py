"""Conversions against exact integers and fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.numerics import F32, F64, I32, I64, Floats, Integers, conversions
from pywasm_ref.numerics.conversions import Between
from tests.numerics.exact import KINDS, finite, floats, integers, is_nearest, value

pairs = st.sampled_from([Between(t, kind) for t in (I32, I64) for kind in KINDS])


def float_of(between: Between, data: st.DataObject) -> int:
    """Any float, those near the ends of the integer ranges more often than by chance."""
    kind, t = between.floats, between.integers
    if data.draw(st.booleans()):
        return data.draw(floats(kind))
    end = kind.from_integer(data.draw(st.sampled_from((1, t.sign, t.modulus)))) + data.draw(st.integers(-2, 2))
    return end | data.draw(st.sampled_from((0, kind.sign)))


@given(pairs, st.data())
def test_truncation_is_exact_or_traps(between: Between, data: st.DataObject) -> None:
    t, kind, z = between.integers, between.floats, float_of(between, data)
    for truncate, low, high in ((between.trunc_s, -t.sign, t.sign - 1), (between.trunc_u, 0, t.mask)):
        if kind.is_nan(z):
            expected: int | TrapReason = TrapReason.INVALID_CONVERSION
        elif low <= (j := math.trunc(value(kind, z))) <= high:
            expected = j % t.modulus
        else:  # infinities too, which count as the number that they stand beyond
            expected = TrapReason.INTEGER_OVERFLOW
        if isinstance(expected, int):
            assert truncate(z) == expected
        else:
            with pytest.raises(Trap) as caught:
                truncate(z)
            assert caught.value.reason is expected


@given(pairs, st.data())
def test_saturating_truncation_gives_the_closest_integer_and_0_for_a_nan(between: Between, data: st.DataObject) -> None:
    t, kind, z = between.integers, between.floats, float_of(between, data)
    j = 0 if kind.is_nan(z) else math.trunc(value(kind, z))
    assert between.trunc_sat_s(z) == min(max(j, -t.sign), t.sign - 1) % t.modulus
    assert between.trunc_sat_u(z) == min(max(j, 0), t.mask)


@given(pairs, st.data())
def test_conversion_to_float_rounds_once(between: Between, data: st.DataObject) -> None:
    i = data.draw(integers(between.integers.width))
    assert is_nearest(between.floats, between.convert_u(i), Fraction(i))
    assert is_nearest(between.floats, between.convert_s(i), Fraction(between.integers.signed(i)))


def test_conversion_to_f32_is_not_rounded_to_f64_on_the_way() -> None:
    assert conversions.f32_convert_i64_u(2**53 + 2**29 + 1) == F32.from_float(2.0**53 + 2.0**30)
    assert conversions.f32_convert_i64_s(-(2**53 + 2**29 + 1) % 2**64) == F32.from_float(-(2.0**53) - 2.0**30)


@given(floats(F64))
def test_demotion_gives_the_nearest(z: int) -> None:
    if F64.is_nan(z):
        assert conversions.f32_demote_f64(z) == F32.canonical_nan
    else:
        assert is_nearest(F32, conversions.f32_demote_f64(z), value(F64, z))
        assert conversions.f32_demote_f64(z) >> 31 == z >> 63


@given(floats(F32))
def test_promotion_is_exact(z: int) -> None:
    wide = conversions.f64_promote_f32(z)
    if F32.is_nan(z):
        assert wide == F64.canonical_nan
    else:
        assert conversions.f32_demote_f64(wide) == z
        assert z & F32.magnitude == F32.infinity or value(F64, wide) == value(F32, z)


@given(integers(64))
def test_integers_wrap_and_extend(i: int) -> None:
    low = conversions.i32_wrap_i64(i)
    assert low == i % 2**32
    assert conversions.i64_extend_i32_u(low) == low
    assert I64.signed(conversions.i64_extend_i32_s(low)) == I32.signed(low)


@pytest.mark.parametrize(("t", "kind"), [(I32, F32), (I64, F64)], ids=repr)
def test_reinterpretation_keeps_every_bit(t: Integers, kind: Floats) -> None:
    for bits in (0, t.sign, kind.infinity | 1, kind.canonical_nan | t.sign | 5, t.mask):
        assert getattr(conversions, f"{t}_reinterpret_{kind}")(bits) == bits
        assert getattr(conversions, f"{kind}_reinterpret_{t}")(bits) == bits


@given(finite(F64))
def test_an_integer_survives_the_way_to_f64_and_back(z: int) -> None:
    j = math.trunc(value(F64, z))
    if -(2**63) <= j < 2**63:
        assert conversions.f64_convert_i64_s(conversions.i64_trunc_f64_s(z)) == F64.from_integer(j)
