"""A short campaign with a fixed seed, and every find of the past."""

from __future__ import annotations

from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import ALL
from tests.fuzz import campaign
from tests.fuzz.entries import BINARY, TEXT

CASES = sorted(Path(__file__).parent.joinpath("cases").iterdir())


@pytest.mark.parametrize("entry", [*TEXT, *BINARY])
def test_mutated_input_raises_nothing_but_our_own_errors(entry: str) -> None:
    report = campaign.run(entry, seed=2026, inputs=1500)
    assert report.inputs == 1500
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
