"""Streams of bytes: from and to Python objects, bytes, functions, and the streams of this process."""

from __future__ import annotations

import codecs
import errno
import io
import os
import stat
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import IO, Any, Protocol, cast, runtime_checkable

from pywasm_ref.capabilities.access import Access, failure

MOST = 1 << 20
"""Bytes that are asked of a file or a function at once."""

CAPTURED = 64 << 20
"""Bytes that are captured unless told otherwise."""


class SupportsFileno(Protocol):
    def fileno(self) -> int: ...


class Stream(Protocol):
    """Something with a name and an access. `fileno` is a descriptor that can be waited for, or None where there never is a wait."""

    @property
    def access(self) -> Access: ...
    @property
    def terminal(self) -> bool: ...
    def fileno(self) -> int | None: ...


@runtime_checkable
class Input(Stream, Protocol):
    def read(self, buffers: Sequence[memoryview]) -> int:
        """Fill the buffers as far as there is something; 0 is the end."""


@runtime_checkable
class Output(Stream, Protocol):
    def write(self, buffers: Sequence[memoryview]) -> int: ...


class Plain:
    """What most streams are: no terminal, nothing to wait for."""

    terminal = False

    def __init__(self, name: str) -> None:
        self.access = Access(name)

    def fileno(self) -> int | None:
        return None


class Nothing(Plain):
    """Empty to read, and takes all that is written: `taken` bytes so far."""

    def __init__(self) -> None:
        super().__init__("an empty stream")
        self.taken = 0

    def read(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        return 0

    def write(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        n = sum(map(len, buffers))
        self.taken += n
        return n


class BytesInput(Plain):
    """Bytes to read, once."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        super().__init__("input")
        self._rest = memoryview(bytes(data))

    def read(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        done = 0
        for buffer in buffers:
            n = min(len(buffer), len(self._rest))
            buffer[:n] = self._rest[:n]
            self._rest = self._rest[n:]
            done += n
        return done


class Capture(Plain):
    """Keeps what is written, up to a limit.

    Fails   OSError ENOSPC, by `write`, when it is full
    """

    def __init__(self, limit: int = CAPTURED) -> None:
        super().__init__("output")
        self._limit = limit
        self._data = bytearray()

    def write(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        data = self._data
        before = len(data)
        for buffer in buffers:
            room = self._limit - len(data)
            data += buffer if len(buffer) <= room else buffer[:room]
        if len(data) == before and any(map(len, buffers)):
            raise failure(errno.ENOSPC)
        return len(data) - before

    def unchecked_write(self, buffer: memoryview) -> int:
        """Keep one buffer; whoever uses that has asked `access` before."""
        if len(self._data) + len(buffer) > self._limit:
            return self.write((buffer,))
        self._data += buffer
        return len(buffer)

    @property
    def data(self) -> bytes:
        return bytes(self._data)


class CallbackInput(Plain):
    """Asks a function for at most so many bytes; no bytes are the end. What is left of an answer is kept for the next time."""

    calls_out = True
    """The function may do anything, and call whoever reads."""

    def __init__(self, function: Callable[[int], bytes | str]) -> None:
        super().__init__("input")
        self._function: Callable[[int], bytes | str | None] = function
        self._rest = b""

    def read(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        wanted = sum(map(len, buffers))
        if not self._rest and wanted:
            given = self._function(min(wanted, MOST))
            self.access.use()  # it may have been taken back meanwhile
            if given is None:  # what a file says that does not wait
                raise failure(errno.EAGAIN)
            self._rest = given.encode() if isinstance(given, str) else bytes(given)
        before = len(self._rest)
        for buffer in buffers:
            n = min(len(buffer), len(self._rest))
            buffer[:n] = self._rest[:n]
            self._rest = self._rest[n:]
        return before - len(self._rest)


class CallbackOutput(Plain):
    """Hands all that is written to a function, as bytes."""

    def __init__(self, function: Callable[[bytes], object]) -> None:
        super().__init__("output")
        self._function = function

    def write(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        data = b"".join(buffers)
        if data:
            self._function(data)
        return len(data)


class FileOutput(Plain):
    """A Python file object, binary or text; text gets UTF-8, with replacements where it is none. When the file buffers, what a guest wrote
    is in the file when its buffer is full or flushed."""

    def __init__(self, file: IO[Any]) -> None:
        super().__init__("output")
        self._file = file
        self._write: Callable[[Any], int | None] = file.write
        self._raw = isinstance(file, io.RawIOBase)
        self._plain = type(file) is io.FileIO and os.name == "posix" and stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        self._known = isinstance(file, io.BufferedWriter | io.BytesIO)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode if is_text(file) else None

    def write(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        if self._decode is not None:
            data = b"".join(buffers)
            self._write(self._decode(data))
            return len(data)
        if self._raw:
            return self._write_raw(buffers)
        done = 0
        for buffer in buffers:
            self._write(buffer if self._known else bytes(buffer))  # of others nobody knows whether they keep what they are given
            done += len(buffer)
        return done

    @property
    def unchecked_write(self) -> Callable[[memoryview], int] | None:
        """How the file itself takes one buffer whole; whoever uses that has asked `access` before."""
        if isinstance(self._file, io.FileIO):
            return self._write_one
        return self._file.write if isinstance(self._file, io.BufferedWriter | io.BytesIO) else None

    @property
    def write_to(self) -> SupportsFileno | None:
        """The file, where it does not buffer: it knows its descriptor for as long as it is open."""
        return self._file if self._plain else None

    def _write_one(self, buffer: memoryview) -> int:
        return self._write_raw((buffer,))

    def _write_raw(self, buffers: Sequence[memoryview]) -> int:
        """A file without a buffer may take less than it is given, or nothing where it does not wait."""
        done = 0
        for buffer in buffers:
            n = self._write(buffer)
            if n is None and not done:
                raise failure(errno.EAGAIN)
            done += n or 0
            if n != len(buffer):
                break
        return done


def file_input(file: IO[Any]) -> Input:
    """A Python file object, binary or text."""
    return CallbackInput(getattr(file, "read1", file.read) if not is_text(file) else file.read)


def is_text(file: object) -> bool:
    return isinstance(file, io.TextIOBase) or (hasattr(file, "encoding") and not isinstance(file, io.RawIOBase | io.BufferedIOBase))


class Inherited:
    """A stream of this process, by its descriptor. It is not closed."""

    def __init__(self, fd: int, name: str) -> None:
        self.access = Access(name)
        self._fd = fd
        self.read_from = self.write_to = fd if os.name == "posix" else None
        self.terminal = os.isatty(fd)

    def fileno(self) -> int | None:
        return self._fd

    def read(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        return read_into(self._fd, buffers)

    def write(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        return write_from(self._fd, buffers)

    @property
    def unchecked_write(self) -> Callable[[memoryview], int]:
        """How the system takes one buffer; whoever uses that has asked `access` before."""
        return partial(os.write, self._fd)


if hasattr(os, "readv"):

    def read_into(fd: int, buffers: Sequence[memoryview]) -> int:
        """Read at the descriptor's position, without a copy."""
        return os.readv(fd, buffers) if buffers else 0

    def write_from(fd: int, buffers: Sequence[memoryview]) -> int:
        """Write at the descriptor's position, without a copy."""
        return os.writev(fd, buffers) if buffers else 0

else:  # Windows

    def read_into(fd: int, buffers: Sequence[memoryview]) -> int:
        """Read at the descriptor's position."""
        for buffer in buffers:
            if len(buffer):
                data = os.read(fd, len(buffer))
                buffer[: len(data)] = data
                return len(data)
        return 0

    def write_from(fd: int, buffers: Sequence[memoryview]) -> int:
        """Write at the descriptor's position."""
        return next((os.write(fd, buffer) for buffer in buffers if len(buffer)), 0)


class Inherit(Enum):
    """Says that a guest uses the stream of this process."""

    INHERIT = "inherit"


INHERIT = Inherit.INHERIT

Readable = bytes | bytearray | memoryview | str | Inherit | Input | IO[Any] | Callable[[int], bytes | str] | None
"""What can be read from: bytes or a text, `INHERIT`, a file object, a function that is asked for bytes, or nothing."""

Writable = Inherit | Output | IO[Any] | Callable[[bytes], object] | None
"""What can be written to: `INHERIT`, a file object, a function that is given bytes, or nothing."""


def as_input(source: Readable) -> Input:
    """Fails   TypeError"""
    if source is None:
        return Nothing()
    if isinstance(source, Inherit):
        return Inherited(0, "stdin")
    if isinstance(source, str):
        return BytesInput(source.encode())
    if isinstance(source, bytes | bytearray | memoryview):
        return BytesInput(source)
    if isinstance(source, Input):
        return source
    if hasattr(source, "read"):
        return file_input(cast(IO[Any], source))
    if callable(source):
        return CallbackInput(source)
    raise TypeError(f"nothing can be read from {type(source).__name__}; give bytes, a file object, a function or INHERIT")


def as_output(target: Writable, number: int) -> Output:
    """Where the stream of that number goes, 1 or 2.

    Fails   TypeError
    """
    if target is None:
        return Nothing()
    if isinstance(target, Inherit):
        return Inherited(number, "stdout" if number == 1 else "stderr")
    if isinstance(target, Output):
        return target
    if hasattr(target, "write"):
        return FileOutput(cast(IO[Any], target))
    if callable(target):
        return CallbackOutput(target)
    raise TypeError(f"nothing can be written to {type(target).__name__}; give a file object, a function or INHERIT")
