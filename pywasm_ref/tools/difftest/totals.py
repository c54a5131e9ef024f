"""What a campaign did so far, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pywasm_ref.tools.difftest.shards import Finding, Report, name_of
from pywasm_ref.tools.difftest.work import BROKEN


@dataclass(slots=True)
class Totals:
    """All that was done so far. Of the instructions that can be executed, `opcodes`, some were; of all that is to be done, `names`,
    some was begun."""

    opcodes: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    jobs: Counter[str] = field(default_factory=Counter)
    usable: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    finds: dict[str, str] = field(default_factory=dict)
    executed: set[str] = field(default_factory=set)
    seconds: float = 0.0
    done_now: int = 0

    def add(self, report: Report) -> None:
        name = name_of(report.shard.work, report.shard.release)
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

    def not_begun(self) -> list[str]:
        """The work of which nothing was done."""
        return [name for name in self.names if not self.jobs[name]]

    def plain(self) -> dict[str, Any]:
        """The figures, for programs."""
        return {
            "jobs": dict(self.jobs),
            "not begun": self.not_begun(),
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
            f"{self.jobs.total():,} job{'s' * (self.jobs.total() != 1)}",
            f"{self.rate():.1f} a second",
            f"{self.seconds:.0f} s",
            *([f"{self.share():.1f} % usable"] if self.meant() else []),
            f"{found} finding{'s' * (found != 1)}",
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
