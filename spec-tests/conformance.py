"""Run the official suites through the command line and print one table: `python spec-tests/conformance.py [-j N]`.

Writes `build/conformance/table.md` and `table.json`, and per suite the report of the command line. The exit status is 1 when a command
failed, was skipped, or is missing from the count that `suites.toml` states, and 2 when the suites cannot be had.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import suites

LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


@dataclass(frozen=True, slots=True)
class Row:
    """What one suite gave."""

    suite: str
    commands: int
    passed: int
    failed: int
    skipped: int
    seconds: float
    note: str

    @property
    def good(self) -> bool:
        return self.note == ""


def judge(suite: suites.Suite, counts: tuple[int, int, int] | None, seconds: float) -> Row:
    """A suite is good when all its commands passed, none missing."""
    passed, failed, skipped = counts or (0, 0, 0)
    note = ""
    if counts is None:
        note = "did not finish"
    elif failed or skipped or passed != suite.commands:
        note = f"{suite.commands} expected to pass"
    return Row(suite.folder, suite.commands, passed, failed, skipped, round(seconds, 1), note)


def run_suite(suite: suites.Suite, root: Path, options: argparse.Namespace) -> Row:
    """One suite in one process of the command line, its failures shown as they come."""
    report = options.output / (suite.folder.replace("/", "-") + ".json")
    command = [sys.executable, "-m", "pywasm_ref", "wast", str(root / suite.folder), "--engine", options.engine]
    command += ["--json", str(report), "-j", str(options.jobs)]
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - start
    lines = done.stdout.splitlines()
    found = LAST_LINE.match(lines[-1]) if lines else None
    row = judge(suite, (int(found[1]), int(found[2]), int(found[3])) if found else None, seconds)
    if not row.good:
        print(*lines[-40:], sep="\n", file=sys.stderr)
    return row


def totals(rows: list[Row]) -> tuple[int, int, int, int]:
    """Commands expected, passed, failed, skipped over all suites."""
    return sum(r.commands for r in rows), sum(r.passed for r in rows), sum(r.failed for r in rows), sum(r.skipped for r in rows)


def table(rows: list[Row]) -> str:
    """The rows as Markdown, the sum last."""
    total = Row("all", *totals(rows), sum(row.seconds for row in rows), "")
    lines = ["| suite | commands | passed | failed | skipped | seconds | |", "| --- | ---: | ---: | ---: | ---: | ---: | --- |"]
    for row in (*rows, total):
        lines.append(f"| {row.suite} | {row.commands} | {row.passed} | {row.failed} | {row.skipped} | {row.seconds:.1f} | {row.note} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the official suites and print one table.")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes per suite (default 2)")
    parser.add_argument("--engine", default="reference")
    parser.add_argument("--output", type=Path, default=Path("build/conformance"), help="folder for table.md, table.json and the reports")
    parser.add_argument("suite", nargs="*", help="only these suites, such as core or proposals/threads")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    _, wanted = suites.pins()
    unknown = set(options.suite) - {suite.folder for suite in wanted}
    if unknown:
        print(f"no suite is called {', '.join(sorted(unknown))}; there are {', '.join(suite.folder for suite in wanted)}", file=sys.stderr)
        return 2
    try:
        root = suites.find_or_fetch()
    except suites.SuiteMissing as error:
        print(error, file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    rows = [run_suite(suite, root, options) for suite in wanted if not options.suite or suite.folder in options.suite]
    (options.output / "table.md").write_text(table(rows) + "\n")
    record = {"engine": options.engine, "rows": [asdict(row) for row in rows]}
    (options.output / "table.json").write_text(json.dumps(record, indent=2) + "\n")
    print(table(rows))
    _, passed, failed, skipped = totals(rows)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
