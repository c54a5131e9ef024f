"""Words that are nearly right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

LONGEST = 60
MOST = 2_000
"""Known words that are looked at; a longer list is not searched to its end."""


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: one that begins the same, is about as long, and differs in little."""
    if not word or len(word) > LONGEST:
        return None
    alike = (other for other in islice(known, MOST) if other[:1] == word[0] and abs(len(other) - len(word)) < 3)
    nearest = get_close_matches(word, alike, n=3, cutoff=0.75)
    return next((other for other in nearest if other.startswith(word)), nearest[0] if nearest else None)
