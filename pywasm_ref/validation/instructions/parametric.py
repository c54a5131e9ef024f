"""Parametric instructions.

Spec    valid/instructions.html#parametric-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.features import Feature
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import BOT, I32, RefType
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.gates import require
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed

types(form.Nop, "Instr_ok/nop")(fixed)


@types(form.Unreachable, "Instr_ok/unreachable")
def unreachable(c: Checker, i: form.Unreachable) -> None:
    c.unreachable()


@types(form.Drop, "Instr_ok/drop")
def drop(c: Checker, i: form.Drop) -> None:
    c.pop_any()


@types(form.Select, "Instr_ok/select-expl", "Instr_ok/select-impl")
def select(c: Checker, i: form.Select) -> None:
    """Without an annotation both operands have to be of one number or vector type."""
    if i.types is not None:
        require(c.context.features, Feature.REFERENCE_TYPES, "select with a type")
        if len(i.types) != 1:
            raise Invalid(f"invalid result arity: select takes one type, not {len(i.types)}")
        t = c.context.valtype(i.types[0])
        c.pop_vals((t, t, I32))
    else:
        c.pop(I32)
        t2, t1 = c.pop_any(), c.pop_any()
        for operand in (t1, t2):
            if isinstance(operand, RefType):
                raise Invalid(f"type mismatch: instruction requires numeric or vector type but stack has {c.words(operand)}")
        if t1 is not t2 and BOT not in (t1, t2):
            raise Invalid(f"type mismatch: instruction requires two operands of one type but stack has {c.words_of((t1, t2))}")
        t = t2 if t1 is BOT else t1
    c.push(t)
