"""What a descriptor stands for: flags, rights, sizes, times, and its number."""

from __future__ import annotations

from pywasm_ref.capabilities.access import NotLent
from pywasm_ref.capabilities.filesystem.nodes import Stat, Times
from pywasm_ref.wasi.abi import (
    ALL_RIGHTS,
    FDSTAT,
    FILESTAT,
    MOST_ADVICE,
    PRESTAT,
    SUCCESS,
    Advice,
    Errno,
    Fd,
    FdFlags,
    Fdflags,
    Filesize,
    FstFlags,
    Fstflags,
    Ptr,
    Rights,
    RightsBits,
    Size,
    Timestamp,
)
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.descriptors import Descriptor
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.fd_io import FURTHEST, place
from pywasm_ref.wasi.function import wasi_function
from pywasm_ref.wasi.listing import FILETYPE


@wasi_function
def fd_advise(wasi: Wasi, fd: Fd, offset: Filesize, len: Filesize, advice: Advice) -> Errno:
    """Take note of how a file will be used; nothing follows from it.

    Grants      FD_ADVISE, else NOTCAPABLE
    Fails       BADF, ISDIR, SPIPE
                INVAL   there is no such advice or place
    """
    wasi.descriptors.file(fd, Rights.FD_ADVISE).access.use()
    return Errno.INVAL if advice > MOST_ADVICE or offset + len > FURTHEST else SUCCESS


@wasi_function
def fd_allocate(wasi: Wasi, fd: Fd, offset: Filesize, len: Filesize) -> Errno:
    """Make a file at least so large.

    Grants      FD_ALLOCATE, else NOTCAPABLE
    Fails       BADF, ISDIR, SPIPE, ROFS, DQUOT, NOSPC
                INVAL   the length is 0
                FBIG    no file can be so large
    """
    file = wasi.descriptors.file(fd, Rights.FD_ALLOCATE)
    file.access.write()
    if len == 0:
        return Errno.INVAL
    if offset + len > FURTHEST:
        return Errno.FBIG
    if file.stat().size < offset + len:
        file.truncate(offset + len)
    return SUCCESS


@wasi_function
def fd_close(wasi: Wasi, fd: Fd) -> Errno:
    """Close a descriptor; one that was lent is gone for good.

    Fails       BADF
    """
    wasi.descriptors.remove(fd).close()
    return SUCCESS


@wasi_function
def fd_datasync(wasi: Wasi, fd: Fd) -> Errno:
    """Bring the contents of a file to where they last.

    Grants      FD_DATASYNC, else NOTCAPABLE
    Fails       BADF
                INVAL   it is neither file nor directory
    """
    found = wasi.descriptors.get(fd, Rights.FD_DATASYNC)
    if found.file is not None:
        found.file.datasync()
    else:
        sync(found)
    return SUCCESS


@wasi_function
def fd_sync(wasi: Wasi, fd: Fd) -> Errno:
    """Bring a file or directory, with what is known about it, to where it lasts.

    Grants      FD_SYNC, else NOTCAPABLE
    Fails       BADF
                INVAL   it is neither
    """
    sync(wasi.descriptors.get(fd, Rights.FD_SYNC))
    return SUCCESS


def sync(descriptor: Descriptor) -> None:
    thing = descriptor.file or descriptor.directory
    if thing is None:
        raise Fault(Errno.INVAL)
    thing.sync()


@wasi_function
def fd_fdstat_get(wasi: Wasi, fd: Fd, stat: Ptr) -> Errno:
    """Write the type, flags and rights of a descriptor.

    Fails       BADF, FAULT, INVAL
    """
    found = wasi.descriptors.get(fd)
    memory = wasi.memory()
    memory.record(stat, FDSTAT.size, 8)
    memory.pack(FDSTAT, stat, found.filetype, found.flags, found.rights, found.inheriting)
    return SUCCESS


@wasi_function
def fd_fdstat_set_flags(wasi: Wasi, fd: Fd, flags: FdFlags) -> Errno:
    """Set the flags of a descriptor.

    Grants      FD_FDSTAT_SET_FLAGS, else NOTCAPABLE
    Fails       BADF
                INVAL   a flag is unknown
    """
    found = wasi.descriptors.get(fd, Rights.FD_FDSTAT_SET_FLAGS)
    found.set_flags(fdflags(flags))
    return SUCCESS


def fdflags(flags: FdFlags) -> int:
    """Fails   INVAL"""
    if flags > 31:
        raise Fault(Errno.INVAL)
    return flags & int(Fdflags.APPEND | Fdflags.DSYNC | Fdflags.NONBLOCK | Fdflags.RSYNC | Fdflags.SYNC)


@wasi_function
def fd_fdstat_set_rights(wasi: Wasi, fd: Fd, fs_rights_base: RightsBits, fs_rights_inheriting: RightsBits) -> Errno:
    """Give up rights of a descriptor.

    Fails       BADF
                NOTCAPABLE  there would be more than before
    """
    found = wasi.descriptors.get(fd)
    if fs_rights_base & ~found.rights or fs_rights_inheriting & ~found.inheriting:
        raise NotLent(f"more rights for descriptor {fd} than it has", "rights can only be given up")
    found.rights = fs_rights_base & int(ALL_RIGHTS)
    found.inheriting = fs_rights_inheriting & int(ALL_RIGHTS)
    found.set_ways()
    return SUCCESS


@wasi_function
def fd_filestat_get(wasi: Wasi, fd: Fd, buf: Ptr) -> Errno:
    """Write what is known about the thing behind a descriptor.

    Grants      FD_FILESTAT_GET, else NOTCAPABLE
    Fails       BADF, FAULT, INVAL
    """
    found = wasi.descriptors.get(fd, Rights.FD_FILESTAT_GET)
    memory = wasi.memory()
    memory.record(buf, FILESTAT.size, 8)
    memory.pack(FILESTAT, buf, *filestat(found))
    return SUCCESS


def filestat(descriptor: Descriptor) -> tuple[int, ...]:
    """The fields of a filestat; of a stream only the type is known."""
    thing = descriptor.file or descriptor.directory
    if thing is None:
        descriptor.access.use()
        return (0, 0, descriptor.filetype, 0, 0, 0, 0, 0)
    return fields(thing.stat())


def fields(found: Stat) -> tuple[int, ...]:
    numbers = (found.dev, found.ino, FILETYPE[found.kind], found.nlink, found.size, found.atime, found.mtime, found.ctime)
    return tuple(number & FULL for number in numbers)


FULL = 2**64 - 1


@wasi_function
def fd_filestat_set_size(wasi: Wasi, fd: Fd, size: Filesize) -> Errno:
    """Make a file longer, by zeros, or shorter.

    Grants      FD_FILESTAT_SET_SIZE, else NOTCAPABLE
    Fails       BADF, ISDIR, SPIPE, ROFS, DQUOT, FBIG
                INVAL   no file can be so large
    """
    file = wasi.descriptors.file(fd, Rights.FD_FILESTAT_SET_SIZE)
    file.truncate(place(size))
    return SUCCESS


@wasi_function
def fd_filestat_set_times(wasi: Wasi, fd: Fd, atim: Timestamp, mtim: Timestamp, fst_flags: FstFlags) -> Errno:
    """Set when a file was read and changed, to what is given or to now.

    Grants      FD_FILESTAT_SET_TIMES, else NOTCAPABLE
    Fails       BADF, ROFS
                INVAL   a flag is unknown, or two contradict each other; it is neither file nor directory
    """
    found = wasi.descriptors.get(fd, Rights.FD_FILESTAT_SET_TIMES)
    thing = found.file or found.directory
    if thing is None:
        return Errno.INVAL
    thing.set_times(times(wasi, atim, mtim, fst_flags))
    return SUCCESS


def times(wasi: Wasi, atim: Timestamp, mtim: Timestamp, flags: FstFlags) -> Times:
    """The two times to set.

    Fails   INVAL
    """
    if flags > 15 or flags & 3 == 3 or flags & 12 == 12 or max(atim, mtim) > FURTHEST:
        raise Fault(Errno.INVAL)
    now = wasi.clocks.realtime() if flags & (Fstflags.ATIM_NOW | Fstflags.MTIM_NOW) else 0
    read = atim if flags & Fstflags.ATIM else now if flags & Fstflags.ATIM_NOW else None
    changed = mtim if flags & Fstflags.MTIM else now if flags & Fstflags.MTIM_NOW else None
    return read, changed


@wasi_function
def fd_prestat_get(wasi: Wasi, fd: Fd, buf: Ptr) -> Errno:
    """Write how long the path is under which a directory was lent.

    Fails       BADF    it is no directory that was lent
                FAULT, INVAL
    """
    path = preopen(wasi, fd)
    memory = wasi.memory()
    memory.record(buf, PRESTAT.size, 4)
    memory.pack(PRESTAT, buf, 0, len(path))
    return SUCCESS


@wasi_function
def fd_prestat_dir_name(wasi: Wasi, fd: Fd, path: Ptr, path_len: Size) -> Errno:
    """Write the path under which a directory was lent, without a NUL.

    Fails       BADF    it is no directory that was lent
                FAULT
                NAMETOOLONG     there is too little room
    """
    name = preopen(wasi, fd)
    room = wasi.memory().view(path, path_len)
    if len(name) > path_len:
        return Errno.NAMETOOLONG
    room[: len(name)] = name
    return SUCCESS


def preopen(wasi: Wasi, fd: Fd) -> bytes:
    """The path under which a directory was lent.

    Fails   BADF
    """
    found = wasi.descriptors.by_number.get(fd)
    if found is None or found.preopen is None:
        wasi.looked_for_directories = True
        raise Fault(Errno.BADF)
    return found.preopen.encode(errors="surrogateescape")


@wasi_function
def fd_renumber(wasi: Wasi, fd: Fd, to: Fd) -> Errno:
    """Give a descriptor the number of another one, which is closed.

    Fails       BADF
                NOTSUP  one of them is a directory that was lent: programs take its number for granted
    """
    found, other = wasi.descriptors.get(fd), wasi.descriptors.get(to)
    if found.preopen is not None or other.preopen is not None:
        return Errno.NOTSUP
    if fd != to:
        other.close()
        wasi.descriptors.by_number[to] = wasi.descriptors.remove(fd)
    return SUCCESS
