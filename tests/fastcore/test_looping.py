"""The portable loop: what is written holds every handler once, and programs do on it what they do threaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from _fastcore.generate.looping import JOINED, is_hot, loop, rest
from _fastcore.generate.model import Operation, Variant

HERE = Path(__file__).parent


def variants_of(*operations: tuple[str, str, str]) -> list[Variant]:
    """Raw operations: topic, name, body."""
    made = (Operation(name, "raw", "", "", body, (), topic=topic, length=2) for topic, name, body in operations)
    return [Variant(i, operation, "", False) for i, operation in enumerate(made, 1)]


def test_common_handlers_are_labels_and_rare_ones_cases() -> None:
    found = variants_of(("integer", "common", "r0 = 1\n"), ("vector", "rare", "r0 = 2\n"), ("control", "halt", "RETURN 0\n"))
    assert [is_hot(v) for v in found] == [True, False, False]
    assert re.findall(r"case_of\(n(\d+)\)", loop(found, [])) == ["1"]
    assert "[1] = &&pywasm_1" in loop(found, [])
    assert re.findall(r"if number == (\d+):", rest(found, [])) == ["2", "3", "0"]


def test_a_branch_of_a_common_handler_looks_at_the_clock_behind_the_call() -> None:
    """A call in the loop itself would cost registers everywhere in it."""
    written = loop(variants_of(("control", "br", "pc = pc[2].t\nJUMP\n")), [])
    assert "ctx.poll" not in written
    assert "if unlikely(ctx.ticks < 0):\n        number = 0; go_away()\n    go_on(pc)" in written


def test_what_is_left_to_another_handler_is_done_behind_the_call() -> None:
    found = variants_of(("calls", "common", "if unlikely(r0 == 0): ELSEWHERE throw\nr0 = 1\n"), ("calls", "throw", "RETURN 7\n"))
    assert "if unlikely(r0 == 0): pc = &pc[0]; number = 2; go_away()" in loop(found, [])


def test_the_lines_of_c_stay_short() -> None:
    """Compilers need not take lines of more than 4,095 characters."""
    found = variants_of(*(("integer", f"common{i}", "r0 = 1\n") for i in range(3000)))
    assert max(map(len, loop(found, []).splitlines())) < 4096


@pytest.mark.skipif("PYWASM_FASTCORE_DISPATCH" in os.environ, reason="it was said which backend to test")
@pytest.mark.parametrize("name", ["test_joined.py", "test_fuel.py", "test_nans.py", "test_calls.py", "test_collector.py"])
def test_programs_do_the_same_on_the_loop(name: str) -> None:
    pytest.importorskip("pywasm_ref._fastcore.dispatch", reason="the native engine is not built", exc_type=ImportError)
    assert JOINED > 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / name)]
    done = subprocess.run(command, env=os.environ | {"PYWASM_FASTCORE_DISPATCH": "loop"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
