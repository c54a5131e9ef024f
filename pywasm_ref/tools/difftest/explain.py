"""Differences that are no faults: where the specification leaves a choice, or an engine says what it has not got."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pywasm_ref.tools.difftest.compare import Difference


@dataclass(frozen=True, slots=True)
class Known:
    """An engine's way to answer, as a pattern of its words, and why it may."""

    engine: str
    words: str
    why: str


KNOWN: tuple[Known, ...] = ()


def explanation(work: str, difference: Difference) -> str:
    """Why a difference is none, or nothing."""
    for known in KNOWN:
        sides = ((difference.first, difference.said_first), (difference.second, difference.said_second))
        if any(name.partition(":")[0] == known.engine and re.search(known.words, said) for name, said in sides):
            return known.why
    return ""
