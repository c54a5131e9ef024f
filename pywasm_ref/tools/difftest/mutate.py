"""Mutations of bytes and of text: small wounds that keep most of a module alive."""

from __future__ import annotations

import random
from collections.abc import Callable

INTERESTING = (
    b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\x80\x80\x80\x80\x80\x00", b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x7f",
    b"\x80\x80\x80\x80\x78", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xfb\x00", b"\xfc\x0b", b"\xfd\x0c", b"\xfe\x10", b"\x0b",
    b"\x40",
)  # fmt: skip
WORDS = (
    "(", ")", "(;", ";)", ";;", '"', "\\", "$x", "0", "-1", "0x", "nan:0x1", "inf", "4294967296", "1e400", "0x1p-2000", "(module", "(func",
    "(param", "(result", "i32", "i32.const", "block", "end", "if", "else", "loop", "br", "(rec", "(sub", "struct", "(ref null",
    "(@custom", "\u202e", "\x00",
)  # fmt: skip


def bytes_mutant(rng: random.Random, seed: bytes, other: bytes) -> bytes:
    """The seed with one to five wounds; `other` is what a splice takes from."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 5)):
        rng.choice(_BYTE_WOUNDS)(rng, data, other)
    return bytes(data)


def text_mutant(rng: random.Random, seed: str, other: str) -> str:
    """The same for text; cuts fall anywhere, words are put where they do not belong."""
    text = seed
    for _ in range(rng.randint(1, 5)):
        start, end = _span(rng, len(text))
        left, right = _span(rng, len(other))
        text = text[:start] + rng.choice(["", rng.choice(WORDS), text[start:end] * 2, other[left:right]]) + text[end:]
    return text


def _span(rng: random.Random, size: int, most: int = 40) -> tuple[int, int]:
    start = rng.randint(0, size)
    return start, min(size, start + rng.randint(0, most))


def _flip(rng: random.Random, data: bytearray, _: bytes) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, data: bytearray, _: bytes) -> None:
    start = rng.randint(0, len(data))
    word = rng.choice(INTERESTING)
    data[start : start + len(word)] = word


def _insert(rng: random.Random, data: bytearray, _: bytes) -> None:
    start = rng.randint(0, len(data))
    data[start:start] = rng.choice(INTERESTING)


def _delete(rng: random.Random, data: bytearray, _: bytes) -> None:
    start, end = _span(rng, len(data), 8)
    del data[start:end]


def _double(rng: random.Random, data: bytearray, _: bytes) -> None:
    start, end = _span(rng, len(data))
    data[start:start] = data[start:end]


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    start, end = _span(rng, len(data))
    left, right = _span(rng, len(other))
    data[start:end] = other[left:right]


_BYTE_WOUNDS: tuple[Callable[[random.Random, bytearray, bytes], None], ...] = (
    _flip,
    _flip,
    _flip,
    _replace,
    _insert,
    _delete,
    _double,
    _splice,
)
