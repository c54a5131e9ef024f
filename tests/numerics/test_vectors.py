"""Vector operators against the scalar ones, lane by lane, and against definitions on lists of lanes."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pywasm_ref.isa import OPS
from pywasm_ref.numerics import F32, F32X4, F64, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64, I64X2, V128, Floats, Integers, conversions
from pywasm_ref.numerics.vectors import IntShape
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Op

SHAPES: dict[str, tuple[Integers | Floats, int]] = {
    "i8x16": (I8, 16),
    "i16x8": (I16, 8),
    "i32x4": (I32, 4),
    "i64x2": (I64, 2),
    "f32x4": (F32, 4),
    "f64x2": (F64, 2),
}
WIDENING = ((I8X16, I16X8), (I16X8, I32X4), (I32X4, I64X2))
NARROWING = ((I16X8, I8X16), (I32X4, I16X8))
SIGNS = {"s": True, "u": False}

_half = st.integers(0, 2**64 - 1) | st.sampled_from((0, 1, 2**64 - 1, 0x7F80_0000_7F80_0000, 0x8000_8000_8080_8000, 0x7FFF_FFFF_7FFF_7F7F))
vectors = st.builds(lambda low, high: low | high << 64, _half, _half)


def cut(v: int, width: int) -> list[int]:
    """The lanes of that width, lowest first."""
    return [v >> k & (1 << width) - 1 for k in range(0, 128, width)]


def join(lanes: Iterable[int], width: int) -> int:
    """The vector of these numbers, each modulo the width."""
    return sum((lane % (1 << width)) << k * width for k, lane in enumerate(lanes))


def read(i: int, width: int, signed: bool) -> int:
    """The number that a lane stands for."""
    return i - (1 << width) if signed and i >> (width - 1) else i


def numbers(v: int, width: int, sx: str) -> list[int]:
    return [read(i, width, SIGNS[sx]) for i in cut(v, width)]


def scalar(op: Op) -> tuple[Integers | Floats, str]:
    """The type of the lanes, and the name of the operator."""
    shape, _, name = op.mnemonic.partition(".")
    return SHAPES[shape][0], name


LANEWISE = [op for op in OPS if op.form in (form.VUnop, form.VBinop, form.VRelop, form.VShiftop) and "relaxed" not in op.mnemonic]


@pytest.mark.parametrize("op", LANEWISE, ids=repr)
@settings(max_examples=25)  # of several lanes each, for each of 130 instructions
@given(v1=vectors, v2=vectors)
def test_a_lanewise_operator_is_the_scalar_one_on_every_lane(op: Op, v1: int, v2: int) -> None:
    assert op.primitive is not None
    lane, name = scalar(op)
    function = getattr(lane, name)
    if op.form is form.VUnop:
        assert cut(op.primitive(v1), lane.width) == [function(i) for i in cut(v1, lane.width)]
    elif op.form is form.VShiftop:
        distance = v2 % 2**32
        assert cut(op.primitive(v1, distance), lane.width) == [function(i, distance) for i in cut(v1, lane.width)]
    else:
        true = (1 << lane.width) - 1 if op.form is form.VRelop else 1
        pairs = zip(cut(v1, lane.width), cut(v2, lane.width), strict=True)
        assert cut(op.primitive(v1, v2), lane.width) == [function(i1, i2) * true for i1, i2 in pairs]


@pytest.mark.parametrize("shape", [I8X16, I16X8, I32X4, I64X2, F32X4, F64X2], ids=repr)
@given(v=vectors, x=st.integers(0, 2**64 - 1), data=st.data())
def test_lanes_are_read_and_replaced_one_by_one(shape: IntShape, v: int, x: int, data: st.DataObject) -> None:
    width, lanes = shape.lane.width, cut(v, shape.lane.width)
    k = data.draw(st.integers(0, shape.count - 1))
    assert shape.vector(shape.lanes(v)) == v
    assert shape.extract_lane(v, k) == lanes[k]
    assert shape.replace_lane(v, k, x) == join([*lanes[:k], x, *lanes[k + 1 :]], width)
    assert shape.splat(x) == join([x] * shape.count, width)


@given(vectors)
def test_small_lanes_are_extended_to_32_bits(v: int) -> None:
    for shape in (I8X16, I16X8):
        for k, i in enumerate(cut(v, shape.lane.width)):
            assert shape.extract_lane_u(v, k) == i
            assert shape.extract_lane_s(v, k) == read(i, shape.lane.width, True) % 2**32


@pytest.mark.parametrize("shape", [I8X16, I16X8, I32X4, I64X2], ids=repr)
@given(v=vectors)
def test_a_vector_is_tested_by_its_lanes(shape: IntShape, v: int) -> None:
    lanes = cut(v, shape.lane.width)
    assert shape.all_true(v) == all(lanes)
    assert shape.bitmask(v) == sum((i >= shape.lane.sign) << k for k, i in enumerate(lanes))
    assert V128.any_true(v) == any(lanes)


@given(vectors, vectors, st.lists(st.integers(0, 31), min_size=16, max_size=16))
def test_bytes_are_chosen_by_immediates_or_by_a_vector(v1: int, v2: int, lanes: list[int]) -> None:
    both = cut(v1, 8) + cut(v2, 8)
    assert cut(I8X16.shuffle(tuple(lanes), v1, v2), 8) == [both[lane] for lane in lanes]
    places = join(lanes, 8)
    assert cut(I8X16.swizzle(v1, places), 8) == [both[lane] if lane < 16 else 0 for lane in lanes]
    assert cut(I8X16.swizzle(v1, v2), 8) == [both[lane] if lane < 16 else 0 for lane in cut(v2, 8)]


@pytest.mark.parametrize(("source", "target"), NARROWING, ids=repr)
@pytest.mark.parametrize("sx", SIGNS)
@given(v1=vectors, v2=vectors)
def test_narrowing_saturates_signed_lanes(source: IntShape, target: IntShape, sx: str, v1: int, v2: int) -> None:
    width = target.lane.width
    low, high = (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if SIGNS[sx] else (0, 2**width - 1)
    expected = [min(max(j, low), high) for v in (v1, v2) for j in numbers(v, source.lane.width, "s")]
    assert getattr(target, f"narrow_{source}_{sx}")(v1, v2) == join(expected, width)


@pytest.mark.parametrize(("source", "target"), WIDENING, ids=repr)
@pytest.mark.parametrize("sx", SIGNS)
@given(v1=vectors, v2=vectors)
def test_widening_reads_one_half_of_the_lanes(source: IntShape, target: IntShape, sx: str, v1: int, v2: int) -> None:
    width, count = target.lane.width, target.count
    j1, j2 = numbers(v1, source.lane.width, sx), numbers(v2, source.lane.width, sx)
    for half, lanes in (("low", slice(0, count)), ("high", slice(count, None))):
        products = [a * b for a, b in zip(j1[lanes], j2[lanes], strict=True)]
        assert getattr(target, f"extend_{half}_{source}_{sx}")(v1) == join(j1[lanes], width)
        assert getattr(target, f"extmul_{half}_{source}_{sx}")(v1, v2) == join(products, width)


@pytest.mark.parametrize(("source", "target"), WIDENING[:2], ids=repr)
@pytest.mark.parametrize("sx", SIGNS)
@given(v=vectors)
def test_neighbouring_lanes_are_added_in_twice_the_width(source: IntShape, target: IntShape, sx: str, v: int) -> None:
    j = numbers(v, source.lane.width, sx)
    expected = [a + b for a, b in zip(j[0::2], j[1::2], strict=True)]
    assert getattr(target, f"extadd_pairwise_{source}_{sx}")(v) == join(expected, target.lane.width)


@given(vectors, vectors)
def test_the_dot_product_adds_neighbouring_products(v1: int, v2: int) -> None:
    products = [a * b for a, b in zip(numbers(v1, 16, "s"), numbers(v2, 16, "s"), strict=True)]
    assert I32X4.dot_i16x8_s(v1, v2) == join((a + b for a, b in zip(products[0::2], products[1::2], strict=True)), 32)


CONVERSIONS = [
    (I32X4.trunc_sat_f32x4_s, conversions.i32_trunc_sat_f32_s, 32, 32),
    (I32X4.trunc_sat_f32x4_u, conversions.i32_trunc_sat_f32_u, 32, 32),
    (I32X4.trunc_sat_f64x2_s_zero, conversions.i32_trunc_sat_f64_s, 64, 32),
    (I32X4.trunc_sat_f64x2_u_zero, conversions.i32_trunc_sat_f64_u, 64, 32),
    (F32X4.convert_i32x4_s, conversions.f32_convert_i32_s, 32, 32),
    (F32X4.convert_i32x4_u, conversions.f32_convert_i32_u, 32, 32),
    (F32X4.demote_f64x2_zero, conversions.f32_demote_f64, 64, 32),
    (F64X2.convert_low_i32x4_s, conversions.f64_convert_i32_s, 32, 64),
    (F64X2.convert_low_i32x4_u, conversions.f64_convert_i32_u, 32, 64),
    (F64X2.promote_low_f32x4, conversions.f64_promote_f32, 32, 64),
]


@given(vectors)
def test_conversions_read_the_low_lanes_and_fill_up_with_zeros(v: int) -> None:
    for vector, convert, source, target in CONVERSIONS:
        expected = [convert(i) for i in cut(v, source)][: 128 // target]
        assert vector(v) == join(expected, target), convert


@given(vectors, vectors, vectors)
def test_bitwise_operators_see_no_lanes(v1: int, v2: int, v3: int) -> None:
    assert V128.not_(v1) == 2**128 - 1 - v1
    assert (V128.and_(v1, v2), V128.or_(v1, v2), V128.xor(v1, v2)) == (v1 & v2, v1 | v2, v1 ^ v2)
    assert V128.andnot(v1, v2) == v1 & V128.not_(v2)
    assert V128.bitselect(v1, v2, v3) == (v1 & v3) | (v2 & V128.not_(v3))
