"""Conversions between numeric types: one function per instruction, `i32.trunc_f32_s` being `i32_trunc_f32_s`.

Spec    exec/numerics.html#convert-ops
"""

from __future__ import annotations

from math import inf, isnan, nextafter

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.numerics.floats import F32, F64, Floats
from pywasm_ref.numerics.integers import I32, I64, Integers


def _last_below(j: int) -> float:
    """The last number whose integral part is less than `j`, which is no greater than 0: j - 1, or what comes before a large j."""
    return min(j - 1.0, nextafter(j, -inf))


class Between:
    """The conversions between the integers of one width and the floats of another, both ways."""

    __slots__ = ("_range_s", "_range_u", "floats", "integers")

    def __init__(self, integers: Integers, floats: Floats) -> None:
        self.integers = integers
        self.floats = floats
        # Floats, because Python compares a float with an integer exactly, but slowly.
        self._range_u = _last_below(0), float(integers.modulus)
        self._range_s = _last_below(-integers.sign), float(integers.sign)

    def trunc_u(self, z: int) -> int:
        """The float without its fraction, as an unsigned integer.

        Traps   "invalid conversion to integer"  when it is a NaN
                "integer overflow"               when the result is out of range
        Spec    exec/numerics.html#op-trunc
        """
        pack, unpack = self.floats.decode
        x = unpack(pack(z))[0]
        below, above = self._range_u
        if below < x < above:
            return int(x)
        raise Trap(TrapReason.INVALID_CONVERSION if isnan(x) else TrapReason.INTEGER_OVERFLOW)

    def trunc_s(self, z: int) -> int:
        """The float without its fraction, as a signed integer.

        Traps   "invalid conversion to integer"  when it is a NaN
                "integer overflow"               when the result is out of range
        Spec    exec/numerics.html#op-trunc
        """
        pack, unpack = self.floats.decode
        x = unpack(pack(z))[0]
        below, above = self._range_s
        if below < x < above:
            return int(x) & self.integers.mask
        raise Trap(TrapReason.INVALID_CONVERSION if isnan(x) else TrapReason.INTEGER_OVERFLOW)

    def trunc_sat_u(self, z: int) -> int:
        """The float without its fraction, as the closest unsigned integer; 0 for a NaN.

        Spec    exec/numerics.html#op-trunc_sat
        """
        pack, unpack = self.floats.decode
        x = unpack(pack(z))[0]
        below, above = self._range_u
        if below < x < above:
            return int(x)
        return self.integers.mask if x > 0 else 0

    def trunc_sat_s(self, z: int) -> int:
        """The float without its fraction, as the closest signed integer; 0 for a NaN.

        Spec    exec/numerics.html#op-trunc_sat
        """
        pack, unpack = self.floats.decode
        x = unpack(pack(z))[0]
        below, above = self._range_s
        if below < x < above:
            return int(x) & self.integers.mask
        if isnan(x):
            return 0
        return self.integers.sign - 1 if x > 0 else self.integers.sign

    def convert_u(self, i: int) -> int:
        """The float nearest to the unsigned integer.

        Spec    exec/numerics.html#op-convert
        """
        return self.floats.from_integer(i)

    def convert_s(self, i: int) -> int:
        """The float nearest to the signed integer.

        Spec    exec/numerics.html#op-convert
        """
        sign = self.integers.sign
        return self.floats.from_integer((i ^ sign) - sign)


def unchanged(i: int) -> int:
    """The same bits: what reinterpretation does, and unsigned extension.

    Spec    exec/numerics.html#op-reinterpret, exec/numerics.html#op-extend
    """
    return i


def i32_wrap_i64(i: int) -> int:
    """The integer modulo 2**32.

    Spec    exec/numerics.html#op-wrap
    """
    return i & 0xFFFF_FFFF


def i64_extend_i32_s(i: int) -> int:
    """The integer of 32 bits, its sign extended.

    Spec    exec/numerics.html#op-extend
    """
    return I64.extend32_s(i)


def f32_demote_f64(z: int) -> int:
    """The nearest number of 32 bits; a NaN gives the canonical NaN.

    Spec    exec/numerics.html#op-demote
    """
    return F32.from_float(F64.to_float(z))


def f64_promote_f32(z: int) -> int:
    """The same number in 64 bits; a NaN gives the canonical NaN.

    Spec    exec/numerics.html#op-promote
    """
    return F64.from_float(F32.to_float(z))


_I32_F32, _I32_F64, _I64_F32, _I64_F64 = Between(I32, F32), Between(I32, F64), Between(I64, F32), Between(I64, F64)

i32_trunc_f32_s, i32_trunc_f32_u = _I32_F32.trunc_s, _I32_F32.trunc_u
i32_trunc_f64_s, i32_trunc_f64_u = _I32_F64.trunc_s, _I32_F64.trunc_u
i64_trunc_f32_s, i64_trunc_f32_u = _I64_F32.trunc_s, _I64_F32.trunc_u
i64_trunc_f64_s, i64_trunc_f64_u = _I64_F64.trunc_s, _I64_F64.trunc_u

i32_trunc_sat_f32_s, i32_trunc_sat_f32_u = _I32_F32.trunc_sat_s, _I32_F32.trunc_sat_u
i32_trunc_sat_f64_s, i32_trunc_sat_f64_u = _I32_F64.trunc_sat_s, _I32_F64.trunc_sat_u
i64_trunc_sat_f32_s, i64_trunc_sat_f32_u = _I64_F32.trunc_sat_s, _I64_F32.trunc_sat_u
i64_trunc_sat_f64_s, i64_trunc_sat_f64_u = _I64_F64.trunc_sat_s, _I64_F64.trunc_sat_u

f32_convert_i32_s, f32_convert_i32_u = _I32_F32.convert_s, _I32_F32.convert_u
f32_convert_i64_s, f32_convert_i64_u = _I64_F32.convert_s, _I64_F32.convert_u
f64_convert_i32_s, f64_convert_i32_u = _I32_F64.convert_s, _I32_F64.convert_u
f64_convert_i64_s, f64_convert_i64_u = _I64_F64.convert_s, _I64_F64.convert_u

i64_extend_i32_u = unchanged
i32_reinterpret_f32, i64_reinterpret_f64 = unchanged, unchanged
f32_reinterpret_i32, f64_reinterpret_i64 = unchanged, unchanged
