"""Many bytes, references or elements at once: what the bulk instructions of memories, tables and arrays have in common.

The bounds were checked before. A long run goes piece by piece, so that the stop switch is seen in between; what is done by then stays.

Spec    exec/instructions.html#memory-instructions, #table-instructions, #aggregate-instructions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pywasm_ref.errors import Interrupted

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

PIECE = 1 << 18
"""Units   bytes, references or elements"""


def pieces(z: Machine, n: int) -> Iterator[tuple[int, int]]:
    """Where each piece of a long run begins, and where it ends.

    Fails   Interrupted
    """
    for at in range(0, n, PIECE):
        if z.store.stop:
            raise Interrupted("interrupted")
        yield at, min(at + PIECE, n)


def fill(z: Machine, target: Any, start: int, unit: Any, n: int) -> None:
    """Write a sequence of one element n times.

    Fails   Interrupted
    """
    if n <= PIECE:
        target[start : start + n] = unit * n
        return
    piece = unit * PIECE
    for at, end in pieces(z, n):
        target[start + at : start + end] = piece[: end - at]


def copy(z: Machine, target: Any, to: int, source: Any, start: int, n: int) -> None:
    """Write n elements that lie elsewhere, or in the same place; the ranges may overlap.

    Fails   Interrupted
    """
    if n <= PIECE:
        target[to : to + n] = source[start : start + n]
    elif to <= start:
        for at, end in pieces(z, n):
            target[to + at : to + end] = source[start + at : start + end]
    else:
        for at, end in pieces(z, n):
            target[to + n - end : to + n - at] = source[start + n - end : start + n - at]


def gathered(z: Machine, n: int, elements: Callable[[int, int], list[Any]]) -> list[Any]:
    """A list of n elements, of which a function makes those from one index to another.

    Fails   Interrupted
    """
    if n <= PIECE:
        return elements(0, n)
    return [element for at, end in pieces(z, n) for element in elements(at, end)]
