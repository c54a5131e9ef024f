"""Hostile input gets one clear error, or simply works, in bounded time and memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import HERE, SANITIZED
from tests.hostile.cases import CASES, Case

MEMORY = 2 << 30  # bytes of address space
SECONDS = 60  # of processor time, on a machine that others use too; most cases need less than one


def bounds() -> None:
    if not SANITIZED:  # AddressSanitizer needs terabytes of it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


@pytest.mark.parametrize("engine", HERE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_input_is_refused_with_one_clear_error_or_works(case: Case, engine: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.cases", engine, case.name],
        cwd=Path(__file__).parents[2],
        preexec_fn=bounds,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kind, _, message = done.stdout.strip().partition(": ")
    if case.error is None:
        assert done.stdout.strip() == "works"
    else:
        assert kind in {"Malformed", "Invalid", "Trap", "Exhaustion", "Interrupted"}
        assert message.startswith(case.error) or (kind, case.error) == ("Interrupted", "fuel")
