"""What a person sees when streams are closed, disks are full, memory is short, or words are in the wrong place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pywasm_ref.cli import main

COMMAND = f"{sys.executable} -m pywasm_ref"
GUEST = """(module
  (func (export "\\1b[31mEVIL\\07\\u{202e}") (param i32) (result i32) (local.get 0))
  (func (export "spin") (loop (br 0)))
  (func (export "small") (param i31ref) (result i32) (i31.get_s (local.get 0)))
  (func (export "equal") (param eqref (ref any)) (result i32) (ref.eq (local.get 0) (ref.cast eqref (local.get 1))))
  (func (export "made") (param structref (ref array)))
  (func (export "take") (param i32 v128 (ref extern) externref)))"""

needs_shell = pytest.mark.skipif(os.name != "posix", reason="a shell opens and closes the streams")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guest.wat").write_text(GUEST)
    return tmp_path


def shell(line: str) -> tuple[int, str]:
    done = subprocess.run(line.replace("pywasm-ref", COMMAND), shell=True, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stderr


@needs_shell
@pytest.mark.parametrize("line", ["run guest.wat --invoke take 1 0 2 3; pywasm-ref inspect guest.wat >&-", "parse guest.wat -o - >&-"])
def test_a_closed_output_is_one_line(folder: Path, line: str) -> None:
    assert shell(f"pywasm-ref {line}") == (2, "pywasm-ref: error: standard output: Bad file descriptor\n")


@needs_shell
def test_a_closed_input_is_one_line(folder: Path) -> None:
    assert shell("pywasm-ref run - <&-") == (2, "pywasm-ref: error: standard input is closed\n")


@needs_shell
def test_a_closed_error_stream_keeps_the_status(folder: Path) -> None:
    assert shell("pywasm-ref run missing.wat 2>&-") == (2, "")
    assert shell("pywasm-ref --frobnicate 2>&-") == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("line", ["--version > /dev/full", "inspect guest.wat > /dev/full", "print guest.wat > /dev/full"])
def test_a_full_disk_is_one_line(folder: Path, line: str) -> None:
    status, said = shell(f"pywasm-ref {line}")
    assert status == 2
    assert said.endswith("No space left on device\n")
    assert said.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_file_that_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "guest.wat", "-o", "/dev/full"]) == 2
    assert capsys.readouterr().err == "pywasm-ref: error: /dev/full: No space left on device\n"


def test_no_name_is_no_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", ""]) == 2
    assert capsys.readouterr().err == "pywasm-ref: error: '': No such file or directory\n"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are those of Linux")
def test_too_little_memory_is_one_line(folder: Path) -> None:
    (folder / "big.wat").write_text(f"(module (func {'(drop (i32.const 1))' * 600_000}))")
    assert shell("ulimit -v 150000; pywasm-ref validate big.wat") == (2, "pywasm-ref: error: out of memory\n")


def test_a_list_of_exports_cannot_command_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "guest.wat", "--invoke", "nope"]) == 2
    said = capsys.readouterr().err
    assert "\N{REPLACEMENT CHARACTER}[31mEVIL" in said
    assert said.rstrip("\n").isprintable()


def test_a_timeout_says_that_it_was_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "guest.wat", "--timeout", "0.1", "--invoke", "spin"]) == 124
    assert "stopped: after 0.1 s (--timeout)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["1.5", "0", "0", "0"], "'1.5' does not stand for i32: no integer"),
        (["one", "0", "0", "0"], "'one' does not stand for i32: no number"),
        (["0x1_0000_0000", "0", "0", "0"], "'0x1_0000_0000' does not stand for i32: constant out of range"),
        (["0", "", "0", "0"], "'' does not stand for v128: wanted is a shape and its lanes, as in 'i32x4 1 2 3 4'; shapes are i8x16, "),
        (["0", "i8x4 1 2 3", "0", "0"], "'i8x4 1 2 3' does not stand for v128: wanted is a shape"),
        (["0", "i32x4 1 2 3", "0", "0"], "wrong number of lane literals"),
        (["0", "0", "null", "0"], "'null' does not stand for (ref extern): only a number can be given here"),
        (["0", "0", "0", "x"], "'x' does not stand for externref: only null or a number can be given here"),
    ],
)
def test_an_argument_that_does_not_fit_is_told_why(folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], reason: str) -> None:
    assert main(["run", "guest.wat", "--invoke", "take", *args]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "result"),
    [
        (["small", "5"], "5"),
        (["small", "-0x4000_0000"], "-1073741824"),
        (["small", "0x7fff_ffff"], "-1"),
        (["equal", "7", "7"], "1"),
        (["equal", "null", "7"], "0"),
    ],
)
def test_a_whole_number_stands_for_an_i31(
    engine: str, folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], result: str
) -> None:
    assert main(["run", "guest.wat", "--engine", engine, "--invoke", *args]) == 0
    assert capsys.readouterr().out == f"{result}\n"


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["small", "1.5"], "'1.5' does not stand for i31ref: only null or a whole number can be given here"),
        (["small", "0x8000_0000"], "'0x8000_0000' does not stand for i31ref: constant out of range"),
        (["small", "-0x4000_0001"], "'-0x4000_0001' does not stand for i31ref: constant out of range"),
        (["equal", "0", "null"], "'null' does not stand for (ref any): only a whole number can be given here"),
        (["made", "5", "0"], "'5' does not stand for structref: only null can be given here"),
        (["made", "null", "0"], "'0' does not stand for (ref array): only what a guest has made can be given here"),
    ],
)
def test_a_reference_that_does_not_fit_is_told_why(folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], reason: str) -> None:
    assert main(["run", "guest.wat", "--invoke", *args]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("words", [["guest.wat", "take", "1"], ["guest.wat", "--invoke=take", "1"], ["--invoke", "take", "1", "guest.wat"]])
def test_words_in_the_wrong_place_are_told_theirs(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["run", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("pywasm-ref run: error: ")
    assert "(FILE comes first, then options, and --invoke NAME ARGS at the end)" in said


def test_a_trace_of_nothing_says_how_to_see_something(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "guest.wat"]) == 0
    assert "name a function with --invoke" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["wast", "-j", "0", "x.wast"], ["validate", "--features", "", "guest.wat"]])
def test_numbers_and_lists_of_nothing_are_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 2
    assert "--help shows what there is" in capsys.readouterr().err
