"""Variable instructions.

Spec    exec/instructions.html#variable-instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.execution.rules import reduces
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


@reduces(form.LocalGet, "Step_read/local.get")
def local_get(z: Machine, i: form.LocalGet) -> None:
    """Spec    exec/instructions.html#exec-local-get"""
    z.values.append(z.locals[i.index])


@reduces(form.LocalSet, "Step/local.set")
def local_set(z: Machine, i: form.LocalSet) -> None:
    """Spec    exec/instructions.html#exec-local-set"""
    z.locals[i.index] = z.values.pop()


@reduces(form.LocalTee, "Step_pure/local.tee")
def local_tee(z: Machine, i: form.LocalTee) -> None:
    """Spec    exec/instructions.html#exec-local-tee"""
    z.locals[i.index] = z.values[-1]


@reduces(form.GlobalGet, "Step_read/global.get")
def global_get(z: Machine, i: form.GlobalGet) -> None:
    """Spec    exec/instructions.html#exec-global-get"""
    z.values.append(z.module.globals[i.index].value)


@reduces(form.GlobalSet, "Step/global.set")
def global_set(z: Machine, i: form.GlobalSet) -> None:
    """Spec    exec/instructions.html#exec-global-set"""
    z.module.globals[i.index].value = z.values.pop()
