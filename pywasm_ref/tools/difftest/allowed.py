"""The answers that an instruction may give: where the specification leaves a choice, any of them is right.

A choice is written as alternatives for the whole vector, each a set of bits for every lane; a scalar is a vector of one lane. Beside
these bits, a lane that is a NaN may be any that its operands allow: a canonical one if theirs are, else one whose payload begins with 1.

Spec    exec/numerics.html#nan-propagation
        exec/numerics.html#relaxed-operators
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial

from pywasm_ref.numerics import F32, F64
from pywasm_ref.numerics.floats import Floats
from pywasm_ref.syntax.instructions import Instr
from pywasm_ref.tools.difftest.generate.nans import FUSED, OPEN

Alternative = Sequence[set[int]]
Chooser = Callable[[Sequence[int], int], Iterator[Alternative]]
NUMBERS: Mapping[int, Floats] = {32: F32, 64: F64}
SIGNED_16 = 1 << 15


def allows(i: Instr, operands: Sequence[int], measure: int, answer: int) -> bool:
    """Whether an instruction may give that answer, being right when it gives `measure`."""
    if answer == measure:
        return True
    name = i.op.mnemonic
    nans = name in OPEN or name in FUSED
    if not nans and name not in CHOICES:
        return False
    width, count = _shape(name)
    alternatives = CHOICES[name](operands, measure) if name in CHOICES else iter([[{lane} for lane in split(measure, width, count)]])
    given = list(enumerate(split(answer, width, count)))

    def fits(one: Alternative) -> bool:
        return all(bits in one[k] or (nans and _nan(name, operands, k, width, one[k], bits)) for k, bits in given)

    return any(map(fits, alternatives))


def _shape(name: str) -> tuple[int, int]:
    """Width and number of the lanes of a result."""
    prefix = name.partition(".")[0]
    width, _, count = prefix[1:].partition("x")
    return int(width), int(count or 1)


def split(v: int, width: int, count: int) -> list[int]:
    return [v >> width * k & (1 << width) - 1 for k in range(count)]


def _nan(name: str, operands: Sequence[int], k: int, width: int, lane: set[int], bits: int) -> bool:
    """Whether a NaN may stand where one is to stand, given the NaNs among the operands' lanes of that place."""
    numbers = NUMBERS[width]
    if not any(map(numbers.is_nan, lane)) or not numbers.is_nan(bits):
        return False
    source = 32 if "promote" in name else 64 if "demote" in name else width
    inputs = [operand >> source * k & (1 << source) - 1 for operand in operands]
    payloads = [z for z in inputs if NUMBERS[source].is_nan(z) and not NUMBERS[source].is_canonical_nan(z)]
    return numbers.is_arithmetic_nan(bits) if payloads else numbers.is_canonical_nan(bits)


# Relaxed vector instructions


def swizzle(operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """A place past the end gives 0, or is taken modulo 16 unless its highest bit is set."""
    bytes_, places = (split(v, 8, 16) for v in operands)
    strict = split(measure, 8, 16)
    yield [{lane, bytes_[place % 16]} if 16 <= place < 128 else {lane} for lane, place in zip(strict, places, strict=True)]


def trunc(source: int, signed: bool, operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """What no integer is near to saturates, or gives the integer that has the highest bit (unsigned: all bits) set; a NaN too."""
    numbers = NUMBERS[source]
    other = 2**31 if signed else 2**32 - 1
    found = []
    for k, lane in enumerate(split(measure, 32, 4)):
        z = operands[0] >> source * k & (1 << source) - 1 if k < 128 // source else 0
        found.append({lane} if _fits(numbers, z, signed) else {lane, other})
    yield found


def _fits(numbers: Floats, z: int, signed: bool) -> bool:
    x = numbers.to_float(z)
    return -(2.0**31) - 1 < x < 2.0**31 if signed else -1.0 < x < 2.0**32


def laneselect(width: int, operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """Every bit of the mask selects one bit, or its highest bit the whole lane; of 16 bits, also the highest of each byte that byte."""
    ones, others, masks = (split(v, width, 128 // width) for v in operands)
    strict = split(measure, width, 128 // width)
    lanes = zip(strict, ones, others, masks, strict=True)
    yield [{lane, _blended(width, one, other, mask)} for lane, one, other, mask in lanes]
    if width == 16:
        yield [{_blended(8, *row) | _blended(8, *(part >> 8 for part in row)) << 8} for row in zip(ones, others, masks, strict=True)]


def _blended(width: int, one: int, other: int, mask: int) -> int:
    """The lowest lane of that width, as the highest bit of its mask selects."""
    return (one if mask >> width - 1 & 1 else other) & (1 << width) - 1


def extreme(width: int, operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """Of a NaN and something, or of two zeros, either operand, too."""
    numbers = NUMBERS[width]
    found = []
    for lane, a, b in zip(*(split(v, width, 128 // width) for v in (measure, *operands)), strict=True):
        free = numbers.is_nan(a) or numbers.is_nan(b) or (a | b) & numbers.magnitude == 0
        found.append({lane, a, b} if free else {lane})
    yield found


def fused(width: int, negated: bool, operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """A product that is rounded before the sum, or is not: the same in all lanes."""
    count = 128 // width
    yield [{lane} for lane in split(measure, width, count)]
    lanes = zip(*(split(v, width, count) for v in (*operands, measure)), strict=True)
    yield [{fma(NUMBERS[width], a, b, c, strict, negated)} for a, b, c, strict in lanes]


def fma(numbers: Floats, a: int, b: int, c: int, strict: int, negated: bool = False) -> int:
    """a * b + c rounded once; `strict` is what it is when rounded twice, and what it is where there is nothing to round."""
    if any(z & numbers.magnitude >= numbers.infinity for z in (a, b)):
        return strict
    if c & numbers.magnitude >= numbers.infinity:  # a product that is not rounded is never infinite
        return c if c & numbers.magnitude == numbers.infinity else strict
    x, y, z = (Fraction(numbers.to_float(part)) for part in (a, b, c))
    exact = (-x if negated else x) * y + z
    if exact == 0:
        return strict if x * y == 0 else 0
    return numbers.from_ratio(exact.numerator, exact.denominator)


def q15mulr(operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """The product of -1 and -1 saturates, or stays -1."""
    lanes = zip(*(split(v, 16, 8) for v in (measure, *operands)), strict=True)
    yield [{lane, SIGNED_16} if a == b == SIGNED_16 else {lane} for lane, a, b in lanes]


def dot(operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """Seven bits are wanted on the right: an eighth may be a sign or not; the sum of two products may saturate or wrap."""
    for sums in _dots(operands):
        yield [{n & 0xFFFF} for n in sums]


def dot_add(operands: Sequence[int], measure: int) -> Iterator[Alternative]:
    """The same, in pairs, and added to the third operand."""
    for sums in _dots(operands):
        yield [{sums[2 * k] + sums[2 * k + 1] + c & 0xFFFF_FFFF} for k, c in enumerate(split(operands[2], 32, 4))]


def _dots(operands: Sequence[int]) -> Iterator[list[int]]:
    left, right = (split(v, 8, 16) for v in operands[:2])
    for sign in (256, 0):
        products = [_signed(a, 8) * (b - sign if b >> 7 else b) for a, b in zip(left, right, strict=True)]
        sums = [products[2 * k] + products[2 * k + 1] for k in range(8)]
        yield [max(-SIGNED_16, min(SIGNED_16 - 1, n)) for n in sums]
        yield [_signed(n & 0xFFFF, 16) for n in sums]


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> width - 1 else bits


CHOICES: Mapping[str, Chooser] = {
    "i8x16.relaxed_swizzle": swizzle,
    "i32x4.relaxed_trunc_f32x4_s": partial(trunc, 32, True),
    "i32x4.relaxed_trunc_f32x4_u": partial(trunc, 32, False),
    "i32x4.relaxed_trunc_f64x2_s_zero": partial(trunc, 64, True),
    "i32x4.relaxed_trunc_f64x2_u_zero": partial(trunc, 64, False),
    **{f"i{width}x{128 // width}.relaxed_laneselect": partial(laneselect, width) for width in (8, 16, 32, 64)},
    **{f"f{width}x{128 // width}.relaxed_{name}": partial(extreme, width) for width in (32, 64) for name in ("min", "max")},
    **{f"f{width}x{128 // width}.relaxed_madd": partial(fused, width, False) for width in (32, 64)},
    **{f"f{width}x{128 // width}.relaxed_nmadd": partial(fused, width, True) for width in (32, 64)},
    "i16x8.relaxed_q15mulr_s": q15mulr,
    "i16x8.relaxed_dot_i8x16_i7x16_s": dot,
    "i32x4.relaxed_dot_i8x16_i7x16_add_s": dot_add,
}
"""The instructions that leave more open than the bits of NaNs."""
