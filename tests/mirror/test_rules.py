"""Every rule of the formal specification that concerns instructions is stated by exactly one function."""

from __future__ import annotations

from collections import Counter

import pytest

from pywasm_ref import isa
from pywasm_ref.execution import engine, rules
from pywasm_ref.validation.instructions import registry
from tests.mirror.specification import rule_ids

STEPS = rule_ids("Step", "Step_pure", "Step_read", "Steps")
TYPING = rule_ids("Instr_ok")


def claimed() -> Counter[str]:
    """How many functions claim each rule of execution."""
    return Counter(rule for function in rules.RULES for rule in rules.RULES[function])


def test_the_engine_is_loaded_and_with_it_all_rules() -> None:
    assert engine.ENGINE.name == "reference"


@pytest.mark.parametrize("rule", sorted(STEPS))
def test_a_rule_of_execution_is_stated_by_one_function_or_has_a_reason_why_not(rule: str) -> None:
    if rule in rules.UNCLAIMED:
        assert rules.UNCLAIMED[rule]
        assert claimed()[rule] == 0
    else:
        assert claimed()[rule] == 1


def test_no_function_claims_a_rule_of_execution_that_does_not_exist() -> None:
    assert set(claimed()) - STEPS == set()


def test_few_rules_are_unclaimed() -> None:
    assert len(rules.UNCLAIMED) <= 5


@pytest.mark.parametrize("rule", sorted(TYPING))
def test_a_typing_rule_of_an_instruction_is_stated_by_one_function(rule: str) -> None:
    assert rule in registry.CLAIMS


def test_no_function_claims_a_typing_rule_that_does_not_exist() -> None:
    assert set(registry.CLAIMS) - TYPING == set()


def test_every_form_has_a_typing_rule_and_a_reduction() -> None:
    forms = {op.form for op in isa.OPS}
    assert set(registry.RULES) == forms
    assert set(rules.REDUCE) == forms
