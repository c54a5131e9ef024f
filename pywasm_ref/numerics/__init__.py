"""Chapter 4.3, numerics: pure functions on numbers, in the representation that the whole engine uses.

Integers are unsigned representatives 0 <= i < 2**N, floats their bit patterns, vectors 128 bits with lane 0 lowest.
"""

from pywasm_ref.numerics import conversions, relaxed
from pywasm_ref.numerics.floats import F32, F64, Floats
from pywasm_ref.numerics.integers import I8, I16, I32, I64, Integers
from pywasm_ref.numerics.vectors import F32X4, F64X2, I8X16, I16X8, I32X4, I64X2, V128

__all__ = [
    "F32",
    "F32X4",
    "F64",
    "F64X2",
    "I8",
    "I8X16",
    "I16",
    "I16X8",
    "I32",
    "I32X4",
    "I64",
    "I64X2",
    "V128",
    "Floats",
    "Integers",
    "conversions",
    "relaxed",
]
