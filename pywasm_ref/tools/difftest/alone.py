"""One process at a time, by the lock of a file, which the system takes away from a process that is killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def _lock(file: IO[bytes]) -> None:
    """Have the lock or fail at once. What the system has for it is imported where it is used: the rest of the lab needs none of it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  (of Windows alone)

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415  (of POSIX alone)

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class NotAlone(Exception):
    """Another process has the lock."""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Have the lock of a file, which is made.

    Fails   NotAlone
    """
    with path.open("a+b") as file:
        try:
            _lock(file)
        except OSError:
            raise NotAlone from None
        yield
