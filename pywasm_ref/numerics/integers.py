"""Integer operators: pure functions on the unsigned representatives 0 <= i < 2**N.

Each method is the operator of the same name. A method `f`, `f_s` or `f_u` without a `Spec` line of its own is defined at
exec/numerics.html#op-if (`add` at #op-iadd, `lt_s` at #op-ilt); operators named by a Python keyword end in an underscore.
"""

from __future__ import annotations

from pywasm_ref.errors import Trap, TrapReason


class Integers:
    """The integers modulo 2**N, N a power of two; operands are taken to be in range, results are."""

    __slots__ = ("mask", "modulus", "shift_mask", "sign", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.modulus = 1 << width
        self.mask = self.modulus - 1
        self.sign = 1 << (width - 1)
        self.shift_mask = width - 1

    def __repr__(self) -> str:
        return f"i{self.width}"

    # The two interpretations, and saturation into them

    def signed(self, i: int) -> int:
        """The signed interpretation, -2**(N-1) <= result < 2**(N-1).

        Spec    exec/numerics.html#aux-signed
        """
        sign = self.sign
        return (i ^ sign) - sign

    def unsigned(self, j: int) -> int:
        """The representative of any integer, negative ones included.

        Spec    exec/numerics.html#aux-signed
        """
        return j & self.mask

    def sat_s(self, j: int) -> int:
        """The representative of the signed value that is closest to `j`.

        Spec    exec/numerics.html#aux-sat
        """
        sign = self.sign
        return min(max(j, -sign), sign - 1) & self.mask

    def sat_u(self, j: int) -> int:
        """The unsigned value that is closest to `j`.

        Spec    exec/numerics.html#aux-sat
        """
        return min(max(j, 0), self.mask)

    # Arithmetic

    def add(self, i1: int, i2: int) -> int:
        """Sum modulo 2**N."""
        return (i1 + i2) & self.mask

    def sub(self, i1: int, i2: int) -> int:
        """Difference modulo 2**N."""
        return (i1 - i2) & self.mask

    def mul(self, i1: int, i2: int) -> int:
        """Product modulo 2**N."""
        return (i1 * i2) & self.mask

    def div_u(self, i1: int, i2: int) -> int:
        """Quotient of the unsigned operands, rounded toward zero.

        Traps   "integer divide by zero"  when i2 is 0
        Spec    exec/numerics.html#op-idiv
        """
        if i2 == 0:
            raise Trap(TrapReason.INTEGER_DIVIDE_BY_ZERO)
        return i1 // i2

    def div_s(self, i1: int, i2: int) -> int:
        """Quotient of the signed operands, rounded toward zero.

        Traps   "integer divide by zero"  when i2 is 0
                "integer overflow"        when the quotient is 2**(N-1), i.e. min / -1
        Spec    exec/numerics.html#op-idiv
        """
        if i2 == 0:
            raise Trap(TrapReason.INTEGER_DIVIDE_BY_ZERO)
        sign = self.sign
        if (i1 | i2) < sign:  # neither is negative: the usual case, at a third of the time
            return i1 // i2
        j1, j2 = (i1 ^ sign) - sign, (i2 ^ sign) - sign
        quotient = abs(j1) // abs(j2)
        if (j1 < 0) is not (j2 < 0):
            return -quotient & self.mask
        if quotient == sign:
            raise Trap(TrapReason.INTEGER_OVERFLOW)
        return quotient

    def rem_u(self, i1: int, i2: int) -> int:
        """Remainder of the unsigned operands.

        Traps   "integer divide by zero"  when i2 is 0
        Spec    exec/numerics.html#op-irem
        """
        if i2 == 0:
            raise Trap(TrapReason.INTEGER_DIVIDE_BY_ZERO)
        return i1 % i2

    def rem_s(self, i1: int, i2: int) -> int:
        """Remainder of the signed operands, with the sign of the dividend; min rem -1 is 0.

        Traps   "integer divide by zero"  when i2 is 0
        Spec    exec/numerics.html#op-irem
        """
        if i2 == 0:
            raise Trap(TrapReason.INTEGER_DIVIDE_BY_ZERO)
        sign = self.sign
        if (i1 | i2) < sign:
            return i1 % i2
        j1 = (i1 ^ sign) - sign
        remainder = abs(j1) % abs((i2 ^ sign) - sign)
        return -remainder & self.mask if j1 < 0 else remainder

    def abs(self, i: int) -> int:
        """Absolute value of the signed operand; the minimum, which has none, stays as it is."""
        return self.modulus - i if i & self.sign else i

    def neg(self, i: int) -> int:
        """Negation modulo 2**N."""
        return -i & self.mask

    def min_u(self, i1: int, i2: int) -> int:
        """The smaller unsigned operand."""
        return i1 if i1 <= i2 else i2

    def min_s(self, i1: int, i2: int) -> int:
        """The smaller signed operand."""
        return i1 if i1 ^ self.sign <= i2 ^ self.sign else i2

    def max_u(self, i1: int, i2: int) -> int:
        """The larger unsigned operand."""
        return i1 if i1 >= i2 else i2

    def max_s(self, i1: int, i2: int) -> int:
        """The larger signed operand."""
        return i1 if i1 ^ self.sign >= i2 ^ self.sign else i2

    def add_sat_u(self, i1: int, i2: int) -> int:
        """Sum of the unsigned operands, saturated."""
        return self.sat_u(i1 + i2)

    def add_sat_s(self, i1: int, i2: int) -> int:
        """Sum of the signed operands, saturated."""
        return self.sat_s(self.signed(i1) + self.signed(i2))

    def sub_sat_u(self, i1: int, i2: int) -> int:
        """Difference of the unsigned operands, saturated."""
        return self.sat_u(i1 - i2)

    def sub_sat_s(self, i1: int, i2: int) -> int:
        """Difference of the signed operands, saturated."""
        return self.sat_s(self.signed(i1) - self.signed(i2))

    def avgr_u(self, i1: int, i2: int) -> int:
        """Average of the unsigned operands, a half rounded up."""
        return (i1 + i2 + 1) >> 1

    def q15mulr_sat_s(self, i1: int, i2: int) -> int:
        """Product of two fixed-point numbers with 15 fractional bits, rounded and saturated.

        Spec    exec/numerics.html#op-iq15mulrsat
        """
        return self.sat_s((self.signed(i1) * self.signed(i2) + (1 << 14)) >> 15)

    # Bits

    def not_(self, i: int) -> int:
        """Every bit inverted."""
        return i ^ self.mask

    def and_(self, i1: int, i2: int) -> int:
        """Bitwise conjunction."""
        return i1 & i2

    def andnot(self, i1: int, i2: int) -> int:
        """The bits of i1 that are not in i2."""
        return i1 & (i2 ^ self.mask)

    def or_(self, i1: int, i2: int) -> int:
        """Bitwise disjunction."""
        return i1 | i2

    def xor(self, i1: int, i2: int) -> int:
        """Bitwise exclusive disjunction."""
        return i1 ^ i2

    def bitselect(self, i1: int, i2: int, i3: int) -> int:
        """The bits of i1 where i3 has a one, those of i2 where it has a zero."""
        return ((i1 ^ i2) & i3) ^ i2

    def xchg(self, i1: int, i2: int) -> int:
        """The second operand: what an atomic exchange leaves in place of the first."""
        return i2

    def shl(self, i1: int, i2: int) -> int:
        """Shift left by i2 modulo N."""
        return (i1 << (i2 & self.shift_mask)) & self.mask

    def shr_u(self, i1: int, i2: int) -> int:
        """Shift right by i2 modulo N, filling with zeros."""
        return i1 >> (i2 & self.shift_mask)

    def shr_s(self, i1: int, i2: int) -> int:
        """Shift right by i2 modulo N, filling with the sign."""
        sign = self.sign
        return (((i1 ^ sign) - sign) >> (i2 & self.shift_mask)) & self.mask

    def rotl(self, i1: int, i2: int) -> int:
        """Rotate left by i2 modulo N."""
        k = i2 & self.shift_mask
        return ((i1 << k) | (i1 >> (self.width - k))) & self.mask

    def rotr(self, i1: int, i2: int) -> int:
        """Rotate right by i2 modulo N."""
        k = i2 & self.shift_mask
        return ((i1 >> k) | (i1 << (self.width - k))) & self.mask

    def clz(self, i: int) -> int:
        """Number of leading zeros; N for 0."""
        return self.width - i.bit_length()

    def ctz(self, i: int) -> int:
        """Number of trailing zeros; N for 0."""
        return (i & -i).bit_length() - 1 if i else self.width

    def popcnt(self, i: int) -> int:
        """Number of ones."""
        return i.bit_count()

    def extend8_s(self, i: int) -> int:
        """The low 8 bits, their sign extended.

        Spec    exec/numerics.html#op-iextendn
        """
        return (((i & 0xFF) ^ 0x80) - 0x80) & self.mask

    def extend16_s(self, i: int) -> int:
        """The low 16 bits, their sign extended.

        Spec    exec/numerics.html#op-iextendn
        """
        return (((i & 0xFFFF) ^ 0x8000) - 0x8000) & self.mask

    def extend32_s(self, i: int) -> int:
        """The low 32 bits, their sign extended.

        Spec    exec/numerics.html#op-iextendn
        """
        return (((i & 0xFFFF_FFFF) ^ 0x8000_0000) - 0x8000_0000) & self.mask

    # Tests and relations: 1 for true, 0 for false. Flipping the sign bit orders the signed numbers as unsigned ones.

    def eqz(self, i: int) -> int:
        """Whether the operand is zero."""
        return 0 if i else 1

    def eq(self, i1: int, i2: int) -> int:
        """Whether the operands are equal."""
        return 1 if i1 == i2 else 0

    def ne(self, i1: int, i2: int) -> int:
        """Whether the operands differ."""
        return 1 if i1 != i2 else 0

    def lt_u(self, i1: int, i2: int) -> int:
        """Whether i1 < i2, both unsigned."""
        return 1 if i1 < i2 else 0

    def lt_s(self, i1: int, i2: int) -> int:
        """Whether i1 < i2, both signed."""
        sign = self.sign
        return 1 if i1 ^ sign < i2 ^ sign else 0

    def gt_u(self, i1: int, i2: int) -> int:
        """Whether i1 > i2, both unsigned."""
        return 1 if i1 > i2 else 0

    def gt_s(self, i1: int, i2: int) -> int:
        """Whether i1 > i2, both signed."""
        sign = self.sign
        return 1 if i1 ^ sign > i2 ^ sign else 0

    def le_u(self, i1: int, i2: int) -> int:
        """Whether i1 <= i2, both unsigned."""
        return 1 if i1 <= i2 else 0

    def le_s(self, i1: int, i2: int) -> int:
        """Whether i1 <= i2, both signed."""
        sign = self.sign
        return 1 if i1 ^ sign <= i2 ^ sign else 0

    def ge_u(self, i1: int, i2: int) -> int:
        """Whether i1 >= i2, both unsigned."""
        return 1 if i1 >= i2 else 0

    def ge_s(self, i1: int, i2: int) -> int:
        """Whether i1 >= i2, both signed."""
        sign = self.sign
        return 1 if i1 ^ sign >= i2 ^ sign else 0

    # Wide arithmetic (a proposal): numbers of 2N bits as pairs, the low half first

    def _halves(self, j: int) -> tuple[int, int]:
        """The low and the high half of an integer modulo 2**(2N)."""
        return j & self.mask, (j >> self.width) & self.mask

    def add128(self, lo1: int, hi1: int, lo2: int, hi2: int) -> tuple[int, int]:
        """Sum modulo 2**(2N) of two pairs."""
        return self._halves(lo1 + lo2 + ((hi1 + hi2) << self.width))

    def sub128(self, lo1: int, hi1: int, lo2: int, hi2: int) -> tuple[int, int]:
        """Difference modulo 2**(2N) of two pairs."""
        return self._halves(lo1 - lo2 + ((hi1 - hi2) << self.width))

    def mul_wide_u(self, i1: int, i2: int) -> tuple[int, int]:
        """The whole product of the unsigned operands."""
        return self._halves(i1 * i2)

    def mul_wide_s(self, i1: int, i2: int) -> tuple[int, int]:
        """The whole product of the signed operands."""
        return self._halves(self.signed(i1) * self.signed(i2))


I8 = Integers(8)
I16 = Integers(16)
I32 = Integers(32)
I64 = Integers(64)
