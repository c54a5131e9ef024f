"""Mutated modules against one entry point; whatever is not the project's own error, too slow or too big is a find."""

from __future__ import annotations

import random
import resource
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from pywasm_ref import binary, text
from pywasm_ref.features import ALL
from pywasm_ref.tools.difftest.mutate import bytes_mutant, text_mutant
from tests.fuzz.entries import BINARY, TEXT

SEEDS = Path(__file__).parent / "seeds"
KERNELS = Path(__file__).parents[2] / "benchmarks" / "kernels"
SLOW = 20  # seconds for one input of a few kilobytes, on a machine that others use too
BIG = 4 << 30  # bytes of address space


class TooSlow(Exception):
    """One input took longer than `SLOW`; it is no `WasmError`, so nothing swallows it."""


@dataclass(slots=True)
class Report:
    """What one campaign did; a find is the input and the traceback."""

    entry: str
    inputs: int = 0
    finds: list[tuple[bytes | str, str]] = field(default_factory=list)


def seeds() -> tuple[list[bytes], list[str]]:
    """The modules to wound: the folder of seeds as text and as bytes, and the small kernels of the benchmarks."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.wat"))]
    binaries = [binary.encode(text.parse(source, ALL)) for source in texts]
    kernels = [path.read_bytes() for path in sorted(KERNELS.glob("*.wasm")) if path.stat().st_size < 3000]
    return binaries + kernels, texts


def run(entry: str, *, seed: int, seconds: float = 1e9, inputs: int = 10**9) -> Report:
    """Feed mutants to the entry point until the seconds or the inputs are used up."""
    rng = random.Random(f"{entry} {seed}")
    binaries, texts = seeds()
    report = Report(entry)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and report.inputs < inputs:
        report.inputs += 1
        if entry in TEXT:
            source = text_mutant(rng, rng.choice(texts), rng.choice(texts))
            _try(TEXT[entry], source, report)
        else:
            data = bytes_mutant(rng, rng.choice(binaries), rng.choice(binaries))
            _try(BINARY[entry], data, report)
    return report


def limit_memory() -> None:
    """Let no input take more than `BIG` bytes: what asks for more gets a MemoryError, which is a find."""
    resource.setrlimit(resource.RLIMIT_AS, (BIG, BIG))


def _try(entry: Callable[[Any], Any], mutant: bytes | str, report: Report) -> None:
    def alarm(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGALRM, alarm)
    signal.alarm(SLOW)
    try:
        entry(mutant)
    except Exception:  # noqa: BLE001 - the point of a fuzzer is to see every kind of exception
        report.finds.append((mutant, traceback.format_exc(limit=-6)))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
