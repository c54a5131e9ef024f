"""A short campaign with a fixed seed, and every find of the past."""

from __future__ import annotations

from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import ALL
from tests.engines import needs_native
from tests.fuzz import campaign, isolated
from tests.fuzz.entries import BINARY, TEXT
from tests.fuzz.native import NATIVE

CASES = sorted(Path(__file__).parent.joinpath("cases").iterdir())


@pytest.mark.parametrize("entry", [*TEXT, *BINARY])
def test_mutated_input_raises_nothing_but_our_own_errors(entry: str) -> None:
    report = campaign.run(entry, seed=2026, inputs=800)
    assert report.inputs == 800
    assert not report.finds


def binary_of(case: Path) -> bytes:
    """What a case stands for: a text, or bytes in hex; both have their story on top."""
    if case.suffix == ".wat":
        return binary.encode(text.parse(case.read_text(encoding="utf-8"), ALL))
    return bytes.fromhex("".join(line for line in case.read_text(encoding="utf-8").splitlines() if not line.startswith("#")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_find_of_the_past_stays_mended(case: Path) -> None:
    for entry in BINARY.values():
        entry(binary_of(case))


@needs_native
@pytest.mark.parametrize(("entry", "inputs"), [("read", 4_000), ("run", 400), ("agree", 300), ("agree-run", 100)])
def test_the_native_engine_survives_mutated_input_and_agrees(entry: str, inputs: int) -> None:
    report = isolated.run(entry, seed=2026, inputs=inputs)
    assert report.inputs == inputs
    assert not report.finds, next(iter(report.finds.values()))[1]


@needs_native
@pytest.mark.parametrize("entry", NATIVE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_find_of_the_past_stays_mended_in_the_native_engine(case: Path, entry: str) -> None:
    story = isolated.tried(entry, binary_of(case))
    assert not story, story
