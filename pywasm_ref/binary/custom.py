"""Custom sections with a meaning: names, and hints for branches.

Both are for people and for compilers; a module is no worse for a section of nonsense. So what does not read as it should is
kept as the bytes that it is, and gives neither names nor hints.

Spec    appendix/custom.html
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.errors import Malformed
from pywasm_ref.syntax.modules import BranchHint, Func, IndexNames, Names

NAME_SECTION = "name"
BRANCH_HINTS = "metadata.code.branch_hint"

MODULE_NAME = 0
NAME_MAPS = {1: "funcs", 4: "types", 5: "tables", 6: "mems", 7: "globals", 8: "elems", 9: "datas", 11: "tags"}
INDIRECT_NAME_MAPS = {2: "locals", 3: "labels", 10: "fields"}
SUBSECTIONS = 12


def read_names(data: bytes) -> Names:
    """The content of a name section; nothing at all when it is not well-formed."""
    names = Names()
    s = Reader(data)
    try:
        while not s.at_end():
            kind = s.byte()
            part = Reader(s.string())
            if kind == MODULE_NAME:
                names.module = part.name()
            elif kind in NAME_MAPS:
                setattr(names, NAME_MAPS[kind], read_name_map(part))
            elif kind in INDIRECT_NAME_MAPS:
                setattr(names, INDIRECT_NAME_MAPS[kind], read_indirect_name_map(part))
    except Malformed:
        return Names()
    return names


def write_names(names: Names) -> bytes:
    w = Writer()
    for kind in range(SUBSECTIONS):
        part = Writer()
        if kind == MODULE_NAME and names.module is not None:
            part.name(names.module)
        elif kind in NAME_MAPS and getattr(names, NAME_MAPS[kind]):
            write_name_map(part, getattr(names, NAME_MAPS[kind]))
        elif kind in INDIRECT_NAME_MAPS and any(getattr(names, INDIRECT_NAME_MAPS[kind]).values()):
            write_indirect_name_map(part, getattr(names, INDIRECT_NAME_MAPS[kind]))
        if part.data:
            w.byte(kind)
            w.string(part.data)
    return bytes(w.data)


def read_name_map(s: Reader) -> IndexNames:
    names: IndexNames = {}
    for _ in range(s.length()):
        index = s.u32()
        names[index] = s.name()
    return names


def write_name_map(w: Writer, names: IndexNames) -> None:
    w.length(len(names))
    for index, name in sorted(names.items()):
        w.unsigned(index)
        w.name(name)


def read_indirect_name_map(s: Reader) -> dict[int, IndexNames]:
    maps: dict[int, IndexNames] = {}
    for _ in range(s.length()):
        index = s.u32()
        maps[index] = read_name_map(s)
    return maps


def write_indirect_name_map(w: Writer, maps: dict[int, IndexNames]) -> None:
    filled = sorted((index, names) for index, names in maps.items() if names)
    w.length(len(filled))
    for index, names in filled:
        w.unsigned(index)
        write_name_map(w, names)


FuncHints = tuple[int, list[tuple[int, int]]]
"""A function index, and for each hint the byte offset in the function and the hint."""


HINTED_OPCODES = (0x04, 0x0D)
"""`if` and `br_if`."""


def read_branch_hints(content: bytes, imported: int, funcs: Sequence[Func], starts: Sequence[int], binary: bytes) -> tuple[BranchHint, ...]:
    """The hints of a section; none when it is not well-formed in every way, so that what is written for them says the same.

    `starts` are the places of the function bodies in the binary, `imported` counts the functions before them.
    """
    hints: list[BranchHint] = []
    try:
        by_func = list(read_hints_by_func(Reader(content)))
        for index, func_hints in by_func:
            if index < imported:
                return ()
            places, start = funcs[index - imported].body.places, starts[index - imported]
            for offset, hint in func_hints:
                at = bisect_left(places, start + offset)
                if places[at] != start + offset or hint > 1 or binary[start + offset] not in HINTED_OPCODES:
                    return ()
                hints.append((index, at, hint))
    except (Malformed, IndexError):
        return ()
    in_order = all(one < other for one, other in pairwise(hints))
    return tuple(hints) if in_order and write_branch_hints(by_func) == content else ()


def read_hints_by_func(s: Reader) -> Iterator[FuncHints]:
    for _ in range(s.length()):
        index = s.u32()
        hints = []
        for _ in range(s.length()):
            offset = s.u32()
            if s.u32() != 1:
                raise s.fail("a branch hint is one byte")
            hints.append((offset, s.byte()))
        yield index, hints


def write_branch_hints(funcs: Sequence[FuncHints]) -> bytes:
    w = Writer()
    w.length(len(funcs))
    for index, hints in funcs:
        w.unsigned(index)
        w.length(len(hints))
        for offset, hint in hints:
            w.unsigned(offset)
            w.unsigned(1)
            w.byte(hint)
    return bytes(w.data)
