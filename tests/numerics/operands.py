"""Operands to try an instruction on: the special values of each type, all of them crossed, and seeded random ones."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Sequence

from pywasm_ref.numerics import F32, F64, Floats


def _around(numbers: Sequence[int], width: int) -> list[int]:
    """The numbers, their negations and the neighbours of both, modulo 2**width."""
    near = {sign * number + step for number in numbers for sign in (1, -1) for step in (-1, 0, 1)}
    return sorted({number % (1 << width) for number in near})


def _both_signs(floats: Floats, magnitudes: Sequence[int]) -> list[int]:
    return [bits | sign for bits in magnitudes for sign in (0, floats.sign)]


_NUMBERS = (0.5, 1.0, 1.5, 2.5, 3.0, 0.1, 1e-3, 2.0**31, 2.0**32, 2.0**63, 2.0**64)


def _special_floats(floats: Floats, bits: str, number: str) -> list[int]:
    """Zeros, subnormals, the ends of the range, ties, the ends of the integer types, and NaNs of all kinds, in both signs."""
    infinity, one_bit = floats.infinity, 1 << floats.mantissa
    named = [struct.unpack(bits, struct.pack(number, x))[0] for x in (*_NUMBERS, float(one_bit), float(one_bit // 2) + 0.5)]
    neighbours = sorted({pattern + step for pattern in named for step in (-1, 0, 1)})
    ends = [0, 1, 2, one_bit - 1, one_bit, one_bit + 1, infinity - 1, infinity]
    quiet = floats.canonical_nan
    nans = [quiet, quiet + 1, quiet | 0x1234, infinity + 1, infinity | 0x1234, floats.magnitude]
    return _both_signs(floats, ends + neighbours + nans)


# 2**53 + 2**29 + 1 lies so that rounding to 64 bits first spoils the rounding to 32 bits; its neighbours do not.
_DOUBLE_ROUNDING = (1 << 53) + (1 << 29)

SPECIAL: dict[str, list[int]] = {
    "i32": _around((0, 2, 8, 16, 32, 64, 0x80, 0xFF, 0x8000, 0x10000, 1 << 24, 0x0100_0001, 0x5555_5555, 1 << 31), 32),
    "i64": _around((0, 2, 32, 64, 0x80, 0x8000, 1 << 24, 1 << 31, 1 << 32, 1 << 53, _DOUBLE_ROUNDING, 0x5555 << 40, 1 << 63), 64),
    "f32": _special_floats(F32, "<I", "<f"),
    "f64": _special_floats(F64, "<Q", "<d"),
}

_LANE_TYPE = {"i8x16": 8, "i16x8": 16, "i32x4": 32, "i64x2": 64, "v128": 64}


def _any_scalar(type_: str, rng: random.Random) -> int:
    """Any bits, numbers of few digits, and special values, a third each."""
    width = int(type_[1:])
    match rng.randrange(3):
        case 0:
            return rng.getrandbits(width)
        case 1 if type_ == "f32":
            return F32.from_float(rng.randint(-1000, 1000) * 2.0 ** rng.randint(-8, 40))
        case 1 if type_ == "f64":
            return F64.from_float(rng.randint(-1000, 1000) * 2.0 ** rng.randint(-8, 70))
        case 1:
            return rng.randint(-1000, 1000) % (1 << width)
        case _:
            return rng.choice(SPECIAL[type_])


def _any_vector(shape: str, rng: random.Random) -> int:
    """Lanes of the shape, each special or random."""
    if shape in ("f32x4", "f64x2"):
        lane, width = shape[:3], int(shape[1:3])
        lanes = [_any_scalar(lane, rng) for _ in range(128 // width)]
    else:
        width = _LANE_TYPE[shape]
        special = (0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1, 15, 16)
        lanes = [rng.choice(special) if rng.randrange(2) else rng.getrandbits(width) for _ in range(128 // width)]
    return sum(lane << k * width for k, lane in enumerate(lanes))


def scalar_rows(types: Sequence[str], seed: str, count: int = 500) -> list[tuple[int, ...]]:
    """Every combination of special values of one or two operands, and `count` random rows."""
    rng = random.Random(seed)
    crossed = itertools.product(*(SPECIAL[type_] for type_ in types)) if len(types) <= 2 else ()
    return [*crossed, *(tuple(_any_scalar(type_, rng) for type_ in types) for _ in range(count))]


def vector_rows(types: Sequence[str], shape: str, seed: str, count: int = 60) -> list[tuple[int, ...]]:
    """Random rows, whose vectors have the lanes of `shape`."""
    rng = random.Random(seed)
    return [tuple(_any_vector(shape, rng) if type_ == "v128" else _any_scalar(type_, rng) for type_ in types) for _ in range(count)]
