"""Every example runs, and prints what it says it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MARK = "# Prints:\n"


def run(path: Path, engine: str) -> str:
    environment = os.environ | {"PYWASM_ENGINE": engine, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, str(path)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem != "demo"], ids=lambda path: path.stem)
def test_an_example_prints_what_stands_at_its_end(path: Path, engine: str) -> None:
    expected = path.read_text(encoding="utf-8").partition(MARK)[2]
    assert expected, "an example ends in a comment with its output"
    assert run(path, engine) == expected.replace("#   ", "")


def test_the_demo_shows_each_of_its_scenes(engine: str) -> None:
    output = run(ROOT / "examples" / "demo.py", engine)
    for words in (
        "type mismatch",
        "fib(15) = 610",
        "b'Hello from linear memory'",
        "{'answer': 6765}",
        "integer divide by zero",
        "out of range for i32",
        "Exhaustion: ",
        "<Struct x=-3, y=5>",
        "greeting.txt: Hello from a file that was lent.",
        "refused path_open: the path leads out of the directory: ../look.c (--dir",
    ):
        assert words in output
    assert output.count("\n") < 55


def test_the_demo_tells_the_calls_that_led_to_the_trap() -> None:
    output = run(ROOT / "examples" / "demo.py", "reference")
    assert output.index("  in ratio at <text>:") < output.index("  in average at <text>:")
