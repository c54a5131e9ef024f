"""Variable instructions.

Spec    valid/instructions.html#variable-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import RefType
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.registry import types


@types(form.LocalGet, "Instr_ok/local.get")
def local_get(c: Checker, i: form.LocalGet) -> None:
    t = c.local(i.index)
    if isinstance(t, RefType) and not c.is_set(i.index, t):
        raise Invalid(f"uninitialized local {i.index}")
    c.vals.append(t)


@types(form.LocalSet, "Instr_ok/local.set")
def local_set(c: Checker, i: form.LocalSet) -> None:
    t = c.local(i.index)
    c.pop(t)
    if isinstance(t, RefType):
        c.set_local(i.index, t)


@types(form.LocalTee, "Instr_ok/local.tee")
def local_tee(c: Checker, i: form.LocalTee) -> None:
    t = c.local(i.index)
    c.pop(t)
    c.vals.append(t)
    if isinstance(t, RefType):
        c.set_local(i.index, t)


@types(form.GlobalGet, "Instr_ok/global.get")
def global_get(c: Checker, i: form.GlobalGet) -> None:
    c.push(c.global_(i.index).type)


@types(form.GlobalSet, "Instr_ok/global.set")
def global_set(c: Checker, i: form.GlobalSet) -> None:
    t = c.global_(i.index)
    if not t.mut:
        raise Invalid(f"immutable global {i.index}")
    c.pop(t.type)
