"""The command line: statuses, streams, and what a person sees."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pywasm_ref.cli import main
from pywasm_ref.cli.command_line import COMMANDS

GOOD = '(module (func (export "f") (result i32) (i32.const 42)))'
COMMAND = [sys.executable, "-m", "pywasm_ref"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.wat").write_text(GOOD)
    (tmp_path / "bad.wat").write_text("(module (func (drop)))")
    return tmp_path


def pipe(*args: str, stdin: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a command in a process of its own, with pipes all around."""
    return subprocess.run([*COMMAND, *args], input=stdin, capture_output=True, timeout=60, check=False, env={**os.environ, **environment})


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"pywasm-ref {command}" in capsys.readouterr().out.split("examples:")[1]


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pywasm-ref ")


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["run"], ["validate", "--features", "x", "y"], ["wast", "-j", "-1", "."]])
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("pywasm-ref")
    assert err.endswith("--help shows what there is\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "parse", "print", "validate", "inspect", "wast"])
def test_a_missing_file_is_one_line_on_stderr(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "missing.wat"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "pywasm-ref: error: missing.wat: No such file or directory\n")


@pytest.mark.parametrize("command", ["run", "parse", "print", "validate", "inspect"])
def test_a_directory_is_no_module(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "d").mkdir()
    assert main([command, "d"]) == 2
    assert capsys.readouterr().err == "pywasm-ref: error: d: Is a directory\n"


def test_a_refusal_is_status_1_with_place_line_and_caret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "good.wat", "bad.wat"]) == 1
    first, line, caret = capsys.readouterr().err.splitlines()
    assert first.startswith("bad.wat:1:16: invalid: type mismatch")
    assert line.strip() == "(module (func (drop)))"
    assert line[caret.index("^") :].startswith("drop")


def test_bytes_that_are_no_text_are_malformed_utf8(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.wat").write_bytes(b"(module \xff)")
    assert main(["validate", "x.wat"]) == 1
    assert capsys.readouterr().err.startswith("x.wat:1:9: malformed: malformed UTF-8 encoding")


def test_a_hostile_name_cannot_command_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.wat").write_text('(module (import "\\1b[2J" "\\07" (func)))')
    assert main(["run", "x.wat"]) == 1
    assert main(["inspect", "x.wat"]) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\x07" not in out + err


def test_parse_puts_the_binary_beside_the_text_and_keeps_names(folder: Path) -> None:
    (folder / "n.wat").write_text("(module $m (func $f))")
    assert main(["parse", "n.wat"]) == 0
    data = (folder / "n.wasm").read_bytes()
    assert data.startswith(b"\0asm")
    assert b"name" in data


def test_parse_does_not_write_over_its_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "good.wat", "-o", "x.wasm"]) == 0
    assert main(["parse", "x.wasm"]) == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_text_and_binary_go_through_pipes(folder: Path) -> None:
    binary = pipe("parse", "-", stdin=GOOD.encode()).stdout
    assert binary == pipe("parse", "-", "-o", "-", stdin=binary).stdout
    text = pipe("print", "-", stdin=binary).stdout
    assert pipe("parse", "-", stdin=text).stdout == binary
    assert pipe("run", "-", "--invoke", "f", stdin=binary).stdout == b"42\n"


def test_errors_of_standard_input_are_named_so() -> None:
    done = pipe("validate", "-", stdin=b"(module (func (drop)))")
    assert done.returncode == 1
    assert done.stderr.startswith(b"<stdin>:1:16: invalid")


def test_nothing_is_coloured_in_a_pipe_or_against_the_wish(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pywasm_ref.cli.terminal import Progress, Style

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Style(Terminal()).bad("x") == "\x1b[31;1mx\x1b[0m"
    assert Style(io.StringIO()).bad("x") == "x"
    quiet = io.StringIO()
    Progress(1, quiet).step("x")
    assert quiet.getvalue() == ""
    watched = Terminal()
    Progress(1, watched).step("x")
    assert "[1/1] x" in watched.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    assert Style(Terminal()).bad("x") == "x"


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    exports = "".join(f'(export "function{i}" (func 0))' for i in range(20_000))
    (folder / "many.wat").write_text(f"(module (func) {exports})")
    with subprocess.Popen([*COMMAND, "inspect", "many.wat"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_control_c_is_status_130(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pywasm_ref.cli.run.read_module", interrupted)
    assert main(["run", "good.wat"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_inspect_says_the_same_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "good.wat", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "valid"
    assert found["exports"] == [{"name": "f", "kind": "func", "index": 0, "type": "function [] -> [i32]"}]
    assert found["functions"][0]["size"] == 4
    assert [section["name"] for section in found["sections"]] == ["type", "function", "export", "code"]


def test_limits_of_run_stop_a_guest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "grow.wat").write_text('(module (memory 1) (func (export "g") (result i32) (memory.grow (i32.const 9))))')
    assert main(["run", "grow.wat", "--max-memory", "10", "--invoke", "g"]) == 0
    assert main(["run", "grow.wat", "--max-memory", "9", "--invoke", "g"]) == 0
    assert capsys.readouterr().out == "1\n-1\n"


def test_a_guest_is_stopped_when_its_time_is_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "loop.wat").write_text('(module (func (export "f") (loop (br 0))))')
    assert main(["run", "loop.wat", "--timeout", "0.05", "--invoke", "f"]) == 124
    assert "stopped: after 0.05 s (--timeout)" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run", "good.wat"], ["wast", "good.wat"]])
def test_an_engine_that_is_not_installed_is_said_in_one_line(
    command: list[str], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pywasm_ref.embedding.selection.HOMES", {"fast": ("no_such_module",)})
    assert main([*command, "--engine", "fast"]) == 2
    assert capsys.readouterr().err.startswith("pywasm-ref: error: the fast engine is not installed")


@pytest.mark.parametrize("words", ["hello", "root:x:0:0", '"a" (module)'])
def test_a_file_of_another_kind_is_told_so(words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes").write_text(words)
    assert main(["run", "notes"]) == 1
    assert "a module in text begins with a parenthesis, a binary with \\0asm" in capsys.readouterr().err


def test_a_text_with_a_mistake_is_one_all_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.wat").write_text(" ;; begins\n(modul)")
    assert main(["run", "x.wat"]) == 1
    assert "begins with" not in capsys.readouterr().err.splitlines()[0]
