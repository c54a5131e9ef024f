"""Fuzz all entry points: `python -m tests.fuzz --seconds 120`. Finds are written to build/fuzz/; exit status 1 if there are any.

Those of the native engine run in processes of their own, where it is built: `read` (decode, validate, lower), `run` (instantiate, call
every export), `agree` and `agree-run` (the same on both engines, and compared).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import sys
import time
from pathlib import Path

sys.path.append("spec-tests")

import suites

from tests.engines import BUILT
from tests.fuzz import campaign, isolated
from tests.fuzz.entries import BINARY, TEXT
from tests.fuzz.native import NATIVE

FINDS = Path("build/fuzz")
ENTRIES = [*TEXT, *BINARY, *(NATIVE if BUILT else ())]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="how long for each entry point")
    parser.add_argument("--inputs", type=int, default=10**9, help="how many inputs at most for each entry point")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where the mutations start; the default is the time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many entry points at once")
    parser.add_argument("entries", nargs="*", default=ENTRIES, help=f"which entry points: {', '.join(ENTRIES)}")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    plain = [entry for entry in options.entries if entry not in NATIVE]
    native = [entry for entry in options.entries if entry in NATIVE]
    found = fuzz_plain(plain, options) + fuzz_native(native, options)
    return 1 if found else 0


def fuzz_plain(entries: list[str], options: argparse.Namespace) -> int:
    """The entry points in Python; the number of finds."""
    found = 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=campaign.limit_memory) as pool:
        runs = [pool.submit(campaign.run, entry, seed=options.seed, seconds=options.seconds, inputs=options.inputs) for entry in entries]
        for done in concurrent.futures.as_completed(runs):
            report = done.result()
            found += len(report.finds)
            print(f"{report.entry:12} {report.inputs:9,} inputs {len(report.finds):4} finds", flush=True)
            for number, (data, story) in enumerate(report.finds):
                save(f"{report.entry}-{number}", data, story)
    return found


def fuzz_native(entries: list[str], options: argparse.Namespace) -> int:
    """The entry points of the native engine; the number of finds of different causes. Threads wait for the processes that do the work."""
    found = 0
    root = official() if entries else None
    more = isolated.suite_seeds(root) if root else []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [
            pool.submit(isolated.run, entry, seed=options.seed, seconds=options.seconds, inputs=options.inputs, more=more)
            for entry in entries
        ]
        for done in concurrent.futures.as_completed(runs):
            report = done.result()
            found += len(report.finds)
            print(f"{report.entry:12} {report.inputs:9,} inputs {len(report.finds):4} finds in {report.seconds:.0f} s", flush=True)
            for number, (cause, (data, story)) in enumerate(report.finds.items()):
                save(f"{report.entry}-{number}", data, f"{report.counts[cause]} times\n{story}")
    return found


def official() -> Path | None:
    """Where the official suites are, if they are at hand; their modules are good seeds."""
    try:
        return suites.find()
    except suites.SuiteMissing:
        return None


def save(name: str, mutant: bytes | str, story: str) -> None:
    """Write a find with its story beside it."""
    FINDS.mkdir(parents=True, exist_ok=True)
    data = mutant.encode("utf-8", "surrogatepass") if isinstance(mutant, str) else mutant
    place = FINDS / name
    place.with_suffix(".wat" if isinstance(mutant, str) else ".wasm").write_bytes(data)
    place.with_suffix(".txt").write_text(story)
    print(f"  {place}: {story.strip().splitlines()[-1]}")


if __name__ == "__main__":
    sys.exit(main())
