"""The command `wast`: files, processes, reports."""

import json
from pathlib import Path

import pytest

from pywasm_ref.cli import main, wast

PASSING = '(module (func (export "f")))\n(assert_return (invoke "f"))\n'
FAILING = PASSING + '(assert_return (invoke "g"))\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a").mkdir()
    Path("a/deep").mkdir()
    Path("a/one.wast").write_text(PASSING)
    Path("a/deep/two.wast").write_text(FAILING)
    Path("a/deep/readme.md").write_text("no script")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_folders_are_searched_and_failures_listed_before_the_last_line(
    folder: Path, processes: str, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wast", "a", "-j", processes, "--engine", engine]) == 1
    assert said(capsys) == ['a/deep/two.wast:3: undefined export "g"', "4 passed, 1 failed, 0 skipped"]


def test_all_passed_is_status_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wast", "a/one.wast"]) == 0
    assert said(capsys) == ["2 passed, 0 failed, 0 skipped"]


def test_a_script_that_is_named_twice_runs_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wast", "a/one.wast", "a/one.wast", "a"]) == 1
    assert said(capsys)[-1] == "4 passed, 1 failed, 0 skipped"


def test_large_scripts_go_first(folder: Path) -> None:
    assert wast.largest_first(["a"]) == ["a/deep/two.wast", "a/one.wast"]


def test_a_folder_without_scripts_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert main(["wast", "empty"]) == 2
    assert capsys.readouterr().err == "pywasm-ref: error: empty: no .wast file in this folder\n"


def test_the_report_names_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wast", "a", "--json", "report.json", "--engine", "reference"]) == 1
    report = json.loads(Path("report.json").read_text())
    assert (report["engine"], report["passed"], report["failed"], report["skipped"]) == ("reference", 4, 1, 0)
    assert {row["path"]: row["failed"] for row in report["files"]} == {"a/deep/two.wast": 1, "a/one.wast": 0}
    assert report["files"][0]["failures"] == [{"line": 3, "column": 1, "message": 'undefined export "g"'}]


def test_features_are_those_of_the_folder_unless_they_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = Path("proposals/wide-arithmetic")
    script.mkdir(parents=True)
    (script / "w.wast").write_text("(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1))))")
    assert main(["wast", str(script)]) == 0
    assert main(["wast", str(script), "--features", "3.0"]) == 1
    assert main(["wast", str(script), "--features", "wide-arithmetic"]) == 0


@pytest.mark.parametrize("data", [b"\xff\xfe", b"(; never closed", b"\0asm\1\0\0\0"])
def test_a_file_that_is_no_script_is_a_failure_and_no_crash(folder: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.wast").write_bytes(data)
    assert main(["wast", "x.wast", "a/one.wast"]) == 1
    assert said(capsys)[-1] == "2 passed, 1 failed, 0 skipped"


def test_coverage_counts_rules_and_names_those_that_were_not_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wast", "a/one.wast", "--coverage", "--engine", "reference"]) == 0
    lines = said(capsys)
    assert lines[0] == "rule coverage"
    assert any(line.startswith("  Step_pure ") for line in lines)
    assert any(line.startswith("  Step_read/br_on_cast") for line in lines)
    assert lines[-1] == "2 passed, 0 failed, 0 skipped"
