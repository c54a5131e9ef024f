"""Clocks: the machine's, and one that moves only when somebody looks at it."""

from __future__ import annotations

import time
from typing import Protocol

from pywasm_ref.capabilities.access import Access


class Clocks(Protocol):
    """The clocks that a guest can read, in nanoseconds.

    Fails   NotLent when the access was taken back
    """

    @property
    def access(self) -> Access: ...
    def realtime(self) -> int:
        """Since the beginning of 1970."""

    def monotonic(self) -> int:
        """Since an unknown moment; never goes back."""

    def cpu(self, *, thread: bool) -> int:
        """Time spent working, by the process or by the thread."""

    def resolution(self, kind: str) -> int:
        """The smallest step of `realtime`, `monotonic`, `process` or `thread`."""

    def pass_by(self, nanoseconds: int) -> bool:
        """Let a time pass at once; False for a clock that cannot, so that one has to wait."""


class SystemClocks:
    """The clocks of this machine."""

    def __init__(self) -> None:
        self.access = Access("the clocks")
        clocks = {
            "realtime": time.get_clock_info("time"),
            "monotonic": time.get_clock_info("monotonic"),
            "process": time.get_clock_info("process_time"),
            "thread": time.get_clock_info("thread_time"),
        }
        self._steps = {kind: max(1, int(clock.resolution * 1e9)) for kind, clock in clocks.items()}

    def realtime(self) -> int:
        self.access.use()
        return time.time_ns()

    def monotonic(self) -> int:
        self.access.use()
        return time.monotonic_ns()

    def cpu(self, *, thread: bool) -> int:
        self.access.use()
        return time.thread_time_ns() if thread else time.process_time_ns()

    def resolution(self, kind: str) -> int:
        self.access.use()
        return self._steps[kind]

    def pass_by(self, nanoseconds: int) -> bool:
        return False


class FakeClocks:
    """Clocks that move by `step` each time that they are read, and jump where a guest sleeps: every run sees the same times.

    Units   nanoseconds; `start` counts from the beginning of 1970
    """

    START = 946_684_800_000_000_000
    """The first moment of the year 2000."""

    def __init__(self, start: int = START, step: int = 1_000_000) -> None:
        self.access = Access("the clocks")
        self._start = start
        self._step = step
        self._passed = 0

    def realtime(self) -> int:
        return self._start + self._read()

    def monotonic(self) -> int:
        return self._read()

    def cpu(self, *, thread: bool) -> int:
        return self._read()

    def resolution(self, kind: str) -> int:
        self.access.use()
        return max(1, self._step)

    def pass_by(self, nanoseconds: int) -> bool:
        self._passed += nanoseconds
        return True

    def _read(self) -> int:
        self.access.use()
        self._passed += self._step
        return self._passed
