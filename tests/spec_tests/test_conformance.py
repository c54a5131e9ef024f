"""How the official suites are found, and when one counts as passed."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import conformance
import peers
import pytest
import suites

SUITE = suites.Suite("core", "spec", "test/core", 100)


def test_a_suite_is_good_when_all_its_commands_passed() -> None:
    assert conformance.judge(SUITE, (100, 0, 0), 1.0).good


@pytest.mark.parametrize("counts", [(99, 1, 0), (99, 0, 1), (99, 0, 0), (101, 0, 0), None])
def test_a_suite_with_a_failed_skipped_lost_or_uncounted_command_is_not_good(counts: tuple[int, int, int] | None) -> None:
    assert not conformance.judge(SUITE, counts, 1.0).good


def test_the_table_has_a_line_for_each_suite_and_engine_and_one_for_each_sum() -> None:
    rows = [conformance.judge(SUITE, (100, 0, 0), 1.5), conformance.judge(SUITE, (90, 10, 0), 2.5, "fast")]
    lines = conformance.table(rows).splitlines()
    assert lines[2:6] == [
        "| core | reference | 100 | 100 | 0 | 0 | 1.5 |  |",
        "| core | fast | 100 | 90 | 10 | 0 | 2.5 | 100 expected to pass |",
        "| all | reference | 100 | 100 | 0 | 0 | 1.5 |  |",
        "| all | fast | 100 | 90 | 10 | 0 | 2.5 |  |",
    ]


def test_a_command_that_one_engine_fails_is_listed_with_what_each_says(tmp_path: Path) -> None:
    script = tmp_path / "core" / "a.wast"
    script.parent.mkdir()
    script.write_text('(module (func (export "f")))\n(assert_return (invoke "g"))\n')
    rows = [conformance.judge(SUITE, (100, 0, 0), 1.0), conformance.judge(SUITE, (99, 1, 0), 1.0, "fast")]
    for row, failures in zip(rows, ([], [{"line": 2, "column": 1, "message": "no"}]), strict=True):
        files = [{"path": str(script), "failures": failures}]
        conformance.report_file(tmp_path, row.suite, row.engine).write_text(json.dumps({"files": files}))
    (found,) = conformance.disagreements(rows, tmp_path, tmp_path)
    assert (found.file, found.line, found.command) == ("core/a.wast", 2, '(assert_return (invoke "g"))')
    assert found.answers == {"reference": conformance.AGREES, "fast": "no"}
    conformance.write(rows, [found], tmp_path)
    assert "core/a.wast:2" in (tmp_path / "table.md").read_text()
    cases = ElementTree.parse(tmp_path / "junit.xml").findall(".//testcase")
    assert [case.find("failure") is not None for case in cases] == [False, True]


def test_a_script_that_kills_its_process_is_a_failure_of_that_script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scripts = [tmp_path / name for name in ("dies", "lives")]
    for script in scripts:
        script.write_text("")
    peer = (
        "import sys, os, json\n"
        "for line in sys.stdin:\n"
        "    path = line.strip()\n"
        "    if path.endswith('dies'): os.abort()\n"
        "    print(json.dumps({'path': path, 'passed': 1, 'failed': 0, 'skipped': 0, 'seconds': 0, 'failures': []}), flush=True)\n"
    )
    monkeypatch.setattr(peers, "COMMAND", [sys.executable, "-c", peer])
    reports = {Path(report.path).name: report for report in peers.reports(scripts, 1)}
    assert (reports["lives"].passed, reports["dies"].failed) == (1, 1)
    assert "ended with status -6" in reports["dies"].failures[0].message


def test_every_pinned_suite_names_a_pinned_repository_and_a_whole_commit() -> None:
    sources, wanted = suites.pins()
    assert {suite.source for suite in wanted} == {source.name for source in sources}
    assert all(len(source.commit) == 40 for source in sources)


def test_a_named_folder_without_the_suites_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(suites.VARIABLE, str(tmp_path))
    with pytest.raises(suites.SuiteMissing, match=f"{suites.VARIABLE}=.*{tmp_path.name} has no folder core/"):
        suites.find()


def test_without_the_suites_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(suites.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(suites.SuiteMissing, match=f"run `python spec-tests/suites.py` to fetch them, or set {suites.VARIABLE}"):
        suites.find()


def test_an_earlier_fetch_is_found_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(suites.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    suites.cache_folder().mkdir(parents=True)
    assert suites.find_or_fetch() == suites.cache_folder()
