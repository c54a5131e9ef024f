"""Colours and progress where a person watches, plain text everywhere else."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO


def is_watched(stream: TextIO) -> bool:
    """Whether a person sees what is written there."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Style:
    """Words in colour, where the stream shows colours and NO_COLOR is not set."""

    def __init__(self, stream: TextIO) -> None:
        self.on = is_watched(stream) and not os.environ.get("NO_COLOR")

    def good(self, words: str) -> str:
        return self._paint("32", words)

    def bad(self, words: str) -> str:
        return self._paint("31;1", words)

    def strong(self, words: str) -> str:
        return self._paint("1", words)

    def _paint(self, code: str, words: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self.on else words


class Progress:
    """One line at the bottom of a terminal that is written over; silent where nobody watches."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.total = total
        self.done = 0
        self.watched = is_watched(self.stream)

    def step(self, words: str) -> None:
        """One more is done."""
        self.done += 1
        self.tell(f"[{self.done}/{self.total}] {words}")

    def tell(self, words: str) -> None:
        """How far it is, in as much as the line has room for."""
        if self.watched:
            self._write(words[: max(20, shutil.get_terminal_size().columns - 1)])

    def clear(self) -> None:
        if self.watched:
            self._write("")

    def _write(self, words: str) -> None:
        self.stream.write(f"\r\x1b[2K{words}")
        self.stream.flush()
