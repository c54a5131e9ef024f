"""More attempts to reach what was not lent: names that mean the directory itself, links that move, hard links, overlays, quotas, races."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pywasm_ref.capabilities import HostTree, MemoryTree, OverlayTree, Quota
from pywasm_ref.capabilities.filesystem.nodes import Tree
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.errors import Interrupted
from pywasm_ref.wasi.abi import Errno, Rights
from tests.wasi.support import ALL, BUFFER, CREAT, DIRECTORY, EXCL, FOLLOW, RESULT, ROOT, TRUNC, Caller
from tests.wasi.test_escape import REFUSED, SECOND, SECRET, House, guest, house

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no directory of the machine can be lent there")

FIXTURES = (guest, house)
READING = int(Rights.FD_READ)
Attempt = Callable[[Caller], Errno]


def moved(guest: Caller, old: str, new: str) -> None:
    guest.ok("path_rename", ROOT, *guest.path(old), ROOT, *guest.path(new, SECOND))


def linked(guest: Caller, target: str, name: str) -> None:
    guest.ok("path_symlink", *guest.path(target), ROOT, *guest.path(name, SECOND))


SLASHES: dict[str, Attempt] = {
    "mkdir": lambda g: g.call("path_create_directory", ROOT, *g.path("dangling/")),
    "rmdir": lambda g: g.call("path_remove_directory", ROOT, *g.path("up-dir/")),
    "unlink": lambda g: g.call("path_unlink_file", ROOT, *g.path("up-file/")),
    "unlink a link to a directory": lambda g: g.call("path_unlink_file", ROOT, *g.path("up-dir/")),
    "rename": lambda g: g.call("path_rename", ROOT, *g.path("up-dir/"), ROOT, *g.path("stolen", SECOND)),
    "rename onto": lambda g: g.call("path_rename", ROOT, *g.path("sub"), ROOT, *g.path("up-dir/", SECOND)),
    "readlink": lambda g: g.call("path_readlink", ROOT, *g.path("up-dir/"), BUFFER, 100, RESULT),
    "stat without following": lambda g: g.call("path_filestat_get", ROOT, 0, *g.path("up-dir/"), RESULT),
    "times without following": lambda g: g.call("path_filestat_set_times", ROOT, 0, *g.path("up-dir/"), 1, 1, 5),
    "symlink": lambda g: g.call("path_symlink", *g.path("x"), ROOT, *g.path("dangling/", SECOND)),
    "link": lambda g: g.call("path_link", ROOT, 0, *g.path("up-file/"), ROOT, *g.path("plan", SECOND)),
    "open": lambda g: g.open_errno("up-dir/.", DIRECTORY, follow=0),
}


@pytest.mark.parametrize("action", SLASHES)
def test_a_slash_behind_a_link_does_not_lead_out(guest: Caller, action: str) -> None:
    assert SLASHES[action](guest) in REFUSED
    assert SECRET not in bytes(guest.memory)


ITSELF: dict[str, tuple[Attempt, set[Errno]]] = {
    "make .": (lambda g: g.call("path_create_directory", ROOT, *g.path(".")), {Errno.EXIST}),
    "make ..": (lambda g: g.call("path_create_directory", ROOT, *g.path("..")), REFUSED),
    "make sub/..": (lambda g: g.call("path_create_directory", ROOT, *g.path("sub/..")), {Errno.EXIST}),
    "remove .": (lambda g: g.call("path_remove_directory", ROOT, *g.path(".")), {Errno.INVAL}),
    "remove sub/..": (lambda g: g.call("path_remove_directory", ROOT, *g.path("sub/..")), {Errno.INVAL}),
    "remove ..": (lambda g: g.call("path_remove_directory", ROOT, *g.path("..")), REFUSED),
    "unlink .": (lambda g: g.call("path_unlink_file", ROOT, *g.path(".")), {Errno.ISDIR}),
    "unlink ..": (lambda g: g.call("path_unlink_file", ROOT, *g.path("..")), REFUSED),
    "rename .": (lambda g: g.call("path_rename", ROOT, *g.path("."), ROOT, *g.path("x", SECOND)), {Errno.INVAL}),
    "rename onto .": (lambda g: g.call("path_rename", ROOT, *g.path("sub"), ROOT, *g.path(".", SECOND)), {Errno.INVAL}),
    "rename onto ..": (lambda g: g.call("path_rename", ROOT, *g.path("sub"), ROOT, *g.path("..", SECOND)), REFUSED),
    "rename sub/..": (lambda g: g.call("path_rename", ROOT, *g.path("sub/.."), ROOT, *g.path("x", SECOND)), {Errno.INVAL}),
    "link to .": (lambda g: g.call("path_link", ROOT, 0, *g.path("file.txt"), ROOT, *g.path(".", SECOND)), {Errno.EXIST}),
    "symlink as ..": (lambda g: g.call("path_symlink", *g.path("x"), ROOT, *g.path("..", SECOND)), REFUSED),
    "a target with NUL": (lambda g: g.call("path_symlink", *g.path("../secret\0"), ROOT, *g.path("x", SECOND)), {Errno.INVAL}),
    "no target": (lambda g: g.call("path_symlink", *g.path(""), ROOT, *g.path("x", SECOND)), {Errno.NOENT}),
    "half a character": (lambda g: g.open_errno(b"\xed\xa0\x80/.."), {Errno.ILSEQ}),
    "into itself": (lambda g: g.call("path_rename", ROOT, *g.path("sub"), ROOT, *g.path("sub/deep/sub", SECOND)), {Errno.INVAL}),
}


@pytest.mark.parametrize("action", ITSELF)
def test_a_directory_cannot_do_away_with_itself(guest: Caller, action: str) -> None:
    attempt, expected = ITSELF[action]
    assert attempt(guest) in expected
    assert "sub" in guest.names(ROOT)


@pytest.mark.parametrize(
    ("there", "not_there"),
    [
        ("../secret/plan.txt", "../secret/none"),
        ("../secret", "../none"),
        ("up-dir/plan.txt", "up-dir/none"),
        ("up-dir/plan.txt/x", "up-dir/none/x"),
        ("absolute", "dangling"),
        ("/etc", "/none"),
        ("sub/../../secret/plan.txt", "sub/../../none"),
    ],
)
def test_nothing_is_learnt_of_what_there_is_outside(guest: Caller, there: str, not_there: str) -> None:
    """An answer is the same whether or not there is something, for whatever asks."""
    asked: list[Callable[[str], Errno]] = [
        lambda path: guest.open_errno(path, rights=READING),
        lambda path: guest.open_errno(path, CREAT | EXCL, follow=0) if "absolute" not in there else Errno.SUCCESS,
        lambda path: guest.call("path_filestat_get", ROOT, FOLLOW, *guest.path(path), RESULT),
        lambda path: guest.call("path_link", ROOT, FOLLOW, *guest.path(path), ROOT, *guest.path("new", SECOND)),
        lambda path: guest.call("path_remove_directory", ROOT, *guest.path(path + "/")),
    ]
    for ask in asked:
        assert ask(there) is ask(not_there)


def test_a_link_that_is_moved_leads_nowhere_from_where_it_is_then(guest: Caller) -> None:
    linked(guest, "../../file.txt", "sub/deep/link")
    assert guest.read(guest.open("sub/deep/link", rights=READING)) == b"mine"
    moved(guest, "sub/deep/link", "sub/link")
    assert guest.open_errno("sub/link", rights=READING) in REFUSED
    linked(guest, "../file.txt", "sub/deep-link")
    moved(guest, "sub/deep-link", "top-link")
    assert guest.open_errno("top-link", CREAT) in REFUSED


def test_a_directory_with_links_that_is_moved_up_leads_nowhere(guest: Caller) -> None:
    moved(guest, "sub/deep", "deep")
    assert guest.open_errno("deep/up/plan.txt", rights=READING) in REFUSED
    guest.ok("path_create_directory", ROOT, *guest.path("sub/a"))
    guest.ok("path_create_directory", ROOT, *guest.path("sub/a/b"))
    moved(guest, "deep", "sub/a/b/deep")
    assert guest.open_errno("sub/a/b/deep/up/plan.txt", rights=READING) is Errno.NOENT


def test_a_hard_link_to_a_link_is_the_link(guest: Caller) -> None:
    """And so it leads out no more than that one does."""
    guest.ok("path_link", ROOT, 0, *guest.path("up-file"), ROOT, *guest.path("again", SECOND))
    assert guest.open_errno("again", rights=READING) in REFUSED
    guest.ok("path_readlink", ROOT, *guest.path("again"), BUFFER, 100, RESULT)
    assert bytes(guest.memory[BUFFER : BUFFER + guest.u32()]) == b"../secret/plan.txt"
    assert guest.open_errno("again", TRUNC) in REFUSED


def test_times_of_a_link_are_its_own(guest: Caller) -> None:
    guest.ok("path_filestat_set_times", ROOT, 0, *guest.path("up-file"), 5, 5, 5)
    assert guest.call("path_filestat_set_times", ROOT, FOLLOW, *guest.path("up-file"), 5, 5, 5) in REFUSED


def test_above_a_link_is_where_it_leads(guest: Caller) -> None:
    linked(guest, "sub/deep", "down")
    guest.open("down/../deep", DIRECTORY)
    assert guest.open_errno("down/../../../secret/plan.txt", rights=READING) in REFUSED
    assert guest.read(guest.open("down/../../file.txt", rights=READING)) == b"mine"


def test_a_number_that_was_a_lent_directory_is_none_any_more(guest: Caller) -> None:
    guest.ok("fd_close", ROOT)
    assert guest.open_errno("file.txt") is Errno.BADF
    number = guest.open("file.txt", fd=ROOT + 1, rights=READING)
    assert number == ROOT
    assert guest.call("fd_prestat_get", number, RESULT) is Errno.BADF
    assert guest.open_errno("../lent/file.txt", fd=number) is Errno.NOTDIR
    guest.ok("fd_renumber", number, 0)
    assert guest.read(0) == b"other"


def test_a_file_without_a_name_is_still_the_guests(guest: Caller) -> None:
    fd = guest.open("file.txt", rights=ALL)
    guest.ok("path_unlink_file", ROOT, *guest.path("file.txt"))
    assert guest.read(fd) == b"mine"
    guest.open("file.txt", CREAT | EXCL)
    assert guest.write(fd, b"!") == 1
    assert guest.read(guest.open("file.txt", rights=READING)) == b""


def test_a_directory_that_is_moved_is_listed_where_it_is(guest: Caller) -> None:
    fd = guest.open("sub", DIRECTORY)
    before = guest.names(fd)
    moved(guest, "sub", "renamed")
    assert guest.names(fd) == before
    assert guest.open_errno("../secret/plan.txt", fd=fd) in REFUSED
    guest.open("deep", DIRECTORY, fd=fd)


def test_more_names_than_a_walk_takes(guest: Caller) -> None:
    """Links that stand for long paths multiply; the walk ends before that takes long."""
    for i in range(8):
        linked(guest, "sub/../" * 500 + f"long{i + 1}", f"long{i}")
    assert guest.open_errno("long6", rights=READING) is Errno.NOENT
    assert guest.open_errno("long0", rights=READING) is Errno.LOOP


def test_rights_that_were_given_up_do_not_come_back(guest: Caller) -> None:
    few = int(Rights.PATH_OPEN | Rights.FD_READDIR)
    guest.ok("fd_fdstat_set_rights", ROOT, few, few | READING)
    again = guest.open(".", DIRECTORY, rights=few)
    for fd in (ROOT, again):
        assert guest.open_errno("new", CREAT, few, fd=fd) in REFUSED
        assert guest.open_errno("file.txt", TRUNC, READING, fd=fd) in REFUSED
        assert guest.open_errno("file.txt", 0, int(Rights.FD_WRITE), fd=fd) in REFUSED
        assert guest.call("fd_fdstat_set_rights", fd, ALL, ALL) in REFUSED
        assert guest.call("path_symlink", *guest.path("x"), fd, *guest.path("new", SECOND)) in REFUSED
    assert guest.open_errno("..", DIRECTORY, few, fd=again) in REFUSED


MAGIC = ("self/root", "self/cwd", "self/exe", "self/fd/{secret}", "self/fd/{pipe}", "thread-self/root/etc/passwd", "self/ns/mnt")


@pytest.mark.parametrize("path", MAGIC)
def test_magic_links_of_the_system_lead_nowhere(house: House, engine: Engine, path: str) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    reader, writer = os.pipe()
    with open(house.secret / "plan.txt", "rb") as secret, Caller(engine, {"/": HostTree("/proc", readonly=True)}) as caller:
        path = path.format(secret=secret.fileno(), pipe=reader)
        assert caller.open_errno(path, rights=READING) in REFUSED | {Errno.NOENT}
        assert caller.call("path_filestat_get", ROOT, FOLLOW, *caller.path(path), RESULT) in REFUSED | {Errno.NOENT}
        assert SECRET not in bytes(caller.memory)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("lent", ["/proc/self/fd", "/dev/fd"])
def test_descriptors_of_the_process_are_not_lent_with_their_directory(house: House, engine: Engine, lent: str) -> None:
    if not os.path.isdir(lent):
        pytest.skip(f"this system has no {lent}")
    with open(house.secret / "plan.txt", "r+b") as secret, Caller(engine, {"/": HostTree(lent)}) as caller:
        name = str(secret.fileno())
        attempts: list[Callable[[], Errno]] = [
            lambda: caller.open_errno(name, rights=READING),
            lambda: caller.open_errno(name, TRUNC),
            lambda: caller.open_errno(f"{name}/", DIRECTORY),
            lambda: caller.call("path_filestat_get", ROOT, FOLLOW, *caller.path(name), RESULT),
            lambda: caller.call("path_filestat_set_times", ROOT, FOLLOW, *caller.path(name), 1, 1, 5),
            lambda: caller.call("path_link", ROOT, FOLLOW, *caller.path(name), ROOT, *caller.path("x", SECOND)),
        ]
        for attempt in attempts:
            assert attempt() in REFUSED
        assert caller.open_errno(name, rights=READING, follow=0) is Errno.LOOP


# Quotas


@pytest.mark.parametrize("kind", ["memory", "host", "overlay"])
@pytest.mark.parametrize("way", ["set size", "allocate", "far away", "allocate far away", "write"])
def test_no_way_of_growing_leads_around_a_quota(tmp_path: Path, engine: Engine, kind: str, way: str) -> None:
    quota = Quota(bytes=1000, files=5)
    trees: dict[str, Tree] = {
        "memory": MemoryTree(quota=quota if kind == "memory" else None),
        "host": HostTree(tmp_path, quota=quota),
        "overlay": OverlayTree(tmp_path, quota=quota if kind == "overlay" else None),
    }
    with Caller(engine, {"/": trees[kind]}) as caller:
        fd = caller.open("file", CREAT)
        caller.put(BUFFER, b"x" * 100)
        ways: dict[str, Callable[[], Errno]] = {
            "set size": lambda: caller.call("fd_filestat_set_size", fd, 1001),
            "allocate": lambda: caller.call("fd_allocate", fd, 0, 1001),
            "far away": lambda: caller.call("fd_pwrite", fd, *caller.iovs((BUFFER, 100)), 2**62, RESULT),
            "allocate far away": lambda: caller.call("fd_allocate", fd, 2**62, 1),
            "write": lambda: [caller.write_errno(fd, bytes(400)) for _ in range(4)][-1],
        }
        assert ways[way]() is Errno.DQUOT
        assert quota.used_bytes <= 1000
        caller.ok("fd_filestat_get", fd, RESULT)
        assert caller.u64(RESULT + 32) <= 1000
        assert caller.call("fd_allocate", fd, 2**64 - 1, 1) is Errno.FBIG
        assert caller.call("fd_allocate", fd, 2**63 - 1, 1) is Errno.FBIG
        assert caller.call("fd_pwrite", fd, *caller.iovs((BUFFER, 100)), 2**63 - 10, RESULT) in {Errno.FBIG, Errno.DQUOT, Errno.INVAL}
        for offset, whence in ((-1, 0), (-(2**63), 1), (-(2**62), 2), (2**63 - 1, 1)):
            caller.ok("fd_seek", fd, 1, 0, RESULT)
            assert caller.call("fd_seek", fd, offset, whence, RESULT) in {Errno.INVAL, Errno.OVERFLOW}
        assert quota.used_bytes <= 1000


def test_growing_again_and_again_stays_within_the_quota_of_a_directory_of_the_machine(tmp_path: Path, engine: Engine) -> None:
    """Nothing is given back for what was cut off, so that files without names cannot take more than that together."""
    quota = Quota(bytes=1000)
    with Caller(engine, {"/": HostTree(tmp_path, quota=quota)}) as caller:
        found = Errno.SUCCESS
        for i in range(20):
            fd = caller.open(f"file{i}", CREAT)
            caller.ok("path_unlink_file", ROOT, *caller.path(f"file{i}"))
            found = caller.write_errno(fd, bytes(100))
        assert found is Errno.DQUOT
        assert quota.used_bytes == 1000


# Races


@contextlib.contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Have something done over and over by another thread."""
    done = threading.Event()

    def again() -> None:
        while not done.is_set():
            work()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("tree", [HostTree, OverlayTree])
def test_a_directory_that_is_moved_out_during_a_walk_does_not_take_the_guest_along(house: House, engine: Engine, tree: type) -> None:
    (house.lent / "go" / "on").mkdir(parents=True)
    (house.other / "file.txt").write_bytes(SECRET)

    def to_and_fro() -> None:
        os.rename(house.lent / "go", house.other / "go")
        os.rename(house.other / "go", house.lent / "go")

    with meanwhile(to_and_fro), Caller(engine, {"/": tree(house.lent)}) as caller:
        for _ in range(150):
            assert caller.open_errno("go/on/../../../secret/plan.txt", rights=READING) in REFUSED | {Errno.NOENT}
            if caller.open_errno("go/on/../../file.txt", rights=READING) is Errno.SUCCESS:
                fd = caller.u32()
                assert caller.read(fd) == b"mine"
                caller.ok("fd_close", fd)


def test_a_file_below_an_overlay_that_is_swapped_for_a_link_is_not_read_through(house: House, engine: Engine) -> None:
    """Whenever the file is copied into memory or read from below, it is the file that was lent or nothing."""

    def swap() -> None:
        with contextlib.suppress(FileExistsError):
            os.symlink(house.secret / "plan.txt", house.lent / "trap")
        os.replace(house.lent / "trap", house.lent / "target")
        (house.lent / "fresh").write_bytes(b"mine")
        os.replace(house.lent / "fresh", house.lent / "target")

    (house.lent / "target").write_bytes(b"mine")
    with meanwhile(swap):
        for i in range(60):
            with Caller(engine, {"/": OverlayTree(house.lent)}) as caller:
                if caller.open_errno("target", rights=ALL) is not Errno.SUCCESS:
                    continue
                fd = caller.u32()
                if i % 2:
                    caller.write_errno(fd, b"")
                    caller.call("fd_pwrite", fd, *caller.iovs(caller.put(BUFFER, b"+")), 4, RESULT)
                caller.call("fd_read", fd, *caller.iovs((BUFFER, 100)), RESULT)
                assert SECRET not in bytes(caller.memory)


def test_a_directory_below_an_overlay_that_is_swapped_for_a_link_is_not_entered(house: House, engine: Engine) -> None:
    (house.lent / "room").mkdir()
    (house.lent / "room" / "plan.txt").write_bytes(b"mine")
    (house.lent / "bait").symlink_to(house.secret)

    def swap() -> None:
        os.rename(house.lent / "room", house.lent / "aside")
        os.rename(house.lent / "bait", house.lent / "room")
        os.rename(house.lent / "room", house.lent / "bait")
        os.rename(house.lent / "aside", house.lent / "room")

    with meanwhile(swap):
        for _ in range(60):
            with Caller(engine, {"/": OverlayTree(house.lent)}) as caller:
                if caller.open_errno("room", DIRECTORY) is Errno.SUCCESS:
                    fd = caller.u32()
                    caller.call("fd_readdir", fd, BUFFER, 1000, 0, RESULT)
                    if caller.open_errno("plan.txt", fd=fd, rights=READING) is Errno.SUCCESS:
                        caller.call("fd_read", caller.u32(), *caller.iovs((BUFFER, 100)), RESULT)
                assert SECRET not in bytes(caller.memory)


# What takes long


def test_a_listing_that_takes_long_can_be_stopped(engine: Engine) -> None:
    with Caller(engine, {"/": {f"file{i}": b"" for i in range(3000)}}) as caller:
        caller.wasi.stop()
        with pytest.raises(Interrupted):
            caller.names(ROOT)


def test_one_call_moves_only_so_much(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a guest can be stopped between calls, whatever lengths it gives."""
    for module in ("context", "memory", "shortcuts"):
        monkeypatch.setattr(f"pywasm_ref.wasi.{module}.AT_ONCE", 100)
    tree = MemoryTree({"file": bytes(500)})
    with Caller(engine, {"/": tree}) as caller:
        fd = caller.open("file")
        for call, args in (("fd_write", ()), ("fd_read", ()), ("fd_pwrite", (0,)), ("fd_pread", (0,))):
            for buffers in ([(BUFFER, 150)], [(BUFFER, 60), (BUFFER + 60, 60), (BUFFER + 120, 60)]):
                caller.ok(call, fd, *caller.iovs(*buffers), *args, RESULT)
                assert caller.u32() == 100
