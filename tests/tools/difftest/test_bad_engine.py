"""An engine on a command line that crashes, hangs or takes all memory is reported as that, and the campaign goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.tools.difftest.campaign import run
from pywasm_ref.tools.difftest.child import Bounds
from pywasm_ref.tools.difftest.compare import Ability, compare
from pywasm_ref.tools.difftest.crew import Crew, crew
from pywasm_ref.tools.difftest.folder import Folder
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job, Outcome
from pywasm_ref.tools.difftest.settings import Settings
from tests.tools.difftest import bad_engine
from tests.tools.difftest.test_campaign import Here

NAME = f"cmd:{sys.executable} {bad_engine.__file__} {{file}} {{name}} {{args}}"
BOUNDS = Bounds(seconds=2, memory=300 << 20)


def module(name: str) -> bytes:
    return binary.encode(text.parse(f'(module (func (export "{name}") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))'))


def running(words: str) -> bool:
    """Whether a process has these words on its command line."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in line.read_text(errors="replace"):
                return True
        except OSError:  # it ended meanwhile
            continue
    return False


@pytest.fixture
def pool() -> Iterator[Executor]:
    yield Here()
    crew(("reference", NAME), BOUNDS).close()


def test_each_failure_is_told_as_what_it_is_and_the_campaign_goes_on(tmp_path: Path, pool: Executor) -> None:
    names = ["chatter", "crash", "eat", "hang", "well"]
    for name in names:
        (tmp_path / f"{name}.wasm").write_bytes(module(name))
    settings = Settings(("reference", NAME), ("1.0",), ("corpus",), corpus=str(tmp_path), bounds=BOUNDS, reduce_seconds=1)
    totals = run(settings, Folder(tmp_path / "report", settings), pool, lambda _: None)
    told = {names[finding.seed]: finding.said_second.split(" / ")[0] for finding in totals.findings}
    assert totals.jobs.total() == 5
    assert {name: words.split()[0] for name, words in told.items()} == {
        "chatter": "crash",
        "crash": "crash",
        "eat": "memory",
        "hang": "hang",
    }
    assert told["crash"] == "crash SIGABRT"
    assert "prints 'no number'" in told["chatter"]
    assert not running(bad_engine.__file__)


CONTRARY = """import sys
file, name, *args = sys.argv[1:]
if name == "f" and args[0] == "3":
    sys.exit(1)
"""
"""Traps in one call, and says nothing to anything that has a result."""


def test_an_engine_that_fails_when_it_is_asked_where_it_parts_is_written_down(tmp_path: Path) -> None:
    program = tmp_path / "contrary.py"
    program.write_text(CONTRARY)
    name = f"cmd:{sys.executable} {program} {{file}} {{name}} {{args}}"
    corpus = tmp_path / "one.wasm"
    corpus.write_bytes(binary.encode(text.parse('(module (func (export "f") (param i32)) (func (export "g") (param i32)))')))
    settings = Settings(("reference", name), ("1.0",), ("corpus",), corpus=str(corpus), bounds=BOUNDS, reduce_seconds=0)
    totals = run(settings, Folder(tmp_path / "report", settings), Here(), lambda _: None)
    crew(("reference", name), BOUNDS).close()
    (script,) = totals.finds.values()
    words = (tmp_path / "report" / script).read_text()
    assert f"Found in {corpus}; " in words
    assert "They part" not in words


def test_where_all_engines_hang_none_differs() -> None:
    hang, fine = Answer(Outcome("hang")), Answer(Outcome("returned"))
    abilities = {"a": Ability(), "b": Ability()}
    assert not compare(Job(b""), {"a": hang, "b": hang}, abilities)
    assert [d.second for d in compare(Job(b""), {"a": hang, "b": fine}, abilities)] == ["a"]


def test_calls_meet_a_new_instance_each_on_all_engines() -> None:
    """A program that is started for each call has forgotten the one before, which is not its fault."""
    counter = """(module (global $g (mut i32) (i32.const 0))
      (func (export "f") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"""
    job = Job(binary.encode(text.parse(counter)), (Call("f", ()), Call("f", ())))
    team = Crew(("reference", NAME), bounds=BOUNDS)
    try:
        answers = team.answers(job)
        assert [[outcome.values for outcome in answer.calls] for answer in answers.values()] == [[("i32:0x1",)] * 2] * 2
        assert not team.differences(job)
    finally:
        team.close()


def test_a_program_that_hangs_ends_with_the_process_that_waits_for_it() -> None:
    """And that process with the one that started it, even if that is killed."""
    starter = f"""
import sys
from pywasm_ref.tools.difftest.child import Child
from pywasm_ref.tools.difftest.jobs import Call, Job
Child({NAME!r}).send(Job({module("hang")!r}, (Call("hang", (1,)),)))
print("sent", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sent\n"
        waited(lambda: running(bad_engine.__file__))
        process.kill()
    waited(lambda: not running(bad_engine.__file__))


def waited(condition: object, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("own", "eaten", "words"), [(0, 250, "memory 2"), (0, 0, "crash "), (280, 0, "crash ")])
def test_a_process_that_dies_with_its_memory_full_wanted_more(own: int, eaten: int, words: str) -> None:
    """What the process that started it had is not its own, and what had the one that started that matters not at all."""
    much = b"x" * (320 << 20)
    del much
    eater = f"print('{{\"ready\": true}}', flush=True); input(); import os; taken = b'x' * ({eaten} << 20); os.abort()"
    asker = f"""
import sys
from pywasm_ref.tools.difftest.child import Bounds, Child
from pywasm_ref.tools.difftest.jobs import Job
taken = b"x" * ({own} << 20)
with Child("eater", Bounds(memory=300 << 20), [sys.executable, "-c", {eater!r}]) as child:
    print(child.ask(Job(b"")).start)
"""
    asked = subprocess.run([sys.executable, "-c", asker], capture_output=True, text=True, check=False)
    assert asked.stderr == ""
    assert asked.stdout.startswith(words)
