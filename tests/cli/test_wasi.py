"""`run` with programs for WASI: what is lent, what comes out, and what is said about what was not lent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pywasm_ref.cli import main

OPEN = """
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $check (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func $print (param $at i32) (param $n i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
    (call $check (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))
  (func (export "_start")  ;; opens its last argument, and prints what is there
    (local $argc i32) (local $last i32)
    (call $check (call $args_sizes_get (i32.const 32) (i32.const 36)))
    (call $check (call $args_get (i32.const 1024) (i32.const 2048)))
    (local.set $last (i32.load (i32.add (i32.const 1020) (i32.mul (i32.load (i32.const 32)) (i32.const 4)))))
    (drop (call $fd_prestat_get (i32.const 3) (i32.const 40)))
    (call $check (call $path_open (i32.const 3) (i32.const 1) (local.get $last)
      (i32.sub (i32.sub (i32.add (i32.const 2048) (i32.load (i32.const 36))) (local.get $last)) (i32.const 1))
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 44)))
    (i32.store (i32.const 8) (i32.const 8192)) (i32.store (i32.const 12) (i32.const 100))
    (call $check (call $fd_read (i32.load (i32.const 44)) (i32.const 8) (i32.const 1) (i32.const 20)))
    (call $print (i32.const 8192) (i32.load (i32.const 20))))
  (func (export "variables") (result i32)
    (call $check (call $environ_sizes_get (i32.const 32) (i32.const 36))) (i32.load (i32.const 32)))
  (func (export "random") (result i32) (call $check (call $random_get (i32.const 32) (i32.const 4))) (i32.load (i32.const 32)))
  (func $trap (export "trap") unreachable))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open.wat").write_text(OPEN)
    (tmp_path / "lent").mkdir()
    (tmp_path / "lent" / "file.txt").write_text("lent\n")
    (tmp_path / "secret.txt").write_text("secret\n")
    return tmp_path


def test_a_program_reads_what_it_is_lent(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given in ("lent", "lent::/data", "lent::/data:ro"):
        assert main(["run", "open.wat", "--dir", given, "--", "file.txt"]) == 0
    assert main(["run", "open.wat", "--mapdir", "lent::/data", "--", "file.txt"]) == 0
    assert capsys.readouterr() == ("lent\n" * 4, "")


def test_a_refusal_says_which_option_would_help(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "open.wat", "--dir", "lent", "--", "../secret.txt"]) == 76
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "pywasm-ref: refused path_open: the path leads out of the directory: ../secret.txt"
        " (--dir HOST[::GUEST][:ro] lends another directory)\n"
    )


def test_a_program_that_looks_for_directories_in_vain_is_helped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "open.wat", "--", "x"]) == 8
    assert "no directory was lent: --dir HOST[::GUEST][:ro] lends one" in capsys.readouterr().err


def test_an_exit_code_is_that_of_the_command_and_a_trap_has_its_calls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "open.wat", "--mapdir", "/", "--", "none"]) == 44
    assert main(["run", "open.wat", "--invoke", "trap"]) == 1
    err = capsys.readouterr().err
    assert "trap: unreachable" in err
    assert "in $trap" in err


def test_exports_are_called_with_what_was_lent(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "x")
    assert main(["run", "open.wat", "--env", "A=1", "--env", "HERE", "--invoke", "variables"]) == 0
    assert main(["run", "open.wat", "--seed", "5", "--invoke", "random"]) == 0
    assert main(["run", "open.wat", "--seed", "5", "--invoke", "random"]) == 0
    two, first, second = capsys.readouterr().out.splitlines()
    assert (two, first) == ("2", second)


def test_streams_go_to_files_and_uses_to_an_audit(folder: Path) -> None:
    words = ["run", "open.wat", "--dir", "lent", "--stdout", "out", "--stderr", "err", "--stdin", "secret.txt", "--audit", "audit"]
    assert main([*words, "--", "file.txt"]) == 0
    assert Path("out").read_text() == "lent\n"
    events = [json.loads(line) for line in Path("audit").read_text().splitlines()]
    assert [event["function"] for event in events][-3:] == ["path_open", "fd_read", "fd_write"]
    assert events[-3]["subjects"] == ["fd 3 (lent)", "file.txt"]


def test_a_policy_is_read_added_to_and_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.toml").write_text('streams = ["stdout"]\n[[dir]]\nhost = "lent"\nguest = "/data"\nmode = "read"\n[limits]\nmemory_pages = 1\n')
    assert main(["run", "open.wat", "--policy", "policy.toml", "--", "file.txt"]) == 0
    assert main(["run", "open.wat", "--policy", "policy.toml", "--env", "A=1", "--explain"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "lent"
    assert {"read lent as /data", "environment: A=1", "memory_pages: at most 1", "use stdout of this process"} <= set(out)
    Path("policy.toml").write_text("[limits]\nmemory_pages = 0\n")
    assert main(["run", "open.wat", "--policy", "policy.toml"]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "NOT_SET_ANYWHERE"], "it is not set here"),
        (["--env", "=x"], "a variable has a name"),
        (["--dir", "missing"], "missing: No such file or directory"),
        (["--dir", "lent", "--mapdir", "lent"], "two directories are lent under the same path"),
        (["--policy", "missing.toml"], "missing.toml: No such file or directory"),
        (["--policy", "open.wat"], "open.wat: "),
        (["--stdin", "missing"], "missing: No such file or directory"),
        (["--listen", "nowhere"], "no place to listen"),
        (["--allow-net", "nowhere"], "is no destination"),
        (["--connect", "nowhere"], "write HOST:PORT"),
        (["--connect", "127.0.0.1:9"], "a connection to 127.0.0.1:9"),
    ],
)
def test_what_cannot_be_lent_is_said_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["run", "open.wat", *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_other_commands_take_no_arguments_of_a_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "open.wat", "--", "x"]) == 2
    assert "unrecognized arguments: -- x" in capsys.readouterr().err


def test_the_streams_of_the_process_are_the_programs(folder: Path) -> None:
    command = [sys.executable, "-m", "pywasm_ref", "run", "open.wat", "--dir", "lent", "--", "file.txt"]
    path = str(Path(__file__).parents[2])
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"lent\n", b"")
