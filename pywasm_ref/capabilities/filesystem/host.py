"""A directory of this machine, reached by descriptors only.

Every operation names one entry of an open directory (`dir_fd`) and follows no symbolic link, so that it means the same directory
whatever is renamed or replaced meanwhile. A system without such operations (Windows) cannot lend a directory in this way, and is told so.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

from pywasm_ref.capabilities.access import Access, NotLent, failure
from pywasm_ref.capabilities.filesystem.nodes import Directory, Entry, Kind, Opening, Stat, Times, kind_of
from pywasm_ref.capabilities.quota import Quota
from pywasm_ref.capabilities.streams import read_into, write_from

WANTED = (os.open, os.stat, os.mkdir, os.rmdir, os.unlink, os.rename, os.link, os.symlink, os.readlink, os.utime)
SUPPORTED = (
    all(function in os.supports_dir_fd for function in WANTED)
    and os.listdir in os.supports_fd
    and hasattr(os, "O_NOFOLLOW")
    and hasattr(os, "O_DIRECTORY")
)

COMMON = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""No link is followed, no child process inherits, and what turns out to be a pipe or a terminal does not block or take over."""

AS_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | COMMON


class HostTree:
    """A directory of this machine. What is written to it may be limited by a quota, which counts the bytes by which files grow and
    the names that are made, and gives nothing back for what is removed: a file without a name can still take room.

    Fails   OSError where the directory cannot be opened, ENOTSUP on a system that cannot lend directories safely
    """

    def __init__(self, path: str | os.PathLike[str], *, readonly: bool = False, quota: Quota | None = None) -> None:
        self.path = os.fspath(path)
        self.access = Access(self.path, readonly=readonly)
        self.quota = quota

    def limit(self, bytes: int | None, files: int | None) -> None:
        if self.quota is not None:
            self.quota.tighten(bytes, files)
        elif (bytes, files) != (None, None):
            self.quota = Quota(bytes, files)

    def root(self) -> HostDirectory:
        if not SUPPORTED:
            reason = "this system cannot open files beneath a directory descriptor; lend a copy in memory instead"
            raise OSError(errno.ENOTSUP, reason, self.path)
        return HostDirectory(os.open(self.path, AS_DIRECTORY & ~getattr(os, "O_NOFOLLOW", 0)), self)


def stat_from(found: os.stat_result) -> Stat:
    kind = kind_of(found.st_mode)
    times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    return Stat(kind, found.st_dev, found.st_ino, found.st_nlink, found.st_size, *times)


def raw(name: str) -> bytes:
    """A name as the system has it: guests speak UTF-8, whatever the locale of this process is."""
    return name.encode(errors="surrogateescape")


def text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


class HostHandle:
    """An open descriptor of this process, which belongs to the handle."""

    def __init__(self, fd: int, tree: HostTree) -> None:
        self.fd = fd
        self.tree = tree
        self.access = tree.access

    def stat(self) -> Stat:
        self.access.use()
        return stat_from(os.fstat(self.fd))

    def set_times(self, times: Times) -> None:
        self.access.write()
        os.utime(self.fd, ns=filled(times, os.fstat(self.fd)))

    def sync(self) -> None:
        self.access.use()
        os.fsync(self.fd)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()


def filled(times: Times, now: os.stat_result) -> tuple[int, int]:
    """Both times, where one of them is to stay as it is."""
    atime, mtime = times
    return now.st_atime_ns if atime is None else atime, now.st_mtime_ns if mtime is None else mtime


class HostFile(HostHandle):
    def read(self, buffers: Sequence[memoryview]) -> int:
        self.access.use()
        return read_into(self.fd, buffers)

    @property
    def read_from(self) -> int:
        return self.fd

    @property
    def write_to(self) -> int | None:
        return None if self.tree.quota is not None else self.fd

    @property
    def unchecked_write(self) -> Callable[[memoryview], int] | None:
        """How the system takes one buffer, where no quota is in the way; whoever uses that has asked `access` before."""
        return None if self.tree.quota is not None else partial(os.write, self.fd)

    def read_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.access.use()
        return os.preadv(self.fd, buffers, offset) if buffers else 0

    def write(self, buffers: Sequence[memoryview], *, append: bool = False) -> int:
        self.access.write()
        if append:
            os.lseek(self.fd, 0, os.SEEK_END)
        if self.tree.quota is not None:
            return self._paid(buffers, os.lseek(self.fd, 0, os.SEEK_CUR), self.tree.quota, write_from)
        return write_from(self.fd, buffers)

    def write_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.access.write()
        if not buffers:
            return 0
        if self.tree.quota is not None:
            return self._paid(buffers, offset, self.tree.quota, lambda fd, parts: os.pwritev(fd, parts, offset))
        return os.pwritev(self.fd, buffers, offset)

    def _paid(self, buffers: Sequence[memoryview], offset: int, quota: Quota, write: Write) -> int:
        """Write what the quota has room for.

        Fails   OSError EDQUOT where there is none
        """
        wanted = sum(map(len, buffers))
        if not wanted:
            return 0
        size = os.fstat(self.fd).st_size
        grown = max(0, offset + wanted - size)
        allowed = quota.room(grown)
        if grown - allowed >= wanted:
            raise quota.used_up()
        buffers = clipped(buffers, wanted - (grown - allowed))
        quota.take(bytes=allowed)
        done = 0
        try:
            done = write(self.fd, buffers)
        finally:
            quota.give_back(bytes=allowed - max(0, offset + done - size) if allowed and done else allowed)
        return done

    def seek(self, offset: int, whence: int) -> int:
        self.access.use()
        return os.lseek(self.fd, offset, whence)

    def truncate(self, size: int) -> None:
        self.access.write()
        quota = self.tree.quota
        grown = max(0, size - os.fstat(self.fd).st_size) if quota is not None else 0
        if quota is not None:
            quota.take(bytes=grown)
        try:
            os.ftruncate(self.fd, size)
        except OSError:
            if quota is not None:
                quota.give_back(bytes=grown)
            raise

    def datasync(self) -> None:
        self.access.use()
        getattr(os, "fdatasync", os.fsync)(self.fd)  # macOS has no fdatasync


def clipped(buffers: Sequence[memoryview], n: int) -> list[memoryview]:
    """The first n bytes of the buffers."""
    parts: list[memoryview] = []
    for buffer in buffers:
        parts.append(buffer[:n])
        n -= len(parts[-1])
    return parts


class HostDirectory(HostHandle):
    def again(self) -> HostDirectory:
        self.access.use()
        return HostDirectory(os.open(".", AS_DIRECTORY, dir_fd=self.fd), self.tree)

    def stat_at(self, name: str) -> Stat:
        self.access.use()
        return stat_from(os.stat(raw(name), dir_fd=self.fd, follow_symlinks=False))

    def set_times_at(self, name: str, times: Times) -> None:
        self.access.write()
        now = os.stat(raw(name), dir_fd=self.fd, follow_symlinks=False)
        os.utime(raw(name), ns=filled(times, now), dir_fd=self.fd, follow_symlinks=False)

    def entries(self) -> Generator[Entry, None, None]:
        self.access.use()
        with os.scandir(self.fd) as found:
            for entry in found:
                try:
                    kind = entry_kind(entry)
                except FileNotFoundError:  # it was there a moment ago
                    continue
                yield Entry(os.fsencode(entry.name), entry.inode(), kind)

    def enter(self, name: str) -> HostDirectory:
        self.access.use()
        try:
            return HostDirectory(os.open(raw(name), AS_DIRECTORY, dir_fd=self.fd), self.tree)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):  # what systems say to a symbolic link; Linux says ENOTDIR
                raise failure(errno.ENOTDIR) from None
            raise

    def open(self, name: str, how: Opening) -> HostFile:
        if how.write or how.truncate:
            self.access.write()
        self.access.use()
        flags = COMMON | ((os.O_RDWR if how.read else os.O_WRONLY) if how.write or how.truncate else os.O_RDONLY)
        fd = self._create(name, flags) if how.create and (how.exclusive or not self._exists(name)) else self._existing(name, flags)
        file = HostFile(fd, self.tree)
        if kind_of(os.fstat(fd).st_mode) is not Kind.FILE:
            file.close()
            raise NotLent(f"{name} is no plain file")
        if how.truncate:
            os.ftruncate(fd, 0)
        return file

    def _exists(self, name: str) -> bool:
        try:
            os.stat(raw(name), dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def _create(self, name: str, flags: int) -> int:
        """A new file. Where somebody else makes one of that name at the same moment, that is an error and no opening of it."""
        with self._new_name():
            return os.open(raw(name), flags | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=self.fd)

    def _existing(self, name: str, flags: int) -> int:
        """Opening a device can have effects already, so it is looked at first; once it is open it is looked at again."""
        kind = kind_of(os.stat(raw(name), dir_fd=self.fd, follow_symlinks=False).st_mode)
        if kind is Kind.DIRECTORY:
            raise failure(errno.EISDIR)
        if kind is Kind.SYMLINK:
            raise failure(errno.ELOOP)
        if kind is not Kind.FILE:
            raise NotLent(f"{name} is a {kind.value}")
        return os.open(raw(name), flags, dir_fd=self.fd)

    @contextlib.contextmanager
    def _new_name(self) -> Iterator[None]:
        """Something is made: it counts, unless it fails."""
        self.access.write()
        quota = self.tree.quota
        if quota is None:
            yield
            return
        quota.take(files=1)
        try:
            yield
        except OSError:
            quota.give_back(files=1)
            raise

    def readlink(self, name: str) -> str:
        self.access.use()
        return text(os.readlink(raw(name), dir_fd=self.fd))

    def mkdir(self, name: str) -> None:
        with self._new_name():
            os.mkdir(raw(name), 0o777, dir_fd=self.fd)

    def rmdir(self, name: str) -> None:
        self.access.write()
        os.rmdir(raw(name), dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        self.access.write()
        if kind_of(os.stat(raw(name), dir_fd=self.fd, follow_symlinks=False).st_mode) is Kind.DIRECTORY:
            raise failure(errno.EISDIR)  # systems differ in what they say, and a few remove it
        os.unlink(raw(name), dir_fd=self.fd)

    def symlink(self, target: str, name: str) -> None:
        with self._new_name():
            os.symlink(raw(target), raw(name), dir_fd=self.fd)

    def link(self, name: str, into: Directory, new: str) -> None:
        other = self._of_this_tree(into)
        with self._new_name():
            os.link(raw(name), raw(new), src_dir_fd=self.fd, dst_dir_fd=other.fd, follow_symlinks=False)

    def rename(self, name: str, into: Directory, new: str) -> None:
        self.access.write()
        os.rename(raw(name), raw(new), src_dir_fd=self.fd, dst_dir_fd=self._of_this_tree(into).fd)

    def _of_this_tree(self, other: Directory) -> HostDirectory:
        """Between trees that are lent separately nothing is moved or linked: what may be done in one may be forbidden in the other."""
        if not isinstance(other, HostDirectory) or other.tree is not self.tree:
            raise failure(errno.EXDEV)
        return other


Write = Callable[[int, Sequence[memoryview]], int]


def entry_kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return Kind.SYMLINK
    if entry.is_dir(follow_symlinks=False):
        return Kind.DIRECTORY
    if entry.is_file(follow_symlinks=False):
        return Kind.FILE
    return kind_of(entry.stat(follow_symlinks=False).st_mode)
