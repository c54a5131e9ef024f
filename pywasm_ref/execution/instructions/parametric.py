"""Parametric instructions.

Spec    exec/instructions.html#parametric-instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.rules import reduces
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


@reduces(form.Unreachable, "Step_pure/unreachable")
def unreachable(z: Machine, i: form.Unreachable) -> None:
    """Trap.

    Traps   "unreachable"  always
    Spec    exec/instructions.html#exec-unreachable
    """
    raise Trap(TrapReason.UNREACHABLE)


@reduces(form.Nop, "Step_pure/nop")
def nop(z: Machine, i: form.Nop) -> None:
    """Do nothing.

    Spec    exec/instructions.html#exec-nop
    """


@reduces(form.Drop, "Step_pure/drop")
def drop(z: Machine, i: form.Drop) -> None:
    """Throw the operand away.

    Spec    exec/instructions.html#exec-drop
    """
    z.values.pop()


@reduces(form.Select, "Step_pure/select-true", "Step_pure/select-false", case=lambda z, i: z.values[-1] == 0)
def select(z: Machine, i: form.Select) -> None:
    """The first of two operands, or the second when the third is zero.

    Spec    exec/instructions.html#exec-select
    """
    values = z.values
    condition = values.pop()
    second = values.pop()
    if not condition:
        values[-1] = second
