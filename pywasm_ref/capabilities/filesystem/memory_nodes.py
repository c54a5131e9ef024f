"""What a tree in memory is made of: files, directories and symbolic links, open or not."""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections.abc import Sequence

from pywasm_ref.capabilities.access import Access, failure
from pywasm_ref.capabilities.filesystem.nodes import Kind, Stat, Times
from pywasm_ref.capabilities.quota import Quota

DEVICES = itertools.count(1)


class Shared:
    """What all nodes of a tree have in common."""

    def __init__(self, access: Access, quota: Quota) -> None:
        self.access = access
        self.quota = quota
        self.lock = threading.RLock()
        self.dev = next(DEVICES)
        self.inodes = itertools.count(1)


class Node:
    """A file, directory or symbolic link, open or not. What it took of the quota is given back when nobody can reach it any more; what is
    only seen through an overlay takes nothing."""

    kind: Kind

    def __init__(self, tree: Shared, *, counted: bool = True) -> None:
        self.files_taken = int(counted)
        self.bytes_taken = 0
        tree.quota.take(files=self.files_taken)
        self.tree = tree
        self.ino = next(tree.inodes)
        self.nlink = 0
        self.handles = 0
        self.atime = self.mtime = self.ctime = time.time_ns()

    @property
    def size(self) -> int:
        return 0

    def stat(self) -> Stat:
        return Stat(self.kind, self.tree.dev, self.ino, self.nlink, self.size, self.atime, self.mtime, self.ctime)

    def touch(self) -> None:
        self.mtime = self.ctime = time.time_ns()

    def set_times(self, times: Times) -> None:
        atime, mtime = times
        self.atime = self.atime if atime is None else atime
        self.mtime = self.mtime if mtime is None else mtime
        self.ctime = time.time_ns()

    def take(self, bytes: int) -> None:
        """Take so many bytes of the quota, or give them back.

        Fails   OSError EDQUOT
        """
        self.tree.quota.take(bytes=bytes)
        self.bytes_taken += bytes

    def take_name(self) -> None:
        """One more name counts as one more file, or names without end would take room without end.

        Fails   OSError EDQUOT
        """
        self.tree.quota.take(files=1)
        self.files_taken += 1

    def name_gone(self) -> None:
        """Give back what the name took, or with the last one all that is used."""
        if self.nlink:
            self.tree.quota.give_back(files=1)
            self.files_taken -= 1
        self.unreferenced()

    def unreferenced(self) -> None:
        """Give back what is used, when the last name and the last handle are gone."""
        if self.nlink == 0 and self.handles == 0:
            self.tree.quota.give_back(bytes=self.bytes_taken, files=self.files_taken)
            self.bytes_taken = self.files_taken = 0
            self.forget()

    def forget(self) -> None:
        """Let go of the contents."""


class FileNode(Node):
    kind = Kind.FILE

    def __init__(self, tree: Shared, *, counted: bool = True) -> None:
        super().__init__(tree, counted=counted)
        self.data = bytearray()

    @property
    def size(self) -> int:
        return len(self.data)

    def read_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        done = 0
        with memoryview(self.data) as data:
            for buffer in buffers:
                n = min(len(buffer), max(0, len(data) - offset))
                buffer[:n] = data[offset : offset + n]
                offset += n
                done += n
        return done

    def for_writing(self) -> bytearray:
        """The bytes, to be changed; their number changes by `resize` only."""
        return self.data

    def resize(self, size: int) -> None:
        """Fails   OSError EDQUOT, EFBIG"""
        data = self.for_writing()
        grown = size - len(data)
        if grown > 0:
            self.take(grown)
            try:
                data.extend(bytes(grown))
            except (MemoryError, OverflowError):
                self.take(-grown)
                raise failure(errno.EFBIG) from None
        elif grown < 0:
            del data[size:]
            self.take(grown)

    def forget(self) -> None:
        self.data = bytearray()


class LinkNode(Node):
    kind = Kind.SYMLINK

    def __init__(self, tree: Shared, target: str, *, counted: bool = True) -> None:
        super().__init__(tree, counted=counted)
        self.target = target

    @property
    def size(self) -> int:
        return len(self.target.encode(errors="surrogateescape"))


class DirectoryNode(Node):
    """A directory; `look_up`, `names`, `put` and `drop` are what another kind of directory changes."""

    kind = Kind.DIRECTORY

    def __init__(self, tree: Shared, *, counted: bool = True) -> None:
        super().__init__(tree, counted=counted)
        self.children: dict[str, Node] = {}
        self.parent: DirectoryNode | None = None
        self.removed = False

    def look_up(self, name: str) -> Node | None:
        return self.children.get(name)

    def names(self) -> list[str]:
        return list(self.children)

    def put(self, name: str, node: Node) -> None:
        """Fails   FileNotFoundError where this directory was removed"""
        if self.removed:
            raise failure(errno.ENOENT)
        self.children[name] = node
        node.nlink += 1
        if isinstance(node, DirectoryNode):
            node.parent = self
        self.touch()

    def drop(self, name: str) -> Node:
        node = self.children.pop(name)
        node.nlink -= 1
        node.ctime = time.time_ns()
        self.touch()
        return node

    def is_within(self, other: DirectoryNode) -> bool:
        """Whether this is another directory, or somewhere below it."""
        node: DirectoryNode | None = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False
