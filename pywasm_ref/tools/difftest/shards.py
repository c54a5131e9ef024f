"""A campaign in pieces: each shard is a kind of work, a release and a run of seeds, and gives the same findings wherever it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.compare import Difference, cause, compare, refusal
from pywasm_ref.tools.difftest.crew import crew
from pywasm_ref.tools.difftest.deviations import reason
from pywasm_ref.tools.difftest.explain import Oracle
from pywasm_ref.tools.difftest.generate.module import RESET
from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.tools.difftest.noise import HANG_LIMIT
from pywasm_ref.tools.difftest.opcodes import Watch
from pywasm_ref.tools.difftest.work import profile_for, task

SIZE = 100
"""Seeds in a shard."""

FIRST_SIZE = 10
"""The same at the beginning, so that there is soon something of each kind of work."""

FRESH_SIZE = 1
"""The same where a program is started for each call: between shards is when a campaign looks at the clock, and what a killed one keeps."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Seeds `first` to `first + count - 1` of one kind of work in one release; of a corpus, files instead of seeds."""

    work: str
    release: str
    first: int
    count: int = SIZE
    corpus: str = ""

    def place(self) -> tuple[str, str, int]:
        """Where it begins."""
        return self.work, self.release, self.first


def name_of(work: str, release: str) -> str:
    """What figures are counted under."""
    return f"{work} {release}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A job on which two engines do not agree; `explained` says why that is no fault, where it is known."""

    work: str
    release: str
    seed: int
    where: str
    first: str
    second: str
    said_first: str
    said_second: str
    cause: str
    explained: str = ""


@dataclass(slots=True)
class Report:
    """What a shard gave. A module is usable when it starts and at least one call returns; `executed` are instructions."""

    shard: Shard
    jobs: int = 0
    usable: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    executed: set[str] = field(default_factory=set)

    def plain(self) -> dict[str, Any]:
        return {
            "shard": asdict(self.shard),
            "jobs": self.jobs,
            "usable": self.usable,
            "outcomes": dict(self.outcomes),
            "findings": [asdict(row) for row in self.findings],
            "executed": sorted(self.executed),
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Report:
        findings = [Finding(**row) for row in plain["findings"]]
        executed = set(plain.get("executed", ()))
        return cls(Shard(**plain["shard"]), plain["jobs"], plain["usable"], Counter(plain["outcomes"]), findings, executed)


def run_shard(shard: Shard, engines: Sequence[str], bounds: Bounds = BOUNDS) -> dict[str, Any]:
    """Do all seeds of a shard with these engines, the first of them being the measure. Plain data, so that it can come from anywhere."""
    team = crew(engines, bounds)
    profile = profile_for(shard.release, engines)
    report, watch = Report(shard), Watch()
    for seed in range(shard.first, shard.first + shard.count):
        job, module = task(shard.work, seed, profile, shard.corpus)
        if module is not None and team.watcher is not None:
            job = replace(job, watched=watch.wants(module))
        answers = team.answers(job)
        measure = answers[engines[0]]
        if job.watched and team.watcher is not None:
            watch.add(answers[team.watcher].executed)
        report.jobs += 1
        report.usable += usable(job, measure)
        report.outcomes[f"start {measure.start.kind}"] += 1
        report.outcomes.update(f"call {outcome.kind}" for outcome in measure.calls)
        oracle = Oracle(job)
        for difference in compare(job, answers, team.abilities, oracle):
            subject = oracle.subject() + refusal(difference, answers)
            explained = reason(job, difference, answers[difference.second])
            report.findings.append(finding(shard, seed, difference, subject, explained))
        if oracle.choices:
            report.outcomes["answer by another choice that the specification leaves"] += oracle.choices
    report.executed = watch.seen
    return report.plain()


def usable(job: Job, answer: Answer) -> bool:
    """Whether there is something to compare: it starts, and a call returns or throws; one that only fills up what the module counts with is
    no such call."""
    if answer.start.kind != "returned":
        return False
    calls = [outcome for call, outcome in zip(job.calls, answer.calls, strict=False) if call.name not in (RESET, HANG_LIMIT)]
    return not calls or any(outcome.kind in ("returned", "exception") for outcome in calls)


def finding(shard: Shard, seed: int, d: Difference, subject: str, explained: str) -> Finding:
    words = (d.where, d.first, d.second, d.said_first, d.said_second)
    return Finding(shard.work, shard.release, seed, *words, cause(d, subject), explained)
