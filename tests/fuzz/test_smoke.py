"""A short campaign with a fixed seed, and every find of the past."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.fuzz.entries import BINARY, TEXT

CASES = sorted(path for path in Path(__file__).parent.joinpath("cases").iterdir() if path.suffix in {".wasm", ".wat"})


@pytest.mark.parametrize("entry", [*TEXT, *BINARY])
def test_mutated_input_raises_nothing_but_our_own_errors(entry: str) -> None:
    report = campaign.run(entry, seed=2026, inputs=1500)
    assert report.inputs == 1500
    assert not report.finds


def test_the_finds_of_the_past_stay_mended() -> None:
    for path in CASES:
        if path.suffix == ".wat":
            TEXT["parse"](path.read_text(encoding="utf-8", errors="surrogatepass"))
        else:
            BINARY["invoke"](path.read_bytes())
