"""Campaigns against what may crash: mutants are run in another process, and what ends that process is a find like any other.

Every input has a number from which it can be made again. The worker writes the number of the input at hand into a shared file, so the
parent knows which one took the worker along, saves it, and goes on behind it. `python -m tests.fuzz.isolated` is the worker.
"""

from __future__ import annotations

import faulthandler
import mmap
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pywasm_ref.binary import encode
from pywasm_ref.errors import WasmError
from pywasm_ref.features import ALL
from pywasm_ref.script import commands as cmd
from pywasm_ref.script.parse import parse
from pywasm_ref.source import Source
from pywasm_ref.text.modules import read_module_fields
from pywasm_ref.tools.difftest.mutate import bytes_mutant
from tests.fuzz.campaign import seeds
from tests.fuzz.native import NATIVE
from tests.fuzz.structure import random_bytes, structured_mutant

AS_IT_IS = "="  # before the name of an entry: the corpus is what to try, and not to be wounded
STUCK = 30  # seconds for one input, on a machine that others use too
STARTING = 300  # seconds until a worker is at its first input; under sanitizers that takes long
SMALL = 1500  # bytes of a seed
PER_SCRIPT = 12  # seeds from one script of the official suite
LEAST = 8  # bytes of what a file of seeds begins a module with: its size


@dataclass(slots=True)
class Report:
    """What a campaign did: how many inputs, and of each kind of find the first, with how often it came up."""

    entry: str
    inputs: int = 0
    seconds: float = 0.0
    finds: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, data: bytes, story: str) -> None:
        cause = cause_of(story)
        self.finds.setdefault(cause, (data, story))
        self.counts[cause] = self.counts.get(cause, 0) + 1


def cause_of(story: str) -> str:
    """What finds of one cause have in common: the function of the engine at the top of the stack, or the words without their numbers."""
    found = re.search(r"(ERROR: AddressSanitizer: \S+|runtime error: .*)", story)
    where = re.search(r" in (__pyx_f_\w+)", story)
    if found or where:
        return " ".join(match[1] for match in (found, where) if match)
    words = [line for line in story.strip().splitlines() if line.strip()]
    return re.sub(r"0x[0-9a-f]+|\d+", "#", " | ".join(words[-2:]))[:300]


# ---------------------------------------------------------------------------------------------------------------------- inputs


def suite_seeds(root: Path) -> list[bytes]:
    """Small modules of the official suite, valid or not, a few of each script."""
    found: list[bytes] = []
    for path in sorted(root.glob("core/**/*.wast")):
        commands = list(parse(Source(str(path), path.read_text(encoding="utf-8"))))
        random.Random(path.name).shuffle(commands)
        modules = (module_of(getattr(command, "module", None)) for command in commands)
        found.extend(islice((data for data in modules if data is not None and len(data) <= SMALL), PER_SCRIPT))
    return found


def module_of(definition: object) -> bytes | None:
    """A module of a script as bytes; none where that has no binary."""
    if isinstance(definition, cmd.Encoded):
        return definition.data
    if not isinstance(definition, cmd.Textual):
        return None
    definition.tokens.i = definition.i
    try:
        return encode(read_module_fields(definition.tokens, ALL, definition.name))
    except WasmError:
        return None


def mutant(entry: str, seed: int, number: int, corpus: list[bytes]) -> bytes:
    """The input with a number."""
    if entry.startswith(AS_IT_IS):
        return corpus[number]
    rng = random.Random(f"{entry} {seed} {number}")
    kind = rng.random()
    if kind < 0.1:
        return random_bytes(rng)
    change = bytes_mutant if kind < 0.4 else structured_mutant
    return change(rng, rng.choice(corpus), rng.choice(corpus))


def stored(corpus: list[bytes], path: Path) -> None:
    path.write_bytes(b"".join(len(data).to_bytes(LEAST, "little") + data for data in corpus))


def loaded(path: Path) -> list[bytes]:
    found: list[bytes] = []
    at, data = 0, path.read_bytes()
    while at < len(data):
        size = int.from_bytes(data[at : at + LEAST], "little")
        found.append(data[at + LEAST : at + LEAST + size])
        at += LEAST + size
    return found


# ---------------------------------------------------------------------------------------------------------------------- parent


def run(entry: str, *, seed: int, seconds: float = 1e9, inputs: int = 10**9, more: Sequence[bytes] = ()) -> Report:
    """Feed mutants of the seeds, and of more, to the entry point until the seconds or the inputs are used up."""
    corpus = [*seeds()[0], *more]
    report = Report(entry)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place, state = Path(folder, "corpus"), Path(folder, "state")
        stored(corpus, place)
        while report.inputs < inputs and time.monotonic() - start < seconds:
            state.write_bytes(struct.pack("<q", ~report.inputs))
            left = seconds - (time.monotonic() - start)
            job = [entry, str(seed), str(report.inputs), str(inputs), f"{left:.3f}", str(place), str(state)]
            story = _worked(job, state)
            report.inputs = max(report.inputs, struct.unpack("<q", state.read_bytes())[0])
            if story:
                report.add(mutant(entry, seed, report.inputs, corpus), story)
                report.inputs += 1
    report.seconds = time.monotonic() - start
    return report


def tried(entry: str, data: bytes) -> str:
    """One input in a process of its own: nothing, or what was said of it."""
    with tempfile.TemporaryDirectory() as folder:
        place, state = Path(folder, "corpus"), Path(folder, "state")
        stored([data], place)
        state.write_bytes(struct.pack("<q", ~0))
        return _worked([AS_IT_IS + entry, "0", "0", "1", "60", str(place), str(state)], state)


def _worked(job: list[str], state: Path) -> str:
    """Let a worker go as far as it comes: nothing when it came to its end, else what it said of the input that ended it. A negative number is
    in the state until the worker has begun."""
    with tempfile.TemporaryFile() as said:
        worker = subprocess.Popen([sys.executable, "-m", "tests.fuzz.isolated", *job], stdout=said, stderr=said)
        before, since = b"", time.monotonic()
        try:
            while worker.poll() is None:
                time.sleep(0.05)
                now = state.read_bytes()
                if now != before:
                    before, since = now, time.monotonic()
                elif time.monotonic() - since > (patience := STUCK if struct.unpack("<q", now)[0] >= 0 else STARTING):
                    return f"no answer in {patience} seconds"
        finally:
            worker.kill()
            worker.wait()
        said.seek(0)
        words = said.read().decode(errors="replace")
    return "" if worker.returncode == 0 else f"{words}\nthe process ended with {worker.returncode}"


# ---------------------------------------------------------------------------------------------------------------------- worker


def work(entry: str, seed: int, first: int, last: int, seconds: float, corpus: list[bytes], state: Path) -> int:
    """Run mutants until one is a find: then its traceback is on standard error, and the status is 1."""
    deadline = time.monotonic() + seconds
    with state.open("r+b") as file, mmap.mmap(file.fileno(), 8) as counter:
        for number in range(first, last):
            if number % 64 == 0 and time.monotonic() > deadline:
                return 0
            counter[:] = struct.pack("<q", number)
            try:
                NATIVE[entry.removeprefix(AS_IT_IS)](mutant(entry, seed, number, corpus))
            except Exception:  # noqa: BLE001 - the point of a fuzzer is to see every kind of exception
                traceback.print_exc(limit=-4)
                return 1
        counter[:] = struct.pack("<q", last)
    return 0


def main() -> int:
    faulthandler.enable()
    entry, seed, first, last, seconds, place, state = sys.argv[1:]
    return work(entry, int(seed), int(first), int(last), float(seconds), loaded(Path(place)), Path(state))


if __name__ == "__main__":
    sys.exit(main())
