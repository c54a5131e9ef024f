"""Every typing rule of the formal specification is stated by one function, and every form has a rule."""

from __future__ import annotations

import pytest

from pywasm_ref.isa import OPS
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32, I64
from pywasm_ref.validation.instructions import CLAIMS, RULES
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import SIGNATURES, fixed
from tests.mirror.specification import rule_ids


def test_every_typing_rule_of_the_specification_is_claimed() -> None:
    assert set(CLAIMS) == rule_ids("Instr_ok")


def test_every_form_of_the_table_has_a_typing_rule() -> None:
    assert set(RULES) == {op.form for op in OPS}


def test_a_rule_cannot_be_claimed_twice() -> None:
    with pytest.raises(ValueError, match="claimed twice"):
        types(form.Instr, "Instr_ok/nop")(fixed)
    with pytest.raises(ValueError, match="claimed twice"):
        types(form.Nop)(fixed)


def test_the_type_column_of_every_fixed_instruction_can_be_read() -> None:
    rows = [op for op in OPS if RULES[op.form] is fixed or issubclass(op.form, form.Access)]
    assert len(rows) > 400
    for op in rows:
        for at in (I32, I64):
            params, results = SIGNATURES[at][op]
            assert len(params) + len(results) == len(op.type.replace("->", " ").replace("(ref null ", "").replace("(ref ", "").split())
