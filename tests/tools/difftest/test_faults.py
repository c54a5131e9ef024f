"""The lab finds what is there: each planted fault within two minutes, and no more than fifteen instructions left of the module."""

from __future__ import annotations

import sys
import time
from itertools import count

import pytest

from pywasm_ref.tools.difftest.crew import Crew
from pywasm_ref.tools.difftest.finds import smallest
from pywasm_ref.tools.difftest.generate import PROFILES, Generated
from pywasm_ref.tools.difftest.generate import seeded as module
from pywasm_ref.tools.difftest.single import single
from tests.tools.difftest.faults import FAULTS

SECONDS = 120.0
MOST = 15
SINGLES = 20


def hunt(crew: Crew, seconds: float) -> Generated:
    """A module, then some single instructions, and so on until engines differ; then as small as it gets."""
    start = time.monotonic()
    for seed in count():
        for made in (module(seed, PROFILES["3.0"]), *(single(SINGLES * seed + n, PROFILES["3.0"]) for n in range(SINGLES))):
            if found := crew.causes(made.job()):
                return smallest(made, found[0], crew, start + seconds - time.monotonic())
        if time.monotonic() - start > seconds:
            break
    pytest.fail(f"nothing was found in {seconds} seconds")


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_made_small(fault: str) -> None:
    faulty = f"reference:{fault}"
    crew = Crew(("reference", faulty), {faulty: (sys.executable, "-m", "tests.tools.difftest.faults")})
    try:
        start = time.monotonic()
        small = hunt(crew, SECONDS)
        assert crew.differences(small.job())
        assert small.size() <= MOST
        assert time.monotonic() - start < SECONDS + 5
    finally:
        crew.close()
