"""The size of things: a function fits on a screen, a file has one topic."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_FUNCTION = 60
LONGEST_FILE = 700
TABLES = {  # one topic that is long by nature
    "pywasm_ref/isa.py": "one row per instruction",
    "pywasm_ref/syntax/instructions.py": "one data class per form",
}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_no_function_is_longer_than_a_screen() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {(node.end_lineno or node.lineno) - node.lineno + 1} lines"
        for path in sources("pywasm_ref", "benchmarks", "spec-tests", "examples")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert not found


def test_no_file_holds_more_than_one_topic_can_need() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n") for path in sources("pywasm_ref", "tests")}
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE and path not in TABLES}
