"""`run` with programs for WASI: what is lent, what comes out, and what is said about what was not lent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from pywasm_ref.cli import main
from pywasm_ref.embedding import selection


def is_here(engine: str) -> bool:
    try:
        selection.engine(engine)
    except ImportError:
        return False
    return True


HERE = [name for name in ("reference", "fast") if is_here(name)]

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
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
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
  (func $trap (export "trap") unreachable)
  (table 5 funcref)
  (data (i32.const 100) "out\\nerr\\nnew")
  (func $out (call $print (i32.const 100) (i32.const 4)))
  (func (export "say")
    (call $out)
    (i32.store (i32.const 0) (i32.const 104))
    (call $check (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))
    (call $out))
  (func (export "chatter") (loop $again (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))) (br $again)))
  (func (export "spin") (call $out) (loop $again (br $again)))
  (func $dive (export "dive") (call $dive))
  (func (export "wait") (call $out)
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0)) (i32.store (i32.const 528) (i32.const 1))
    (i64.store (i32.const 536) (i64.const 1000000000000))
    (call $check (call $poll_oneoff (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 700))))
  (func (export "listen") (call $out)
    (i32.store (i32.const 8) (i32.const 8192)) (i32.store (i32.const 12) (i32.const 100))
    (call $check (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 20))))
  (func (export "time") (result i64) (call $check (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 32))) (i64.load (i32.const 32)))
  (func (export "accept") (call $check (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 32))))
  (func (export "create")
    (drop (call $fd_prestat_get (i32.const 3) (i32.const 40)))
    (call $check (call $path_open (i32.const 3) (i32.const 1) (i32.const 108) (i32.const 3)
      (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 44)))))
"""

MANY = """
(module
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "../0")
  (func (export "_start") (local $i i32)
    (loop $again
      (i32.store8 (i32.const 103) (i32.add (i32.const 48) (local.get $i)))
      (drop (call $path_open (i32.const 3) (i32.const 1) (i32.const 100) (i32.const 4)
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 44)))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))))
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
    assert main(["run", "open.wat", "--invoke", "trap"]) == 134
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
    assert main(["run", "open.wat", "--policy", "policy.toml"]) == 124


def test_what_is_explained_is_what_the_options_come_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.toml").write_text('streams = ["stdout"]\n[limits]\nmemory_pages = 1\nfuel = 5\n')
    words = ["--policy", "policy.toml", "--max-memory", "3", "--timeout", "2", "--stdout", "out", "--mapdir", "/tmp", "--connect", "h:80"]
    assert main(["run", "open.wat", *words, "--explain"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert {
        "no stream of this process",
        "stdout to out",
        "use a tree in memory as /tmp, at most 268435456 bytes and 65536 new files",
        "a connection to h:80",
        "fuel: at most 5",
        "timeout: at most 2.0",
        "memory_pages: at most 3",
        "call_depth: at most 4000",
    } <= set(out)
    assert not Path("out").exists()
    assert main(["run", "open.wat", "--explain"]) == 0
    assert {"fuel: no limit (--fuel)", "timeout: no limit (--timeout)"} <= set(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "NOT_SET_ANYWHERE"], "it is not set here"),
        (["--env", "=x"], "a variable has a name"),
        (["--dir", "missing"], "missing: No such file or directory"),
        (["--dir", "::/x"], "--dir '::/x': it has no HOST"),
        (["--dir", ""], "--dir '': it has no HOST"),
        (["--dir", "lent::/x:rw"], "there is no :rw; what is lent is for reading and writing, or has :ro behind it"),
        (["--dir", "lent::/../x"], "GUEST is the path that the program uses, not '/../x'"),
        (["--dir", "lent::"], "GUEST is the path that the program uses, not ''"),
        (["--mapdir", "lent::/:ro"], "there is no :ro; what is lent has no mode, its changes stay in memory"),
        (["--mapdir", ""], "GUEST is the path that the program uses, not ''"),
        (["--dir", "lent", "--mapdir", "lent"], "two directories are lent under the same path"),
        (["--policy", "missing.toml"], "missing.toml: No such file or directory"),
        (["--policy", "open.wat"], "error: open.wat:2:1: Invalid"),
        (["--connect", "a..b:80", "--allow-net", "a..b:80"], "a..b:80: no host can be called 'a..b'"),
        (["--listen", "127.0.0.1:99999"], "'99999' in '127.0.0.1:99999' is no port"),
        (["--listen", "127.0.0.1:\u00b2\u00b2"], "is no port"),
        (["--connect", "127.0.0.1:99999", "--allow-net", "127.0.0.1:*"], "is no port"),
        (["--stdin", "missing"], "missing: No such file or directory"),
        (["--listen", "nowhere"], "no place to listen"),
        (["--allow-net", "nowhere"], "is no destination"),
        (["--connect", "nowhere"], "write HOST:PORT"),
        (["--connect", "127.0.0.1:9"], "--connect 127.0.0.1:9 is not allowed; --allow-net 127.0.0.1:9"),
    ],
)
def test_what_cannot_be_lent_is_said_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert main(["run", "open.wat", *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = \n", "1:5: Invalid value"),
        ('streams = ["stdout"]\n\n  clock = "wrong"', "3:3: the clock is system or fake, not 'wrong'"),
        ("[limits]\nfuel = inf", "2:1: fuel is a whole number that is not negative, not inf"),
        ("[limits]\nfuel = -5", "2:1: fuel is a whole number"),
        ("limits.fuel = 1.5", "1:1: fuel is a whole number"),
        ("[limits]\nmemory_pages = 1\ntimeout = nan", "3:1: timeout is a number of seconds, not nan"),
        ("[limits]\ntimeout = 1e300", "2:1: timeout is a number of seconds"),
        ("[limits]\ntimeout = 0", "2:1: timeout is a number of seconds"),
        ("[limits]\nspeed = 1", "2:1: a limit is fuel, timeout, "),
        ("random = true", "1:1: random is system or a number, not True"),
        ("random = [1]", "1:1: random is system or a number, not [1]"),
        ('[env]\nA = "x"\nB = "x\\u0000y"', "3:1: there is no variable like 'B=x\\x00y'"),
        ('[env]\n"A=B" = "x"', "2:1: there is no variable like"),
        ('args = ["x\\u0000y"]', "1:1: a NUL ends an argument"),
        ('[[dir]]\nhost = "lent"\nguest = "/"\n[[dir]]\nguest = "/x"\nmode = "memory"\nbytes = -1', "7:1: bytes of /x cannot be -1"),
        ('[[dir]]\nhost = "lent"\nguest = "/"\n[[dir]]\nhost = "lent"\nguest = "/"', "6:1: two directories are lent under the same path: /"),
        ('[[dir]]\nhost = "lent"', "1:1: a dir has a guest"),
        ('[[dir]]\nguest = "/x"\nhots = "lent"', "3:1: a dir has nothing called 'hots'"),
        ('text = """\nclock = 1\n"""', "1:1: a policy has nothing called 'text'"),
        ("[net]\nconnect = ['nowhere']", "2:1: 'nowhere' is no destination"),
        ("[net]\nlisten = 1", "2:1: net.listen cannot be 1"),
        ("[env]\nA = ", "2:5: Invalid value"),
        ("args = [", "1:9: Invalid value"),
    ],
)
def test_a_policy_that_means_nothing_says_where(folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    Path("policy.toml").write_text(text)
    assert main(["run", "open.wat", "--policy", "policy.toml"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pywasm-ref: error: policy.toml:")
    assert message in err
    assert err.count("\n") == 1


def test_what_a_policy_does_not_lend_of_the_streams_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("policy.toml").write_text('[[dir]]\nhost = "lent"\nguest = "/"\n')
    assert main(["run", "open.wat", "--policy", "policy.toml", "--", "file.txt"]) == 0
    assert capsys.readouterr() == ("", 'pywasm-ref: 5 bytes for stdout went nowhere (streams = ["stdout"] in the policy lends it)\n')


def test_output_and_messages_may_go_to_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "open.wat", "--stdout", "both", "--stderr", "./both", "--invoke", "say"]
    assert main(words) == 0
    assert Path("both").read_text() == "out\nerr\nout\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fuel", "100", "--invoke", "spin"], "exhausted: fuel exhausted (--fuel)"),
        (["--call-depth", "10", "--invoke", "dive"], "exhausted: call stack exhausted (--call-depth)"),
        (["--max-memory", "0", "--invoke", "spin"], "memory of 1 pages is more than the limit of this store (--max-memory)"),
        (["--max-table", "4", "--invoke", "spin"], "table of 5 entries is more than the limit of this store (--max-table)"),
        (["--timeout", "0.1", "--invoke", "spin"], "stopped: after 0.1 s (--timeout)"),
        (["--timeout", "0.1", "--invoke", "wait"], "stopped: after 0.1 s (--timeout)"),
    ],
)
@pytest.mark.parametrize("engine", HERE)
def test_a_limit_that_is_met_names_its_option(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str, engine: str
) -> None:
    assert main(["run", "open.wat", "--engine", engine, *words]) == 124
    assert message in capsys.readouterr().err


def test_what_a_fake_clock_shows_is_the_same_each_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["run", "open.wat", "--fake-clock", "--invoke", "time"]) == 0
    assert main(["run", "open.wat", "--invoke", "time"]) == 0
    first, second, now = map(int, capsys.readouterr().out.split())
    assert first == second == 946_684_800_001_000_000
    assert now > first + 10**17


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dir", "lent::/:ro", "--invoke", "create"], "is lent for reading only (--dir HOST::GUEST, without :ro, lends it for writing)"),
        (["--invoke", "accept"], "no socket was lent there: --listen HOST:PORT lends one"),
        (["--invoke", "create"], "no directory was lent: --dir HOST[::GUEST][:ro] lends one"),
    ],
)
def test_what_is_missing_is_told_with_its_option(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    main(["run", "open.wat", *words])
    assert message in capsys.readouterr().err


def test_many_refusals_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "many.wat").write_text(MANY)
    assert main(["run", "many.wat", "--dir", "lent"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("pywasm-ref: refused path_open: the path leads out of the directory: ../0")
    assert lines[5] == "pywasm-ref: and more was refused, 3 times (--audit FILE writes all down)"


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pywasm_ref", "run", "open.wat", *words]


def here() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def heeded() -> Iterator[None]:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts in turn; a handler is not handed on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as on POSIX")
@pytest.mark.parametrize("name", ["spin", "wait", "listen"])
@pytest.mark.parametrize("engine", HERE)
@pytest.mark.usefixtures("heeded")
def test_control_c_stops_a_guest_wherever_it_is(folder: Path, name: str, engine: str) -> None:
    """It works, it sleeps, it waits for input: the command says one line and ends with 130."""
    words = command("--engine", engine, "--invoke", name)
    with subprocess.Popen(words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=here()) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"out\n"
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, b"", b"interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes break as on POSIX")
@pytest.mark.parametrize("engine", HERE)
def test_a_program_whose_output_nobody_reads_any_more_ends(folder: Path, engine: str) -> None:
    words = command("--engine", engine, "--invoke", "chatter")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=here()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(8) == b"out\nout\n"
        process.stdout.close()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
        assert (process.returncode, process.stderr.read()) == (141, b"")


def test_an_audit_is_there_whatever_happens_next(folder: Path) -> None:
    """Each event is a line that is written at once, so that a process that is killed leaves a complete one."""
    words = command("--audit", "audit", "--invoke", "listen")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=here()) as process:
        assert process.stdout is not None
        process.stdout.read(4)
        deadline = time.monotonic() + 60
        while not Path("audit").read_text().endswith("\n") and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    events = [json.loads(line) for line in Path("audit").read_text().splitlines()]
    assert [(event["function"], event["errno"]) for event in events] == [("fd_write", "SUCCESS")]


def test_other_commands_take_no_arguments_of_a_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "open.wat", "--", "x"]) == 2
    assert "unrecognized arguments: -- x" in capsys.readouterr().err


def test_the_streams_of_the_process_are_the_programs(folder: Path) -> None:
    command = [sys.executable, "-m", "pywasm_ref", "run", "open.wat", "--dir", "lent", "--", "file.txt"]
    path = str(Path(__file__).parents[2])
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=os.environ | {"PYTHONPATH": path})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"lent\n", b"")
