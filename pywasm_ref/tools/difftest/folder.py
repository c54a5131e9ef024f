"""The folder of a campaign, which says how far it is.

It has `campaign.json` (what was asked for, and at last the figures), `shards.jsonl` (a line for each shard that is done, so that a campaign
that was killed goes on where it stopped), `finds/` (a script for each cause), `report.html`, and `lock`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pywasm_ref.tools.difftest.alone import alone
from pywasm_ref.tools.difftest.html import page
from pywasm_ref.tools.difftest.settings import Settings
from pywasm_ref.tools.difftest.shards import Report
from pywasm_ref.tools.difftest.totals import Totals

SETTINGS, TOTALS = "campaign.json", "totals"
SHARDS, FINDS, REPORT, LOCK = "shards.jsonl", "finds", "report.html", "lock"
OURS = (SETTINGS, f"{SETTINGS}.new", SHARDS, FINDS, REPORT, LOCK)


class NotTheSame(Exception):
    """The folder belongs to a campaign with other settings, or to something else."""


class Folder:
    """Where a campaign keeps what it knows."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        known, asked = self._known(), settings.identity()
        if not known and (others := sorted(entry.name for entry in path.iterdir() if entry.name not in OURS)):
            raise NotTheSame(f"{path} has other things in it, such as {others[0]}")
        if known and (other := [f"{name} {known.get(name)}" for name in asked if known.get(name) != asked[name]]):
            raise NotTheSame(f"{path} has a campaign with other settings: {', '.join(other)}")
        (path / FINDS).mkdir(exist_ok=True)
        self._write(known or asked)

    def _known(self) -> dict[str, Any]:
        """What stands in the file of a campaign that was here before: its settings, and its figures if it came to an end."""
        file = self.path / SETTINGS
        try:
            known: Any = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        except ValueError:  # no JSON, or no text
            known = None
        if not isinstance(known, dict):
            raise NotTheSame(f"{file} is damaged")
        known.pop(TOTALS, None)
        return known

    def _write(self, known: dict[str, Any]) -> None:
        """Written beside and put in its place at once: whoever is killed here leaves the old one."""
        new = self.path / f"{SETTINGS}.new"
        new.write_text(json.dumps(known, indent=1) + "\n")
        new.replace(self.path / SETTINGS)

    def alone(self) -> AbstractContextManager[None]:
        """While one campaign is at work here, no other is.

        Fails   NotAlone when it is entered
        """
        return alone(self.path / LOCK)

    def reports(self) -> Iterator[Report]:
        """The shards that are done. A line that was not finished, or that says something else, is no shard."""
        file = self.path / SHARDS
        if not file.exists():
            return
        for line in file.read_bytes().splitlines():
            try:
                report = Report.of(json.loads(line))
            except (ValueError, TypeError, LookupError):
                continue
            yield report

    def append(self, plain: dict[str, Any]) -> None:
        """A line, after one that was not finished where the campaign was killed."""
        with (self.path / SHARDS).open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(json.dumps(plain).encode() + b"\n")

    def has(self, name: str) -> bool:
        """Whether there is a script of that name."""
        return self._script(name).exists()

    def save(self, name: str, script: str) -> Path:
        """A whole script or none: one that is there is not made again."""
        path = self._script(name)
        new = path.with_suffix(".new")
        new.write_text(script, encoding="utf-8")
        return new.replace(path)

    def _script(self, name: str) -> Path:
        return self.path / FINDS / f"{name}.wast"

    def write_report(self, settings: Settings, totals: Totals) -> None:
        self._write(settings.identity() | {TOTALS: totals.plain()})
        (self.path / REPORT).write_text(page(asdict(settings), totals), encoding="utf-8")
