"""Mutations that know how a module is built: sizes are right again afterwards, so that wounds reach what stands deep inside."""

from __future__ import annotations

import random
from collections.abc import Callable

from pywasm_ref.isa import BY_CODE
from pywasm_ref.tools.difftest.mutate import bytes_mutant

HEADER = b"\0asm\1\0\0\0"
CODE = 10
Section = tuple[int, bytes]
OPCODES = tuple(BY_CODE)
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 64, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1)


def unsigned(number: int) -> bytes:
    """LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def split(data: bytes, at: int) -> tuple[bytes, int]:
    """What a size stands before, and where it ends; with a size that is none, the rest."""
    size = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 63:
            break
    return data[at : at + size], min(at + size, len(data))


def sections(module: bytes) -> list[Section]:
    """The sections of a module as far as they can be told apart."""
    found = []
    at = len(HEADER)
    while at < len(module):
        number = module[at]
        content, at = split(module, at + 1)
        found.append((number, content))
    return found


def joined(parts: list[Section]) -> bytes:
    return HEADER + b"".join(bytes([number]) + unsigned(len(content)) + content for number, content in parts)


def bodies(content: bytes) -> list[bytes]:
    """The bodies of a code section."""
    found = []
    at = 1
    while content and at < len(content) and content[0] < 0x80:
        body, at = split(content, at)
        found.append(body)
    return found


def instruction(rng: random.Random) -> bytes:
    """An opcode of any release, and numbers behind it that may be its immediates."""
    code = rng.choice(OPCODES)
    opcode = bytes([code]) if isinstance(code, int) else bytes([code[0]]) + unsigned(code[1])
    count = rng.choice((0, 0, 1, 1, 2, 3))
    return opcode + b"".join(unsigned(rng.choice(NUMBERS)) if rng.random() < 0.2 else bytes([rng.randrange(6)]) for _ in range(count))


def structured_mutant(rng: random.Random, seed: bytes, other: bytes) -> bytes:
    """The seed with one to three changes to its sections or to what is in them."""
    parts = sections(seed)
    theirs = sections(other)
    for _ in range(rng.randint(1, 3)):
        if parts:
            rng.choice(_CHANGES)(rng, parts, theirs)
    return joined(parts)


def _wound_section(rng: random.Random, parts: list[Section], theirs: list[Section]) -> None:
    x = rng.randrange(len(parts))
    parts[x] = (parts[x][0], bytes_mutant(rng, parts[x][1], rng.choice(theirs)[1] if theirs else b""))


def _take_section(rng: random.Random, parts: list[Section], theirs: list[Section]) -> None:
    """A section of the other module in the place of the same one here."""
    if theirs:
        number, content = rng.choice(theirs)
        parts[:] = sorted([part for part in parts if part[0] != number] + [(number, content)], key=_place)


def _drop_section(rng: random.Random, parts: list[Section], _: list[Section]) -> None:
    del parts[rng.randrange(len(parts))]


def _double_section(rng: random.Random, parts: list[Section], _: list[Section]) -> None:
    x = rng.randrange(len(parts))
    parts.insert(x, parts[x])


def _change_body(rng: random.Random, parts: list[Section], theirs: list[Section]) -> None:
    """Put instructions into a body, take some out, or take some of another module's."""
    x = next((x for x, (number, _) in enumerate(parts) if number == CODE), None)
    found = bodies(parts[x][1]) if x is not None else []
    if x is None or not found:
        return
    more = [body for number, content in theirs if number == CODE for body in bodies(content)]
    k = rng.randrange(len(found))
    body = bytearray(found[k])
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(min(1, len(body)), len(body))
        end = min(len(body), start + rng.choice((0, 0, 0, 1, 2, 5)))
        source = rng.choice(more) if more else b""
        left = rng.randint(0, len(source))
        body[start:end] = rng.choice((instruction(rng), instruction(rng), source[left : left + rng.randint(1, 30)], b""))
    found[k] = bytes(body)
    parts[x] = (CODE, bytes([len(found)]) + b"".join(unsigned(len(body)) + body for body in found))


def _place(part: Section) -> float:
    """Where a section belongs: tags stand behind memories, the data count before the code."""
    return {12: 9.5, 13: 5.5}.get(part[0], part[0])


_CHANGES: tuple[Callable[[random.Random, list[Section], list[Section]], None], ...] = (
    _wound_section, _wound_section, _take_section, _drop_section, _double_section, _change_body, _change_body, _change_body,
)  # fmt: skip


def random_bytes(rng: random.Random) -> bytes:
    """Bytes of no module; most begin like one, some have sections."""
    data = rng.randbytes(rng.randint(0, 80))
    kind = rng.random()
    if kind < 0.2:
        return data
    if kind < 0.6:
        return HEADER + data
    return joined([(rng.randrange(14), rng.randbytes(rng.randint(0, 40))) for _ in range(rng.randint(1, 5))])
