"""Stopping guests when their time is over: one thread for all guests of the process, that is there while one of them has a deadline."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable

SPARE = 64
"""Deadlines that were kept and are not forgotten yet, at most, besides as many as there are others."""


class Deadline:
    """A moment at which something is stopped, unless it is cancelled before. `over` says whether that moment came."""

    __slots__ = ("over", "stop")

    def __init__(self, stop: Callable[[], object]) -> None:
        self.stop: Callable[[], object] | None = stop
        self.over = False


class Deadlines:
    """All deadlines to come, the nearest first."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Have none. A child process begins so: it has the list of its parent, and not its thread."""
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()
        self._cancelled = 0
        self._thread: threading.Thread | None = None

    def add(self, seconds: float, stop: Callable[[], object]) -> Deadline:
        """Have something stopped after a time."""
        deadline = Deadline(stop)
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._numbers), deadline))
            if self._thread is None:
                self._start()
            elif self._waiting[0][2] is deadline:
                self._changed.notify()
        return deadline

    def cancel(self, deadline: Deadline) -> None:
        """It is through in time; nothing is stopped from now on, and nothing of it is held."""
        with self._changed:
            if deadline.stop is None:
                return
            deadline.stop = None
            self._cancelled += 1
            if self._cancelled > SPARE + len(self._waiting) // 2:
                self._waiting = [entry for entry in self._waiting if entry[2].stop is not None]
                heapq.heapify(self._waiting)
                self._cancelled = 0
                self._changed.notify()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._watch, name="pywasm-ref deadlines", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        try:
            while (stop := self._next()) is not None:
                stop()
        finally:
            with self._changed:
                if self._thread is threading.current_thread():  # somebody's `stop` raised; the others are to be stopped all the same
                    self._start()

    def _next(self) -> Callable[[], object] | None:
        """Wait for the next deadline; None when there is none any more, and the thread ends."""
        with self._changed:
            while self._waiting:
                moment, _, deadline = self._waiting[0]
                left = moment - time.monotonic()
                if deadline.stop is not None and left > 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                    continue
                heapq.heappop(self._waiting)
                stop, deadline.stop = deadline.stop, None
                if stop is not None:
                    deadline.over = True
                    return stop
                self._cancelled -= 1
            self._thread = None
            return None


DEADLINES = Deadlines()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DEADLINES.begin)
