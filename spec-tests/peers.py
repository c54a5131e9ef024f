"""Scripts of the official suites on wasmtime, in processes of their own: what kills one is a failure of the script that it ran."""

import contextlib
import json
import os
import queue
import select
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from pywasm_ref.script.report import Failure, FileReport

COMMAND = [sys.executable, "-m", "pywasm_ref.tools.difftest.wasmtime"]
SECONDS = 300.0


class Missing(Exception):
    """The engine is not installed."""


class Process:
    """One process that runs scripts, one after the other; it is started again after a death."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def report(self, path: str) -> FileReport:
        if self.process is None:
            self.process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self._ask(self.process, path)
        if not line:
            status = self.close()
            return FileReport(path, failed=1, failures=[Failure(0, 0, f"the process that ran this script ended with status {status}")])
        row = json.loads(line)
        failures = [Failure(**failure) for failure in row["failures"]]
        return FileReport(row["path"], row["passed"], row["failed"], row["skipped"], row["seconds"], failures)

    def close(self) -> int:
        """End it; how it ended if it had already."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        return process.wait()

    @staticmethod
    def _ask(process: subprocess.Popen[bytes], path: str) -> bytes:
        """The line that answers; nothing when there is none in time."""
        if process.stdin is None or process.stdout is None:
            return b""
        try:
            process.stdin.write(os.fsencode(path) + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            return b""
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        return process.stdout.readline() if ready else b""


def reports(paths: Sequence[Path], jobs: int) -> Iterator[FileReport]:
    """A report for each script, in the order in which they are done.

    Fails   Missing
    """
    check()
    todo: queue.SimpleQueue[Path] = queue.SimpleQueue()
    done: queue.SimpleQueue[FileReport] = queue.SimpleQueue()
    for path in sorted(paths, key=lambda path: -path.stat().st_size):
        todo.put(path)
    threads = [threading.Thread(target=_work, args=(todo, done), daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for _ in paths:
        yield done.get()


def _work(todo: "queue.SimpleQueue[Path]", done: "queue.SimpleQueue[FileReport]") -> None:
    process = Process()
    while True:
        try:
            path = todo.get_nowait()
        except queue.Empty:
            process.close()
            return
        done.put(process.report(str(path)))


def check() -> None:
    """Fails   Missing  with what to install"""
    tried = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Missing((tried.stderr.strip().splitlines() or ["no reason given"])[-1])
