"""Relaxed operators make the choices of the deterministic profile."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.isa import OPS
from pywasm_ref.numerics import F32, F32X4, F64, F64X2, I8X16, I16X8, I32X4, V128, Floats, relaxed
from tests.numerics.exact import finite, is_nearest, value

vectors = st.integers(0, 2**128 - 1)
SHAPES = {"f32": F32X4, "f64": F64X2}


def test_every_relaxed_instruction_has_the_function_of_its_name() -> None:
    rows = [op for op in OPS if ".relaxed_" in op.mnemonic]
    assert len(rows) == 20
    assert [op for op in rows if op.primitive != getattr(relaxed, op.mnemonic.replace(".", "_"))] == []


@pytest.mark.parametrize("kind", [F32, F64], ids=repr)
@given(data=st.data())
def test_multiplication_and_addition_round_one_after_the_other(kind: Floats, data: st.DataObject) -> None:
    z1, z2, z3 = (data.draw(finite(kind)) for _ in range(3))
    shape = SHAPES[repr(kind)]
    madd, nmadd = (getattr(relaxed, f"{shape}_relaxed_{name}") for name in ("madd", "nmadd"))
    product = kind.mul(z1, z2)
    if product & kind.magnitude == kind.infinity:
        return
    z = shape.extract_lane(madd(shape.splat(z1), shape.splat(z2), shape.splat(z3)), 1)
    assert is_nearest(kind, z, value(kind, product) + value(kind, z3))
    z = shape.extract_lane(nmadd(shape.splat(z1), shape.splat(z2), shape.splat(z3)), 1)
    assert is_nearest(kind, z, value(kind, z3) - value(kind, product))


def test_a_product_that_one_rounding_would_keep_is_lost() -> None:
    one, tiny = F64.from_float(1.0), F64.from_ratio(2**53 + 1, 2**53 * 2**52)
    a, b = F64.add(one, tiny), F64.sub(one, tiny)
    exact = value(F64, a) * value(F64, b) - 1
    assert exact == Fraction(-1, 2**104)
    minus_one = F64.neg(one)
    assert relaxed.f64x2_relaxed_madd(F64X2.splat(a), F64X2.splat(b), F64X2.splat(minus_one)) == 0


@given(vectors, vectors, vectors)
def test_lanes_are_selected_bit_by_bit(v1: int, v2: int, v3: int) -> None:
    for shape in ("i8x16", "i16x8", "i32x4", "i64x2"):
        assert getattr(relaxed, f"{shape}_relaxed_laneselect")(v1, v2, v3) == V128.bitselect(v1, v2, v3)


def test_a_place_past_the_end_gives_0() -> None:
    assert relaxed.i8x16_relaxed_swizzle(I8X16.splat(7), I8X16.splat(16)) == 0
    assert relaxed.i8x16_relaxed_swizzle(I8X16.splat(7), I8X16.splat(15)) == I8X16.splat(7)


def test_a_number_out_of_range_saturates_and_a_nan_gives_0() -> None:
    huge, nan = F32X4.splat(F32.from_float(-1e30)), F32X4.splat(F32.canonical_nan)
    assert relaxed.i32x4_relaxed_trunc_f32x4_s(huge) == I32X4.splat(0x8000_0000)
    assert relaxed.i32x4_relaxed_trunc_f32x4_u(huge) == 0
    assert relaxed.i32x4_relaxed_trunc_f32x4_s(nan) == relaxed.i32x4_relaxed_trunc_f32x4_u(nan) == 0


def test_the_q15_product_of_the_minimum_with_itself_saturates() -> None:
    assert relaxed.i16x8_relaxed_q15mulr_s(I16X8.splat(0x8000), I16X8.splat(0x8000)) == I16X8.splat(0x7FFF)


def test_dot_products_are_signed_and_saturate_between_the_sums() -> None:
    low = I8X16.splat(0x80)
    assert relaxed.i16x8_relaxed_dot_i8x16_i7x16_s(low, I8X16.splat(0x81)) == I16X8.splat(2 * 128 * 127)
    assert relaxed.i16x8_relaxed_dot_i8x16_i7x16_s(low, low) == I16X8.splat(0x7FFF)
    assert relaxed.i32x4_relaxed_dot_i8x16_i7x16_add_s(low, low, I32X4.splat(3)) == I32X4.splat(2 * 0x7FFF + 3)
