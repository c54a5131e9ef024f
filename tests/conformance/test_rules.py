"""Rule coverage: what the official suite leaves out, a script of our own uses."""

from pathlib import Path

import pytest

from pywasm_ref.embedding import selection
from pywasm_ref.execution.rules import UNCLAIMED
from pywasm_ref.features import WASM_3
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.coverage import RuleCounter, coverage

SCRIPT = Path(__file__).with_name("rules_left_out.wast")
LEFT_OUT = {
    "Step/vstore_lane-oob",
    "Step_pure/br-handler",
    "Step_pure/return-handler",
    "Step_read/throw_ref-null",
    "Step_read/vload_lane-oob",
}


def used_rules(script: Path) -> RuleCounter:
    """The rules that a script uses, all of whose commands must pass."""
    counter = RuleCounter()
    runner = Runner(selection.engine("reference"), WASM_3)
    runner.store.observe(counter)
    report = run_script(Source(script.name, script.read_text(encoding="utf-8")), runner)
    assert not report.failures
    return counter


def test_the_script_uses_the_rules_that_the_suite_leaves_out() -> None:
    assert used_rules(SCRIPT).rules.keys() >= LEFT_OUT


@pytest.mark.slow
def test_every_rule_that_can_be_reached_is_reached(spec_suite: Path) -> None:
    folders = [spec_suite / "core" / folder for folder in (".", "gc", "exceptions", "bulk-memory", "simd", "relaxed-simd", "multi-memory")]
    scripts = [path for folder in folders for path in sorted(folder.glob("*.wast")) if path.stat().st_size < 140_000]
    counter = used_rules(SCRIPT)
    for script in scripts:
        if script.stem not in SLOW:
            counter.rules.update(used_rules(script).rules)
    missed = {rule for relation in coverage(counter.rules) for rule in relation.missed}
    assert missed == set(UNCLAIMED)


SLOW = {"return_call", "return_call_ref", "return_call_indirect", "memory_grow", "memory_fill", "skip-stack-guard-page"}
"""Scripts with long loops, whose rules others use too."""
