"""Waiting for time or for descriptors, in a way that another thread can end."""

from __future__ import annotations

import math
import select
import socket
import threading
from collections.abc import Sequence

LONGEST = 60.0
"""Seconds that one wait takes at most; a longer one is made of several, so that no clock of the system overflows."""


class Waker:
    """Waits until something is ready, a time is over, or `wake` was called; once woken it never waits again."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._ends: tuple[socket.socket, socket.socket] | None = None

    @property
    def woken(self) -> bool:
        return self._event.is_set()

    def wake(self) -> None:
        """End all waiting, from any thread."""
        with self._lock:
            self._event.set()
            if self._ends is not None:
                self._ends[1].send(b"\0")

    def wait(self, readers: Sequence[int], writers: Sequence[int], seconds: float | None) -> tuple[list[int], list[int]]:
        """The descriptors that are ready to be read and to be written; none after the time, or when woken."""
        seconds = LONGEST if seconds is None else max(0.0, min(seconds, LONGEST))
        if not readers and not writers:
            self._event.wait(seconds)
            return [], []
        if self.woken:
            return [], []
        alarm = self._alarm()
        ready_to_read, ready_to_write = ready([*readers, alarm], writers, seconds)
        return [fd for fd in ready_to_read if fd != alarm], ready_to_write

    def _alarm(self) -> int:
        """A descriptor that becomes readable when woken; made when the first one is needed."""
        with self._lock:
            if self._ends is None:
                self._ends = socket.socketpair()
                if self._event.is_set():
                    self._ends[1].send(b"\0")
            return self._ends[0].fileno()

    def close(self) -> None:
        with self._lock:
            for end in self._ends or ():
                end.close()
            self._ends = None


if hasattr(select, "poll"):
    WRONG = select.POLLERR | select.POLLNVAL
    READABLE, WRITABLE = select.POLLIN | select.POLLHUP | WRONG, select.POLLOUT | WRONG

    def ready(readers: Sequence[int], writers: Sequence[int], seconds: float) -> tuple[list[int], list[int]]:
        """Wait with poll, which takes descriptors of any number; `select` takes none from 1024 on."""
        masks = dict.fromkeys(readers, select.POLLIN)
        for fd in writers:
            masks[fd] = masks.get(fd, 0) | select.POLLOUT
        poller = select.poll()
        for fd, mask in masks.items():
            poller.register(fd, mask)
        found = dict(poller.poll(math.ceil(seconds * 1000)))
        return [fd for fd in readers if found.get(fd, 0) & READABLE], [fd for fd in writers if found.get(fd, 0) & WRITABLE]

else:  # Windows

    def ready(readers: Sequence[int], writers: Sequence[int], seconds: float) -> tuple[list[int], list[int]]:
        """Wait with select, which has no limit there."""
        found, writable, _ = select.select(readers, writers, [], seconds)
        return found, writable
