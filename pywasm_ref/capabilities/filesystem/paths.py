"""Paths, walked one name at a time from an open directory, so that none leads out of it.

The walk holds every directory that it came through open, and goes back to those for `..`; it never asks the system for one. Symbolic
links are read and their targets are walked in the same way, never followed by the system. So what is renamed, replaced or linked by
somebody else while a walk is under way can make it fail, or end in another place of the same tree, and in no place outside.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass

from pywasm_ref.capabilities.access import NotLent, failure
from pywasm_ref.capabilities.filesystem.nodes import Directory, File, Kind, Opening, Stat

LONGEST_PATH = 4096
LONGEST_NAME = 255
MOST_LINKS = 40
MOST_STEPS = 4096
"""Names that one walk goes through at most, links included, so that it is soon over; nobody can stop it on its way."""

DEEPEST = 256
"""Directories that one walk holds open."""

LEND = "--dir HOST[::GUEST][:ro] lends another directory"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path ends: a name in an open directory, or the directory itself where the name is empty.

    `directory_only` is set by a slash, or by `.` or `..`, at the end of the path.
    """

    directory: Directory
    name: str
    directory_only: bool

    def stat(self) -> Stat:
        if not self.name:
            return self.directory.stat()
        found = self.directory.stat_at(self.name)
        if self.directory_only and found.kind is not Kind.DIRECTORY:
            raise failure(errno.ENOTDIR)
        return found

    def named(self) -> str:
        """The name of something that is to be made, removed or renamed: nobody can do that to the directory he stands in.

        Fails   OSError EINVAL
        """
        if not self.name:
            raise failure(errno.EINVAL)
        return self.name

    def file_name(self) -> str:
        """The name of something that is no directory.

        Fails   NotADirectoryError, where a slash says that it should be one
        """
        if self.directory_only:
            raise failure(errno.ENOTDIR if self.stat().kind is not Kind.DIRECTORY else errno.EISDIR)
        return self.named()


@contextlib.contextmanager
def resolved(start: Directory, path: str, *, follow: bool) -> Iterator[Place]:
    """The place that a path leads to; where `follow` is set, a symbolic link at its end is followed.

    Fails   NotLent for an absolute path or link, and for one that leads out by `..`; OSError ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL
    """
    walk = Walk(start)
    try:
        yield walk.to(path, follow=follow)
    finally:
        walk.close()


class Walk:
    """A walk under way: the directories that it came through, outermost first."""

    def __init__(self, start: Directory) -> None:
        self._through = [start]
        self._links = 0
        self._steps = 0

    def to(self, path: str, *, follow: bool) -> Place:
        pending: list[str] = []
        directory_only = self._add(pending, path, "the path")
        while pending:
            name = pending.pop()
            if name == ".":
                continue
            if name == "..":
                self._back(path)
                continue
            last = not pending
            if last and not (follow or directory_only):
                return Place(self._through[-1], name, directory_only)
            target = self._link(name) if last else self._enter(name)
            if target is not None:
                directory_only |= self._add(pending, target, f"the symbolic link {name!r}") and last
            elif last:
                return Place(self._through[-1], name, directory_only)
        return Place(self._through[-1], "", True)

    def close(self) -> None:
        for directory in self._through[1:]:
            directory.close()

    def _add(self, pending: list[str], path: str, what: str) -> bool:
        """Put the names of a path before all that is still to be walked; the result is whether it ends in a directory."""
        check(path)
        if path.startswith("/"):
            raise NotLent(f"{what} is absolute: {path}", LEND)
        names = [name for name in path.split("/") if name]
        if any(len(name) > LONGEST_NAME // 4 and len(name.encode(errors="surrogateescape")) > LONGEST_NAME for name in names):
            raise failure(errno.ENAMETOOLONG)
        self._steps += len(names)
        if self._steps > MOST_STEPS:
            raise failure(errno.ELOOP)
        pending.extend(reversed(names))
        return path.endswith(("/", "/.", "/..")) or path in (".", "..")

    def _back(self, path: str) -> None:
        if len(self._through) == 1:
            raise NotLent(f"the path leads out of the directory: {path}", LEND)
        self._through.pop().close()

    def _enter(self, name: str) -> str | None:
        """Go into a directory; where it is a symbolic link instead, the result is its target."""
        if len(self._through) >= DEEPEST:
            raise failure(errno.ENAMETOOLONG)
        try:
            self._through.append(self._through[-1].enter(name))
        except NotADirectoryError:
            target = self._link(name)
            if target is None:
                raise
            return target
        return None

    def _link(self, name: str) -> str | None:
        """The target of a symbolic link, None where there is none."""
        here = self._through[-1]
        try:
            if here.stat_at(name).kind is not Kind.SYMLINK:
                return None
            target = here.readlink(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:  # it was a link a moment ago
                return None
            raise
        self._links += 1
        if self._links > MOST_LINKS:
            raise failure(errno.ELOOP)
        return target


def check(path: str) -> None:
    """Fails   OSError ENOENT for an empty path, EINVAL for a NUL in it, ENAMETOOLONG"""
    if not path:
        raise failure(errno.ENOENT)
    if "\0" in path:
        raise failure(errno.EINVAL)
    if len(path) > LONGEST_PATH:
        raise failure(errno.ENAMETOOLONG)


def open_at(place: Place, how: Opening, *, directory: bool) -> File | Directory:
    """Open what a path leads to; where `directory` is set, only a directory will do.

    Fails   NotADirectoryError, IsADirectoryError; OSError ELOOP for a symbolic link
    """
    wanted = directory or place.directory_only
    found = _kind(place)
    if found is Kind.DIRECTORY:
        if how.create and how.exclusive:
            raise failure(errno.EEXIST)
        if how.truncate or ((how.write or how.create) and not directory):
            raise failure(errno.EISDIR)
        return place.directory.enter(place.name) if place.name else place.directory.again()
    if wanted and found is None and how.create:
        raise failure(errno.EISDIR if place.directory_only else errno.ENOENT)
    if wanted and found is not None:
        raise failure(errno.ENOTDIR)
    return place.directory.open(place.name, how)


def _kind(place: Place) -> Kind | None:
    if not place.name:
        return Kind.DIRECTORY
    try:
        return place.directory.stat_at(place.name).kind
    except FileNotFoundError:
        return None
