"""Relaxed vector operators: one function per instruction, `f32x4.relaxed_madd` being `f32x4_relaxed_madd`.

The specification lets an implementation choose. The choices here are those of the deterministic profile, by which each operator
is a strict one, or made of strict ones.

Spec    exec/numerics.html#relaxed-ops
"""

from __future__ import annotations

from pywasm_ref.numerics.vectors import F32X4, F64X2, I8X16, I16X8, I32X4, V128

# A place past the end gives 0, rather than being taken modulo 16.
i8x16_relaxed_swizzle = I8X16.swizzle

# A NaN or a number out of range saturates, rather than giving any integer.
i32x4_relaxed_trunc_f32x4_s = I32X4.trunc_sat_f32x4_s
i32x4_relaxed_trunc_f32x4_u = I32X4.trunc_sat_f32x4_u
i32x4_relaxed_trunc_f64x2_s_zero = I32X4.trunc_sat_f64x2_s_zero
i32x4_relaxed_trunc_f64x2_u_zero = I32X4.trunc_sat_f64x2_u_zero

# Every bit of the mask selects, rather than the highest bit of each lane for the whole lane; so the shape plays no part.
i8x16_relaxed_laneselect = V128.bitselect
i16x8_relaxed_laneselect = V128.bitselect
i32x4_relaxed_laneselect = V128.bitselect
i64x2_relaxed_laneselect = V128.bitselect

# NaNs and zeros of both signs are told apart as by the strict operators.
f32x4_relaxed_min = F32X4.min
f32x4_relaxed_max = F32X4.max
f64x2_relaxed_min = F64X2.min
f64x2_relaxed_max = F64X2.max

# The one product that overflows, of -1 and -1, saturates rather than staying negative.
i16x8_relaxed_q15mulr_s = I16X8.q15mulr_sat_s


def f32x4_relaxed_madd(v1: int, v2: int, v3: int) -> int:
    """v1 * v2 + v3, rounded after the product and again after the sum.

    Spec    exec/numerics.html#op-frelaxed_madd
    """
    return F32X4.add(F32X4.mul(v1, v2), v3)


def f32x4_relaxed_nmadd(v1: int, v2: int, v3: int) -> int:
    """-(v1 * v2) + v3, rounded after the product and again after the sum.

    Spec    exec/numerics.html#op-frelaxed_nmadd
    """
    return f32x4_relaxed_madd(F32X4.neg(v1), v2, v3)


def f64x2_relaxed_madd(v1: int, v2: int, v3: int) -> int:
    """v1 * v2 + v3, rounded after the product and again after the sum.

    Spec    exec/numerics.html#op-frelaxed_madd
    """
    return F64X2.add(F64X2.mul(v1, v2), v3)


def f64x2_relaxed_nmadd(v1: int, v2: int, v3: int) -> int:
    """-(v1 * v2) + v3, rounded after the product and again after the sum.

    Spec    exec/numerics.html#op-frelaxed_nmadd
    """
    return f64x2_relaxed_madd(F64X2.neg(v1), v2, v3)


def i16x8_relaxed_dot_i8x16_i7x16_s(v1: int, v2: int) -> int:
    """The sums of neighbouring products, saturated; both operands are signed in all 8 bits.

    Spec    exec/numerics.html#op-irelaxed_dot
    """
    return I16X8.dot_sat_i8x16_s(v1, v2)


def i32x4_relaxed_dot_i8x16_i7x16_add_s(v1: int, v2: int, v3: int) -> int:
    """The same sums, added up in fours and to v3.

    Spec    exec/numerics.html#op-irelaxed_dot_add
    """
    return I32X4.add(I32X4.extadd_pairwise_i16x8_s(I16X8.dot_sat_i8x16_s(v1, v2)), v3)
