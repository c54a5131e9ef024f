"""A directory of this machine under a layer in memory: everything can be read and changed, and the machine keeps what it had.

It is a tree in memory that fills itself as it is looked at. A directory knows where it stands in the lower tree and looks there, by
descriptors and without following links, for names that it does not know yet; a file is read from there until it is first changed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from pywasm_ref.capabilities.access import Access
from pywasm_ref.capabilities.filesystem.host import HostDirectory, HostFile, HostTree, text
from pywasm_ref.capabilities.filesystem.memory import MemoryDirectory, quota_in_memory
from pywasm_ref.capabilities.filesystem.memory_nodes import DirectoryNode, FileNode, LinkNode, Node, Shared
from pywasm_ref.capabilities.filesystem.nodes import Kind, Opening, Stat
from pywasm_ref.capabilities.quota import Quota

Steps = tuple[str, ...]
"""Names from the top of the lower tree."""

PIECE = 1 << 20
SEEN = frozenset({Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK})
"""What is seen of the lower tree; devices, pipes and sockets are not."""


class Lower:
    """The lower tree, to be read only; every step to a place in it is taken anew."""

    def __init__(self, tree: HostTree) -> None:
        self._top = tree.root()

    @contextlib.contextmanager
    def at(self, steps: Steps) -> Iterator[HostDirectory]:
        here = self._top.again()
        try:
            for name in steps:
                below = here.enter(name)
                here.close()
                here = below
            yield here
        finally:
            here.close()

    def close(self) -> None:
        self._top.close()


class LowerFile(FileNode):
    """A file that is read from the lower tree until it is first changed; then it is copied."""

    def __init__(self, tree: Shared, lower: Lower, steps: Steps, found: Stat) -> None:
        super().__init__(tree, counted=False)
        self._lower: Lower | None = lower
        self._steps = steps
        self._found = found
        self._file: HostFile | None = None
        self.atime, self.mtime, self.ctime = found.atime, found.mtime, found.ctime

    @property
    def size(self) -> int:
        return len(self.data) if self._lower is None else self._found.size

    def read_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        return super().read_at(buffers, offset) if self._lower is None else self._opened(self._lower).read_at(buffers, offset)

    def for_writing(self) -> bytearray:
        """Copy the file into memory, where it counts; from then on the lower tree has nothing to do with it."""
        if self._lower is not None:
            data = bytearray()
            try:
                self._copy(self._opened(self._lower), data)
            except OSError:
                self.take(-len(data))
                raise
            self.data = data
            self._leave()
        return self.data

    def resize(self, size: int) -> None:
        if size == 0:
            self._leave()
        super().resize(size)

    def unreferenced(self) -> None:
        if self.handles == 0:
            self._shut()
        super().unreferenced()

    def _copy(self, file: HostFile, data: bytearray) -> None:
        piece = memoryview(bytearray(PIECE))
        while n := file.read_at([piece], len(data)):
            self.take(n)
            data += piece[:n]

    def _opened(self, lower: Lower) -> HostFile:
        if self._file is None:
            with lower.at(self._steps[:-1]) as directory:
                self._file = directory.open(self._steps[-1], Opening())
        return self._file

    def _leave(self) -> None:
        self._lower = None
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class OverlayNode(DirectoryNode):
    """A directory that has a place in the lower tree."""

    def __init__(self, tree: Shared, lower: Lower, steps: Steps) -> None:
        super().__init__(tree, counted=False)
        self._lower = lower
        self._steps = steps
        self._hidden: set[str] = set()

    def look_up(self, name: str) -> Node | None:
        node = super().look_up(name)
        if node is None and name not in self._hidden:
            node = self._from_below(name)
            if node is not None:
                times = (self.mtime, self.ctime)
                self.put(name, node)
                self.mtime, self.ctime = times
        return node

    def names(self) -> list[str]:
        known = super().names()
        seen = {*known, *self._hidden}
        try:
            with self._lower.at(self._steps) as directory:
                below = [text(entry.name) for entry in directory.entries() if entry.kind in SEEN]
        except (FileNotFoundError, NotADirectoryError):
            below = []
        return known + [name for name in below if name not in seen]

    def drop(self, name: str) -> Node:
        if self._is_below(name):
            self._hidden.add(name)
        return super().drop(name)

    def _is_below(self, name: str) -> bool:
        """Whether the lower tree has something of that name; only then is a name kept that is gone."""
        try:
            with self._lower.at(self._steps) as directory:
                directory.stat_at(name)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _from_below(self, name: str) -> Node | None:
        steps = (*self._steps, name)
        try:
            with self._lower.at(self._steps) as directory:
                found = directory.stat_at(name)
                if found.kind is Kind.SYMLINK:
                    return LinkNode(self.tree, directory.readlink(name), counted=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if found.kind is Kind.DIRECTORY:
            return OverlayNode(self.tree, self._lower, steps)
        return LowerFile(self.tree, self._lower, steps, found) if found.kind is Kind.FILE else None


class OverlayTree:
    """A directory of this machine whose changes stay in memory, up to a quota; a file that is changed
    is copied first, and counts in full.

    Fails   as `HostTree` does
    """

    def __init__(self, path: str | os.PathLike[str], *, quota: Quota | None = None) -> None:
        self.path = os.fspath(path)
        self.access = Access(f"{self.path} (changes in memory)")
        self.quota = quota_in_memory(quota)
        self._top: OverlayNode | None = None

    def limit(self, bytes: int | None, files: int | None) -> None:
        self.quota.tighten(bytes, files)

    def root(self) -> MemoryDirectory:
        if self._top is None:
            lower = Lower(HostTree(self.path, readonly=True))
            self._top = OverlayNode(Shared(self.access, self.quota), lower, ())
            self._top.nlink = 1
        return MemoryDirectory(self._top)
