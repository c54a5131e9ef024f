"""Mutations of bytes and of text: small wounds that keep most of a module alive."""

from __future__ import annotations

import random
import re
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


TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[()]|[^\s()";]+|;;[^\n]*|\(;.*?;\)|\s+|.', re.DOTALL)
SPACES = (" ", "\t", "\n", "\r", "(; a ;)", ";; b\n", "(;(;;);)", "(@c (d) \"e\")", "", "\x0b", "\xa0")
PIECES = (
    '"\\u{1F600}"', '"\\u{D800}"', '"\\e9"', '"\\t\\n\\r\\\'\\\""', '"\\x"', '"\xe9"', '$"a b"', '$"\\61"', "$a", "$", "$\xe9",
    "@a", "0_0", "0__0", "_0", "+0", "0x_1", "0X1", "1.", ".1", "0x1.8p+1", "0x1p", "1e", "1_0.0_1e1_0", "nan", "-nan:0x1",
    "nan:canonical", "inf", "+inf", "-0x0p-0", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
    "align=1", "align=3", "offset=0x1", "offset=1_0", "offset=-1",
)  # fmt: skip
"""Spellings that a lexer may have its own opinion on."""

IN_STRINGS = ("\\41", "\\u{0}", "\\u{10ffff}", "\\u{110000}", "\xe9", "\\ff", "\\", "\x7f", "\t", "\n")


def words_mutant(rng: random.Random, seed: str, other: str) -> str:
    """Text with one or two wounds that fall between words: some of which change nothing but the spelling."""
    words, others = TOKENS.findall(seed), TOKENS.findall(other)
    for _ in range(rng.randint(1, 2)):
        i = rng.randrange(len(words))
        rng.choice(_WORD_WOUNDS)(rng, words, i, others)
    return "".join(words)


def _space(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    words.insert(i, rng.choice(SPACES))


def _piece(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    words[i] = rng.choice(PIECES)


def _without(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    words[i] = ""


def _swap(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    j = rng.randrange(len(words))
    words[i], words[j] = words[j], words[i]


def _from_other(rng: random.Random, words: list[str], i: int, others: list[str]) -> None:
    words[i] = rng.choice(others)


def _numbers(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    """The next number in another spelling of the same."""
    for k in range(i, len(words)):
        if words[k].isdecimal():
            n = int(words[k])
            words[k] = rng.choice((f"{n:#x}", f"+{n}", f"0{n}", f"{n:_}", f"{n:#X}", f"{n}.0", f"-{2**32 - n}", f"{n:#_x}"))
            return


def _string(rng: random.Random, words: list[str], i: int, _: list[str]) -> None:
    """The next string with a piece of another spelling put into it."""
    for k in range(i, len(words)):
        if len(words[k]) > 1 and words[k].startswith('"'):
            words[k] = f'{words[k][:-1]}{rng.choice(IN_STRINGS)}"'
            return


_WORD_WOUNDS = (_space, _space, _piece, _without, _swap, _from_other, _numbers, _numbers, _string)


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
