"""A campaign in pieces: each shard is a kind of work, a release and a run of seeds, and gives the same findings wherever it runs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pywasm_ref import binary
from pywasm_ref.embedding import functions, selection
from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.modules import Module
from pywasm_ref.syntax.types import DefType, FuncTypeUse, RefType
from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.compare import Difference, cause, compare
from pywasm_ref.tools.difftest.crew import crew
from pywasm_ref.tools.difftest.explain import Oracle
from pywasm_ref.tools.difftest.generate import PROFILES, Generated, Profile, portable, seeded
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job
from pywasm_ref.tools.difftest.mutate import bytes_mutant
from pywasm_ref.tools.difftest.opcodes import Watch
from pywasm_ref.tools.difftest.peers import kind
from pywasm_ref.tools.difftest.single import single
from pywasm_ref.tools.difftest.twist import twisted
from pywasm_ref.validation.types import functype

SIZE = 100
"""Seeds in a shard."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Seeds `first` to `first + count - 1` of one kind of work in one release; of a corpus, files instead of seeds."""

    work: str
    release: str
    first: int
    count: int = SIZE
    corpus: str = ""


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

    def __str__(self) -> str:
        said = f"{self.first} says {self.said_first!r}, {self.second} says {self.said_second!r}"
        return f"{self.work} {self.release} {self.seed}: {self.where}: {said}"


@dataclass(slots=True)
class Report:
    """What a shard gave. A module is usable when it starts and at least one call gives a result; `executed` are instructions."""

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


# Work: what a seed stands for


def profile_for(release: str, engines: Sequence[str]) -> Profile:
    """The profile of a release that suits all these engines."""
    profile, kinds = PROFILES[release], [kind(name) for name in engines]
    profile = replace(profile, fresh=any(one.fresh for one in kinds))
    return portable(profile) if any(one.portable for one in kinds) else profile


def mutant(seed: int, profile: Profile) -> Job:
    """A generated module with wounds, to be accepted or refused: by turns in its bytes and in its instructions."""
    rng = random.Random(f"mutant {seed}")
    small = replace(profile, funcs=3, instructions=25)
    if seed % 2:
        return Job(binary.encode(twisted(rng, seeded(seed, small).module)), (), profile.features, instantiate=False)
    data = bytes_mutant(rng, seeded(seed, small).job().data, seeded(seed // 7, small).job().data)
    return Job(data, (), profile.features, instantiate=False)


SOURCES: Mapping[str, Callable[[int, Profile], Generated]] = {"modules": seeded, "single": single}
"""Work whose jobs come from a module, which can be made smaller."""

OTHERS: Mapping[str, Callable[[int, Profile], Job]] = {"mutants": mutant}
BROKEN = frozenset(OTHERS)
"""Work on what is not meant to run."""

WORK = ("modules", "mutants", "single")


def job_of(work: str, seed: int, profile: Profile, corpus: str) -> Job:
    """What is to be done for a seed, or for a file of a corpus."""
    return task(work, seed, profile, corpus)[0]


def task(work: str, seed: int, profile: Profile, corpus: str) -> tuple[Job, Module | None]:
    """The same with its module, where that can be read and is to be run."""
    if work in SOURCES:
        made = SOURCES[work](seed, profile)
        return made.job(), made.module
    if not corpus:
        return OTHERS[work](seed, profile), None
    job = corpus_job(Path(corpus_files(corpus)[seed]).read_bytes(), profile)
    return job, binary.decode(job.data, job.features) if job.instantiate else None


@lru_cache(maxsize=4)
def corpus_files(folder: str) -> tuple[str, ...]:
    """The modules of a folder, at any depth."""
    return tuple(sorted(map(str, Path(folder).rglob("*.wasm"))))


def corpus_job(data: bytes, profile: Profile) -> Job:
    """Call every export whose parameters are numbers, with zeros and with small numbers."""
    try:
        exports = functions.module_exports(functions.module_decode(selection.engine("reference"), data, profile.features))
    except WasmError:
        return Job(data, (), profile.features, instantiate=False)
    calls = []
    for name, t in exports:
        if isinstance(t, FuncTypeUse) and isinstance(t.type, DefType):
            params = functype(t.type).params
            if not any(isinstance(p, RefType) for p in params):
                calls += [Call(name, tuple(n for _ in params)) for n in (0, 3)]
    return Job(data, tuple(calls), profile.features)


# A shard


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
        report.usable += usable(measure)
        report.outcomes[f"start {measure.start.kind}"] += 1
        report.outcomes.update(f"call {outcome.kind}" for outcome in measure.calls)
        oracle = Oracle(job)
        report.findings += [finding(shard, seed, oracle, difference) for difference in compare(job, answers, team.abilities, oracle)]
        if oracle.choices:
            report.outcomes["answer by another choice that the specification leaves"] += oracle.choices
    report.executed = watch.seen
    return report.plain()


def usable(answer: Answer) -> bool:
    if answer.start.kind != "returned":
        return False
    return not answer.calls or any(outcome.kind in ("returned", "exception") and outcome.values for outcome in answer.calls)


def finding(shard: Shard, seed: int, oracle: Oracle, d: Difference) -> Finding:
    return Finding(
        shard.work, shard.release, seed, d.where, d.first, d.second, d.said_first, d.said_second, cause(d, oracle.subject())
    )
