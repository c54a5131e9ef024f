"""How errors are shown: one line that says what and where, then the place itself. Never a traceback."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from pywasm_ref import binary
from pywasm_ref.cli.terminal import Style
from pywasm_ref.errors import Exhaustion, Interrupted, Invalid, Malformed, Trap, Unlinkable, WasmError, WasmException, printable
from pywasm_ref.source import Source

CALLS_SHOWN = 8
STDOUT = "standard output"
BALLAST = 1 << 20
"""Bytes that are thrown overboard when memory runs out, so that there is room for saying so."""
REFUSED, UNUSABLE, LIMITED, INTERRUPTED, TRAPPED, BROKEN_PIPE = 1, 2, 124, 130, 134, 141
"""Those of guests are what a shell gives for programs that `timeout` ended, and that aborted: few programs use them by themselves."""

KINDS: dict[type[WasmError], str] = {
    Malformed: "malformed",
    Invalid: "invalid",
    Unlinkable: "cannot link",
    Trap: "trap",
    Exhaustion: "exhausted",
    Interrupted: "stopped",
    WasmException: "exception",
}
STATUSES: dict[type[WasmError], int] = {Trap: TRAPPED, WasmException: TRAPPED, Exhaustion: LIMITED, Interrupted: LIMITED}
"""How a guest ended; all other errors are REFUSED."""


class Unusable(Exception):
    """The command line asks for something that cannot be done; the message is shown as it is."""


def guarded(command: Callable[[], int], stderr: TextIO) -> int:
    """Run a command, and turn everything that it may raise into a message and an exit status."""
    ballast = bytearray(BALLAST)
    try:
        status = command()
        with naming(STDOUT):
            sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        print("interrupted", file=stderr)
        return INTERRUPTED
    except MemoryError:
        ballast.clear()
        return show(Unusable("out of memory"), stderr)
    except (WasmError, OSError, Unusable) as error:
        _abandon_stdout_if_broken()
        return show(error, stderr)
    return status


def show(error: WasmError | OSError | Unusable, stderr: TextIO) -> int:
    """Say what went wrong; the result is the exit status for it."""
    if isinstance(error, WasmError):
        print(present(error, Style(stderr)), file=stderr)
        return STATUSES.get(type(error), REFUSED)
    words = _os_words(error) if isinstance(error, OSError) else str(error)
    print(f"pywasm-ref: {Style(stderr).bad('error')}: {printable(words)}", file=stderr)
    return UNUSABLE


@contextlib.contextmanager
def naming(path: str) -> Iterator[None]:
    """Errors of the system that do not know their file are about this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise


@contextlib.contextmanager
def errors_in(source: Source) -> Iterator[None]:
    """Errors that know their place point into this source."""
    try:
        yield
    except WasmError as error:
        if error.at is not None:
            error.source = source
        raise


def present(error: WasmError, style: Style) -> str:
    """The error in words: kind and message, where it is known the place, what stands there, and the calls that led there."""
    kind = style.bad(KINDS.get(type(error), "error"))
    message = printable(error.message)
    calls = "".join(f"\n{line}" for line in _calls(error))
    if error.at is None or error.source is None:
        return f"{kind}: {message}{calls}"
    source, at = error.source, error.at
    if not source.data:
        return f"{style.strong(source.name)}: {kind}: {message}"
    excerpt = "\n".join(f"    {printable(line)}" for line in source.excerpt(at).splitlines())
    return f"{style.strong(source.where(at))}: {kind}: {message}{_section(source, at)}\n{excerpt}{calls}"


def _calls(error: WasmError) -> Iterator[str]:
    """A line for each function that was open, innermost first; of a deep stack the first ones."""
    for k, (name, at) in enumerate(error.frames[:CALLS_SHOWN]):
        where = f", {error.source.where(at)}" if k and at is not None and error.source else ""
        called = f"function {name}" if isinstance(name, int) else f"${printable(name)}"
        yield f"  {'called from' if k else 'in'} {called}{where}"
    if len(error.frames) > CALLS_SHOWN:
        yield "  …"


def _section(source: Source, at: int) -> str:
    section = binary.section_at(source.data, at) if isinstance(source.data, bytes) else None
    return f", in section {section}" if section else ""


def _os_words(error: OSError) -> str:
    reason = error.strerror or str(error)
    return reason if error.filename is None else f"{error.filename or repr('')}: {reason}"


def _abandon_stdout_if_broken() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _abandon_stdout()


def _abandon_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, so that the interpreter does not complain at its exit."""
    with contextlib.suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
