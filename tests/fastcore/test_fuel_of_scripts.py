"""The official scripts on both engines, a little fuel before each command: the same commands fail, and the same fuel is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pywasm_ref.embedding.limits import Limits
from pywasm_ref.embedding.selection import engine
from pywasm_ref.script import commands as cmd
from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.parse import parse
from pywasm_ref.script.run import Runner
from pywasm_ref.source import Source

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)

SCRIPTS = [
    *("core/loop.wast", "core/if.wast", "core/br_table.wast", "core/call_indirect.wast", "core/fac.wast", "core/select.wast", "core/call.wast"),
    *("core/exceptions/try_table.wast", "core/exceptions/throw.wast", "core/return_call_indirect.wast", "core/gc/br_on_cast.wast"),
    *("core/gc/array.wast", "core/gc/struct.wast", "core/memory_grow.wast", "core/simd/simd_lane.wast"),
    *("core/multi-memory/memory_copy1.wast", "core/memory64/memory_grow64.wast", "legacy/exceptions"),
]
PLENTY = 10**6
ACTING = (cmd.Act, cmd.AssertReturn, cmd.AssertTrap, cmd.AssertException, cmd.AssertExhaustion)


def outcomes(path: Path, one: Any, fuel: int) -> list[tuple[str | None, int | None]]:
    """For each command what went wrong, but for the words, and what is left; modules have fuel enough to start."""
    runner = Runner(one, features_for(path), Limits(fuel=PLENTY))
    found: list[tuple[str | None, int | None]] = []
    for command in parse(Source(str(path), path.read_text())):
        runner.store.fuel = fuel if isinstance(command, ACTING) else PLENTY
        failure = runner.run(command)
        found.append((failure and ("fuel" if "fuel" in failure else "other"), runner.store.fuel))
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_both_engines_stop_at_the_same_instruction_of_a_script(script: str, spec_suite: Path) -> None:
    path = spec_suite / script
    for one in sorted(path.rglob("*.wast")) if path.is_dir() else [path]:
        for fuel in (1, 3, 5, 8, 13, 21, 50, 10_000):
            reference, fast = outcomes(one, engine("reference"), fuel), outcomes(one, native.ENGINE, fuel)
            different = [(i, a, b) for i, (a, b) in enumerate(zip(reference, fast, strict=True)) if a != b]
            assert not different, f"{one.name} with {fuel}"
