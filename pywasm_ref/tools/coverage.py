"""Rule coverage: which rules of execution a run used, in the specification's own unit.

Spec    exec/index.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pywasm_ref.execution import engine as _engine  # noqa: F401  its import registers every rule
from pywasm_ref.execution.rules import RULES, UNCLAIMED

IMPLIED: dict[str, tuple[str, ...]] = {
    "Step/pure": ("Step_pure/",),
    "Step/read": ("Step_read/",),
    "Step/ctxt-instrs": ("Step",),
    "Step/ctxt-label": ("Step_pure/label-vals",),
    "Step/ctxt-handler": ("Step_pure/handler-vals",),
    "Step/ctxt-frame": ("Step_pure/frame-vals",),
    "Steps/refl": ("Step",),
    "Steps/trans": ("Step",),
}
"""Rules that only pass a step on; they are in use when a rule is whose name starts like this."""


class RuleCounter:
    """Counts the rules that a store uses, as its observer."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()

    def step(self, configuration: object, instruction: object, rule: str) -> None:
        self.rules[rule] += 1


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of the specification: its rules, and those of them that were not used."""

    name: str
    rules: tuple[str, ...]
    missed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {len(self.rules) - len(self.missed)}/{len(self.rules)}"


def coverage(used: Mapping[str, int]) -> list[Relation]:
    """Every relation of execution, by name."""
    known = sorted({rule for claimed in RULES.values() for rule in claimed} | set(UNCLAIMED))
    reached = {rule for rule in known if used.get(rule)}
    reached |= {rule for rule, starts in IMPLIED.items() if any(r.startswith(starts) for r in used)}
    relations: dict[str, list[str]] = {}
    for rule in known:
        relations.setdefault(rule.split("/")[0], []).append(rule)
    return [Relation(name, tuple(rules), tuple(rule for rule in rules if rule not in reached)) for name, rules in sorted(relations.items())]


def coverage_lines(counters: Iterable[Mapping[str, int]]) -> list[str]:
    """The coverage of several runs together: a line for each relation, and one for each rule that none of them used."""
    used: Counter[str] = Counter()
    for counter in counters:
        used.update(counter)
    relations = coverage(used)
    lines = ["rule coverage", *(f"  {relation}" for relation in relations)]
    missed = [rule for relation in relations for rule in relation.missed]
    if missed:
        lines.append("rules that were not used")
        lines += [f"  {rule}{f'  ({UNCLAIMED[rule]})' if rule in UNCLAIMED else ''}" for rule in missed]
    return lines
