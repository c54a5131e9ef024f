"""Addresses, indices and lengths that mostly stay within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.syntax.instructions import Op
from pywasm_ref.syntax.types import I64, NumType
from pywasm_ref.tools.difftest.generate.space import PAGE

if TYPE_CHECKING:
    from pywasm_ref.tools.difftest.generate.body import Body


def masked(body: Body, t: NumType, mask: int) -> None:
    """A number of that type, made small: mostly by a mask, else by chance."""
    if body.choices.chance(40):
        body.const(t, body.choices.below(mask + 1))
        return
    body.produce(t)
    if body.safe():
        body.const(t, mask)
        body.put(f"{t.value}.and")


def wild(body: Body, t: NumType) -> int:
    """An offset that may lead anywhere."""
    edges = [PAGE - 1, PAGE, 2 * PAGE - 8, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, 0xFFFF_FFFF_FFFF_FFFF]
    return body.choices.choose(edges if t is I64 else edges[:5])


def address(body: Body, op: Op) -> tuple[int, tuple[int, int]]:
    """The code of an address; the memory, alignment and offset that go with it. Most addresses are among the first few, so that code
    reads what it wrote; others touch the last byte that there was at first."""
    memory = body.choices.below(len(body.space.mems))
    t = body.space.mems[memory].addr
    align = body.choices.between(0, op.access.bit_length() - 1)
    if not body.safe():
        masked(body, t, PAGE - 1)
        return memory, (align, wild(body, t))
    offset = body.choices.weighted({0: 5, body.choices.below(16): 4, body.choices.below(1024): 1})
    pages = body.space.mems[memory].limits.min
    if pages and body.choices.chance(10):
        body.const(t, pages * PAGE - op.access - offset)
        return memory, (align, offset)
    masked(body, t, body.choices.choose((0x1F, 0x3F, 0xFFF)))
    return memory, (align, offset)
