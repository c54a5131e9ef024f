"""Exact arithmetic to hold the numerics to, and Hypothesis strategies for their operands."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from pywasm_ref.numerics import F32, F64, Floats
from tests.numerics.operands import SPECIAL


def integers(width: int) -> st.SearchStrategy[int]:
    """Any representative; the ends of the range, and of the signed range, more often than by chance."""
    half = 1 << (width - 1)
    return st.one_of(st.integers(0, 2 * half - 1), st.sampled_from((0, 1, half - 1, half, half + 1, 2 * half - 1)))


def floats(kind: Floats) -> st.SearchStrategy[int]:
    """Any bits; special values, and numbers that a person would write, more often than by chance."""
    plain = st.integers(-(1 << 12), 1 << 12).map(lambda n: kind.from_ratio(n, 1 << 6))
    return st.one_of(st.integers(0, (1 << kind.width) - 1), st.sampled_from(SPECIAL[repr(kind)]), plain)


def finite(kind: Floats) -> st.SearchStrategy[int]:
    """Bits of a number that is neither infinite nor a NaN."""
    return floats(kind).filter(lambda z: is_finite(kind, z))


def is_finite(kind: Floats, z: int) -> bool:
    return z & kind.magnitude < kind.infinity


def magnitude(kind: Floats, z: int) -> Fraction:
    """The absolute value of a finite number, by the definition of the format; for an infinity, the number it stands beyond."""
    bits = z & kind.magnitude
    exponent, fraction = bits >> kind.mantissa, bits & (1 << kind.mantissa) - 1
    if exponent:
        fraction += 1 << kind.mantissa
    bias = (1 << (kind.width - kind.mantissa - 2)) - 1
    return fraction * Fraction(2) ** (max(exponent, 1) - bias - kind.mantissa)


def value(kind: Floats, z: int) -> Fraction:
    """A finite number, exactly."""
    return -magnitude(kind, z) if z & kind.sign else magnitude(kind, z)


def is_nearest(kind: Floats, z: int, exact: Fraction) -> bool:
    """Whether no neighbour of `z` is nearer to the exact number, nor as near and even where `z` is odd; the sign must be right.

    Spec    exec/numerics.html#aux-ieee
    """
    bits = z & kind.magnitude
    if bits > kind.infinity or (exact and (z & kind.sign != 0) is not (exact < 0)):
        return False
    distance = abs(magnitude(kind, bits) - abs(exact))
    others = [bits - 1] * (bits > 0) + [bits + 1] * (bits < kind.infinity)
    if bits == kind.infinity and abs(exact) >= magnitude(kind, bits):
        return True
    return all((distance, bits & 1) < (abs(magnitude(kind, other) - abs(exact)), 1) for other in others)


KINDS = (F32, F64)
