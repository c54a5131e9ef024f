"""The engines of a campaign, in their processes, asked at the same time."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pywasm_ref.tools.difftest.child import BOUNDS, Bounds, Child
from pywasm_ref.tools.difftest.compare import FAILURES, Difference, cause, compare, refusal
from pywasm_ref.tools.difftest.deviations import reason
from pywasm_ref.tools.difftest.explain import Oracle
from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.tools.difftest.peers import kind


class Crew:
    """Some engines by their names; the first is the measure. `commands` start them where it is not done as usual."""

    def __init__(self, names: Sequence[str], commands: Mapping[str, Sequence[str]] | None = None, bounds: Bounds = BOUNDS) -> None:
        self.children = {name: Child(name, bounds, (commands or {}).get(name)) for name in names}
        self.abilities = {name: kind(name).ability for name in names}
        self.watcher = next((name for name in names if kind(name).watched), None)
        self.fresh = any(kind(name).fresh for name in names)

    def answers(self, job: Job) -> dict[str, Answer]:
        """What each engine says. Where one of them makes a new instance for each call, all do."""
        if not self.fresh or len(job.calls) < 2:
            return self._ask(job)
        parts: list[dict[str, Answer]] = []
        for call in job.calls:
            parts.append(self._ask(replace(job, calls=(call,))))
            if any(failed(answer) for answer in parts[-1].values()):  # one failure is enough to tell of
                break
        return {name: joined([part[name] for part in parts]) for name in self.children}

    def _ask(self, job: Job) -> dict[str, Answer]:
        for name, child in self.children.items():
            child.send(job if name == self.watcher or not job.watched else replace(job, watched=False))
        return {name: child.receive() for name, child in self.children.items()}

    def differences(self, job: Job) -> list[Difference]:
        return compare(job, self.answers(job), self.abilities)

    def causes(self, job: Job) -> list[str]:
        """What the differences are grouped by for which nobody knows a reason."""
        oracle, answers = Oracle(job), self.answers(job)
        found = compare(job, answers, self.abilities, oracle)
        unknown = [difference for difference in found if not reason(job, difference, answers[difference.second])]
        return [cause(difference, oracle.subject() + refusal(difference, answers)) for difference in unknown]

    def close(self) -> None:
        for child in self.children.values():
            child.close()


def failed(answer: Answer) -> bool:
    """Whether the engine itself failed."""
    return any(outcome.kind in FAILURES for outcome in (answer.start, *answer.calls))


def joined(parts: Sequence[Answer]) -> Answer:
    """Calls that met an instance each as the calls of one answer."""
    first = parts[0]
    whole = Answer(first.start, [*first.calls], executed=[*first.executed])
    for part in parts[1:]:
        whole.calls += part.calls or [part.start]
        whole.executed = sorted({*whole.executed, *part.executed})
    return whole


_CREWS: dict[tuple[tuple[str, ...], Bounds], Crew] = {}


def crew(names: Sequence[str], bounds: Bounds = BOUNDS) -> Crew:
    """The engines of this process; they stay until it ends, since starting them takes longer than most jobs."""
    key = tuple(names), bounds
    if key not in _CREWS:
        _CREWS[key] = Crew(names, bounds=bounds)
        atexit.register(_CREWS[key].close)
    return _CREWS[key]
