"""The guest's descriptors: small numbers for what was lent and opened, each with its rights."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pywasm_ref.capabilities.access import Access, NotLent
from pywasm_ref.capabilities.filesystem.nodes import Directory, File
from pywasm_ref.capabilities.network import Connection, Listener
from pywasm_ref.capabilities.streams import Input, Output, SupportsFileno
from pywasm_ref.wasi.abi import CONNECTION_RIGHTS, FILE_RIGHTS, LISTENER_RIGHTS, STREAM_RIGHTS, Errno, Fd, Filetype, Rights
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.listing import Listing

MOST = 256
"""Descriptors that a guest may have open, unless told otherwise: each may take one of this process."""

MOST_NAMES = 1 << 18
"""Names in all listings of directories that are kept for a guest, besides those of the latest."""

Waiting = Callable[["Descriptor", Output | File, Sequence[memoryview]], int]
FD_READ, FD_WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)

Thing = File | Directory | Input | Output | Listener | Connection


def write_one(writer: Output | File) -> Callable[[memoryview], int]:
    """The quickest way to write one buffer to something whose access was asked before."""
    quick: Callable[[memoryview], int] | None = getattr(writer, "unchecked_write", None)
    if quick is not None:
        return quick

    def write(buffer: memoryview) -> int:
        done = writer.write((buffer,))
        if not 0 <= done <= len(buffer):
            raise ValueError(f"{done} of {len(buffer)} bytes cannot have been written")
        return done

    return write


@dataclass(slots=True)
class Descriptor:
    """An open thing, once more under what it can be used as. `preopen` is the path under which a directory was lent."""

    thing: Thing
    filetype: Filetype
    rights: int
    inheriting: int = 0
    flags: int = 0
    preopen: str | None = None
    file: File | None = None
    directory: Directory | None = None
    reader: Input | File | None = None
    writer: Output | File | None = None
    listener: Listener | None = None
    connection: Connection | None = None
    host_fd: int | None = None
    """Where reading and writing may have to wait, for somebody at a terminal or at the other end, what of the host to wait for."""

    direct_read: Callable[[Sequence[memoryview]], int] | None = None
    direct_write: Callable[[memoryview], int] | None = None
    """How buffers are read where nobody has to wait, and how one is written, where no flag asks for more; `access` is asked before."""

    read_from: int | SupportsFileno | None = None
    write_to: int | SupportsFileno | Callable[[memoryview], int] | None = None
    """What the system itself has for these, where it has, and the guest the rights for it; else for writing, how it is done."""

    waiting: Waiting | None = None
    """How the guest writes to what makes it wait."""

    listing: Listing | None = None
    access: Access = field(init=False)

    def __post_init__(self) -> None:
        self.access = self.thing.access
        self.set_flags(self.flags)

    def set_flags(self, flags: int) -> None:
        self.flags = flags
        self.set_ways()

    def set_ways(self) -> None:
        """Whether it is read and written directly."""
        direct = self.host_fd is None and not self.flags
        self.read_from = getattr(self.reader, "read_from", None) if direct and self.rights & FD_READ else None
        self.direct_read = self.reader.read if direct and self.reader is not None and not hasattr(self.reader, "calls_out") else None
        self.direct_write = None if self.writer is None or self.flags else self._way_to_write(self.writer)
        system = getattr(self.writer, "write_to", None) if direct else None
        self.write_to = (self.direct_write if system is None else system) if self.rights & FD_WRITE else None

    def _way_to_write(self, writer: Output | File) -> Callable[[memoryview], int] | None:
        if self.host_fd is None:
            return write_one(writer)
        waiting = self.waiting
        return None if waiting is None else lambda buffer: waiting(self, writer, (buffer,))

    def close(self) -> None:
        """Streams belong to the host, and stay open."""
        self.listing = None
        for owned in (self.file, self.directory, self.listener, self.connection):
            if owned is not None:
                owned.close()


def file_descriptor(file: File, rights: int, inheriting: int, flags: int) -> Descriptor:
    return Descriptor(file, Filetype.REGULAR_FILE, rights & int(FILE_RIGHTS), inheriting, flags, file=file, reader=file, writer=file)


def directory_descriptor(directory: Directory, rights: int, inheriting: int, preopen: str | None = None) -> Descriptor:
    return Descriptor(directory, Filetype.DIRECTORY, rights, inheriting, preopen=preopen, directory=directory)


def stream_descriptor(reader: Input | None, writer: Output | None = None) -> Descriptor:
    """A stream. A program tells a terminal from a file by its type, and by not having the right to seek."""
    thing = reader or writer
    if thing is None:
        raise TypeError("a stream can be read or written")
    rights = int(STREAM_RIGHTS | (Rights.FD_READ if reader else 0) | (Rights.FD_WRITE if writer else 0))
    filetype = Filetype.CHARACTER_DEVICE if thing.terminal else Filetype.UNKNOWN
    return Descriptor(thing, filetype, rights, reader=reader, writer=writer, host_fd=waited_for(thing.fileno()))


def waited_for(fd: int | None) -> int | None:
    """The descriptor, where it is one that can be waited for: no plain file, not what takes everything, and on Windows no stream of the
    process."""
    if fd is None or os.name == "nt":
        return None
    found = os.fstat(fd)
    return None if stat.S_ISREG(found.st_mode) or os.path.samestat(found, os.stat(os.devnull)) else fd


def listener_descriptor(listener: Listener) -> Descriptor:
    rights, inheriting = int(LISTENER_RIGHTS), int(CONNECTION_RIGHTS)
    return Descriptor(listener, Filetype.SOCKET_STREAM, rights, inheriting, listener=listener, host_fd=listener.fileno())


def connection_descriptor(end: Connection, rights: int = int(CONNECTION_RIGHTS), flags: int = 0) -> Descriptor:
    return Descriptor(end, Filetype.SOCKET_STREAM, rights, 0, flags, reader=end, writer=end, connection=end, host_fd=end.fileno())


class Descriptors:
    """The descriptors of one guest, by number."""

    def __init__(self, most: int = MOST, waiting: Waiting | None = None) -> None:
        self.by_number: dict[Fd, Descriptor] = {}
        self._most = most
        self._waiting = waiting
        self._listed: list[Descriptor] = []

    def get(self, fd: Fd, rights: int = 0) -> Descriptor:
        """Fails   BADF; NOTCAPABLE where a right is missing"""
        found = self.by_number.get(fd)
        if found is None:
            raise Fault(Errno.BADF)
        if rights & found.rights == rights:
            return found
        missing = Rights(rights & ~found.rights).name
        raise NotLent(f"descriptor {fd} lacks the right {str(missing).lower()}", "open it with that right")

    def file(self, fd: Fd, rights: int) -> File:
        """Fails   BADF, NOTCAPABLE; ISDIR for a directory, SPIPE for a stream"""
        found = self.get(fd)
        if found.file is None:
            raise Fault(Errno.SPIPE if found.directory is None else Errno.ISDIR)
        self.get(fd, rights)
        return found.file

    def directory(self, fd: Fd, rights: int) -> Directory:
        """Fails   BADF, NOTCAPABLE; NOTDIR"""
        found = self.get(fd)
        if found.directory is None:
            raise Fault(Errno.NOTDIR)
        self.get(fd, rights)
        return found.directory

    def add(self, descriptor: Descriptor) -> Fd:
        """Put it under the smallest number that is free.

        Fails   MFILE, and closes it
        """
        if len(self.by_number) >= self._most:
            descriptor.close()
            raise Fault(Errno.MFILE)
        descriptor.waiting = self._waiting
        descriptor.set_ways()
        fd = next(n for n in range(self._most) if n not in self.by_number)
        self.by_number[fd] = descriptor
        return fd

    def room(self) -> None:
        """Fails   MFILE where there is no number for one more"""
        if len(self.by_number) >= self._most:
            raise Fault(Errno.MFILE)

    def remove(self, fd: Fd) -> Descriptor:
        found = self.get(fd)
        del self.by_number[fd]
        return found

    def close_all(self) -> None:
        found = list(self.by_number.values())
        self.by_number.clear()
        for descriptor in found:
            descriptor.close()

    def reconsider(self) -> None:
        """Look again at what stands in the way of reading and writing directly, from any thread."""
        for descriptor in list(self.by_number.values()):
            descriptor.set_ways()

    def listed(self, descriptor: Descriptor) -> None:
        """Note whose names were looked up last, and forget names of long ago where the guest would have too many held."""
        others = [other for other in self._listed if other.listing is not None and other is not descriptor]
        self._listed = [*others, descriptor]
        while len(self._listed) > 1 and sum(len(other.listing or ()) for other in self._listed) > MOST_NAMES:
            self._listed.pop(0).listing = None

    def __iter__(self) -> Iterator[tuple[Fd, Descriptor]]:
        return iter(sorted(self.by_number.items()))
