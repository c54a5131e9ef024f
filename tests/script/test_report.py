"""Counts and failures of several scripts."""

from pywasm_ref.script.report import Failure, FileReport, as_json, totals
from pywasm_ref.source import Source

REPORTS = [FileReport("b.wast", passed=2, failed=1, failures=[Failure(3, 1, "no")]), FileReport("a.wast", passed=5)]


def test_totals_are_said_in_the_words_that_others_parse() -> None:
    assert str(totals(REPORTS)) == "7 passed, 1 failed, 0 skipped"
    assert str(totals([])) == "0 passed, 0 failed, 0 skipped"


def test_the_json_has_the_sums_and_the_files_in_order() -> None:
    data = as_json(REPORTS, engine="reference")
    assert (data["engine"], data["passed"], data["failed"], data["skipped"]) == ("reference", 7, 1, 0)
    assert [row["path"] for row in data["files"]] == ["a.wast", "b.wast"]
    assert data["files"][1]["failures"] == [{"line": 3, "column": 1, "message": "no"}]


def test_a_failure_knows_line_and_column() -> None:
    assert Failure.at(Source("a", "x\n  y"), 4, "m") == Failure(2, 3, "m")
