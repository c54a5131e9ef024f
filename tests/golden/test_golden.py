"""Golden cases: an input says on its first lines how to run it, and what comes out stands beside it.

`;; RUN: print %` runs that command with `%` as the input. An input that ends in .hex is a binary: hexadecimal digits, with comments
after `;;`. What is expected is in a file with `.out` behind the name: each command, what it prints, and how it ends.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pywasm_ref.cli import main

CASES = Path(__file__).parent / "cases"
RUN = re.compile(r"^;; RUN: (.*)$", re.MULTILINE)
INPUTS = sorted(path.name for path in CASES.iterdir() if path.suffix in (".wat", ".hex", ".wast"))


def commands(text: str) -> Iterator[list[str]]:
    """The command lines that an input asks for."""
    for line in RUN.findall(text):
        yield line.split()


def prepared(case: Path, folder: Path) -> str:
    """The name of the file to run: the case itself, or the binary that it spells."""
    if case.suffix != ".hex":
        folder.joinpath(case.name).write_bytes(case.read_bytes())
        return case.name
    digits = re.sub(r";;.*", "", case.read_text(encoding="utf-8"))
    name = case.with_suffix(".wasm").name
    folder.joinpath(name).write_bytes(bytes.fromhex(digits))
    return name


@pytest.mark.parametrize("name", INPUTS)
def test_the_command_says_what_is_expected(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    case, expected = CASES / name, CASES / f"{name}.out"
    file = prepared(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    said = []
    for command in commands(case.read_text(encoding="utf-8")):
        status = main([file if word == "%" else word for word in command])
        out, err = capsys.readouterr()
        said.append(f"$ pywasm-ref {' '.join(command)}\n{out}{err}" + (f"[exit status {status}]\n" if status else ""))
    assert said, f"{case} has no line `;; RUN: …`"
    output = "\n".join(said)
    if request.config.getoption("--bless", default=False):
        expected.write_text(output, encoding="utf-8")
    assert expected.is_file(), f"{expected} is missing; `pytest tests/golden --bless` makes it"
    assert output == expected.read_text(encoding="utf-8")


def test_every_expectation_belongs_to_an_input() -> None:
    assert sorted(path.name.removesuffix(".out") for path in CASES.glob("*.out")) == INPUTS
