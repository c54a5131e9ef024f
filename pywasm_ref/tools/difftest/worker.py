"""The inside of a child process: `python -m pywasm_ref.tools.difftest.worker NAME [BYTES]` does jobs from standard input, one a line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO

from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome
from pywasm_ref.tools.difftest.parent import end_with_parent
from pywasm_ref.tools.difftest.peers import Peer, peer


def serve(run: Callable[[Job], Answer], jobs: Iterable[bytes], answers: BinaryIO) -> None:
    """Do each job and write its answer as a line."""
    for line in jobs:
        answer = attempt(run, Job.of(json.loads(line)))
        answers.write(json.dumps(answer.plain()).encode() + b"\n")
        answers.flush()


def attempt(run: Callable[[Job], Answer], job: Job) -> Answer:
    """The answer, whatever happens short of the death of the process."""
    try:
        return run(job)
    except NotImplementedError as error:
        return Answer(Outcome("unsupported", str(error)))
    except MemoryError:
        return Answer(Outcome("memory", "MemoryError"))
    except Exception as error:  # noqa: BLE001  an error that is none of WebAssembly's is what is looked for
        return Answer(Outcome("crash", f"{type(error).__name__}: {error}"))


def private_output() -> BinaryIO:
    """Standard output for answers alone: what an engine prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def limit_memory(size: int | None) -> None:
    """Limit the memory of this process, and leave no picture of it behind, on systems that can."""
    try:
        import resource  # noqa: PLC0415  (Windows has none)
    except ImportError:
        return
    if size is not None:  # private memory that is written to; what is only reserved does not count
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: list[str]) -> int:
    end_with_parent()
    answers = private_output()
    limit_memory(int(arguments[1]) if len(arguments) > 1 else None)
    try:
        engine: Peer = peer(arguments[0])
    except (ImportError, ValueError) as error:
        answers.write(json.dumps({"refused": str(error)}).encode() + b"\n")
        answers.flush()
        return 2
    answers.write(b'{"ready": true}\n')
    answers.flush()
    serve(engine.run, sys.stdin.buffer, answers)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
