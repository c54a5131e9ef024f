"""Wide arithmetic: 128-bit integers as two operands each, the low half first.

Spec    the wide-arithmetic proposal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.execution.rules import Computing, reduces
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


@reduces(form.WideBinop)
def wide_binop(z: Machine, i: Computing) -> None:
    """Sum or difference of two 128-bit integers."""
    values = z.values
    values[-4:] = i.op.primitive(*values[-4:])


@reduces(form.WideMul)
def wide_mul(z: Machine, i: Computing) -> None:
    """The full product of two 64-bit integers."""
    values = z.values
    values[-2:] = i.op.primitive(*values[-2:])
