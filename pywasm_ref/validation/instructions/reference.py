"""Reference instructions.

Spec    valid/instructions.html#reference-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32, RefType
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed
from pywasm_ref.validation.types import top_of

types(form.RefEq, "Instr_ok/ref.eq")(fixed)


@types(form.RefNull, "Instr_ok/ref.null")
def ref_null(c: Checker, i: form.RefNull) -> None:
    c.push(c.context.valtype(RefType(True, i.heap)))


@types(form.RefFunc, "Instr_ok/ref.func")
def ref_func(c: Checker, i: form.RefFunc) -> None:
    """Only functions that the module mentions outside of code, or exports, may be referred to."""
    c.func(i.func)
    if i.func not in c.context.refs:
        raise Invalid(f"undeclared function reference {i.func}")
    c.push(RefType(False, c.context.funcs[i.func]))


@types(form.RefIsNull, "Instr_ok/ref.is_null")
def ref_is_null(c: Checker, i: form.RefIsNull) -> None:
    c.pop_ref()
    c.push(I32)


@types(form.RefAsNonNull, "Instr_ok/ref.as_non_null")
def ref_as_non_null(c: Checker, i: form.RefAsNonNull) -> None:
    c.push(RefType(False, c.pop_ref().heap))


@types(form.RefTest, "Instr_ok/ref.test")
def ref_test(c: Checker, i: form.RefTest) -> None:
    pop_castable(c, i.type)
    c.push(I32)


@types(form.RefCast, "Instr_ok/ref.cast")
def ref_cast(c: Checker, i: form.RefCast) -> None:
    c.push(pop_castable(c, i.type))


def pop_castable(c: Checker, target: RefType) -> RefType:
    """Take a reference of the same hierarchy; the answer is the closed target.

    Fails   Invalid  "unknown type", "type mismatch"
    """
    closed = c.context.valtype(target)
    c.pop(RefType(True, top_of(closed.heap)))
    return closed
