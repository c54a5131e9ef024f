"""Trees of files: the same rules in memory, on the machine, and in an overlay over it."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pywasm_ref.capabilities import HostTree, MemoryTree, NotLent, OverlayTree, Quota
from pywasm_ref.capabilities.filesystem.memory import Contents, MemoryDirectory
from pywasm_ref.capabilities.filesystem.nodes import Directory, File, Kind, Opening, Tree
from pywasm_ref.capabilities.filesystem.overlay import OverlayNode
from pywasm_ref.capabilities.filesystem.paths import open_at, resolved

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no directory of the machine can be lent there")

CONTENTS: Contents = {"a.txt": b"alpha", "dir": {"b.txt": b"beta", "empty": {}}}
READ, WRITE, CREATE = Opening(), Opening(write=True), Opening(write=True, create=True)


def on_disk(folder: Path) -> Path:
    (folder / "dir" / "empty").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"alpha")
    (folder / "dir" / "b.txt").write_bytes(b"beta")
    return folder


MAKERS: dict[str, Callable[[Path, Quota | None], Tree]] = {
    "memory": lambda folder, quota: MemoryTree(CONTENTS, quota=quota),
    "host": lambda folder, quota: HostTree(on_disk(folder), quota=quota),
    "overlay": lambda folder, quota: OverlayTree(on_disk(folder), quota=quota),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Quota | None], Tree]:
    return lambda quota: MAKERS[request.param](tmp_path, quota)


@pytest.fixture
def root(make: Callable[[Quota | None], Tree]) -> Iterator[Directory]:
    directory = make(None).root()
    yield directory
    directory.close()


def opened(root: Directory, path: str, how: Opening = READ) -> File:
    with resolved(root, path, follow=True) as place:
        found = open_at(place, how, directory=False)
        assert isinstance(found, File)
        return found


def read(root: Directory, path: str) -> bytes:
    file = opened(root, path)
    buffer = memoryview(bytearray(100))
    n = file.read([buffer[:3], buffer[3:]])
    file.close()
    return bytes(buffer[:n])


def write(root: Directory, path: str, data: bytes, how: Opening = CREATE) -> None:
    file = opened(root, path, how)
    try:
        assert file.write([memoryview(data)]) == len(data)
    finally:
        file.close()


def raises(code: int, action: Callable[[], object]) -> None:
    with pytest.raises(OSError, match=rf"\[Errno {code}\]"):
        action()


def names(directory: Directory) -> list[bytes]:
    return sorted(entry.name for entry in directory.entries())


def test_files_are_read_and_written(root: Directory) -> None:
    assert read(root, "a.txt") == b"alpha"
    assert read(root, "dir/../dir/./b.txt") == b"beta"
    write(root, "dir/new.txt", b"fresh")
    assert read(root, "dir/new.txt") == b"fresh"
    write(root, "a.txt", b"AL", WRITE)
    assert read(root, "a.txt") == b"ALpha"
    write(root, "a.txt", b"x", Opening(write=True, truncate=True))
    assert read(root, "a.txt") == b"x"
    assert names(root) == [b"a.txt", b"dir"]


def test_a_file_is_read_and_written_anywhere(root: Directory) -> None:
    file = opened(root, "a.txt", WRITE)
    buffer = memoryview(bytearray(4))
    assert file.read_at([buffer], 3) == 2
    assert bytes(buffer[:2]) == b"ha"
    assert file.write_at([memoryview(b"zz")], 7) == 2
    assert file.stat().size == 9
    assert file.seek(-2, 2) == 7
    assert file.read([buffer]) == 2
    assert file.write([memoryview(b"!")], append=True) == 1
    raises(errno.EINVAL, lambda: file.seek(-1, 0))
    file.truncate(3)
    file.truncate(5)
    assert file.read_at([buffer], 1) == 4
    assert bytes(buffer) == b"lp\0\0"
    file.close()
    file.close()


def test_opening_has_its_rules(root: Directory) -> None:
    raises(errno.ENOENT, lambda: opened(root, "missing"))
    raises(errno.EEXIST, lambda: opened(root, "a.txt", Opening(write=True, create=True, exclusive=True)))
    raises(errno.EISDIR, lambda: opened(root, "dir", WRITE))
    raises(errno.EISDIR, lambda: opened(root, "dir", CREATE))
    raises(errno.ENOTDIR, lambda: opened(root, "a.txt/"))
    raises(errno.ENOTDIR, lambda: opened(root, "a.txt/b"))
    raises(errno.EISDIR, lambda: opened(root, "new/", CREATE))
    raises(errno.ENOENT, lambda: opened(root, "missing/new", CREATE))


def test_directories_are_made_and_removed(root: Directory) -> None:
    root.mkdir("new")
    raises(errno.EEXIST, lambda: root.mkdir("new"))
    raises(errno.EEXIST, lambda: root.mkdir("a.txt"))
    raises(errno.ENOTEMPTY, lambda: root.rmdir("dir"))
    raises(errno.ENOTDIR, lambda: root.rmdir("a.txt"))
    raises(errno.ENOENT, lambda: root.rmdir("missing"))
    new = root.enter("new")
    root.rmdir("new")
    raises(errno.ENOENT, lambda: new.mkdir("below"))
    raises(errno.ENOENT, lambda: new.open("below", CREATE))
    assert names(new) == []
    new.close()
    assert names(root) == [b"a.txt", b"dir"]


def test_names_are_removed(root: Directory) -> None:
    file = opened(root, "a.txt")
    root.unlink("a.txt")
    raises(errno.ENOENT, lambda: root.stat_at("a.txt"))
    raises(errno.EISDIR, lambda: root.unlink("dir"))
    buffer = memoryview(bytearray(9))
    assert file.read([buffer]) == 5
    file.close()
    write(root, "a.txt", b"again")
    assert read(root, "a.txt") == b"again"


def test_things_are_renamed(root: Directory) -> None:
    directory = root.enter("dir")
    root.rename("a.txt", directory, "moved.txt")
    assert read(root, "dir/moved.txt") == b"alpha"
    directory.rename("moved.txt", directory, "b.txt")
    assert names(directory) == [b"b.txt", b"empty"]
    assert read(root, "dir/b.txt") == b"alpha"
    raises(errno.EINVAL, lambda: root.rename("dir", directory, "inside"))
    raises(errno.ENOENT, lambda: root.rename("missing", root, "x"))
    raises(errno.EISDIR, lambda: directory.rename("b.txt", directory, "empty"))
    raises(errno.ENOTDIR, lambda: directory.rename("empty", directory, "b.txt"))
    root.mkdir("full")
    root.enter("full").mkdir("x")
    raises(errno.ENOTEMPTY, lambda: directory.rename("empty", root, "full"))
    root.rename("dir", root, "renamed")
    assert read(root, "renamed/b.txt") == b"alpha"
    raises(errno.ENOENT, lambda: root.stat_at("dir"))
    directory.close()


def test_a_file_has_several_names(root: Directory) -> None:
    directory = root.enter("dir")
    root.link("a.txt", directory, "again.txt")
    assert root.stat_at("a.txt").nlink == 2
    assert root.stat_at("a.txt").ino == directory.stat_at("again.txt").ino
    write(root, "dir/again.txt", b"A", WRITE)
    assert read(root, "a.txt") == b"Alpha"
    raises(errno.EEXIST, lambda: root.link("a.txt", root, "dir"))
    raises(errno.EPERM, lambda: root.link("dir", root, "hard"))
    directory.close()


def test_symbolic_links_are_followed_by_paths_only(root: Directory) -> None:
    root.symlink("dir", "link")
    root.enter("dir").symlink("../a.txt", "up")
    root.symlink("self", "self")
    root.symlink("../out", "out")
    assert root.readlink("link") == "dir"
    assert root.stat_at("link").kind is Kind.SYMLINK
    assert read(root, "link/b.txt") == b"beta"
    assert read(root, "link/up") == b"alpha"
    raises(errno.ELOOP, lambda: opened(root, "self"))
    raises(errno.ELOOP, lambda: root.open("link", READ))
    raises(errno.EINVAL, lambda: root.readlink("a.txt"))
    raises(errno.ENOTDIR, lambda: root.enter("link"))
    with pytest.raises(NotLent):
        opened(root, "out")


def test_times_are_set(root: Directory) -> None:
    root.set_times_at("a.txt", (10**9, 2 * 10**9))
    root.set_times_at("a.txt", (None, 3 * 10**9))
    found = root.stat_at("a.txt")
    assert (found.atime, found.mtime) == (10**9, 3 * 10**9)
    file = opened(root, "dir/b.txt")
    file.set_times((5 * 10**9, None))
    assert file.stat().atime == 5 * 10**9
    file.sync()
    file.datasync()
    file.close()


def test_a_quota_of_bytes_ends_what_can_be_written(make: Callable[[Quota | None], Tree]) -> None:
    quota = Quota(bytes=100)
    root = make(quota).root()
    file = opened(root, "new", CREATE)
    used = quota.used_bytes
    assert file.write([memoryview(bytes(60)), memoryview(bytes(60))]) == 100 - used
    raises(errno.EDQUOT, lambda: file.write([memoryview(b"x")]))
    raises(errno.EDQUOT, lambda: file.truncate(10**6))
    raises(errno.EDQUOT, lambda: file.write_at([memoryview(b"x")], 10**12))
    assert file.write_at([memoryview(b"y")], 0) == 1
    file.close()
    root.close()


def test_a_quota_of_files_ends_what_can_be_made(make: Callable[[Quota | None], Tree]) -> None:
    quota = Quota(files=10)
    root = make(quota).root()
    free = 10 - quota.used_files
    for i in range(free):
        (root.mkdir if i % 2 else lambda name: root.open(name, CREATE).close())(f"new{i}")
    raises(errno.EDQUOT, lambda: root.mkdir("more"))
    raises(errno.EDQUOT, lambda: root.open("more", CREATE))
    raises(errno.EDQUOT, lambda: root.symlink("x", "y"))
    root.close()


def test_what_is_removed_from_memory_is_given_back() -> None:
    quota = Quota(bytes=10, files=3)
    root = MemoryTree(quota=quota).root()
    for _ in range(5):
        write(root, "a", bytes(10))
        file = opened(root, "a")
        root.unlink("a")
        raises(errno.EDQUOT, lambda: write(root, "b", bytes(10)))
        root.unlink("b")
        file.close()
    assert (quota.used_bytes, quota.used_files) == (0, 1)


def test_each_name_of_a_file_counts(make: Callable[[Quota | None], Tree]) -> None:
    """A file that has names without end would take room without end."""
    quota = Quota(files=20)
    root = make(quota).root()
    used = quota.used_files
    for i in range(20 - used):
        root.link("a.txt", root, f"name{i}")
    raises(errno.EDQUOT, lambda: root.link("a.txt", root, "more"))
    assert quota.used_files == 20
    if isinstance(root, MemoryDirectory):
        for i in range(20 - used):
            root.unlink(f"name{i}")
        assert quota.used_files == used
        assert read(root, "a.txt") == b"alpha"
        root.link("a.txt", root, "other")
        root.unlink("a.txt")
        root.unlink("other")
        assert quota.used_files <= used
    root.close()


def test_a_quota_that_says_nothing_of_bytes_does_not_give_a_guest_all_memory(make: Callable[[Quota | None], Tree]) -> None:
    root = make(Quota(files=10)).root()
    if not isinstance(root, MemoryDirectory):
        return
    file = opened(root, "a.txt", WRITE)
    raises(errno.EDQUOT, lambda: file.truncate(1 << 40))
    raises(errno.EDQUOT, lambda: file.write_at([memoryview(b"x")], 1 << 40))
    file.close()


@pytest.mark.parametrize("readonly", [False, True])
def test_what_fails_takes_nothing_of_the_quota(make: Callable[[Quota | None], Tree], readonly: bool) -> None:
    quota = Quota(bytes=2**62)
    root = make(quota).root()
    if isinstance(root, MemoryDirectory):
        return
    before = quota.used_bytes
    file = opened(root, "a.txt", READ if readonly else WRITE)
    for fails in (lambda: file.truncate(2**61), lambda: file.write_at([memoryview(b"x")], 2**61)):
        with pytest.raises(OSError, match="Errno"):
            fails()
    assert quota.used_bytes == before
    file.close()


def test_what_was_taken_back_is_of_no_use(make: Callable[[Quota | None], Tree]) -> None:
    tree = make(None)
    root = tree.root()
    file = opened(root, "a.txt", WRITE)
    tree.access.make_readonly()
    raises(errno.EROFS, lambda: file.write([memoryview(b"x")]))
    raises(errno.EROFS, lambda: root.mkdir("x"))
    assert read(root, "a.txt") == b"alpha"
    tree.access.revoke()
    for use in (lambda: read(root, "a.txt"), file.stat, lambda: list(root.entries()), lambda: root.enter("dir"), root.again):
        with pytest.raises(NotLent):
            use()
    file.close()


def test_trees_of_one_kind_do_not_mix(tmp_path: Path) -> None:
    first, second = MemoryTree(CONTENTS).root(), MemoryTree(CONTENTS).root()
    raises(errno.EXDEV, lambda: first.rename("a.txt", second, "x"))
    raises(errno.EXDEV, lambda: first.link("a.txt", second, "x"))
    folder = on_disk(tmp_path)
    one, other = HostTree(folder).root(), HostTree(folder).root()
    raises(errno.EXDEV, lambda: one.rename("a.txt", other, "x"))
    raises(errno.EXDEV, lambda: one.link("a.txt", other, "x"))


def test_an_overlay_leaves_the_machine_as_it_was(tmp_path: Path) -> None:
    on_disk(tmp_path)
    root = OverlayTree(tmp_path).root()
    write(root, "a.txt", b"X", WRITE)
    write(root, "new.txt", b"new")
    root.enter("dir").unlink("b.txt")
    root.rename("dir", root, "moved")
    root.mkdir("dir")
    assert names(root) == [b"a.txt", b"dir", b"moved", b"new.txt"]
    assert names(root.enter("dir")) == []
    assert names(root.enter("moved")) == [b"empty"]
    assert read(root, "a.txt") == b"Xlpha"
    assert (tmp_path / "a.txt").read_bytes() == b"alpha"
    assert sorted(os.listdir(tmp_path / "dir")) == ["b.txt", "empty"]
    (tmp_path / "late.txt").write_bytes(b"late")
    assert read(root, "late.txt") == b"late"


def test_what_is_only_seen_through_an_overlay_takes_nothing_of_its_quota(tmp_path: Path) -> None:
    on_disk(tmp_path)
    for i in range(50):
        (tmp_path / f"file{i}").write_bytes(bytes(1000))
        (tmp_path / f"link{i}").symlink_to("a.txt")
    quota = Quota(bytes=1500, files=2)
    root = OverlayTree(tmp_path, quota=quota).root()
    assert len(names(root)) == 102
    assert read(root, "link3") == b"alpha"
    assert (quota.used_bytes, quota.used_files) == (0, 0)
    write(root, "file1", b"x", WRITE)
    assert (quota.used_bytes, quota.used_files) == (1000, 0)
    raises(errno.EDQUOT, lambda: write(root, "file2", b"x", WRITE))
    assert quota.used_bytes == 1000
    root.unlink("file1")
    root.unlink("file2")
    assert (quota.used_bytes, quota.used_files) == (0, 0)
    root.mkdir("one")
    root.mkdir("two")
    raises(errno.EDQUOT, lambda: root.mkdir("three"))


def test_an_overlay_keeps_no_names_of_what_was_only_ever_in_memory(tmp_path: Path) -> None:
    on_disk(tmp_path)
    root = OverlayTree(tmp_path).root()
    for i in range(50):
        write(root, f"new{i}", b"x")
        root.unlink(f"new{i}")
    root.unlink("a.txt")
    node = root.node
    assert isinstance(node, OverlayNode)
    assert node._hidden == {"a.txt"}


def test_a_directory_of_an_overlay_is_empty_when_nothing_is_seen_in_it(tmp_path: Path) -> None:
    on_disk(tmp_path)
    os.mkfifo(tmp_path / "dir" / "empty" / "pipe")
    root = OverlayTree(tmp_path).root()
    root.enter("dir").rmdir("empty")
    assert names(root.enter("dir")) == [b"b.txt"]
    assert os.listdir(tmp_path / "dir" / "empty") == ["pipe"]


def test_a_tree_in_memory_refuses_names_that_no_file_can_have() -> None:
    for name in ("", ".", "..", "a/b", "a\0b"):
        with pytest.raises(ValueError, match="no file can be called"):
            MemoryTree({name: b""})


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    on_disk(tmp_path)
    gc.collect()  # what other tests left behind must not be closed meanwhile
    before = set(os.listdir("/proc/self/fd"))
    root = HostTree(tmp_path).root()
    for path in ("dir/empty/../b.txt", "dir/missing/x", "dir/empty/../../..", "a.txt/x", "dir/b.txt"):
        try:
            opened(root, path).close()
        except OSError:
            continue
    root.close()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_a_machine_that_cannot_lend_directories_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pywasm_ref.capabilities.filesystem.host.SUPPORTED", False)
    with pytest.raises(OSError, match="lend a copy in memory instead"):
        HostTree(tmp_path).root()
