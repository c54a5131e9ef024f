"""What running scripts gave: counts, and a failure for each command that did not do what its script says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from pywasm_ref.source import Source, line_and_column

LONGEST_MESSAGE = 400


@dataclass(frozen=True, slots=True)
class Failure:
    """Line and column count from 1, and are 0 where the file could not be read."""

    line: int
    column: int
    message: str

    @classmethod
    def at(cls, source: Source, at: int, message: str) -> Failure:
        line, column = line_and_column(source.data, at) if isinstance(source.data, str) else (0, 0)
        return cls(line, column, message)


@dataclass(slots=True)
class FileReport:
    """The counts of one script.

    Units   `seconds` of wall-clock time; `rules` how often each rule was used, where somebody counted
    """

    path: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """A line for each failure: `file:line: message`; a long message is cut."""
        return [f"{self.path}:{f.line}: {shortened(f.message)}" for f in self.failures]


def shortened(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


@dataclass(slots=True)
class Totals:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def totals(reports: Iterable[FileReport]) -> Totals:
    total = Totals()
    for report in reports:
        total.passed += report.passed
        total.failed += report.failed
        total.skipped += report.skipped
    return total


def as_json(reports: Iterable[FileReport], **facts: Any) -> dict[str, Any]:
    """All reports as plain data, in the order of their paths, with the sums and `facts` about the run."""
    rows = sorted(reports, key=lambda report: report.path)
    files = [{key: value for key, value in asdict(row).items() if key != "rules"} for row in rows]
    return {**facts, **asdict(totals(rows)), "files": files}
