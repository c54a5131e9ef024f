"""Where answers differ, and which differences the specification allows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from pywasm_ref.errors import TrapReason
from pywasm_ref.tools.difftest.explain import Oracle, Verdict
from pywasm_ref.tools.difftest.jobs import FUEL, Answer, Job, Outcome

REFUSALS = ("malformed", "invalid")
SPECIFICATION = "specification"
"""What an engine differs from that gives no answer."""

FAILURES = ("crash", "hang", "memory")
"""What only the machinery around an engine can tell."""

OPEN = ("exhaustion", "unsupported", "interrupted")
"""How something may end on one engine and not on another, without either being wrong."""


R = TrapReason
ALIKE: dict[str, str] = {
    R.UNDEFINED_ELEMENT.value: R.OUT_OF_BOUNDS_TABLE.value,
    **{reason.value: R.NULL_REFERENCE.value for reason in R if reason.name.startswith("NULL")},
}
"""Reasons that most engines have one word for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two engines that do not agree: about what (`start`, `call 3 func1`, `host call 2`, `memory0`), and what each of them says."""

    where: str
    first: str
    second: str
    said_first: str
    said_second: str

    def __str__(self) -> str:
        if self.first == SPECIFICATION:
            return f"{self.where}: {self.second} gives no answer: {self.said_second}"
        return f"{self.where}: {self.first} says {self.said_first!r}, {self.second} says {self.said_second!r}"


@dataclass(frozen=True, slots=True)
class Ability:
    """How exactly an engine can tell: `words` of refusals, malformed and invalid apart (`refusals`), reasons of traps, those that are alike
    apart (`exact`), the bits of NaNs, the `state` at last, and `fuel` to the instruction."""

    words: bool = True
    refusals: bool = True
    reasons: bool = True
    exact: bool = True
    nans: bool = True
    state: bool = True
    fuel: bool = True


def failures(name: str, answer: Answer) -> Iterator[Difference]:
    """An engine that crashed, hung or took too much memory differs from what the specification allows, whatever the others do."""
    for where, outcome in outcomes(answer):
        if outcome.kind in FAILURES:
            yield Difference(where, SPECIFICATION, name, "an answer", str(outcome))


def hangs(answer: Answer) -> bool:
    return any(outcome.kind == "hang" for _, outcome in outcomes(answer))


def outcomes(answer: Answer) -> Iterator[tuple[str, Outcome]]:
    yield "start", answer.start
    for i, outcome in enumerate(answer.calls):
        yield f"call {i}", outcome


def compare(job: Job, answers: Mapping[str, Answer], abilities: Mapping[str, Ability], oracle: Oracle | None = None) -> list[Difference]:
    """Failures of each engine, and the first difference of each from the first engine that the specification does not allow."""
    oracle = oracle or Oracle(job)
    if all(hangs(answer) for answer in answers.values()):  # as the module may itself
        return []
    found = [difference for name, answer in answers.items() for difference in failures(name, answer)]
    (first, reference), *others = answers.items()
    for name, answer in others:
        if difference := first_difference(oracle, (first, reference), (name, answer), _both(abilities[first], abilities[name])):
            found.append(difference)
    return found


def _both(a: Ability, b: Ability) -> Ability:
    return Ability(*(getattr(a, part.name) and getattr(b, part.name) for part in fields(Ability)))


def first_difference(oracle: Oracle, a: tuple[str, Answer], b: tuple[str, Answer], ability: Ability) -> Difference | None:
    """The first thing, in the order in which things happen, about which two engines do not agree; None also when one of them gave up where
    it may, or chose where it may something on which the rest depends."""
    (name_a, answer_a), (name_b, answer_b) = a, b
    for where, number, one, other in _pairs(oracle.job, answer_a, answer_b, ability):
        if isinstance(one, Outcome) and isinstance(other, Outcome):
            if _open(one, ability) or _open(other, ability):
                return None
            said, heard = spoken(one, ability), spoken(other, ability)
            verdict = oracle.judge(number, one, other) if said != heard and number is not None else Verdict.WRONG
        else:
            said, heard = _told(str(one), ability), _told(str(other), ability)
            verdict = Verdict.WRONG
        if verdict is Verdict.PARTED:
            return None
        if said != heard and verdict is Verdict.WRONG:
            return Difference(where, name_a, name_b, said, heard)
    return None


def _open(outcome: Outcome, ability: Ability) -> bool:
    """Whether nothing can be said of what comes after this. Fuel that is counted alike ends alike."""
    if outcome.kind == "exhaustion" and outcome.words == FUEL and ability.fuel:
        return False
    return outcome.kind in OPEN + FAILURES


def _pairs(job: Job, a: Answer, b: Answer, ability: Ability) -> Iterator[tuple[str, int | None, object, object]]:
    """What there is to compare: where it is, the number of the call if it is one, and what each engine says."""
    yield "start", None, a.start, b.start
    left = list(zip(a.fuel, b.fuel, strict=False)) if ability.fuel else []
    if left:
        yield "fuel after start", None, *left[0]
    names = [call.name for call in job.calls]
    for i, (one, other) in enumerate(zip(a.calls, b.calls, strict=False)):
        yield f"call {i} {names[i]}", i, one, other
        if i + 1 < len(left):
            yield f"fuel after call {i} {names[i]}", None, *left[i + 1]
    yield "calls", None, f"{len(a.calls)} answers", f"{len(b.calls)} answers"
    for i in range(max(len(a.host), len(b.host))):
        yield f"host call {i}", None, _entry(a.host, i), _entry(b.host, i)
    if ability.state:
        for name in sorted({*a.state, *b.state}):
            yield name, None, a.state.get(name, "nothing"), b.state.get(name, "nothing")


def _entry(calls: list[str], i: int) -> str:
    return calls[i] if i < len(calls) else "no call"


def spoken(outcome: Outcome, ability: Ability) -> str:
    """An outcome in as many words as both engines can tell."""
    if outcome.kind in REFUSALS:
        kind = outcome.kind if ability.refusals else "refused"
        return f"{kind} {outcome.words}" if ability.words else kind
    if outcome.kind == "trap":
        words = outcome.words if ability.exact else ALIKE.get(outcome.words, outcome.words)
        return f"trap {words}" if ability.reasons else "trap"
    if outcome.kind == "exception" and not ability.reasons:
        return "exception"
    return _told(str(outcome), ability)


_FLOATS = re.compile(r"(f32|f64):0x([0-9a-f]+)")
_INFINITY = {"f32": 0x7F80_0000, "f64": 0x7FF0_0000_0000_0000}


def _told(words: str, ability: Ability) -> str:
    """The words, with NaNs that are all alike for who cannot tell their bits."""
    return words if ability.nans else _FLOATS.sub(_nameless, words)


def _nameless(found: re.Match[str]) -> str:
    magnitude = int(found[2], 16) & ((1 << (31 if found[1] == "f32" else 63)) - 1)
    return f"{found[1]}:nan" if magnitude > _INFINITY[found[1]] else found[0]


_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'")


def refusal(difference: Difference, answers: Mapping[str, Answer]) -> str:
    """Why a module is refused, where one engine says it and the other does not."""
    if difference.where != "start":
        return ""
    starts = [answers[name].start for name in (difference.first, difference.second) if name in answers]
    words = next((start.words for start in starts if start.kind in REFUSALS), "")
    return f"{_NUMBERS.sub('…', words.split(' (', maxsplit=1)[0])[:80]}, " if words else ""


def cause(difference: Difference, subject: str = "") -> str:
    """What differences of one cause have in common: who, about what kind of thing, and the words without their numbers."""
    if difference.where.startswith("call"):
        said, heard = (
            words.partition(" ")[0] if words.startswith("returned") else words for words in (difference.said_first, difference.said_second)
        )
    elif difference.where == "start":
        said, heard = difference.said_first, difference.said_second
    else:
        said = heard = "…"
    where = _NUMBERS.sub("…", difference.where.split(" func")[0])
    said, heard = (_NUMBERS.sub("…", side)[:120] for side in (said, heard))
    if difference.first == SPECIFICATION:
        return f"{difference.second}, {subject}{where}: no answer, {heard}"
    return f"{difference.second} against {difference.first}, {subject}{where}: {said} / {heard}"
