"""What every tree of files offers, and nothing about where it is kept.

A `Directory` and a `File` are open; names are single components, never paths, and no operation follows a symbolic link. Paths are
the affair of `paths.py`, which is the same for all trees.

Everything here fails with OSError and its subclasses, of the number that POSIX has for it; with EROFS where a tree is lent for reading
only, EDQUOT where a quota is used up, and NotLent where it was taken back.
"""

from __future__ import annotations

import stat
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from pywasm_ref.capabilities.access import Access
from pywasm_ref.capabilities.quota import Quota


class Kind(Enum):
    """What stands under a name."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    CHARACTER = "character device"
    BLOCK = "block device"
    SOCKET = "socket"
    OTHER = "something else"


KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFSOCK: Kind.SOCKET,
}


def kind_of(mode: int) -> Kind:
    """The kind in the mode of the system's stat."""
    return KINDS.get(stat.S_IFMT(mode), Kind.OTHER)


@dataclass(frozen=True, slots=True)
class Stat:
    """Times in nanoseconds since 1970."""

    kind: Kind
    dev: int
    ino: int
    nlink: int
    size: int
    atime: int
    mtime: int
    ctime: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a directory; as bytes, since not every system keeps to UTF-8."""

    name: bytes
    ino: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Opening:
    """How a file is to be opened."""

    read: bool = True
    write: bool = False
    create: bool = False
    exclusive: bool = False
    truncate: bool = False


Times = tuple[int | None, int | None]
"""When something was read and when it was changed, in nanoseconds; None leaves a time as it is."""


class Handle(Protocol):
    """What files and directories have in common."""

    @property
    def access(self) -> Access: ...
    def stat(self) -> Stat: ...
    def set_times(self, times: Times) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


@runtime_checkable
class File(Handle, Protocol):
    """An open file. Whoever opened it for reading only does not write; that is for the caller to see to.

    Fails   OSError EBADF where it was not opened for that
    """

    def read(self, buffers: Sequence[memoryview]) -> int: ...
    def read_at(self, buffers: Sequence[memoryview], offset: int) -> int: ...
    def write(self, buffers: Sequence[memoryview], *, append: bool = False) -> int: ...
    def write_at(self, buffers: Sequence[memoryview], offset: int) -> int: ...
    def seek(self, offset: int, whence: int) -> int: ...
    def truncate(self, size: int) -> None: ...
    def datasync(self) -> None: ...


@runtime_checkable
class Directory(Handle, Protocol):
    """An open directory. Where another one is given as well, it belongs to the same tree, or the operation fails with EXDEV."""

    def stat_at(self, name: str) -> Stat: ...
    def set_times_at(self, name: str, times: Times) -> None: ...
    def entries(self) -> Generator[Entry, None, None]:
        """Without `.` and `..`; as they come, to be closed by whoever stops before the end."""

    def enter(self, name: str) -> Directory:
        """Fails   NotADirectoryError, for a symbolic link too"""

    def again(self) -> Directory:
        """The same directory, to be closed by itself."""

    def open(self, name: str, how: Opening) -> File:
        """Fails   OSError ELOOP for a symbolic link, IsADirectoryError; NotLent for a device, a pipe or a socket"""

    def readlink(self, name: str) -> str:
        """Fails   OSError EINVAL for what is no symbolic link"""

    def mkdir(self, name: str) -> None: ...
    def rmdir(self, name: str) -> None: ...
    def unlink(self, name: str) -> None: ...
    def symlink(self, target: str, name: str) -> None: ...
    def link(self, name: str, into: Directory, new: str) -> None: ...
    def rename(self, name: str, into: Directory, new: str) -> None: ...


@runtime_checkable
class Tree(Protocol):
    """A tree of files that can be lent."""

    @property
    def access(self) -> Access: ...
    @property
    def quota(self) -> Quota | None: ...
    def limit(self, bytes: int | None, files: int | None) -> None:
        """Make the quota smaller, never larger; where there was none, so much more can be written from now on. None changes nothing."""

    def root(self) -> Directory:
        """Its topmost directory, to be closed by whoever asked."""
