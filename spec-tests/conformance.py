"""Run the official suites on each engine and print one table: `python spec-tests/conformance.py [-j N] [--engines a,b,c] [SUITE…]`.

Our engines run all suites, wasmtime the core suite, so that the three can be compared. Writes `build/conformance/table.md`, `table.json`
and `junit.xml`: the counts, and every command about which an engine does not agree with the suite, with what each of them says.

The exit status is 1 when a command failed, was skipped, or is missing from the count that `suites.toml` states, and 2 when the suites
cannot be had.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

import peers
import suites

from pywasm_ref.embedding import selection

LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")
PEER = "wasmtime"
COMPARED = ("core",)
"""The suites that a peer runs, too: others are of proposals that it may not have."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one suite gave on one engine."""

    suite: str
    commands: int
    passed: int
    failed: int
    skipped: int
    seconds: float
    note: str
    engine: str = "reference"

    @property
    def good(self) -> bool:
        return self.note == ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A command with which at least one engine does not agree, and what each of them says."""

    suite: str
    file: str
    line: int
    command: str
    answers: dict[str, str]


AGREES = "as the suite says"


def judge(suite: suites.Suite, counts: tuple[int, int, int] | None, seconds: float, engine: str = "reference") -> Row:
    """A suite is good when all its commands passed, none missing."""
    passed, failed, skipped = counts or (0, 0, 0)
    note = ""
    if counts is None:
        note = "did not finish"
    elif failed or skipped or passed != suite.commands:
        note = f"{suite.commands} expected to pass"
    return Row(suite.folder, suite.commands, passed, failed, skipped, round(seconds, 1), note, engine)


# Running


def run_suite(suite: suites.Suite, root: Path, engine: str, options: argparse.Namespace) -> Row:
    """One suite on one engine; its report goes to the output folder."""
    report = report_file(options.output, suite.folder, engine)
    report.unlink(missing_ok=True)
    start = time.perf_counter()
    counts = run_peer(suite, root, options.jobs, report) if engine == PEER else run_ours(suite, root, engine, options.jobs, report)
    return judge(suite, counts, time.perf_counter() - start, engine)


def report_file(output: Path, folder: str, engine: str) -> Path:
    return output / f"{folder.replace('/', '-')}.{engine}.json"


def run_ours(suite: suites.Suite, root: Path, engine: str, jobs: int, report: Path) -> tuple[int, int, int] | None:
    """Through the command line, in a process."""
    command = [
        sys.executable,
        "-m",
        "pywasm_ref",
        "wast",
        str(root / suite.folder),
        "--engine",
        engine,
        "--json",
        str(report),
        "-j",
        str(jobs),
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.splitlines()
    found = LAST_LINE.match(lines[-1]) if lines else None
    if done.returncode:
        print(*lines[-40:], sep="\n", file=sys.stderr)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def run_peer(suite: suites.Suite, root: Path, jobs: int, report: Path) -> tuple[int, int, int] | None:
    """Script by script, in processes that may die."""
    try:
        rows = sorted(peers.reports(sorted((root / suite.folder).rglob("*.wast")), jobs), key=lambda row: row.path)
    except peers.Missing as error:
        print(f"{PEER}: {error}", file=sys.stderr)
        return None
    report.write_text(json.dumps({"files": [{"path": row.path, "failures": [asdict(f) for f in row.failures]} for row in rows]}, indent=2))
    return sum(row.passed for row in rows), sum(row.failed for row in rows), sum(row.skipped for row in rows)


def engines_here(wanted: str | None) -> list[str]:
    """Those that are named; else the reference engine and, where they are installed, the native one and wasmtime."""
    if wanted:
        return [name.strip() for name in wanted.split(",")]
    found = ["reference"]
    try:
        selection.engine("fast")
        found.append("fast")
    except ImportError:
        print("the native engine is not built, and left out", file=sys.stderr)
    try:
        peers.check()
        found.append(PEER)
    except peers.Missing as error:
        print(f"{PEER} is left out: {error}", file=sys.stderr)
    return found


# Comparing


def disagreements(rows: Sequence[Row], root: Path, output: Path) -> list[Disagreement]:
    """Every command about which an engine says something else than the suite, by file and line."""
    found: dict[tuple[str, str, int], dict[str, str]] = {}
    for row in rows:
        report = report_file(output, row.suite, row.engine)
        if report.exists():
            for file in json.loads(report.read_text())["files"]:
                for failure in file["failures"]:
                    found.setdefault((row.suite, file["path"], failure["line"]), {})[row.engine] = failure["message"]
    engines = {suite: [row.engine for row in rows if row.suite == suite] for suite in {row.suite for row in rows}}
    return [
        Disagreement(suite, place(path, root), line, command(path, line), {name: said.get(name, AGREES) for name in engines[suite]})
        for (suite, path, line), said in sorted(found.items())
    ]


def place(path: str, root: Path) -> str:
    return Path(path).relative_to(root).as_posix() if Path(path).is_relative_to(root) else path


def command(path: str, line: int) -> str:
    """The beginning of what stands there."""
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[line - 1].strip()[:120] if 0 < line <= len(lines) else ""


# Writing


def totals(rows: Sequence[Row]) -> tuple[int, int, int, int]:
    """Commands expected, passed, failed, skipped over all suites."""
    return sum(r.commands for r in rows), sum(r.passed for r in rows), sum(r.failed for r in rows), sum(r.skipped for r in rows)


def table(rows: Sequence[Row], differences: Sequence[Disagreement] = ()) -> str:
    """The rows as Markdown, the sum of each engine last; then what they do not agree about."""
    sums = []
    for engine in dict.fromkeys(row.engine for row in rows):
        own = [row for row in rows if row.engine == engine]
        sums.append(Row("all", *totals(own), sum(row.seconds for row in own), "", engine))
    lines = [
        "| suite | engine | commands | passed | failed | skipped | seconds | |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for r in (*rows, *sums):
        lines.append(f"| {r.suite} | {r.engine} | {r.commands} | {r.passed} | {r.failed} | {r.skipped} | {r.seconds:.1f} | {r.note} |")
    lines += ["", f"{len(differences)} disagreements"]
    for d in differences:
        lines.append(f"- `{d.file}:{d.line}` `{d.command}`")
        lines += [f"  - {engine}: {said}" for engine, said in d.answers.items()]
    return "\n".join(lines)


def junit(rows: Sequence[Row], differences: Sequence[Disagreement]) -> str:
    """A test case for each suite on each engine, with what failed in it."""
    top = ElementTree.Element("testsuites")
    for engine in dict.fromkeys(row.engine for row in rows):
        own = [row for row in rows if row.engine == engine]
        suite = ElementTree.SubElement(top, "testsuite", name=engine, tests=str(len(own)), failures=str(sum(not row.good for row in own)))
        for row in own:
            case = ElementTree.SubElement(suite, "testcase", classname=engine, name=row.suite, time=str(row.seconds))
            if not row.good:
                said = [
                    f"{d.file}:{d.line}: {d.answers[engine]}"
                    for d in differences
                    if d.suite == row.suite and d.answers.get(engine) != AGREES
                ]
                ElementTree.SubElement(case, "failure", message=row.note).text = "\n".join(said)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def write(rows: Sequence[Row], differences: Sequence[Disagreement], output: Path) -> None:
    (output / "table.md").write_text(table(rows, differences) + "\n", encoding="utf-8")
    record = {"rows": [asdict(row) for row in rows], "disagreements": [asdict(d) for d in differences]}
    (output / "table.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (output / "junit.xml").write_text(junit(rows, differences), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the official suites on each engine and print one table.")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes per suite (default 2)")
    parser.add_argument("--engines", metavar="A,B,…", help=f"reference, fast, {PEER} (default: all that are here)")
    parser.add_argument("--output", type=Path, default=Path("build/conformance"), help="folder for the table and the reports")
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
    engines = engines_here(options.engines)
    chosen = [suite for suite in wanted if not options.suite or suite.folder in options.suite]
    pairs = [(suite, engine) for suite in chosen for engine in engines if engine != PEER or suite.folder in COMPARED]
    rows = [run_suite(suite, root, engine, options) for suite, engine in pairs]
    differences = disagreements(rows, root, options.output)
    write(rows, differences, options.output)
    print(table(rows, differences))
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
