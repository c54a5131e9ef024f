"""Numeric instructions: what they compute is in the table's rows, as functions of `numerics/`.

Spec    exec/instructions.html#numeric-instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.execution.rules import Computing, reduces, traps
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


@reduces(form.Const)
def const(z: Machine, i: form.Const) -> None:
    """A constant is a value already.

    Spec    exec/instructions.html#exec-const
    """
    z.values.append(i.value)


@reduces(form.Unop, "Step_pure/unop-val")
def unop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-unop"""
    values = z.values
    values[-1] = i.op.primitive(values[-1])


@reduces(form.Binop, "Step_pure/binop-val", "Step_pure/binop-trap", case=lambda z, i: traps(i.op.primitive, *z.values[-2:]))
def binop(z: Machine, i: Computing) -> None:
    """Traps   as the operator does: division by zero, a quotient that cannot be represented

    Spec    exec/instructions.html#exec-binop
    """
    values = z.values
    second = values.pop()
    values[-1] = i.op.primitive(values[-1], second)


@reduces(form.Testop, "Step_pure/testop")
def testop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-testop"""
    values = z.values
    values[-1] = i.op.primitive(values[-1])


@reduces(form.Relop, "Step_pure/relop")
def relop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-relop"""
    values = z.values
    second = values.pop()
    values[-1] = i.op.primitive(values[-1], second)


@reduces(form.Cvtop, "Step_pure/cvtop-val", "Step_pure/cvtop-trap", case=lambda z, i: traps(i.op.primitive, z.values[-1]))
def cvtop(z: Machine, i: Computing) -> None:
    """Traps   as the operator does: a number that the target type does not have

    Spec    exec/instructions.html#exec-cvtop
    """
    values = z.values
    values[-1] = i.op.primitive(values[-1])
