"""The code blocks of the documents do what they say."""

from __future__ import annotations

import fnmatch
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_3
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    return [body for found, body in BLOCK.findall(path.read_text(encoding="utf-8")) if found == language]


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if blocks(path, "python")], ids=lambda path: path.name)
def test_the_python_of_a_document_runs_from_top_to_bottom(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    source = "\n".join(blocks(path, "python"))
    exec(compile(source, str(path), "exec"), {"__name__": "document"})


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if blocks(path, "wasm")], ids=lambda path: path.name)
def test_the_scripts_of_a_document_pass(path: Path) -> None:
    for body in blocks(path, "wasm"):
        assert not run_script(Source(path.name, body), Runner(selection.engine("reference"), WASM_3)).failures


def commands(path: Path) -> list[tuple[str, list[str]]]:
    """The commands of a document's consoles with the output lines that follow each."""
    found: list[tuple[str, list[str]]] = []
    for body in blocks(path, "console"):
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return [(command, output) for command, output in found if command.startswith("pywasm-ref ")]


@pytest.mark.parametrize(
    ("command", "expected"), [pair for path in DOCUMENTS for pair in commands(path)], ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_command_of_a_document_prints_what_stands_below_it(command: str, expected: list[str]) -> None:
    words = shlex.split(command, comments=True)[1:]
    done = subprocess.run([sys.executable, "-m", "pywasm_ref", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    pattern = re.sub(r"(^|\n)\.\.\.$", "*", "\n".join(expected).replace("[", "[[]"))
    assert fnmatch.fnmatchcase((done.stdout + done.stderr).strip(), pattern), done.stdout + done.stderr
