"""Making bytes and texts shorter that need not be modules: piece by piece, as long as what is left still shows the thing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bytes, str, list[str])


def shorten_text(whole: str, shows: Callable[[str], bool], seconds: float) -> str:
    """The same for a text: first what stands in parentheses, since most of it is nothing without its other end; then lines, then words."""
    deadline = time.monotonic() + seconds
    at = 0
    while (at := whole.find("(", at)) >= 0 and time.monotonic() < deadline:
        candidate = whole[:at] + whole[closing(whole, at) :]
        if shows(candidate):
            whole = candidate
        else:
            at += 1
    for pieces in (r"[^\n]*\n|[^\n]+", r"\s+|\S+", "(?s)."):
        parts = shorten(re.findall(pieces, whole), lambda part: shows("".join(part)), max(0.0, deadline - time.monotonic()))
        whole = "".join(parts)
    return whole


def closing(text: str, at: int) -> int:
    """Behind the parenthesis that closes the one that stands there, as if there were no strings and comments."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return len(text)


def shorten(whole: T, shows: Callable[[T], bool], seconds: float) -> T:
    """The shortest that was found in that time: halves are left out first, single characters last."""
    deadline = time.monotonic() + seconds
    size = max(1, len(whole) // 2)
    while True:
        shorter = _without_pieces(whole, size, shows, deadline)
        if time.monotonic() > deadline or (size == 1 and len(shorter) == len(whole)):
            return shorter
        size, whole = max(1, size // 2), shorter


def _without_pieces(whole: T, size: int, shows: Callable[[T], bool], deadline: float) -> T:
    """Without any piece of that size that it can do without, from the end on."""
    at = len(whole) - size
    while at > -size and time.monotonic() < deadline:
        candidate = whole[: max(0, at)] + whole[at + size :]
        if len(candidate) < len(whole) and shows(candidate):
            whole = candidate
        at -= size
    return whole
