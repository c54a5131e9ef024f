"""A campaign: shards until the time is up, on this machine or on a cluster, with a folder that says how far it is.

The folder has `campaign.json` (what was asked for, and at last the figures), `shards.jsonl` (a line for each shard that is done, so that a
campaign that was killed goes on where it stopped), `finds/` (a script for each cause) and `report.html`.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pywasm_ref.tools.difftest.alone import alone
from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.finds import reduced
from pywasm_ref.tools.difftest.generate import PROFILES
from pywasm_ref.tools.difftest.html import page
from pywasm_ref.tools.difftest.opcodes import possible
from pywasm_ref.tools.difftest.parent import end_with_parent
from pywasm_ref.tools.difftest.peers import KINDS, kind
from pywasm_ref.tools.difftest.shards import FRESH_SIZE, SIZE, Finding, Report, Shard, run_shard
from pywasm_ref.tools.difftest.work import BROKEN, USUAL, WORK, corpus_files

Done = dict[tuple[str, str, int], int]
"""How many seeds are done from a place on: of this work, in this release, with this first seed."""
SHARDS, LOCK = "shards.jsonl", "lock"
PAUSE = 1.0
SETTINGS, TOTALS = "campaign.json", "totals"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a campaign does.

    Units   `seconds` of wall-clock time, `most` in jobs of each kind of work and release; None for no end
    """

    engines: tuple[str, ...] = ("reference", "fast", "wasmtime")
    releases: tuple[str, ...] = ("1.0", "2.0", "3.0")
    work: tuple[str, ...] = USUAL
    seed: int = 0
    seconds: float | None = None
    most: int | None = None
    jobs: int = 1
    corpus: str = ""
    reduce_seconds: float = 60.0
    bounds: Bounds = BOUNDS

    def identity(self) -> dict[str, Any]:
        """What must be the same for one campaign to go on as another."""
        return {
            "engines": list(self.engines),
            "releases": list(self.releases),
            "work": list(self.work),
            "seed": self.seed,
            "corpus": self.corpus,
        }

    def opcodes(self) -> frozenset[str]:
        """The instructions that this campaign can execute and count."""
        runs = self.corpus or any(work in WORK and work not in BROKEN for work in self.work)
        if not runs or not any(kind(name).watched for name in self.engines):
            return frozenset()
        return possible(frozenset().union(*(PROFILES[release].features for release in self.releases)))

    def shards(self) -> Iterator[Shard]:
        """All shards in order: each kind of work in each release by turns; of a corpus, its files in order."""
        size = FRESH_SIZE if any(kind(name).fresh for name in self.engines) else SIZE
        if self.corpus:
            files = len(corpus_files(self.corpus))
            yield from (Shard("corpus", self.releases[-1], first, min(size, files - first), self.corpus) for first in range(0, files, size))
            return
        first = self.seed
        while self.most is None or first - self.seed < self.most:
            count = size if self.most is None else min(size, self.most - (first - self.seed))
            for work in self.work:
                for release in self.releases:
                    yield Shard(work, release, first, count)
            first += count


@dataclass(slots=True)
class Totals:
    """All that was done so far. Of the instructions that can be executed, `opcodes`, some were."""

    opcodes: frozenset[str] = frozenset()
    jobs: Counter[str] = field(default_factory=Counter)
    usable: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    finds: dict[str, str] = field(default_factory=dict)
    executed: set[str] = field(default_factory=set)
    seconds: float = 0.0
    done_now: int = 0

    def add(self, report: Report) -> None:
        name = f"{report.shard.work} {report.shard.release}"
        self.jobs[name] += report.jobs
        self.usable[name] += report.usable
        self.outcomes.update(report.outcomes)
        self.findings += report.findings
        self.executed |= report.executed & self.opcodes

    def unexplained(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.explained]

    def missing(self) -> list[str]:
        """The instructions that were not executed."""
        return sorted(self.opcodes - self.executed)

    def plain(self) -> dict[str, Any]:
        """The figures, for programs."""
        return {
            "jobs": dict(self.jobs),
            "usable": dict(self.usable),
            "outcomes": dict(self.outcomes),
            "findings": len(self.unexplained()),
            "explained": len(self.findings) - len(self.unexplained()),
            "opcodes": {"executed": len(self.executed), "of": len(self.opcodes), "missing": self.missing()},
        }

    def line(self) -> str:
        """The progress in a line."""
        found = len(self.unexplained())
        parts = [
            f"{self.jobs.total():,} jobs",
            f"{self.rate():.1f} a second",
            f"{self.seconds:.0f} s",
            *([f"{self.share():.1f} % usable"] if self.meant() else []),
            f"{found} findings",
            f"{len(self.findings) - found} explained",
        ]
        if self.opcodes:
            parts.append(f"opcodes {len(self.executed)}/{len(self.opcodes)}")
        return ", ".join(parts)

    def rate(self) -> float:
        """Jobs a second, of those that were done now."""
        return self.done_now / self.seconds if self.seconds else 0.0

    def meant(self) -> list[str]:
        """The work on modules that are meant to run."""
        return [name for name in self.jobs if name.partition(" ")[0] not in BROKEN]

    def share(self) -> float:
        """How many of a hundred modules that were meant to run are usable."""
        meant = self.meant()
        return 100 * sum(self.usable[name] for name in meant) / max(1, sum(self.jobs[name] for name in meant))


class NotTheSame(Exception):
    """The folder belongs to a campaign with other settings."""


class Folder:
    """Where a campaign keeps what it knows."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        (path / "finds").mkdir(exist_ok=True)
        known = self._known()
        if known and {name: known.get(name) for name in settings.identity()} != settings.identity():
            raise NotTheSame(f"{path} has a campaign with other settings: {json.dumps(known)}")
        self._write(known or settings.identity())

    def _known(self) -> dict[str, Any]:
        """What stands in the file of a campaign that was here before: its settings, and its figures if it came to an end."""
        file = self.path / SETTINGS
        try:
            known: Any = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        except ValueError:  # no JSON, or no text
            known = None
        if not isinstance(known, dict):
            raise NotTheSame(f"{file} is damaged")
        known.pop(TOTALS, None)
        return known

    def _write(self, known: dict[str, Any]) -> None:
        """Written beside and put in its place at once: whoever is killed here leaves the old one."""
        new = self.path / f"{SETTINGS}.new"
        new.write_text(json.dumps(known, indent=1) + "\n")
        new.replace(self.path / SETTINGS)

    def alone(self) -> AbstractContextManager[None]:
        """While one campaign is at work here, no other is.

        Fails   NotAlone when it is entered
        """
        return alone(self.path / LOCK)

    def reports(self) -> Iterator[Report]:
        """The shards that are done. A line that was not finished, or that says something else, is no shard."""
        file = self.path / SHARDS
        if not file.exists():
            return
        for line in file.read_bytes().splitlines():
            try:
                report = Report.of(json.loads(line))
            except (ValueError, TypeError, LookupError):
                continue
            yield report

    def append(self, plain: dict[str, Any]) -> None:
        """A line, after one that was not finished where the campaign was killed."""
        with (self.path / SHARDS).open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(plain).encode() + b"\n")

    def save(self, name: str, script: str) -> Path:
        """A whole script or none: one that is there is not made again."""
        path = self.path / "finds" / f"{name}.wast"
        new = path.with_suffix(".new")
        new.write_text(script, encoding="utf-8")
        return new.replace(path)

    def write_report(self, settings: Settings, totals: Totals) -> None:
        self._write(settings.identity() | {TOTALS: totals.plain()})
        (self.path / "report.html").write_text(page(asdict(settings), totals), encoding="utf-8")


def run(settings: Settings, folder: Folder, pool: Executor, show: Callable[[str], None]) -> Totals:
    """Do shards until the time is up or all are done; then make the finds small, one for each cause."""
    totals = Totals(settings.opcodes())
    done: Done = {}
    for report in folder.reports():
        if left(report.shard, done) == report.shard:
            totals.add(report)
            done[report.shard.place()] = report.shard.count
    todo = (rest for shard in settings.shards() if (rest := left(shard, done)) is not None)
    try:
        _work(settings, folder, pool, totals, todo, show)
        _reduce(settings, folder, pool, totals, show)
    finally:
        folder.write_report(settings, totals)
    return totals


def left(shard: Shard, done: Done) -> Shard | None:
    """What of a shard is not done. A campaign that goes on with another `most` had ended within one."""
    while shard.count > 0 and (known := done.get(shard.place())):
        shard = replace(shard, first=shard.first + known, count=shard.count - known)
    return shard if shard.count > 0 else None


def _work(
    settings: Settings, folder: Folder, pool: Executor, totals: Totals, todo: Iterator[Shard], show: Callable[[str], None]
) -> None:
    """Have shards done, and write down what each of them gave."""
    start = time.monotonic()
    for plain in _results(pool, todo, settings, start):
        totals.seconds = time.monotonic() - start
        if plain is None:
            show(totals.line())
            continue
        plain["executed"] = sorted(totals.opcodes.intersection(plain["executed"]) - totals.executed)  # what no line says so far
        folder.append(plain)
        report = Report.of(plain)
        totals.add(report)
        totals.done_now += report.jobs
        show(totals.line())


def _results(pool: Executor, todo: Iterator[Shard], settings: Settings, start: float) -> Iterator[dict[str, Any] | None]:
    """Shards as they are done, some more than there are processes being under way; None now and then, so that the time can be shown."""
    running: set[Future[dict[str, Any]]] = set()
    while True:
        while len(running) < settings.jobs + 1 and _in_time(settings, start):
            shard = next(todo, None)
            if shard is None:
                break
            running.add(pool.submit(run_shard, shard, settings.engines, settings.bounds))
        if not running:
            return
        finished, running = wait(running, timeout=PAUSE, return_when=FIRST_COMPLETED)
        if not finished:
            yield None
        for future in finished:
            yield future.result()


def _in_time(settings: Settings, start: float) -> bool:
    return settings.seconds is None or time.monotonic() - start < settings.seconds


def _reduce(settings: Settings, folder: Folder, pool: Executor, totals: Totals, show: Callable[[str], None]) -> None:
    """A script for the first find of each cause."""
    firsts: dict[str, Finding] = {}
    for finding in totals.unexplained():
        firsts.setdefault(finding.cause, finding)
    futures = {}
    for number, finding in enumerate(firsts.values()):
        name = f"{number:03}-{finding.work}-{finding.release}-{finding.seed}"
        if (folder.path / "finds" / f"{name}.wast").exists():
            totals.finds[finding.cause] = f"finds/{name}.wast"
        else:
            task = pool.submit(reduced, finding, settings.engines, settings.reduce_seconds, settings.corpus, settings.bounds)
            futures[finding.cause] = name, task
    for cause, (name, future) in futures.items():
        show(f"find {folder.save(name, future.result())}")
        totals.finds[cause] = f"finds/{name}.wast"


@contextmanager
def local_pool(jobs: int) -> Iterator[Executor]:
    """Processes on this machine."""
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def cluster_pool(address: str) -> AbstractContextManager[Executor]:
    """The workers of a Dask cluster that is there already.

    Fails   ImportError at once where `distributed` is not installed, OSError when it is entered where nobody answers
    """
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError as error:
        raise ImportError("Dask is not installed: pip install 'pywasm-ref[cluster]'", name="distributed") from error
    return _client(distributed, address)


@contextmanager
def _client(distributed: Any, address: str) -> Iterator[Executor]:
    with distributed.Client(address, timeout=10) as client:
        yield client.get_executor()


def engines_named(text: str) -> tuple[str, ...]:
    """Engines in a list with commas, which commands may have, too."""
    names: list[str] = []
    for part in text.split(","):
        if names and names[-1].startswith("cmd:") and part.strip().partition(":")[0] not in KINDS:
            names[-1] += f",{part}"
        else:
            names.append(part.strip())
    return tuple(name for name in names if name)
