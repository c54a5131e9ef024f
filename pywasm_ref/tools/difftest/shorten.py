"""Making bytes and texts shorter that need not be modules: piece by piece, as long as what is left still shows the thing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bytes, str)


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
