"""Superinstructions: handlers that do what several operations in a row do, with one dispatch.

`joined.txt` lists them, one a line, as names of handlers. The words of the operations stay as they are, the addresses of their handlers
among them; only the first address is replaced. So a branch may land on any operation of the row, an access that has to be tried again is
tried alone, and a trap says which operation it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from _fastcore.generate.handlers import body, ends
from _fastcore.generate.model import Variant

LIST = Path(__file__).with_name("joined.txt")
MODULES = 4
"""They are spread over so many modules, to be compiled side by side."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A handler for these variants in a row."""

    number: int
    parts: tuple[Variant, ...]

    @property
    def name(self) -> str:
        return "__".join(part.name for part in self.parts)

    @property
    def topic(self) -> str:
        return f"joined_{self.number % MODULES}"


def joined(found: list[Variant]) -> list[Joined]:
    """What the list asks for, numbered behind the variants."""
    by_name = {v.name: v for v in found}
    rows: list[tuple[Variant, ...]] = []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        names = line.split("#")[0].split()
        if not names:
            continue
        row = tuple(by_name[name] for name in names)
        if len(row) < 2 or row in rows or any(ends(body(v)) for v in row[:-1]):
            raise ValueError(f"{LIST.name}: cannot be joined: {line}")
        rows.append(row)
    return [Joined(len(found) + 1 + i, parts) for i, parts in enumerate(rows)]


def trie(rows: list[Joined], variants: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """The rows as a tree, of which node 0 is no part: the node behind each first variant, where the edges of each node begin, the edges as
    pairs of variant and node, and the handler of each node or 0."""
    children: list[dict[int, int]] = [{}, {}]
    handlers = [0, 0]
    for row in rows:
        node = 1
        for part in row.parts:
            if part.number not in children[node]:
                children[node][part.number] = len(children)
                children.append({})
                handlers.append(0)
            node = children[node][part.number]
        handlers[node] = row.number
    first = [children[1].get(number, 0) for number in range(variants + 1)]
    starts: list[int] = [0, 0]
    edges: list[int] = []
    for node in range(2, len(children)):
        starts.append(len(edges) // 2)
        for number, child in sorted(children[node].items()):
            edges += [number, child]
    return first, [*starts, len(edges) // 2], edges, handlers
