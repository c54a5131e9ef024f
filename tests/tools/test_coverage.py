"""Rule coverage."""

from pywasm_ref.tools.coverage import RuleCounter, coverage, coverage_lines


def test_every_relation_of_execution_is_counted() -> None:
    assert {relation.name for relation in coverage({})} == {"Step", "Step_pure", "Step_read", "Steps"}
    assert all(relation.missed == relation.rules for relation in coverage({}))


def test_a_rule_that_was_used_is_not_missed() -> None:
    before, after = ({r.name: r for r in coverage(used)} for used in ({}, {"Step_pure/nop": 3}))
    assert set(before["Step_pure"].missed) - set(after["Step_pure"].missed) == {"Step_pure/nop"}
    assert "Step/pure" not in after["Step"].missed
    assert "Step/read" in after["Step"].missed


def test_an_observer_counts_and_several_runs_add_up() -> None:
    first, second = RuleCounter(), RuleCounter()
    first.step(None, None, "Step_pure/nop")
    second.step(None, None, "Step_pure/drop")
    lines = coverage_lines([first.rules, second.rules])
    assert "  Step_pure/nop" not in lines
    assert "  Step_pure/drop" not in lines
    assert "  Step_pure/unreachable" in lines
