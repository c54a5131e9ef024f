"""A guest of WASI: what it was lent, what it has open, and its memory."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pywasm_ref.capabilities.access import Access, Refusal
from pywasm_ref.capabilities.clocks import Clocks, SystemClocks
from pywasm_ref.capabilities.filesystem.nodes import File, Tree
from pywasm_ref.capabilities.filesystem.paths import LONGEST_PATH
from pywasm_ref.capabilities.network import Connection, Listener
from pywasm_ref.capabilities.policy import Policy
from pywasm_ref.capabilities.randomness import Randomness, SystemRandomness
from pywasm_ref.capabilities.streams import Input, Nothing, Output
from pywasm_ref.capabilities.waiting import Waker
from pywasm_ref.embedding.engine import Memory as EngineMemory
from pywasm_ref.embedding.engine import Moves
from pywasm_ref.errors import Interrupted
from pywasm_ref.wasi.abi import ALL_RIGHTS, Errno, Fd, Fdflags
from pywasm_ref.wasi.descriptors import (
    MOST,
    Descriptor,
    Descriptors,
    connection_descriptor,
    directory_descriptor,
    listener_descriptor,
    stream_descriptor,
)
from pywasm_ref.wasi.faults import Fault, errno_of
from pywasm_ref.wasi.function import WasiFunction
from pywasm_ref.wasi.memory import AT_ONCE, Memory
from pywasm_ref.wasi.narrowing import narrow

APPEND, NONBLOCK, SYNCED = int(Fdflags.APPEND), int(Fdflags.NONBLOCK), int(Fdflags.DSYNC | Fdflags.SYNC)

PIECE: int = getattr(select, "PIPE_BUF", 512)
"""What can be written to a pipe that has any room, without blocking."""

REFUSALS = 100
"""Refusals that are remembered, the last ones."""


@dataclass(frozen=True, slots=True)
class Event:
    """One use of something, or one refusal: the function, what it was about, and the errno that the guest got. Where something was not
    lent, `refused` says what, and `hint` what would lend it."""

    number: int
    function: str
    subjects: tuple[str, ...]
    errno: str
    refused: str = ""
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Audit = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing that was lent. `kind` is args, env, clocks, random, stream, dir or socket; a directory is called by its path."""

    kind: str
    name: str
    access: Access
    thing: Tree | Listener | Connection | None = None


class Wasi:
    """One guest: it reaches what stands here and nothing else.

    All that is lent is given by the names of the parameters; where nothing is given the guest has an empty stream, no arguments, no
    environment, no directory and no socket. Clocks and randomness are the system's unless others are given.

    Fails   OSError where a directory cannot be opened
    """

    def __init__(
        self,
        args: Iterable[str | bytes] = (),
        env: Mapping[str, str] | None = None,
        dirs: Mapping[str, Tree] | None = None,
        *,
        stdin: Input | None = None,
        stdout: Output | None = None,
        stderr: Output | None = None,
        clocks: Clocks | None = None,
        randomness: Randomness | None = None,
        sockets: Iterable[Listener | Connection] = (),
        audit: Audit | None = None,
        max_descriptors: int = MOST,
    ) -> None:
        self.args = arguments(args)
        self.env = [as_bytes(f"{name}={value}") for name, value in variables(env or {}).items()]
        self.args_access = Access("the arguments")
        self.env_access = Access("the environment")
        self.clocks = SystemClocks() if clocks is None else clocks
        self.randomness = SystemRandomness() if randomness is None else randomness
        self.waker = Waker()
        self.audit = audit
        self.looked_for_directories = False
        """Whether the guest asked which directories it was lent, and found no more."""

        self.looked_for_sockets = False
        """Whether the guest took a descriptor for a socket that is none."""

        self.refusals: deque[Event] = deque(maxlen=REFUSALS)
        self.descriptors = Descriptors(max_descriptors, self._write_piecewise)
        self.reads = Moves(self.descriptors.by_number, False, AT_ONCE, lambda error: self.problem("fd_read", error))
        self.writes = Moves(self.descriptors.by_number, True, AT_ONCE, lambda error: self.problem("fd_write", error))
        """What an engine may read and write by itself."""

        self._events = 0
        self._refused: Refusal | None = None
        self.view: Callable[[], memoryview] = no_memory
        """All bytes of the guest's memory as they are now. Nobody keeps them longer than one call, since that would keep the memory from
        growing where it is."""

        self._grants: list[Grant] = []
        self._grant("args", "args", self.args_access)
        self._grant("env", "env", self.env_access)
        self._grant("clocks", "clocks", self.clocks.access)
        self._grant("random", "random", self.randomness.access)
        self._lend("stream", "stdin", stream_descriptor(stdin or Nothing()))
        self._lend("stream", "stdout", stream_descriptor(None, stdout or Nothing()))
        self._lend("stream", "stderr", stream_descriptor(None, stderr or Nothing()))
        self._preopen(dirs or {}, sockets)

    def _grant(self, kind: str, name: str, access: Access, thing: Tree | Listener | Connection | None = None) -> None:
        access.watch(self.waker.nudge)
        self._grants.append(Grant(kind, name, access, thing))

    def _lend(self, kind: str, name: str, descriptor: Descriptor, thing: Tree | Listener | Connection | None = None) -> None:
        self._grant(kind, name, descriptor.access, thing)
        self.descriptors.add(descriptor)

    def _preopen(self, dirs: Mapping[str, Tree], sockets: Iterable[Listener | Connection]) -> None:
        try:
            for path, tree in dirs.items():
                self._lend("dir", path, directory_descriptor(tree.root(), int(ALL_RIGHTS), int(ALL_RIGHTS), path), tree)
        except OSError:
            self.close()
            raise
        for end in sockets:
            descriptor = listener_descriptor(end) if isinstance(end, Listener) else connection_descriptor(end)
            self._lend("socket", end.name, descriptor, end)

    # What the functions ask for

    def attach(self, view: Callable[[], memoryview], memory: EngineMemory | None = None) -> None:
        """Say how to get at the guest's memory: a function that gives all bytes of it as they are now, and what the engine has for it."""
        self.view = view
        self.reads.memory = self.writes.memory = memory

    def memory(self) -> Memory:
        """The guest's memory, for one call.

        Fails   FAULT where it has none, or is still being instantiated
        """
        return Memory(self.view)

    def memory_size(self) -> int:
        """How large the guest's memory is, in bytes."""
        return 0 if self.view is no_memory else len(self.view())

    def read(self, descriptor: Descriptor, buffers: Sequence[memoryview]) -> int:
        """Read from a stream, socket or file; waits for it unless the guest said not to.

        Fails   AGAIN; BADF for what cannot be read
        """
        reader = descriptor.reader
        if reader is None:
            raise Fault(Errno.BADF)
        if descriptor.host_fd is not None and buffers:
            self.wait(descriptor, reading=True)
        return reader.read(buffers)

    def write(self, descriptor: Descriptor, buffers: Sequence[memoryview]) -> int:
        """Write to a stream, socket or file; waits for it unless the guest said not to.

        Fails   AGAIN; BADF for what cannot be written
        """
        writer = descriptor.writer
        if writer is None:
            raise Fault(Errno.BADF)
        if descriptor.host_fd is not None:
            return self._write_piecewise(descriptor, writer, buffers)
        if descriptor.flags and descriptor.file is not None:
            return write_specially(descriptor.file, descriptor.flags, buffers)
        return writer.write(buffers)

    def _write_piecewise(self, descriptor: Descriptor, writer: Output | File, buffers: Sequence[memoryview]) -> int:
        """Pieces so small that none of them blocks, once there is room at all: so a reader that is slow cannot keep the guest from being
        stopped."""
        if len(buffers) == 1 and len(buffers[0]) <= PIECE:
            self.wait(descriptor, reading=False)
            return writer.write(buffers)
        done = 0
        for buffer in buffers:
            for at in range(0, len(buffer), PIECE):
                piece = buffer[at : at + PIECE]
                try:
                    self.wait(descriptor, reading=False)
                    n = writer.write([piece])
                except (Fault, OSError):
                    if done:
                        return done
                    raise
                done += n
                if n < len(piece):
                    return done
        return done

    def wait(self, descriptor: Descriptor, *, reading: bool) -> None:
        """Wait until something can be read or written.

        Fails   AGAIN where the guest said not to wait; Interrupted when the guest is being stopped
        """
        fd = descriptor.host_fd
        if fd is None:
            return
        at_once = bool(descriptor.flags & NONBLOCK)
        while not self.waker.woken:
            descriptor.access.use()
            if self.waker.ready_now(fd, reading=reading):
                return
            if at_once:
                raise Fault(Errno.AGAIN)
            self.waker.wait([fd] if reading else [], [] if reading else [fd], None)
        raise Interrupted("interrupted")

    # What becomes of failures

    def failed(self, function: str, error: OSError) -> Errno:
        """The errno for an error of the host; a refusal is remembered."""
        code = errno_of(error)
        if isinstance(error, Refusal):
            self._refused = error
            self.refusals.append(self._event(function, (), code))
        return code

    def problem(self, function: str, error: Exception) -> Errno:
        """The errno for an error that may be one of memory."""
        return self.failed(function, error) if isinstance(error, OSError) else Errno.NOMEM

    def subjects(self, function: WasiFunction, args: Sequence[int]) -> tuple[str, ...]:
        """What a call is about, in words: descriptors and paths."""
        found: list[str] = []
        values = dict(zip((name for name, _ in function.params), args, strict=True))
        for name, type in function.params:
            if type == "Fd":
                known = self.descriptors.by_number.get(values[name])
                found.append(f"fd {values[name]}" + (f" ({known.access.name})" if known else ""))
            elif type == "Ptr" and f"{name}_len" in values and "path" in name:
                found.append(self._path(values[name], values[f"{name}_len"]))
        return tuple(found)

    def _path(self, at: int, size: int) -> str:
        try:
            return self.memory().view(at, min(size, LONGEST_PATH)).tobytes().decode(errors="backslashreplace")
        except Fault:
            return "a path outside of memory"

    def note(self, function: str, subjects: tuple[str, ...], errno: Errno) -> None:
        """Tell the audit of a use."""
        if self.audit is not None:
            self.audit(self._event(function, subjects, errno))
        self._refused = None

    def _event(self, function: str, subjects: tuple[str, ...], errno: Errno) -> Event:
        self._events += 1
        refused = self._refused
        why = (refused.what, refused.hint) if refused is not None else ("", "")
        return Event(self._events, function, subjects, errno.name, *why)

    # What may still be used

    def grants(self) -> tuple[Grant, ...]:
        """All that was lent."""
        return tuple(self._grants)

    def revoke(self, name: str, kind: str | None = None) -> None:
        """Take back what was lent under a name, from any thread: args, env, clocks, random, stdin, stdout, stderr, a directory by its path,
        a socket by its name. What the guest has open of it is useless from then on, also where it waits for it.

        Fails   KeyError where nothing of that name was lent
        """
        found = [grant for grant in self._grants if grant.name == name and kind in (None, grant.kind)]
        if not found:
            raise KeyError(name)
        for grant in found:
            grant.access.revoke()

    def narrow(self, policy: Policy) -> None:
        """Take back all that a policy does not have, make read-only what it has for reading, and quotas smaller. Nothing is ever given.
        Clocks and randomness stay as they are, and so do limits, which are the store's.

        Fails   ValueError where the policy has something that was not lent, or was taken back; then nothing is changed
        """
        narrow(self, policy)

    # Its end

    def stop(self) -> None:
        """End all waiting, from any thread; whoever stops a guest stops its store as well."""
        self.waker.wake()

    def go_on(self) -> None:
        """Asked in the midst of what may take long.

        Fails   Interrupted when the guest is being stopped
        """
        if self.waker.woken:
            raise Interrupted("interrupted")

    def close(self) -> None:
        """Close all that the guest has open."""
        for grant in self._grants:
            grant.access.unwatch(self.waker.nudge)
        self.descriptors.close_all()
        self.waker.close()

    def __enter__(self) -> Wasi:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def preopens(self) -> list[tuple[Fd, str]]:
        """The directories that the guest finds lent."""
        return [(fd, found.preopen) for fd, found in self.descriptors if found.preopen is not None]


def write_specially(file: File, flags: int, buffers: Sequence[memoryview]) -> int:
    """Write to a file at its end, or so that it lasts."""
    done = file.write(buffers, append=bool(flags & APPEND))
    if flags & SYNCED:
        file.datasync()
    return done


def no_memory() -> memoryview:
    """Fails   FAULT"""
    raise Fault(Errno.FAULT)


def as_bytes(text: str | bytes) -> bytes:
    """A string as guests have it, which end in NUL and so hold none.

    Fails   TypeError for anything else, ValueError for a NUL
    """
    if not isinstance(text, str | bytes):
        raise TypeError(f"an argument is a string, not {text!r}")
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    if b"\0" in data:
        raise ValueError(f"an argument or variable of the environment holds a NUL: {text!r}")
    return data


def arguments(args: Iterable[str | bytes]) -> list[bytes]:
    """Fails   TypeError for what is no list of strings, ValueError for a NUL"""
    if isinstance(args, str | bytes):
        raise TypeError(f"args is a list of strings, not {args!r}")
    return [as_bytes(arg) for arg in args]


def variables(env: object) -> Mapping[str, str]:
    """Fails   TypeError for what is no mapping of strings, ValueError for a name that cannot be one"""
    if not isinstance(env, Mapping):
        raise TypeError(f"env is a mapping of names to values, not {env!r}")
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"a variable of env is a string with a name, not {name!r}: {value!r}")
        if not name or "=" in name:
            raise ValueError(f"no variable can be called {name!r}")
    return env
