"""Vector operators: pure functions on 128 bits held as one unsigned integer, lane 0 lowest.

A shape is the type of its lanes and their number; each instruction `shape.rest` is the method `rest` of that shape. Nearly all
are lane-wise: the helpers `_unop`, `_binop`, … lift an operator on lanes to one on vectors, so that a shape is a table.

Spec    exec/numerics.html#op-vec
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import mul
from struct import Struct
from typing import Generic, TypeAlias, TypeVar

from pywasm_ref.numerics import conversions
from pywasm_ref.numerics.floats import F32, F64, Floats
from pywasm_ref.numerics.integers import I8, I16, I32, I64, Integers

T = TypeVar("T", Integers, Floats)
S = TypeVar("S", bound="Shape[Integers] | Shape[Floats]")
_IntLanes = TypeVar("_IntLanes", bound="IntShape")

Scalar: TypeAlias = Callable[[int], int]

_CODECS = {width: Struct(f"<{128 // width}{code}") for width, code in ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))}
_FROM_BYTES = int.from_bytes


class Shape(Generic[T]):
    """A way to see 128 bits as lanes of one type.

    Spec    exec/numerics.html#aux-lanes
    """

    __slots__ = ("_pack", "_unpack", "count", "lane")

    def __init__(self, lane: T) -> None:
        self.lane: T = lane
        self.count = 128 // lane.width
        self._pack = _CODECS[lane.width].pack
        self._unpack = _CODECS[lane.width].unpack

    def __repr__(self) -> str:
        return f"{self.lane}x{self.count}"

    def lanes(self, v: int) -> tuple[int, ...]:
        """The lanes of a vector, lowest first."""
        return self._unpack(v.to_bytes(16, "little"))

    def vector(self, lanes: Iterable[int]) -> int:
        """The vector of these lanes, which are in range and of the right number."""
        return _FROM_BYTES(self._pack(*lanes), "little")

    def splat(self, x: int) -> int:
        """The vector whose lanes all are `x`, modulo the width of a lane.

        Spec    exec/instructions.html#exec-vsplat
        """
        return self.vector([x & (1 << self.lane.width) - 1] * self.count)

    def extract_lane(self, v: int, lane: int) -> int:
        """The bits of one lane.

        Spec    exec/instructions.html#exec-vextract_lane
        """
        width = self.lane.width
        return (v >> lane * width) & (1 << width) - 1

    def replace_lane(self, v: int, lane: int, x: int) -> int:
        """The vector with one lane replaced by `x`, modulo the width of a lane.

        Spec    exec/instructions.html#exec-vreplace_lane
        """
        width = self.lane.width
        mask = (1 << width) - 1
        return v & ~(mask << lane * width) | (x & mask) << lane * width


# The helpers: each makes a method of a shape from an operator on its lanes.


def _unop(op: Callable[[T, int], int]) -> Callable[[Shape[T], int], int]:
    """The operator on every lane."""

    def unop(self: Shape[T], v: int) -> int:
        return self.vector(map(op, repeat(self.lane), self.lanes(v)))

    return unop


def _binop(op: Callable[[T, int, int], int]) -> Callable[[Shape[T], int, int], int]:
    """The operator on every pair of lanes."""

    def binop(self: Shape[T], v1: int, v2: int) -> int:
        return self.vector(map(op, repeat(self.lane), self.lanes(v1), self.lanes(v2)))

    return binop


def _relop(op: Callable[[T, int, int], int]) -> Callable[[Shape[T], int, int], int]:
    """The relation on every pair of lanes; a lane of ones is true, a lane of zeros false."""

    def relop(self: Shape[T], v1: int, v2: int) -> int:
        true = (1 << self.lane.width) - 1
        return self.vector([true & -b for b in map(op, repeat(self.lane), self.lanes(v1), self.lanes(v2))])

    return relop


def _shiftop(op: Callable[[Integers, int, int], int]) -> Callable[[Shape[Integers], int, int], int]:
    """The shift of every lane by the same distance."""

    def shiftop(self: Shape[Integers], v: int, n: int) -> int:
        return self.vector(map(op, repeat(self.lane), self.lanes(v), repeat(n)))

    return shiftop


def _cvtop(op: Scalar, source: Shape[Integers] | Shape[Floats], *, high: bool = False) -> Callable[[S, int], int]:
    """The conversion of the low or high lanes, as many as the result has; zeros fill a result that has more.

    Spec    exec/numerics.html#op-vcvtop
    """

    def cvtop(self: S, v: int) -> int:
        half = source.lanes(v)[self.count :] if high else source.lanes(v)[: self.count]
        return self.vector([*map(op, half), *[0] * (self.count - len(half))])

    return cvtop


def _narrow(source: Shape[Integers], saturate: Callable[[Integers, int], int]) -> Callable[[_IntLanes, int, int], int]:
    """The lanes of both operands, read as signed and saturated to half the width.

    Spec    exec/numerics.html#op-vnarrow
    """

    def narrow(self: _IntLanes, v1: int, v2: int) -> int:
        lane, signed = self.lane, source.lane.signed
        return self.vector([saturate(lane, signed(i)) for i in source.lanes(v1) + source.lanes(v2)])

    return narrow


def _extadd_pairwise(extend: Scalar, source: Shape[Integers]) -> Callable[[_IntLanes, int], int]:
    """The sums of neighbouring lanes, in lanes of twice the width.

    Spec    exec/numerics.html#op-vextunop
    """

    def extadd_pairwise(self: _IntLanes, v: int) -> int:
        return self.vector(_pairwise(self.lane.add, [extend(i) for i in source.lanes(v)]))

    return extadd_pairwise


def _extmul(extend: Scalar, source: Shape[Integers], *, high: bool = False) -> Callable[[_IntLanes, int, int], int]:
    """The products of the low or high lanes, in lanes of twice the width.

    Spec    exec/numerics.html#op-vextbinop
    """

    def extmul(self: _IntLanes, v1: int, v2: int) -> int:
        half = slice(self.count, None) if high else slice(self.count)
        return self.vector(map(self.lane.mul, map(extend, source.lanes(v1)[half]), map(extend, source.lanes(v2)[half])))

    return extmul


def _dot(source: Shape[Integers], add: Callable[[Integers, int, int], int]) -> Callable[[_IntLanes, int, int], int]:
    """The sums of neighbouring products of signed lanes, in lanes of twice the width.

    Spec    exec/numerics.html#op-vextbinop
    """

    def dot(self: _IntLanes, v1: int, v2: int) -> int:
        lane, signed = self.lane, source.lane.signed
        products = map(mul, map(signed, source.lanes(v1)), map(signed, source.lanes(v2)))
        return self.vector(_pairwise(lambda i1, i2: add(lane, i1, i2), [lane.unsigned(j) for j in products]))

    return dot


def _pairwise(add: Callable[[int, int], int], lanes: Sequence[int]) -> Iterable[int]:
    """The sums of the first two lanes, the next two, and so on.

    Spec    exec/numerics.html#op-ivadd_pairwise
    """
    return map(add, lanes[0::2], lanes[1::2])


class IntShape(Shape[Integers]):
    """What the shapes with integer lanes share; a few of them have no instruction for a few of these."""

    __slots__ = ()

    abs = _unop(Integers.abs)
    neg = _unop(Integers.neg)

    add = _binop(Integers.add)
    sub = _binop(Integers.sub)
    mul = _binop(Integers.mul)
    min_s = _binop(Integers.min_s)
    min_u = _binop(Integers.min_u)
    max_s = _binop(Integers.max_s)
    max_u = _binop(Integers.max_u)

    eq = _relop(Integers.eq)
    ne = _relop(Integers.ne)
    lt_s = _relop(Integers.lt_s)
    lt_u = _relop(Integers.lt_u)
    gt_s = _relop(Integers.gt_s)
    gt_u = _relop(Integers.gt_u)
    le_s = _relop(Integers.le_s)
    le_u = _relop(Integers.le_u)
    ge_s = _relop(Integers.ge_s)
    ge_u = _relop(Integers.ge_u)

    shl = _shiftop(Integers.shl)
    shr_s = _shiftop(Integers.shr_s)
    shr_u = _shiftop(Integers.shr_u)

    def all_true(self, v: int) -> int:
        """1 when no lane is zero, else 0.

        Spec    exec/instructions.html#exec-vtestop
        """
        return 1 if all(self.lanes(v)) else 0

    def bitmask(self, v: int) -> int:
        """The signs of the lanes, that of lane 0 lowest.

        Spec    exec/numerics.html#op-ivbitmask
        """
        sign = self.lane.sign
        return sum(1 << k for k, i in enumerate(self.lanes(v)) if i & sign)


class _SmallIntShape(IntShape):
    """What the shapes with lanes of 8 and 16 bits have besides."""

    __slots__ = ()

    add_sat_s = _binop(Integers.add_sat_s)
    add_sat_u = _binop(Integers.add_sat_u)
    sub_sat_s = _binop(Integers.sub_sat_s)
    sub_sat_u = _binop(Integers.sub_sat_u)
    avgr_u = _binop(Integers.avgr_u)

    extract_lane_u = Shape.extract_lane

    def extract_lane_s(self, v: int, lane: int) -> int:
        """One lane, its sign extended to 32 bits.

        Spec    exec/instructions.html#exec-vextract_lane
        """
        return I32.unsigned(self.lane.signed(self.extract_lane(v, lane)))


class _FloatShape(Shape[Floats]):
    """What the shapes with floating-point lanes share."""

    __slots__ = ()

    abs = _unop(Floats.abs)
    neg = _unop(Floats.neg)
    sqrt = _unop(Floats.sqrt)
    ceil = _unop(Floats.ceil)
    floor = _unop(Floats.floor)
    trunc = _unop(Floats.trunc)
    nearest = _unop(Floats.nearest)

    add = _binop(Floats.add)
    sub = _binop(Floats.sub)
    mul = _binop(Floats.mul)
    div = _binop(Floats.div)
    min = _binop(Floats.min)
    max = _binop(Floats.max)
    pmin = _binop(Floats.pmin)
    pmax = _binop(Floats.pmax)

    eq = _relop(Floats.eq)
    ne = _relop(Floats.ne)
    lt = _relop(Floats.lt)
    gt = _relop(Floats.gt)
    le = _relop(Floats.le)
    ge = _relop(Floats.ge)


# The lanes that conversions read, before the shapes that have them are complete.

_I8X16, _I16X8, _I32X4 = Shape(I8), Shape(I16), Shape(I32)
_F32X4, _F64X2 = Shape(F32), Shape(F64)


class _I8x16(_SmallIntShape):
    """16 lanes of 8 bits."""

    __slots__ = ()

    popcnt = _unop(Integers.popcnt)
    narrow_i16x8_s = _narrow(_I16X8, Integers.sat_s)
    narrow_i16x8_u = _narrow(_I16X8, Integers.sat_u)

    def shuffle(self, lanes: Sequence[int], v1: int, v2: int) -> int:
        """The lanes of both operands, v1's being 0 to 15 and v2's 16 to 31, at these places.

        Spec    exec/numerics.html#op-ivshuffle
        """
        both = v1.to_bytes(16, "little") + v2.to_bytes(16, "little")
        return _FROM_BYTES([both[lane] for lane in lanes], "little")

    def swizzle(self, v1: int, v2: int) -> int:
        """The lanes of v1 at the places that the lanes of v2 name, 0 for a place past the end.

        Spec    exec/numerics.html#op-ivswizzle
        """
        places = v1.to_bytes(16, "little")
        return _FROM_BYTES([places[k] if k < 16 else 0 for k in v2.to_bytes(16, "little")], "little")


class _I16x8(_SmallIntShape):
    """8 lanes of 16 bits."""

    __slots__ = ()

    q15mulr_sat_s = _binop(Integers.q15mulr_sat_s)
    narrow_i32x4_s = _narrow(_I32X4, Integers.sat_s)
    narrow_i32x4_u = _narrow(_I32X4, Integers.sat_u)
    extend_low_i8x16_s = _cvtop(I16.extend8_s, _I8X16)
    extend_low_i8x16_u = _cvtop(conversions.unchanged, _I8X16)
    extend_high_i8x16_s = _cvtop(I16.extend8_s, _I8X16, high=True)
    extend_high_i8x16_u = _cvtop(conversions.unchanged, _I8X16, high=True)
    extadd_pairwise_i8x16_s = _extadd_pairwise(I16.extend8_s, _I8X16)
    extadd_pairwise_i8x16_u = _extadd_pairwise(conversions.unchanged, _I8X16)
    extmul_low_i8x16_s = _extmul(I16.extend8_s, _I8X16)
    extmul_low_i8x16_u = _extmul(conversions.unchanged, _I8X16)
    extmul_high_i8x16_s = _extmul(I16.extend8_s, _I8X16, high=True)
    extmul_high_i8x16_u = _extmul(conversions.unchanged, _I8X16, high=True)
    dot_sat_i8x16_s = _dot(_I8X16, Integers.add_sat_s)  # no instruction, but what the relaxed dot products are made of


class _I32x4(IntShape):
    """4 lanes of 32 bits."""

    __slots__ = ()

    extend_low_i16x8_s = _cvtop(I32.extend16_s, _I16X8)
    extend_low_i16x8_u = _cvtop(conversions.unchanged, _I16X8)
    extend_high_i16x8_s = _cvtop(I32.extend16_s, _I16X8, high=True)
    extend_high_i16x8_u = _cvtop(conversions.unchanged, _I16X8, high=True)
    extadd_pairwise_i16x8_s = _extadd_pairwise(I32.extend16_s, _I16X8)
    extadd_pairwise_i16x8_u = _extadd_pairwise(conversions.unchanged, _I16X8)
    extmul_low_i16x8_s = _extmul(I32.extend16_s, _I16X8)
    extmul_low_i16x8_u = _extmul(conversions.unchanged, _I16X8)
    extmul_high_i16x8_s = _extmul(I32.extend16_s, _I16X8, high=True)
    extmul_high_i16x8_u = _extmul(conversions.unchanged, _I16X8, high=True)
    dot_i16x8_s = _dot(_I16X8, Integers.add)
    trunc_sat_f32x4_s = _cvtop(conversions.i32_trunc_sat_f32_s, _F32X4)
    trunc_sat_f32x4_u = _cvtop(conversions.i32_trunc_sat_f32_u, _F32X4)
    trunc_sat_f64x2_s_zero = _cvtop(conversions.i32_trunc_sat_f64_s, _F64X2)
    trunc_sat_f64x2_u_zero = _cvtop(conversions.i32_trunc_sat_f64_u, _F64X2)


class _I64x2(IntShape):
    """2 lanes of 64 bits."""

    __slots__ = ()

    extend_low_i32x4_s = _cvtop(I64.extend32_s, _I32X4)
    extend_low_i32x4_u = _cvtop(conversions.unchanged, _I32X4)
    extend_high_i32x4_s = _cvtop(I64.extend32_s, _I32X4, high=True)
    extend_high_i32x4_u = _cvtop(conversions.unchanged, _I32X4, high=True)
    extmul_low_i32x4_s = _extmul(I64.extend32_s, _I32X4)
    extmul_low_i32x4_u = _extmul(conversions.unchanged, _I32X4)
    extmul_high_i32x4_s = _extmul(I64.extend32_s, _I32X4, high=True)
    extmul_high_i32x4_u = _extmul(conversions.unchanged, _I32X4, high=True)


class _F32x4(_FloatShape):
    """4 lanes of 32 bits."""

    __slots__ = ()

    convert_i32x4_s = _cvtop(conversions.f32_convert_i32_s, _I32X4)
    convert_i32x4_u = _cvtop(conversions.f32_convert_i32_u, _I32X4)
    demote_f64x2_zero = _cvtop(conversions.f32_demote_f64, _F64X2)


class _F64x2(_FloatShape):
    """2 lanes of 64 bits."""

    __slots__ = ()

    convert_low_i32x4_s = _cvtop(conversions.f64_convert_i32_s, _I32X4)
    convert_low_i32x4_u = _cvtop(conversions.f64_convert_i32_u, _I32X4)
    promote_low_f32x4 = _cvtop(conversions.f64_promote_f32, _F32X4)


class Bits(Integers):
    """The 128 bits as a whole: the operators of `v128`, which see no lanes."""

    __slots__ = ()

    def any_true(self, v: int) -> int:
        """1 when a bit is set, else 0.

        Spec    exec/instructions.html#exec-vvtestop
        """
        return 1 if v else 0


V128 = Bits(128)
I8X16 = _I8x16(I8)
I16X8 = _I16x8(I16)
I32X4 = _I32x4(I32)
I64X2 = _I64x2(I64)
F32X4 = _F32x4(F32)
F64X2 = _F64x2(F64)
