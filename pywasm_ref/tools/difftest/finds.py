"""A finding made small and written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.compare import compare
from pywasm_ref.tools.difftest.crew import Crew, crew
from pywasm_ref.tools.difftest.generate import Generated, Profile
from pywasm_ref.tools.difftest.jobs import Job
from pywasm_ref.tools.difftest.locate import parting
from pywasm_ref.tools.difftest.reduce import reduce
from pywasm_ref.tools.difftest.shards import Finding
from pywasm_ref.tools.difftest.shorten import shorten, shorten_text
from pywasm_ref.tools.difftest.wast import script
from pywasm_ref.tools.difftest.work import SOURCES, corpus_files, job_of, made, profile_for, task


def reduced(finding: Finding, engines: Sequence[str], seconds: float, corpus: str = "", bounds: Bounds = BOUNDS) -> str:
    """The script of a finding, as small as it got in that time."""
    team = crew(engines, bounds)
    profile = profile_for(finding.release, engines)
    start = module_of(finding, profile, corpus)
    if start is None:
        job = shortest(job_of(finding.work, finding.seed, profile, corpus), finding.cause, team, seconds)
        size = f"{len(job.data)} bytes" if job.text is None else f"{len(job.text)} characters"
        return written(job, finding, team, engines[0], size, corpus)
    best = smallest(start, finding.cause, team, seconds)
    inside = finding.first in team.children and not finding.where.startswith("fuel")
    where = parting(replace(best, fuel=None), team, finding.first, finding.second) if inside else ""
    return written(best.job(), finding, team, engines[0], f"{best.size()} instructions", corpus, where)


def module_of(finding: Finding, profile: Profile, corpus: str) -> Generated | None:
    """What it was found with, if that is a module which can be run."""
    if finding.work in SOURCES:
        return made(finding.work, finding.seed, profile)
    job, module = task(finding.work, finding.seed, profile, corpus)
    return Generated(module, job.calls, job.features, False, job.fuel) if module is not None else None


def shortest(job: Job, wanted: str, team: Crew, seconds: float) -> Job:
    """The shortest bytes, or the shortest text, that show a difference of the same cause."""
    if job.text is not None:
        return replace(job, text=shorten_text(job.text, lambda part: wanted in team.causes(replace(job, text=part)), seconds))
    return replace(job, data=shorten(job.data, lambda part: wanted in team.causes(replace(job, data=part)), seconds))


def smallest(start: Generated, wanted: str, team: Crew, seconds: float) -> Generated:
    """The smallest module that shows a difference of the same cause."""

    def shows(job: Job) -> bool:
        return wanted in team.causes(job)

    return reduce(start, shows, seconds)


def origin(finding: Finding, corpus: str) -> str:
    """What brings it back."""
    if corpus:
        return f"in {corpus_files(corpus)[finding.seed]}"
    return f"as {finding.work} {finding.release}, seed {finding.seed}"


def written(job: Job, finding: Finding, team: Crew, measure: str, size: str, corpus: str = "", where: str = "") -> str:
    """The script with its story: what it is about, where it came from, how small it got, where engines part."""
    answers = team.answers(job)
    story = [
        f"{finding.second} does not agree with {finding.first}.",
        f"Found {origin(finding, corpus)}; {size}.",
        *(str(difference) for difference in compare(job, answers, team.abilities)),
        *([where] if where else []),
        *([f"Each call had fuel for {job.fuel} instructions."] if job.fuel is not None else []),
        f"Features: {', '.join(sorted(feature.value for feature in job.features))}.",
    ]
    return script(job, answers[measure], story)
