"""Numbers worth trying: the edges of types and of operations, and now and then any number at all."""

from __future__ import annotations

from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, ValType
from pywasm_ref.tools.difftest.generate.choices import Choices

_POWERS = (0, 1, 7, 8, 15, 16, 23, 24, 31, 32, 52, 53, 62, 63)


def _integers(width: int) -> tuple[int, ...]:
    """Small numbers, both sides of powers of two, and minus all of these."""
    found = {0, 1, 2, 3, 5, 10, 100, 0x55555555, 0x12345678, 0x0123_4567_89AB_CDEF}
    for power in _POWERS:
        found |= {(1 << power) - 1, 1 << power, (1 << power) + 1}
    mask = (1 << width) - 1
    return tuple(sorted({sign * n & mask for n in found for sign in (1, -1)}, key=lambda n: (n > mask >> 1, n)))


F32_EDGES = (
    0x0000_0000, 0x8000_0000, 0x0000_0001, 0x8000_0001, 0x007F_FFFF, 0x0080_0000, 0x3F00_0000, 0xBF00_0000, 0x3EFF_FFFF, 0x3F00_0001,
    0x3F80_0000, 0xBF80_0000, 0x3F7F_FFFF, 0x3F80_0001, 0x3FC0_0000, 0x4000_0000, 0x4020_0000, 0xC020_0000, 0x4B00_0000, 0x4B7F_FFFF,
    0x4B80_0000, 0x4EFF_FFFF, 0x4F00_0000, 0xCF00_0000, 0xCF00_0001, 0x4F7F_FFFF, 0x4F80_0000, 0x5EFF_FFFF, 0x5F00_0000, 0xDF00_0000,
    0x5F7F_FFFF, 0x5F80_0000, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0xFFC0_0000, 0x7FA0_0000, 0xFFA1_2345,
    0x7FC1_2345, 0x7F80_0001, 0x7FFF_FFFF,
)  # fmt: skip
F64_EDGES = (
    0x0000_0000_0000_0000, 0x8000_0000_0000_0000, 0x0000_0000_0000_0001, 0x8000_0000_0000_0001, 0x000F_FFFF_FFFF_FFFF,
    0x0010_0000_0000_0000, 0x3FE0_0000_0000_0000, 0xBFE0_0000_0000_0000, 0x3FDF_FFFF_FFFF_FFFF, 0x3FF0_0000_0000_0000,
    0xBFF0_0000_0000_0000, 0x3FEF_FFFF_FFFF_FFFF, 0x3FF8_0000_0000_0000, 0x4004_0000_0000_0000, 0xC004_0000_0000_0000,
    0x4330_0000_0000_0000, 0x433F_FFFF_FFFF_FFFF, 0x4340_0000_0000_0000, 0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000,
    0x41E0_0000_0000_0000, 0xC1E0_0000_0000_0000, 0xC1E0_0000_0020_0000, 0x41EF_FFFF_FFE0_0000, 0x41F0_0000_0000_0000,
    0x43DF_FFFF_FFFF_FFFF, 0x43E0_0000_0000_0000, 0xC3E0_0000_0000_0000, 0x43EF_FFFF_FFFF_FFFF, 0x43F0_0000_0000_0000,
    0x36A0_0000_0000_0000, 0x3690_0000_0000_0000, 0x380F_FFFF_F000_0000, 0x47EF_FFFF_E000_0000, 0x47EF_FFFF_F000_0000,
    0x3FF0_0000_1000_0000, 0x3FF0_0000_3000_0000, 0x7FEF_FFFF_FFFF_FFFF, 0xFFEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000,
    0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FF4_0000_0000_0000, 0xFFF4_0000_1234_5678,
    0x7FF8_0000_1234_5678, 0x7FF0_0000_0000_0001, 0x7FFF_FFFF_FFFF_FFFF,
)  # fmt: skip

EDGES: dict[ValType, tuple[int, ...]] = {I32: _integers(32), I64: _integers(64), F32: F32_EDGES, F64: F64_EDGES}
WIDTHS: dict[ValType, int] = {I32: 32, I64: 64, F32: 32, F64: 64, V128: 128}
_LANES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (8, (0, 1, 2, 0x7F, 0x80, 0x81, 0xFF)),
    (16, (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0x8001, 0xFFFF)),
    (32, EDGES[I32]),
    (64, EDGES[I64]),
    (32, F32_EDGES),
    (64, F64_EDGES),
)


def number(choices: Choices, t: ValType) -> int:
    """The bits of a number or vector."""
    if t is V128:
        return vector(choices)
    kind = choices.below(10)
    if kind < 3:
        return choices.below(17) if t in (I32, I64) else choices.choose(EDGES[t][:24])
    if kind < 9:
        return choices.choose(EDGES[t])
    return choices.bits(WIDTHS[t])


def vector(choices: Choices) -> int:
    """Lanes of one width, each of them at an edge; or any bits."""
    if choices.chance(15):
        return choices.bits(128)
    width, edges = choices.choose(_LANES)
    if choices.chance(25):
        return choices.choose(edges) * (((1 << 128) - 1) // ((1 << width) - 1))
    return sum(choices.choose(edges) << width * k for k in range(128 // width))
