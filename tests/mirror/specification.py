"""The facts of the specification that the tests in this folder compare the code with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent / "facts"


def load(name: str) -> list[dict[str, Any]]:
    """The rows of one file of facts."""
    rows: list[dict[str, Any]] = json.loads((FACTS / f"{name}.json").read_text())
    return rows


def rule_ids(*relations: str) -> set[str]:
    """The ids of all rules of these relations."""
    return {row["id"] for row in load("rules") if row["relation"] in relations}
