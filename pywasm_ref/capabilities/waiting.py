"""Waiting for time or for descriptors, in a way that another thread can end."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import threading
from collections.abc import Callable, Sequence

LONGEST = 60.0
"""Seconds that one wait takes at most; a longer one is made of several, so that no clock of the system overflows."""


class Waker:
    """Waits until something is ready, a time is over, `nudge` or `wake` was called; once woken it never waits again."""

    def __init__(self) -> None:
        self.woken = False
        self._bell = threading.Event()
        self._lock = threading.Lock()
        self._ends: tuple[socket.socket, socket.socket] | None = None
        self._looks: dict[tuple[int, bool], Callable[[], bool]] = {}

    def wake(self) -> None:
        """End all waiting for good, from any thread."""
        self.woken = True
        self.nudge()

    def nudge(self) -> None:
        """End the waiting of now, or else of the next time: whoever waits looks again at what he waits for. From any thread."""
        with self._lock:
            self._bell.set()
            self._ring()

    def _ring(self) -> None:
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):  # it is full of nudges already
                self._ends[1].send(b"\0")

    def wait(self, readers: Sequence[int], writers: Sequence[int], seconds: float | None) -> tuple[list[int], list[int]]:
        """The descriptors that are ready to be read and to be written; none after the time, or when nudged or woken."""
        seconds = LONGEST if seconds is None else max(0.0, min(seconds, LONGEST))
        if not readers and not writers:
            self._bell.wait(seconds)
            self._heard()
            return [], []
        alarm = self._alarm()
        ready_to_read, ready_to_write = ready([*readers, alarm], writers, seconds)
        if alarm in ready_to_read:
            self._heard()
            ready_to_read.remove(alarm)
        return ready_to_read, ready_to_write

    def ready_now(self, fd: int, *, reading: bool) -> bool:
        """Whether a descriptor is ready, as far as that can be told quickly."""
        look = self._looks.get((fd, reading))
        if look is None:
            look = self._looks[fd, reading] = look_at(fd, reading=reading)
        return look()

    def _heard(self) -> None:
        """The bell is silent again, unless it rang for good."""
        if not self._bell.is_set():
            return
        with self._lock:
            if self.woken:
                return
            self._bell.clear()
            if self._ends is not None:
                with contextlib.suppress(BlockingIOError):
                    self._ends[0].recv(4096)

    def _alarm(self) -> int:
        """A descriptor that becomes readable with the bell; made when the first one is needed."""
        with self._lock:
            if self._ends is None:
                self._ends = socket.socketpair()
                for end in self._ends:
                    end.setblocking(False)
                if self._bell.is_set():
                    self._ring()
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

    def look_at(fd: int, *, reading: bool) -> Callable[[], bool]:
        """What tells whether a descriptor is ready, again and again."""
        poller = select.poll()
        poller.register(fd, select.POLLIN if reading else select.POLLOUT)
        return lambda: bool(poller.poll(0))

else:  # Windows

    def ready(readers: Sequence[int], writers: Sequence[int], seconds: float) -> tuple[list[int], list[int]]:
        """Wait with select, which has no limit there."""
        found, writable, _ = select.select(readers, writers, [], seconds)
        return found, writable

    def look_at(fd: int, *, reading: bool) -> Callable[[], bool]:
        """What tells whether a descriptor is ready, again and again."""
        return lambda: any(select.select([fd] if reading else [], [] if reading else [fd], [], 0))
