"""An engine in a process of its own: what kills it, stops it or fills its memory is an answer, and the next job finds a new process."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from pywasm_ref.tools.difftest import programs
from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome

STARTING = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an engine may take for a job.

    Units   `memory` in bytes
    """

    seconds: float = 20.0
    memory: int = 3 << 30


BOUNDS = Bounds()


def _environment() -> dict[str, str]:
    """Ours, in which this very package is found, wherever it stands and whatever folder is the current one."""
    places = [str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


class Unavailable(Exception):
    """The engine cannot be had here; the message says why."""


class Child:
    """A process that does jobs, one at a time: `send`, then `receive`."""

    def __init__(self, name: str, bounds: Bounds = BOUNDS, command: Sequence[str] | None = None) -> None:
        self.name = name
        self.bounds = bounds
        self.command = [*(command or (sys.executable, "-m", "pywasm_ref.tools.difftest.worker")), name, str(bounds.memory)]
        self.process: subprocess.Popen[bytes] | None = None
        self.pending = b""
        self.job: Job | None = None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def ask(self, job: Job) -> Answer:
        self.send(job)
        return self.receive()

    def send(self, job: Job) -> None:
        """Hand a job over; starts the process when there is none.

        Fails   Unavailable
        """
        process = self.process or self._start()
        self.job = job
        line = json.dumps(job.plain()).encode() + b"\n"
        try:
            self._stdin(process).write(line)
            self._stdin(process).flush()
        except BrokenPipeError:  # it died; receiving will tell how
            return

    def receive(self) -> Answer:
        """The answer to the last job, or how the process failed to give one."""
        line = self._line(self.bounds.seconds)
        if line is None:
            self.close()
            return Answer(Outcome("hang", f"no answer in {self.bounds.seconds:g} seconds"))
        if not line:
            return Answer(self._death())
        answer = Answer.of(json.loads(line))
        if any(outcome.kind == "memory" for outcome in (answer.start, *answer.calls)):  # nobody knows in what state it is
            self.close()
        return answer

    def start(self) -> None:
        """Have the process run.

        Fails   Unavailable
        """
        if self.process is None:
            self._start()

    def close(self) -> None:
        """End the process, whatever it does, and the programs that it has started."""
        process, self.process, self.pending = self.process, None, b""
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        continue

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self.process, self.pending = process, b""
        line = self._line(STARTING)
        greeting = json.loads(line) if line else {"refused": f"the process of {self.name} does not start"}
        if "refused" in greeting:
            self.close()
            raise Unavailable(greeting["refused"])
        return process

    def _stdin(self, process: subprocess.Popen[bytes]) -> IO[bytes]:
        if process.stdin is None:
            raise Unavailable(f"the process of {self.name} has no input")
        return process.stdin

    def _line(self, seconds: float) -> bytes | None:
        """A line of output without its end; empty when the process is gone, None when the time is up."""
        if self.process is None or self.process.stdout is None:
            return b""
        deadline = time.monotonic() + seconds
        stream = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            more = os.read(stream, 1 << 16)
            if not more:
                return b""
            self.pending += more
        line, _, self.pending = self.pending.partition(b"\n")
        return line

    def _death(self) -> Outcome:
        """How the process ended; one that had nearly all memory that it may have wanted more."""
        status, peak = programs.wait(self.process) if self.process is not None else (0, 0)
        self.close()
        if peak >= programs.MUCH * self.bounds.memory:
            return programs.want(peak, self.bounds.memory)
        return Outcome("crash", programs.signal_name(-status) if status < 0 else f"exit status {status}")
