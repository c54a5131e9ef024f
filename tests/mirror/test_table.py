"""The instruction table, held row by row to the facts of the specification."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pywasm_ref import isa
from pywasm_ref.features import PROPOSALS, WASM_1, WASM_2, WASM_3, Features
from pywasm_ref.syntax import instructions as form
from tests.mirror.specification import load

FACTS = load("instructions")
BROUGHT_BY: dict[str, Features] = {"1.0": WASM_1, "2.0": WASM_2 - WASM_1, "3.0": WASM_3 - WASM_2}
FIXED = re.compile(r"(i32|i64|f32|f64|v128|at\d?|->|\s)*")


def code_of(row: dict[str, Any]) -> form.Code:
    return row["code"] if row["prefix"] is None else (row["prefix"], row["code"])


def type_of(row: dict[str, Any]) -> str:
    """The fact's type in the table's spelling: `[at_1 i32] -> []` is `at1 i32 ->`."""
    return " ".join(re.sub(r"[\[\]_]", "", row["type"] or "").split())


def test_the_table_has_each_instruction_of_the_specification_and_else_only_proposals() -> None:
    assert {code_of(row) for row in FACTS} == {op.code for op in isa.OPS if op.feature not in PROPOSALS}
    assert len(FACTS) == 497


def test_no_two_rows_share_an_opcode() -> None:
    assert len(isa.BY_CODE) == len(isa.OPS)


@pytest.mark.parametrize("row", FACTS, ids=lambda row: f"{row['mnemonic']}-{row['code']}")
def test_a_row_says_what_the_specification_says(row: dict[str, Any]) -> None:
    op = isa.BY_CODE[code_of(row)]
    assert op.mnemonic == row["mnemonic"]
    assert op.feature in BROUGHT_BY[row["since"]]
    if row["type"] and FIXED.fullmatch(type_of(row)):
        assert op.type == type_of(row)


def test_most_instructions_have_a_type_that_the_table_says_outright() -> None:
    assert sum(bool(FIXED.fullmatch(op.type)) for op in isa.OPS if op.feature not in PROPOSALS) >= 420


@pytest.mark.parametrize("op", [op for op in isa.OPS if "memarg" in op.immediates], ids=lambda op: op.mnemonic)
def test_the_natural_alignment_is_a_power_of_two(op: form.Op) -> None:
    assert op.access in {1, 2, 4, 8, 16}


def test_only_rows_with_a_memarg_touch_memory() -> None:
    assert {op.mnemonic for op in isa.OPS if op.access} == {op.mnemonic for op in isa.OPS if "memarg" in op.immediates}


COMPUTING = {
    *(form.Unop, form.Binop, form.Testop, form.Relop, form.Cvtop, form.WideBinop, form.WideMul, form.AtomicRmw),
    *(form.VVUnop, form.VVBinop, form.VVTernop, form.VVTestop, form.VUnop, form.VBinop, form.VTernop, form.VTestop),
    *(form.VRelop, form.VShiftop, form.VBitmask, form.VSwizzlop, form.VShuffle, form.VSplat, form.VExtractLane),
    *(form.VReplaceLane, form.VExtUnop, form.VExtBinop, form.VExtTernop, form.VNarrow, form.VCvtop),
    *(form.VLoadPack, form.VLoadSplat, form.VLoadLane, form.VStoreLane),
}


@pytest.mark.parametrize("op", [op for op in isa.OPS if op.form in COMPUTING], ids=lambda op: op.mnemonic)
def test_a_row_that_computes_names_its_numeric_function(op: form.Op) -> None:
    assert callable(op.primitive)


def test_every_form_is_in_the_table() -> None:
    forms = {cls for cls in vars(form).values() if isinstance(cls, type) and issubclass(cls, form.Instr)}
    assert forms - {form.Instr, form.Access} == {op.form for op in isa.OPS}


def test_a_form_has_one_field_for_each_part_of_its_immediates() -> None:
    parts = {"memarg": 3, "labelidx castop": 3, "tableidx typeidx": 2, "memidx dataidx": 2, "tableidx elemidx": 2, "zero": 0, "legacycatch*": 2}
    for op in isa.OPS:
        fields = len(op.form.__dataclass_fields__) - 1
        if op.form is not form.Select:
            assert fields == sum(parts.get(kind, 1) for kind in op.immediates), op.mnemonic
