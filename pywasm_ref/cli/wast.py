"""`wast`: run scripts of the test language."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pywasm_ref.cli.errors import Unusable
from pywasm_ref.cli.inputs import STDIN, engine_named, read_text, write_text
from pywasm_ref.cli.options import add_engine, add_features, positive
from pywasm_ref.cli.terminal import Progress, Style
from pywasm_ref.embedding import selection
from pywasm_ref.errors import WasmError, printable
from pywasm_ref.features import Features
from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.report import Failure, FileReport, as_json, totals
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.tools.coverage import RuleCounter, coverage_lines

NAME = "wast"
HELP = "run scripts of the test language (.wast)"
EPILOG = """\
Runs every command of every script. A command that fails is listed as FILE:LINE: MESSAGE, and the next one runs.
The last line is `N passed, N failed, N skipped`; the exit status is 1 when something failed.

A refusal counts only if its message starts with the words that the script expects.

examples:
  pywasm-ref wast fac.wast                        one script
  pywasm-ref wast spec/test/core -j 2             all scripts of a folder, two at a time
  pywasm-ref wast proposals/threads               features follow from the folder …
  pywasm-ref wast new.wast --features 3.0,threads … or are named
  pywasm-ref wast spec/test/core --coverage       which rules of the specification did the scripts use?
  echo '(module (func (export "f"))) (assert_return (invoke "f"))' | pywasm-ref wast -
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a script, or a folder with .wast files at any depth; - is standard input")
    add_engine(parser)
    add_features(parser, default="what the folder of the official suites asks for, else 3.0")
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="run N files at a time, each in a process (default: 1)")
    parser.add_argument("--json", metavar="FILE", help="write a report of all files and failures; - is standard output")
    parser.add_argument("--coverage", action="store_true", help="count the rules that were used, and list those that were not (slower)")


@dataclass(frozen=True, slots=True)
class Job:
    """One script to run; all that a process needs to know."""

    path: str
    engine: str
    features: Features | None
    coverage: bool


def run(options: argparse.Namespace) -> int:
    engine_named(options.engine)  # an engine that is missing is said once, not for each file
    start = time.perf_counter()
    jobs = [Job(path, options.engine, options.features, options.coverage) for path in largest_first(options.paths)]
    reports = list(reported(jobs, options.jobs))
    if options.json:
        write_json(options.json, reports, engine=options.engine, seconds=round(time.perf_counter() - start, 3))
    if options.coverage:
        print(*coverage_lines(report.rules for report in reports), sep="\n")
    total = totals(reports)
    print(total)
    return 1 if total.failed else 0


def largest_first(paths: list[str]) -> list[str]:
    """All scripts that are named or lie in a named folder, once each; large ones first, so that no process is left with one at the end."""
    sizes: dict[str, int] = {}
    for path in paths:
        found = [path] if path == STDIN or not Path(path).is_dir() else sorted(map(str, Path(path).rglob("*.wast")))
        if not found:
            raise Unusable(f"{path}: no .wast file in this folder")
        for file in found:
            sizes[file] = 0 if file == STDIN else Path(file).stat().st_size
    return sorted(sizes, key=lambda file: -sizes[file])


def reported(jobs: list[Job], processes: int) -> Iterator[FileReport]:
    """Run the jobs, and show each report as it comes."""
    progress, style = Progress(len(jobs)), Style(sys.stdout)
    for report in in_processes(jobs, processes) if processes > 1 and len(jobs) > 1 else map(run_job, jobs):
        if report.failures:
            progress.clear()
            print(*(style.bad(printable(line)) for line in report.lines()), sep="\n", flush=True)
        progress.step(f"{report.path}: {report.passed} passed, {report.failed} failed")
        yield report
    progress.clear()


def in_processes(jobs: list[Job], processes: int) -> Iterator[FileReport]:
    """Run the jobs in processes of their own, and give the reports in the order in which they finish.

    A process that dies takes its script along, not the run.
    """
    from concurrent.futures import Future, ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(min(processes, len(jobs)), mp_context=get_context("spawn"), initializer=_die_on_interrupt)
    futures: dict[Future[FileReport], Job] = {pool.submit(run_job, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield lost(futures[future], "the process that ran this script, or one beside it, was killed")
        pool.shutdown()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _die_on_interrupt() -> None:
    """Ctrl-C reaches every process of a terminal: one that only runs scripts ends at once, and says nothing."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_job(job: Job) -> FileReport:
    """Run one script in this process; a file that is no text at all is one failure."""
    start = time.perf_counter()
    counter = RuleCounter() if job.coverage else None
    try:
        source = read_text(job.path)
        features = features_for(Path(job.path)) if job.features is None else job.features
        runner = Runner(selection.engine(job.engine), features)
        runner.store.observe(counter)
        report = run_script(source, runner)
    except WasmError as error:
        report = lost(job, str(error.message))
    except OSError as error:
        report = lost(job, str(error.strerror))
    report.seconds = round(time.perf_counter() - start, 3)
    report.rules = counter.rules if counter else report.rules
    return report


def lost(job: Job, reason: str) -> FileReport:
    """The report of a script that could not be run to its end."""
    return FileReport(job.path, failed=1, failures=[Failure(0, 0, reason)])


def write_json(path: str, reports: list[FileReport], **facts: object) -> None:
    write_text(path, json.dumps(as_json(reports, **facts), indent=2) + "\n")
