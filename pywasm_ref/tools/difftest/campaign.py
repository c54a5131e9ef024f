"""A campaign: shards until the time is up, on this machine or on a cluster, and then what they found, made small."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from typing import Any

from pywasm_ref.tools.difftest.finds import reduced
from pywasm_ref.tools.difftest.folder import Folder
from pywasm_ref.tools.difftest.settings import Settings
from pywasm_ref.tools.difftest.shards import Finding, Report, Shard, run_shard
from pywasm_ref.tools.difftest.totals import Totals

Done = dict[tuple[str, str, int], int]
"""How many seeds are done from a place on: of this work, in this release, with this first seed."""

PAUSE = 1.0
"""Seconds after which it is told again how far everything is."""


def run(settings: Settings, folder: Folder, pool: Executor, show: Callable[[str], None]) -> Totals:
    """Do shards until the time is up or all are done; then make the finds small, one for each cause."""
    totals = Totals(settings.opcodes(), settings.names())
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


def _work(settings: Settings, folder: Folder, pool: Executor, totals: Totals, todo: Iterator[Shard], show: Callable[[str], None]) -> None:
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
    """Shards as they are done, one more than there are processes being under way unless that would be seconds of work; None now and then,
    so that the time can be shown."""
    running: set[Future[dict[str, Any]]] = set()
    most = settings.jobs + (0 if settings.fresh() else 1)
    while True:
        while len(running) < most and _in_time(settings, start):
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
    names: dict[Future[str], tuple[str, str]] = {}
    for number, finding in enumerate(firsts.values()):
        name = f"{number:03}-{finding.work}-{finding.release}-{finding.seed}"
        if folder.has(name):
            totals.finds[finding.cause] = f"finds/{name}.wast"
        else:
            task = pool.submit(reduced, finding, settings.engines, settings.reduce_seconds, settings.corpus, settings.bounds)
            names[task] = name, finding.cause
    for task in _as_they_come(names, show):
        name, cause = names[task]
        show(f"find {folder.save(name, task.result())}")
        totals.finds[cause] = f"finds/{name}.wast"


def _as_they_come(tasks: Collection[Future[str]], show: Callable[[str], None]) -> Iterator[Future[str]]:
    """Finds that are small; meanwhile a word of how many there are."""
    start, left = time.monotonic(), set(tasks)
    while left:
        show(f"making finds small: {len(tasks) - len(left)} of {len(tasks)}, {time.monotonic() - start:.0f} s")
        small, left = wait(left, timeout=PAUSE, return_when=FIRST_COMPLETED)
        yield from small
