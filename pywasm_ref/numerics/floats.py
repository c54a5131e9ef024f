"""Floating-point operators: pure functions on IEEE 754 bit patterns, held as unsigned integers.

Each method is the operator of the same name. A method `f` without a `Spec` line of its own is defined at
exec/numerics.html#op-ff (`add` at #op-fadd).

One rule for NaNs: where the specification leaves a choice, the result is the positive canonical NaN, whatever the operands
were; this is the deterministic profile. `abs`, `neg`, `copysign`, `pmin` and `pmax` only move bits and keep a payload.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import Struct
from typing import TypeAlias

Pack: TypeAlias = Callable[..., bytes]
UnpackNumbers: TypeAlias = Callable[[bytes], tuple[float, ...]]
UnpackBits: TypeAlias = Callable[[bytes], tuple[int, ...]]

# Up to this size, every integer is among Python's numbers, which are binary64.
_EXACT_INTEGER = 1 << 53


class Floats:
    """The floating-point numbers of `width` bits, `mantissa` of which are the fraction.

    Arithmetic is done on binary64, then rounded to the width. For binary32 both roundings together give what one rounding of
    the exact result gives, for + - * / and the square root, because binary64 has more than twice the digits plus two, and range
    to spare.
    """

    __slots__ = (
        "_decode_two", "_first_exponent", "_integral_from", "_recode", "_recode_two",
        "canonical_nan", "decode", "encode", "infinity", "magnitude", "mantissa", "sign", "width",
    )  # fmt: skip

    # Ways between bits and Python's numbers: `decode` to a number, `encode` back, `_recode` there and back, `_two` of two operands.
    # They are struct methods in a tuple that an operator unpacks once, a tenth faster than one attribute for each method.
    decode: tuple[Pack, UnpackNumbers]
    encode: tuple[Pack, UnpackBits]
    _decode_two: tuple[Pack, UnpackNumbers]
    _recode: tuple[Pack, UnpackNumbers, Pack, UnpackBits]
    _recode_two: tuple[Pack, UnpackNumbers, Pack, UnpackBits]

    def __init__(self, width: int, mantissa: int, bits: str, number: str) -> None:
        self.width = width
        self.mantissa = mantissa
        self.sign = 1 << (width - 1)
        self.magnitude = self.sign - 1
        self.infinity = self.sign - (1 << mantissa)
        self.canonical_nan = self.infinity | 1 << (mantissa - 1)
        self._integral_from = float(1 << mantissa)
        self._first_exponent = 2 - (1 << (width - mantissa - 2)) - mantissa
        self.decode = Struct(f"<{bits}").pack, Struct(f"<{number}").unpack
        self.encode = Struct(f"<{number}").pack, Struct(f"<{bits}").unpack
        self._decode_two = Struct(f"<2{bits}").pack, Struct(f"<2{number}").unpack
        self._recode = *self.decode, *self.encode
        self._recode_two = *self._decode_two, *self.encode

    def __repr__(self) -> str:
        return f"f{self.width}"

    # Bits and numbers

    def to_float(self, z: int) -> float:
        """The Python number; exact, but for the payload of a NaN."""
        pack, unpack = self.decode
        return unpack(pack(z))[0]

    def from_float(self, x: float) -> int:
        """The nearest number of this width, ties to even, too large ones infinite; a NaN gives the canonical NaN."""
        if x != x:
            return self.canonical_nan
        pack, unpack = self.encode
        try:
            return unpack(pack(x))[0]
        except OverflowError:
            return self._signed_infinity(x)

    def from_integer(self, j: int) -> int:
        """The number nearest to an integer of any size, rounded once, ties to even."""
        if not -_EXACT_INTEGER <= j <= _EXACT_INTEGER:
            return self.from_ratio(j, 1)
        pack, unpack = self.encode
        return unpack(pack(j))[0]

    def from_ratio(self, numerator: int, denominator: int) -> int:
        """The number nearest to an exact ratio, ties to even; the denominator is positive, and 0 gives +0.

        Spec    exec/numerics.html#aux-ieee
        """
        if numerator == 0:
            return 0
        exact = abs(numerator)
        # Scale so that the integral part of the quotient is the fraction with its leading one; a subnormal gets fewer digits.
        exponent = max(exact.bit_length() - denominator.bit_length() - self.mantissa, self._first_exponent)
        if exponent > self._first_exponent and exact << max(-exponent, 0) < denominator << (self.mantissa + max(exponent, 0)):
            exponent -= 1
        divisor = denominator << max(exponent, 0)
        fraction, rest = divmod(exact << max(-exponent, 0), divisor)
        if 2 * rest > divisor or (2 * rest == divisor and fraction & 1):
            fraction += 1
        # Adding, not joining: the leading one, and a carry out of the fraction, belong to the exponent.
        z = ((exponent - self._first_exponent) << self.mantissa) + fraction
        return min(z, self.infinity) | (self.sign if numerator < 0 else 0)

    def _signed_infinity(self, x: float) -> int:
        """The infinity on the side of a number."""
        return self.infinity if x > 0 else self.infinity | self.sign

    def is_nan(self, z: int) -> bool:
        """Whether the bits are a NaN."""
        return z & self.magnitude > self.infinity

    def is_canonical_nan(self, z: int) -> bool:
        """Whether the bits are a NaN of either sign whose payload is the most significant bit alone.

        Spec    syntax/values.html#canonical-nan
        """
        return z & self.magnitude == self.canonical_nan

    def is_arithmetic_nan(self, z: int) -> bool:
        """Whether the bits are a NaN of either sign whose payload has its most significant bit set.

        Spec    syntax/values.html#arithmetic-nan
        """
        return z & self.canonical_nan == self.canonical_nan

    # Arithmetic. The operators spell `from_float` out, because the call would cost a quarter of their time.

    def add(self, z1: int, z2: int) -> int:
        """Sum, rounded to nearest."""
        pack_two, unpack_two, pack, unpack = self._recode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        x = x1 + x2
        if x != x:
            return self.canonical_nan
        try:
            return unpack(pack(x))[0]
        except OverflowError:
            return self._signed_infinity(x)

    def sub(self, z1: int, z2: int) -> int:
        """Difference, rounded to nearest."""
        pack_two, unpack_two, pack, unpack = self._recode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        x = x1 - x2
        if x != x:
            return self.canonical_nan
        try:
            return unpack(pack(x))[0]
        except OverflowError:
            return self._signed_infinity(x)

    def mul(self, z1: int, z2: int) -> int:
        """Product, rounded to nearest."""
        pack_two, unpack_two, pack, unpack = self._recode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        x = x1 * x2
        if x != x:
            return self.canonical_nan
        try:
            return unpack(pack(x))[0]
        except OverflowError:
            return self._signed_infinity(x)

    def div(self, z1: int, z2: int) -> int:
        """Quotient, rounded to nearest; a number divided by a zero is infinite."""
        pack_two, unpack_two, pack, unpack = self._recode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        if not x2:
            return self.canonical_nan if not x1 or x1 != x1 else self.infinity | (z1 ^ z2) & self.sign
        x = x1 / x2
        if x != x:
            return self.canonical_nan
        try:
            return unpack(pack(x))[0]
        except OverflowError:
            return self._signed_infinity(x)

    def sqrt(self, z: int) -> int:
        """Square root, rounded to nearest; that of -0 is -0, that of another negative number a NaN."""
        pack_bits, unpack_number, pack, unpack = self._recode
        x = unpack_number(pack_bits(z))[0]
        return unpack(pack(math.sqrt(x)))[0] if x >= 0 else self.canonical_nan

    def min(self, z1: int, z2: int) -> int:
        """The smaller operand, -0 being smaller than +0; a NaN when one is a NaN."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        if x1 < x2:
            return z1
        if x2 < x1:
            return z2
        return z1 | z2 if x1 == x2 else self.canonical_nan  # equal operands have equal bits, but for the sign of a zero

    def max(self, z1: int, z2: int) -> int:
        """The larger operand, +0 being larger than -0; a NaN when one is a NaN."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        if x1 > x2:
            return z1
        if x2 > x1:
            return z2
        return z1 & z2 if x1 == x2 else self.canonical_nan

    def pmin(self, z1: int, z2: int) -> int:
        """The second operand when it is smaller, else the first: `b < a ? b : a`."""
        return z2 if self.lt(z2, z1) else z1

    def pmax(self, z1: int, z2: int) -> int:
        """The second operand when it is larger, else the first: `a < b ? b : a`."""
        return z2 if self.lt(z1, z2) else z1

    # Rounding to an integral number; the sign stays, that of a zero included

    def ceil(self, z: int) -> int:
        """The smallest integral number not below the operand."""
        return self._integral(math.ceil, z)

    def floor(self, z: int) -> int:
        """The largest integral number not above the operand."""
        return self._integral(math.floor, z)

    def trunc(self, z: int) -> int:
        """The operand without its fraction."""
        return self._integral(math.trunc, z)

    def nearest(self, z: int) -> int:
        """The nearest integral number, the even one of two."""
        return self._integral(round, z)

    def _integral(self, rounding: Callable[[float], int], z: int) -> int:
        """The operand rounded to an integer; from 2**mantissa on, infinities included, every number is one already."""
        pack_bits, unpack_number, pack, unpack = self._recode
        x = unpack_number(pack_bits(z))[0]
        if -self._integral_from < x < self._integral_from:
            return unpack(pack(float(rounding(x))))[0] | z & self.sign
        return z if x == x else self.canonical_nan

    # Signs

    def abs(self, z: int) -> int:
        """The operand with a positive sign."""
        return z & self.magnitude

    def neg(self, z: int) -> int:
        """The operand with the other sign."""
        return z ^ self.sign

    def copysign(self, z1: int, z2: int) -> int:
        """The first operand with the sign of the second."""
        return z1 & self.magnitude | z2 & self.sign

    # Relations: 1 for true, 0 for false. The zeros are equal, and a NaN is unordered: only `ne` holds for it.

    def eq(self, z1: int, z2: int) -> int:
        """Whether the operands are equal."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 == x2 else 0

    def ne(self, z1: int, z2: int) -> int:
        """Whether the operands differ, or one is a NaN."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 != x2 else 0

    def lt(self, z1: int, z2: int) -> int:
        """Whether z1 < z2."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 < x2 else 0

    def gt(self, z1: int, z2: int) -> int:
        """Whether z1 > z2."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 > x2 else 0

    def le(self, z1: int, z2: int) -> int:
        """Whether z1 <= z2."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 <= x2 else 0

    def ge(self, z1: int, z2: int) -> int:
        """Whether z1 >= z2."""
        pack_two, unpack_two = self._decode_two
        x1, x2 = unpack_two(pack_two(z1, z2))
        return 1 if x1 >= x2 else 0


F32 = Floats(32, 23, "I", "f")
F64 = Floats(64, 52, "Q", "d")
