"""Programs that are engines, started for one task: what they print, and how they fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from pywasm_ref.tools.difftest.jobs import Outcome

MOST_OUTPUT = 1 << 20
"""What is kept of what a program prints; the rest is read and forgotten."""

MUCH = 0.8
"""The part of the memory there is from which a program that failed is taken to have wanted more."""

NO_MEMORY = ("MemoryError", "out of memory", "Out of memory", "OutOfMemory", "bad_alloc", "annot allocate memory", "memory allocation of")
"""What a program says that got no memory, or what the language says that it was written in."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its status, less than 0 for a signal, and what it printed.

    Units   `peak` in bytes of memory
    """

    status: int
    out: str
    err: str
    peak: int = 0

    def failure(self) -> Outcome | None:
        """A crash or a want of memory; None where the program ended by itself, whatever its status says."""
        if self.status != 0 and (self.peak >= MUCH * memory_limit() or any(words in self.err for words in NO_MEMORY)):
            return want(self.peak, memory_limit())
        return Outcome("crash", signal_name(-self.status)) if self.status < 0 else None


def want(peak: int, limit: float) -> Outcome:
    """The outcome of a program that had so much memory, of so much that there was, and wanted more."""
    return Outcome("memory", f"{peak >> 20} MiB" + (f" of {limit / (1 << 20):.0f}" if limit != float("inf") else ""))


def memory_limit() -> float:
    """What the programs of this process may have, on systems that say."""
    try:
        import resource  # noqa: PLC0415  (Windows has none)
    except ImportError:
        return float("inf")
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have no names
        return f"signal {number}"


def run(command: Sequence[str], given: str = "") -> Ended:
    """Run a program to its end. Whoever started this process stops it, and that program, when the time is up."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given.encode())
        stdin.seek(0)
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed = [_Printed(stream) for stream in (process.stdout, process.stderr) if stream is not None]
    status, peak = wait(process)
    out, err = (text.read() for text in printed)
    return Ended(status, out, err, peak)


def wait(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Its status when it has ended, and the most memory that it had, on systems that say; 0 where that could be what this process had when
    it started the other, which the system counts as well."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1 << 10)
    return process.returncode, peak if peak > _own_peak() else 0


def _own_peak() -> int:
    """The most memory that this process had, in bytes, which Linux counts to the processes that it starts; 0 on systems that do not.
    Its own `ru_maxrss` would not do: there the process that started this one is counted."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        lines = []
    known = [int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")]
    return known[0] if known else 0


class _Printed:
    """A stream that is read aside, so that a program never waits for its reader."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.text = b""
        self.thread = Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        while more := os.read(self.stream.fileno(), 1 << 16):
            self.text += more[: MOST_OUTPUT - len(self.text)]

    def read(self) -> str:
        """All of it. A program of the program may have the stream open still; that is not waited for."""
        self.thread.join(1)
        if not self.thread.is_alive():
            self.stream.close()
        return self.text.decode("utf-8", "replace")
