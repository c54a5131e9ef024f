"""A finding made small and written down."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref.tools.difftest.child import BOUNDS, Bounds
from pywasm_ref.tools.difftest.compare import compare
from pywasm_ref.tools.difftest.crew import Crew, crew
from pywasm_ref.tools.difftest.generate import Generated
from pywasm_ref.tools.difftest.jobs import Job
from pywasm_ref.tools.difftest.locate import parting
from pywasm_ref.tools.difftest.reduce import reduce
from pywasm_ref.tools.difftest.shards import Finding
from pywasm_ref.tools.difftest.wast import script
from pywasm_ref.tools.difftest.work import SOURCES, job_of, profile_for


def reduced(finding: Finding, engines: Sequence[str], seconds: float, corpus: str = "", bounds: Bounds = BOUNDS) -> str:
    """The script of a finding, as small as it got in that time."""
    team = crew(engines, bounds)
    profile = profile_for(finding.release, engines)
    if finding.work in SOURCES:
        best = smallest(SOURCES[finding.work](finding.seed, profile), finding.cause, team, seconds)
        where = parting(best, team, finding.first, finding.second) if finding.first in team.children else ""
        return written(best.job(), finding, team, engines[0], f"{best.size()} instructions", where)
    return written(job_of(finding.work, finding.seed, profile, corpus), finding, team, engines[0], "as it was found")


def smallest(start: Generated, wanted: str, team: Crew, seconds: float) -> Generated:
    """The smallest module that shows a difference of the same cause."""

    def shows(job: Job) -> bool:
        return wanted in team.causes(job)

    return reduce(start, shows, seconds)


def written(job: Job, finding: Finding, team: Crew, measure: str, size: str, where: str = "") -> str:
    """The script with its story: what it is about, where it came from, how small it got, where engines part."""
    answers = team.answers(job)
    story = [
        f"{finding.second} does not agree with {finding.first}.",
        f"Found as {finding.work} {finding.release}, seed {finding.seed}; {size}.",
        *(str(difference) for difference in compare(job, answers, team.abilities)),
        *([where] if where else []),
        *([f"Each call had fuel for {job.fuel} instructions."] if job.fuel is not None else []),
        f"Features: {', '.join(sorted(feature.value for feature in job.features))}.",
    ]
    return script(job, answers[measure], story)
