"""Run scripts of the test language on the native engine: `python -m tests.fastcore [PATH…]`, by default the official core suite.

Paths may be relative to the official suites (`core/i32.wast`, `proposals/threads`). The table at the end says how many commands of how many
failed, by the beginning of the message, so that one sees what is missing most; with -v, every failure is shown.
"""

import re
import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [".", "spec-tests"]

import suites  # noqa: E402  (of spec-tests/, which is found by now)

from pywasm_ref.cli import wast  # noqa: E402
from pywasm_ref.script.report import FileReport, totals  # noqa: E402

MOST = 40


def reason(message: str) -> str:
    """The part of a failure's message that others share."""
    return re.sub(r"0x[0-9a-f]+|\d+|'[^']*'", "…", message)[:100]


def run(jobs: list[wast.Job]) -> list[FileReport]:
    """Two at a time; what a crash took along is run again, each script in a process of its own, so that only the culprit is lost."""
    if len(jobs) == 1:
        return list(wast.in_processes(jobs, 1))
    reports = {report.path: report for report in wast.in_processes(jobs, 2)}
    for job in jobs:
        if any("was killed" in failure.message for failure in reports[job.path].failures):
            reports[job.path] = run([job])[0]
    return list(reports.values())


def main(arguments: list[str]) -> int:
    root, verbose = suites.find(), "-v" in arguments
    arguments = [argument for argument in arguments if argument != "-v"]
    paths = [argument if Path(argument).exists() else str(root / argument) for argument in arguments] or [str(root / "core")]
    jobs = [wast.Job(path, "fast", None, False) for path in wast.largest_first(paths)]
    reports = sorted(run(jobs), key=lambda report: report.path)
    for report in reports:
        if verbose:
            print(*report.lines(), sep="\n")
        if report.failed:
            print(f"{report.failed:6} of {report.failed + report.passed:6} failed in {report.path}")
    reasons = Counter(reason(failure.message) for report in reports for failure in report.failures)
    for words, n in reasons.most_common(MOST):
        print(f"{n:6}  {words}")
    print(totals(reports))
    return 1 if totals(reports).failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
