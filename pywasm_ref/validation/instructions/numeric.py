"""Numeric instructions: the table says their types.

Spec    valid/instructions.html#numeric-instructions
"""

from __future__ import annotations

from pywasm_ref.syntax import instructions as form
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed

types(form.Const, "Instr_ok/const")(fixed)
types(form.Unop, "Instr_ok/unop")(fixed)
types(form.Binop, "Instr_ok/binop")(fixed)
types(form.Testop, "Instr_ok/testop")(fixed)
types(form.Relop, "Instr_ok/relop")(fixed)
types(form.Cvtop, "Instr_ok/cvtop")(fixed)
