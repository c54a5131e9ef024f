"""A tree of files in memory."""

from __future__ import annotations

import errno
from collections.abc import Generator, Mapping, Sequence
from typing import Union

from pywasm_ref.capabilities.access import Access, failure
from pywasm_ref.capabilities.filesystem.memory_nodes import DirectoryNode, FileNode, LinkNode, Node, Shared
from pywasm_ref.capabilities.filesystem.nodes import Directory, Entry, Opening, Stat, Times
from pywasm_ref.capabilities.quota import Quota

BYTES = 256 << 20
FILES = 65_536
"""The quota of a tree in memory, where another does not say: without one, a guest could take all memory that there is."""

SEEK_SET, SEEK_CUR, SEEK_END = range(3)

Contents = Mapping[str, Union[bytes, str, "Contents"]]
"""What a tree begins with: files by their names, and directories as mappings."""


class MemoryTree:
    """A tree of files in memory, that begins with some contents and may grow up to its quota.

        tree = MemoryTree({"greeting.txt": b"hello", "empty": {}})

    Guests that are lent the same tree share it.
    """

    def __init__(self, contents: Contents | None = None, *, readonly: bool = False, quota: Quota | None = None) -> None:
        self.access = Access("a tree in memory", readonly=readonly)
        self.quota = quota_in_memory(quota)
        self._top = DirectoryNode(Shared(self.access, self.quota))
        self._top.nlink = 1
        fill(self._top, contents or {})

    def root(self) -> MemoryDirectory:
        return MemoryDirectory(self._top)

    def limit(self, bytes: int | None, files: int | None) -> None:
        self.quota.tighten(bytes, files)

    def read(self, path: str) -> bytes:
        """The bytes of a file, for the host; the path is walked without following links.

        Fails   FileNotFoundError, IsADirectoryError
        """
        node: Node | None = self._top
        for name in path.strip("/").split("/"):
            node = node.look_up(name) if isinstance(node, DirectoryNode) else None
        if node is None:
            raise failure(errno.ENOENT, path)
        if not isinstance(node, FileNode):
            raise failure(errno.EISDIR, path)
        return bytes(node.data)


def quota_in_memory(quota: Quota | None) -> Quota:
    """The quota, with the usual limits where it has none."""
    if quota is None:
        return Quota(BYTES, FILES)
    quota.tighten(BYTES if quota.bytes is None else None, FILES if quota.files is None else None)
    return quota


def fill(directory: DirectoryNode, contents: Contents) -> None:
    """Make what a mapping says.

    Fails   ValueError for a name that no file can have, OSError EDQUOT
    """
    for name, content in contents.items():
        if not name or name in (".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"no file can be called {name!r}")
        if isinstance(content, Mapping):
            child = DirectoryNode(directory.tree)
            fill(child, content)
            directory.put(name, child)
            continue
        data = content.encode() if isinstance(content, str) else bytes(content)
        node = FileNode(directory.tree)
        node.resize(len(data))
        node.data[:] = data
        directory.put(name, node)


class MemoryHandle:
    """An open node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.access = node.tree.access
        self._open = True
        with node.tree.lock:
            node.handles += 1

    def stat(self) -> Stat:
        self.access.use()
        return self.node.stat()

    def set_times(self, times: Times) -> None:
        self.access.write()
        self.node.set_times(times)

    def sync(self) -> None:
        self.access.use()

    def close(self) -> None:
        with self.node.tree.lock:
            if self._open:
                self._open = False
                self.node.handles -= 1
                self.node.unreferenced()


class MemoryFile(MemoryHandle):
    node: FileNode

    def __init__(self, node: FileNode) -> None:
        super().__init__(node)
        self._at = 0

    def read(self, buffers: Sequence[memoryview]) -> int:
        done = self.read_at(buffers, self._at)
        self._at += done
        return done

    def read_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.access.use()
        with self.node.tree.lock:
            return self.node.read_at(buffers, offset)

    def write(self, buffers: Sequence[memoryview], *, append: bool = False) -> int:
        with self.node.tree.lock:
            offset = self.node.size if append else self._at
            done = self.write_at(buffers, offset)
            self._at = offset + done
        return done

    def write_at(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.access.write()
        node = self.node
        with node.tree.lock:
            data = node.for_writing()
            wanted = sum(map(len, buffers))
            if not wanted:
                return 0
            left = wanted - max(0, offset + wanted - len(data) - node.tree.quota.room(offset + wanted - len(data)))
            if left <= 0:
                raise node.tree.quota.used_up()
            node.resize(max(len(data), offset + left))
            done = 0
            for buffer in buffers:
                n = min(len(buffer), left - done)
                data[offset : offset + n] = buffer[:n]
                offset += n
                done += n
            node.touch()
        return done

    def seek(self, offset: int, whence: int) -> int:
        self.access.use()
        at = offset + (0, self._at, self.node.size)[whence]
        if not 0 <= at < 2**63:
            raise failure(errno.EINVAL)
        self._at = at
        return at

    def truncate(self, size: int) -> None:
        self.access.write()
        with self.node.tree.lock:
            self.node.resize(size)
            self.node.touch()

    def datasync(self) -> None:
        self.access.use()


class MemoryDirectory(MemoryHandle):
    node: DirectoryNode

    def again(self) -> MemoryDirectory:
        self.access.use()
        return type(self)(self.node)

    def stat_at(self, name: str) -> Stat:
        return self._existing(name).stat()

    def set_times_at(self, name: str, times: Times) -> None:
        self.access.write()
        self._existing(name).set_times(times)

    def entries(self) -> Generator[Entry, None, None]:
        self.access.use()
        with self.node.tree.lock:
            names = self.node.names()
        for name in names:
            with self.node.tree.lock:
                node = self.node.look_up(name)
            if node is not None:
                yield Entry(name.encode(errors="surrogateescape"), node.ino, node.kind)

    def enter(self, name: str) -> MemoryDirectory:
        node = self._existing(name)
        if not isinstance(node, DirectoryNode):
            raise failure(errno.ENOTDIR)
        return MemoryDirectory(node)

    def open(self, name: str, how: Opening) -> MemoryFile:
        if how.write or how.truncate:
            self.access.write()
        with self.node.tree.lock:
            self.access.use()
            node = self.node.look_up(name)
            if node is None:
                node = self._create(name, how)
            elif how.create and how.exclusive:
                raise failure(errno.EEXIST)
            if isinstance(node, DirectoryNode):
                raise failure(errno.EISDIR)
            if not isinstance(node, FileNode):
                raise failure(errno.ELOOP)
            if how.truncate:
                node.resize(0)
                node.touch()
            return MemoryFile(node)

    def _create(self, name: str, how: Opening) -> Node:
        if not how.create:
            raise failure(errno.ENOENT)
        self.access.write()
        return self._put(name, FileNode(self._living()))

    def readlink(self, name: str) -> str:
        node = self._existing(name)
        if not isinstance(node, LinkNode):
            raise failure(errno.EINVAL)
        return node.target

    def _existing(self, name: str) -> Node:
        self.access.use()
        with self.node.tree.lock:
            node = self.node.look_up(name)
        if node is None:
            raise failure(errno.ENOENT)
        return node

    def _living(self) -> Shared:
        """The tree that something new is to be part of.

        Fails   FileNotFoundError where this directory was removed
        """
        if self.node.removed:
            raise failure(errno.ENOENT)
        return self.node.tree

    def _put(self, name: str, node: Node) -> Node:
        self.node.put(name, node)
        return node

    def _free(self, name: str) -> None:
        """Fails   FileExistsError"""
        self.access.write()
        if self.node.look_up(name) is not None:
            raise failure(errno.EEXIST)

    def mkdir(self, name: str) -> None:
        with self.node.tree.lock:
            self._free(name)
            self._put(name, DirectoryNode(self._living()))

    def symlink(self, target: str, name: str) -> None:
        with self.node.tree.lock:
            self._free(name)
            node = LinkNode(self._living(), target)
            try:
                node.take(node.size)
            except OSError:
                node.unreferenced()
                raise
            self._put(name, node)

    def link(self, name: str, into: Directory, new: str) -> None:
        other = self._of_this_tree(into)
        with self.node.tree.lock:
            node = self._existing(name)
            other._free(new)
            if isinstance(node, DirectoryNode):
                raise failure(errno.EPERM)
            other._living()
            node.take_name()
            other._put(new, node)

    def rmdir(self, name: str) -> None:
        self.access.write()
        with self.node.tree.lock:
            node = self._existing(name)
            if not isinstance(node, DirectoryNode):
                raise failure(errno.ENOTDIR)
            if node.names():
                raise failure(errno.ENOTEMPTY)
            self._drop(name)

    def unlink(self, name: str) -> None:
        self.access.write()
        with self.node.tree.lock:
            if isinstance(self._existing(name), DirectoryNode):
                raise failure(errno.EISDIR)
            self._drop(name)

    def rename(self, name: str, into: Directory, new: str) -> None:
        self.access.write()
        other = self._of_this_tree(into)
        with self.node.tree.lock:
            node = self._existing(name)
            there = other.node.look_up(new)
            other._living()
            if node is there:
                return
            if isinstance(node, DirectoryNode) and other.node.is_within(node):
                raise failure(errno.EINVAL)
            if there is not None:
                _replaceable(node, there)
                other._drop(new)
            self.node.drop(name)
            other.node.put(new, node)

    def _drop(self, name: str) -> None:
        node = self.node.drop(name)
        if isinstance(node, DirectoryNode):
            node.removed = True
            node.parent = None
        node.name_gone()

    def _of_this_tree(self, other: Directory) -> MemoryDirectory:
        if not isinstance(other, MemoryDirectory) or other.node.tree is not self.node.tree:
            raise failure(errno.EXDEV)
        return other


def _replaceable(node: Node, there: Node) -> None:
    """Fails   OSError where one thing cannot take the place of the other"""
    if isinstance(there, DirectoryNode):
        if not isinstance(node, DirectoryNode):
            raise failure(errno.EISDIR)
        if there.names():
            raise failure(errno.ENOTEMPTY)
    elif isinstance(node, DirectoryNode):
        raise failure(errno.ENOTDIR)
