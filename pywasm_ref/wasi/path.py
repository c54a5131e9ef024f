"""Files by their paths, which begin at a directory that the guest has open."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pywasm_ref.capabilities.access import NotLent
from pywasm_ref.capabilities.filesystem.nodes import Directory, Kind, Opening
from pywasm_ref.capabilities.filesystem.paths import Place, open_at, resolved
from pywasm_ref.wasi.abi import (
    ALL_RIGHTS,
    FILESTAT,
    SUCCESS,
    SYMLINK_FOLLOW,
    U32,
    Errno,
    Fd,
    FdFlags,
    FstFlags,
    LookupFlags,
    OFlags,
    Oflags,
    Ptr,
    Rights,
    RightsBits,
    Size,
    Timestamp,
)
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.descriptors import Descriptor, directory_descriptor, file_descriptor
from pywasm_ref.wasi.faults import Fault
from pywasm_ref.wasi.fd_state import fdflags, fields, times
from pywasm_ref.wasi.function import wasi_function
from pywasm_ref.wasi.memory import Range, disjoint

ALL = int(ALL_RIGHTS)
WRITING = int(Rights.FD_WRITE | Rights.FD_ALLOCATE)
"""Rights that want a file to be open for writing. Programs ask for the right to set its size when they only want to read, as those of
Go do; so that one does not."""


@wasi_function
def path_create_directory(wasi: Wasi, fd: Fd, path: Ptr, path_len: Size) -> Errno:
    """Make a directory.

    Grants      PATH_CREATE_DIRECTORY, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, NOTDIR, FAULT, ILSEQ, EXIST, NOENT, ROFS, DQUOT
    """
    with at(wasi, fd, Rights.PATH_CREATE_DIRECTORY, path, path_len) as place:
        if not place.name:
            return Errno.EXIST
        place.directory.mkdir(place.name)
    return SUCCESS


@wasi_function
def path_filestat_get(wasi: Wasi, fd: Fd, flags: LookupFlags, path: Ptr, path_len: Size, buf: Ptr) -> Errno:
    """Write what is known about a file, or about a symbolic link itself unless it is to be followed.

    Grants      PATH_FILESTAT_GET, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, NOTDIR, FAULT, INVAL, ILSEQ, NOENT, LOOP
    """
    memory = wasi.memory()
    result = memory.record(buf, FILESTAT.size, 8)
    with at(wasi, fd, Rights.PATH_FILESTAT_GET, path, path_len, result, follow=followed(flags)) as place:
        memory.pack(FILESTAT, buf, *fields(place.stat()))
    return SUCCESS


@wasi_function
def path_filestat_set_times(
    wasi: Wasi, fd: Fd, flags: LookupFlags, path: Ptr, path_len: Size, atim: Timestamp, mtim: Timestamp, fst_flags: FstFlags
) -> Errno:
    """Set when a file was read and changed.

    Grants      PATH_FILESTAT_SET_TIMES, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, NOTDIR, FAULT, INVAL, ILSEQ, NOENT, LOOP, ROFS
    """
    with at(wasi, fd, Rights.PATH_FILESTAT_SET_TIMES, path, path_len, follow=followed(flags)) as place:
        wanted = times(wasi, atim, mtim, fst_flags)
        if place.name:
            place.stat()
            place.directory.set_times_at(place.name, wanted)
        else:
            place.directory.set_times(wanted)
    return SUCCESS


@wasi_function
def path_link(
    wasi: Wasi, old_fd: Fd, old_flags: LookupFlags, old_path: Ptr, old_path_len: Size, new_fd: Fd, new_path: Ptr, new_path_len: Size
) -> Errno:
    """Give a file another name, in the same tree.

    Grants      PATH_LINK_SOURCE and PATH_LINK_TARGET, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, NOTDIR, FAULT, INVAL, ILSEQ, NOENT, EXIST, ROFS, DQUOT
                XDEV    the two are in trees that were lent separately
                PERM    it is a directory
    """
    with (
        at(wasi, old_fd, Rights.PATH_LINK_SOURCE, old_path, old_path_len, follow=followed(old_flags)) as old,
        at(wasi, new_fd, Rights.PATH_LINK_TARGET, new_path, new_path_len) as new,
    ):
        if old.stat().kind is Kind.DIRECTORY:
            return Errno.PERM
        if new.directory_only:
            return Errno.EXIST if exists(new) else Errno.NOENT
        old.directory.link(old.file_name(), new.directory, new.name)
    return SUCCESS


@wasi_function
def path_open(
    wasi: Wasi,
    fd: Fd,
    dirflags: LookupFlags,
    path: Ptr,
    path_len: Size,
    oflags: OFlags,
    fs_rights_base: RightsBits,
    fs_rights_inheriting: RightsBits,
    fdflags: FdFlags,
    opened_fd: Ptr,
) -> Errno:
    """Open a file or directory, and write the number of its descriptor.

    Grants      PATH_OPEN, with PATH_CREATE_FILE and PATH_FILESTAT_SET_SIZE where it may be made or is cut off; and no rights that the
                directory does not hand on, else NOTCAPABLE; so for all paths that lead out, and for devices, pipes and sockets
    Fails       BADF, NOTDIR, FAULT, INVAL, ILSEQ, NOENT, EXIST, ISDIR, ROFS, DQUOT, MFILE
                LOOP    a symbolic link stands there, and is not to be followed
    """
    if oflags > 15 or oflags & 3 == 3:
        return Errno.INVAL
    flags = flags_of(fdflags)
    directory = wasi.descriptors.get(fd)
    base, inheriting = fs_rights_base & ALL, fs_rights_inheriting & ALL
    needed = Rights.PATH_OPEN
    needed |= Rights.PATH_CREATE_FILE if oflags & Oflags.CREAT else 0
    needed |= Rights.PATH_FILESTAT_SET_SIZE if oflags & Oflags.TRUNC else 0
    memory = wasi.memory()
    result = memory.record(opened_fd, 4, 4)
    follow = followed(dirflags) and not oflags & Oflags.EXCL  # what is to be new is not what a link leads to
    with at(wasi, fd, needed, path, path_len, result, follow=follow) as place:
        if (base | inheriting) & ~directory.inheriting:
            raise NotLent("rights that the directory does not hand on", "ask for fewer rights")
        wasi.descriptors.room()
        memory.pack(U32, opened_fd, wasi.descriptors.add(opened(place, oflags, base, inheriting, flags)))
    return SUCCESS


flags_of = fdflags


def opened(place: Place, oflags: int, base: int, inheriting: int, flags: int) -> Descriptor:
    how = Opening(
        read=bool(base & (Rights.FD_READ | Rights.FD_READDIR)),
        write=bool(base & WRITING),
        create=bool(oflags & Oflags.CREAT),
        exclusive=bool(oflags & Oflags.EXCL),
        truncate=bool(oflags & Oflags.TRUNC),
    )
    found = open_at(place, how, directory=bool(oflags & Oflags.DIRECTORY))
    if isinstance(found, Directory):
        return directory_descriptor(found, base, inheriting)
    return file_descriptor(found, base, inheriting, flags)


@wasi_function
def path_readlink(wasi: Wasi, fd: Fd, path: Ptr, path_len: Size, buf: Ptr, buf_len: Size, bufused: Ptr) -> Errno:
    """Write the target of a symbolic link, cut off where the buffer ends.

    Grants      PATH_READLINK, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, NOTDIR, FAULT, ILSEQ, NOENT
                INVAL   it is no symbolic link, or `bufused` is misaligned
    """
    memory = wasi.memory()
    used, room = memory.record(bufused, 4, 4), memory.range(buf, buf_len)
    with at(wasi, fd, Rights.PATH_READLINK, path, path_len, used, room) as place:
        target = place.directory.readlink(place.named()).encode(errors="surrogateescape")[:buf_len]
    memory.bytes[buf : buf + len(target)] = target
    memory.pack(U32, bufused, len(target))
    return SUCCESS


@wasi_function
def path_remove_directory(wasi: Wasi, fd: Fd, path: Ptr, path_len: Size) -> Errno:
    """Remove an empty directory.

    Grants      PATH_REMOVE_DIRECTORY, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, FAULT, ILSEQ, NOENT, NOTDIR, NOTEMPTY, ROFS
                INVAL   the path ends in a dot
    """
    with at(wasi, fd, Rights.PATH_REMOVE_DIRECTORY, path, path_len) as place:
        place.directory.rmdir(place.named())
    return SUCCESS


@wasi_function
def path_rename(wasi: Wasi, fd: Fd, old_path: Ptr, old_path_len: Size, new_fd: Fd, new_path: Ptr, new_path_len: Size) -> Errno:
    """Rename or move a file or directory, in the same tree.

    Grants      PATH_RENAME_SOURCE and PATH_RENAME_TARGET, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, FAULT, INVAL, ILSEQ, NOENT, NOTDIR, ISDIR, NOTEMPTY, ROFS
                XDEV    the two are in trees that were lent separately
    """
    with (
        at(wasi, fd, Rights.PATH_RENAME_SOURCE, old_path, old_path_len) as old,
        at(wasi, new_fd, Rights.PATH_RENAME_TARGET, new_path, new_path_len) as new,
    ):
        if (old.directory_only or new.directory_only) and old.directory.stat_at(old.named()).kind is not Kind.DIRECTORY:
            return Errno.NOTDIR
        old.directory.rename(old.named(), new.directory, new.named())
    return SUCCESS


@wasi_function
def path_symlink(wasi: Wasi, old_path: Ptr, old_path_len: Size, fd: Fd, new_path: Ptr, new_path_len: Size) -> Errno:
    """Make a symbolic link to `old_path`.

    Grants      PATH_SYMLINK, else NOTCAPABLE; so for all paths that lead out, and for a target that is absolute
    Fails       BADF, NOTDIR, FAULT, ILSEQ, NOENT, EXIST, ROFS, DQUOT
                INVAL   the target holds a NUL
    """
    target = wasi.memory().text(old_path, old_path_len)
    with at(wasi, fd, Rights.PATH_SYMLINK, new_path, new_path_len) as place:
        if target.startswith("/"):
            raise NotLent(f"a symbolic link to an absolute path: {target}", "use a relative path")
        if not target or "\0" in target:
            return Errno.INVAL if target else Errno.NOENT
        if place.directory_only:
            return Errno.EXIST if exists(place) else Errno.NOENT
        place.directory.symlink(target, place.name)
    return SUCCESS


@wasi_function
def path_unlink_file(wasi: Wasi, fd: Fd, path: Ptr, path_len: Size) -> Errno:
    """Remove a file or symbolic link.

    Grants      PATH_UNLINK_FILE, else NOTCAPABLE; so for all paths that lead out
    Fails       BADF, FAULT, INVAL, ILSEQ, NOENT, NOTDIR, ROFS
                ISDIR   it is a directory
    """
    with at(wasi, fd, Rights.PATH_UNLINK_FILE, path, path_len) as place:
        place.directory.unlink(place.file_name())
    return SUCCESS


@contextlib.contextmanager
def at(wasi: Wasi, fd: Fd, rights: int, path: Ptr, path_len: Size, *results: Range, follow: bool = False) -> Iterator[Place]:
    """Where a path in guest memory leads; it may not overlap what will be written."""
    directory = wasi.descriptors.directory(fd, rights)
    memory = wasi.memory()
    text = memory.text(path, path_len)
    disjoint((path, path + path_len), *results)
    with resolved(directory, text, follow=follow) as place:
        yield place


def followed(flags: LookupFlags) -> bool:
    """Fails   INVAL"""
    if flags > SYMLINK_FOLLOW:
        raise Fault(Errno.INVAL)
    return bool(flags)


def exists(place: Place) -> bool:
    try:
        place.directory.stat_at(place.name) if place.name else place.directory.stat()
    except FileNotFoundError:
        return False
    return True
