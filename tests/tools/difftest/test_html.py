"""The report as a page: what was found stands first, what is explained apart, and nothing that engines say becomes markup."""

from __future__ import annotations

from dataclasses import asdict

from pywasm_ref.tools.difftest.html import page
from pywasm_ref.tools.difftest.settings import Settings
from pywasm_ref.tools.difftest.shards import Finding
from pywasm_ref.tools.difftest.totals import Totals


def finding(seed: int, explained: str = "") -> Finding:
    return Finding("modules", "3.0", seed, "call 1 func2", "reference", "other", "returned i32:0x1", "trap <b>", "a cause", explained)


def told(*findings: Finding, executed: int = 3) -> str:
    totals = Totals(frozenset({"nop", "drop", "i32.add"}), ("modules 3.0", "texts 3.0", "single 3.0"))
    totals.jobs.update({"modules 3.0": 10, "texts 3.0": 5})
    totals.usable.update({"modules 3.0": 9})
    totals.findings += findings
    totals.finds["a cause"] = "finds/000.wast"
    totals.executed |= set(sorted(totals.opcodes)[:executed])
    return page(asdict(Settings()), totals)


def test_findings_have_their_script_and_no_markup_of_their_own() -> None:
    words = told(finding(1), finding(2))
    assert words.startswith("<!doctype html>")
    assert words.count("<div class='find'>") == 1
    assert "2 times; first modules 3.0, seed 1, call 1 func2" in words
    assert "trap &lt;b&gt;" in words
    assert "<b>trap" not in words
    assert '<a href="finds/000.wast">' in words
    assert words.index("a cause") < words.index("Settings")


def test_what_is_explained_stands_apart_by_its_reason() -> None:
    words = told(finding(1, "it is known"), finding(2, "it is known"))
    assert "<p>None.</p>" in words
    assert words.count("<div class='find explained'><b>it is known</b>") == 1


def test_figures_are_there() -> None:
    words = told()
    assert "<b>90.0 %</b>" in words
    assert "Not begun: single 3.0." in words
    assert "<b>3/3</b>" in words
    assert "All 3 were executed" in words
    assert "Explained differences" not in words
    assert "1 of 3 were not executed by the reference engine: <code>nop</code>" in told(executed=2)
    assert "seconds 20.0, memory 3,221,225,472" in words
