"""Fuzz all entry points: `python -m tests.fuzz --seconds 120`. Finds are written to build/fuzz/; exit status 1 if there are any."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import sys
import time
from pathlib import Path

from tests.fuzz import campaign
from tests.fuzz.entries import BINARY, TEXT

FINDS = Path("build/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long for each entry point")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="where the mutations start; the default is the time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many entry points at once")
    parser.add_argument("entries", nargs="*", default=[*TEXT, *BINARY], help=f"which entry points: {', '.join([*TEXT, *BINARY])}")
    options = parser.parse_args()
    found = 0
    print(f"seed {options.seed}")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=campaign.limit_memory) as pool:
        runs = [pool.submit(campaign.run, entry, seed=options.seed, seconds=options.seconds) for entry in options.entries]
        for done in concurrent.futures.as_completed(runs):
            report = done.result()
            found += len(report.finds)
            print(f"{report.entry:12} {report.inputs:9,} inputs {len(report.finds):4} finds", flush=True)
            save(report)
    return 1 if found else 0


def save(report: campaign.Report) -> None:
    """Write each find with its traceback beside it."""
    for number, (mutant, story) in enumerate(report.finds):
        FINDS.mkdir(parents=True, exist_ok=True)
        name = FINDS / f"{report.entry}-{number}"
        data = mutant.encode("utf-8", "surrogatepass") if isinstance(mutant, str) else mutant
        name.with_suffix(".wat" if isinstance(mutant, str) else ".wasm").write_bytes(data)
        name.with_suffix(".txt").write_text(story)
        print(f"  {name}: {story.splitlines()[-1]}")


if __name__ == "__main__":
    sys.exit(main())
