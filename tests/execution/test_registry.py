"""Every form has one reduction, and every rule of execution is claimed once or excused."""

from collections import Counter

from pywasm_ref import isa
from pywasm_ref.execution import machine
from pywasm_ref.execution.rules import CASES, REDUCE, RULES, UNCLAIMED


def test_each_instruction_of_the_table_has_a_reduction() -> None:
    assert not {op.form.__name__ for op in isa.OPS} - {form.__name__ for form in REDUCE}


def test_no_rule_is_claimed_twice_or_both_claimed_and_excused() -> None:
    claimed = Counter(rule for rules in RULES.values() for rule in rules)
    assert not [rule for rule, times in claimed.items() if times > 1]
    assert not set(claimed) & set(UNCLAIMED)


def test_whoever_claims_several_rules_can_tell_which_one_applies() -> None:
    by_note = {machine.Machine.reduce, machine.Machine.branch, machine.Machine.tail_call, machine.Machine.is_caught, machine.Machine.trap}
    several = {function for function, rules in RULES.items() if len(rules) > 1}
    untold = several - set(CASES) - by_note
    assert {function.__qualname__ for function in untold} <= {"TryTable.catch"}
