"""The frame of a binary: which sections there are, in which order, and where they stand in given bytes.

Spec    binary/modules.html#sections
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pywasm_ref.binary.cursor import Reader
from pywasm_ref.errors import Malformed

MAGIC = b"\0asm"
VERSION = b"\1\0\0\0"
HEADER_SIZE = 8

CUSTOM, DATACOUNT, CODE, TAG = 0, 12, 10, 13

SECTION_NAMES = {
    CUSTOM: "custom",
    1: "type",
    2: "import",
    3: "function",
    4: "table",
    5: "memory",
    TAG: "tag",
    6: "global",
    7: "export",
    8: "start",
    9: "element",
    DATACOUNT: "data count",
    CODE: "code",
    11: "data",
}
"""In the order in which the sections stand; custom sections may stand anywhere."""

ORDER = tuple(section for section in SECTION_NAMES if section != CUSTOM)
KNOWN = frozenset(SECTION_NAMES)


class Section(NamedTuple):
    """`start` and `size` are of the content, behind identifier and size; `name` says more where the section is a custom one."""

    id: int
    name: str
    start: int
    size: int


def sections(data: bytes) -> list[Section]:
    """The sections, read by their sizes alone; it ends where no section can be made out any more."""
    return list(_sections(data))


def section_at(data: bytes, offset: int) -> str | None:
    """The name of the section that a byte belongs to, its identifier and size included; None outside of all sections."""
    begin = HEADER_SIZE
    for section in _sections(data):
        end = section.start + section.size
        if begin <= offset < end or offset == end == len(data):
            return section.name
        begin = end
    return None


def _sections(data: bytes) -> Iterator[Section]:
    s = Reader(data, pos=HEADER_SIZE)
    while not s.at_end():
        try:
            section = s.byte()
            size = s.u32()
        except Malformed:
            return
        name = SECTION_NAMES.get(section)
        if name is None:
            return
        start = s.pos
        size = min(size, len(data) - start)
        yield Section(section, _custom_name(data, start) if section == CUSTOM else name, start, size)
        s.pos = start + size


def _custom_name(data: bytes, start: int) -> str:
    try:
        return f'custom "{Reader(data, pos=start).name()}"'
    except Malformed:
        return "custom"
