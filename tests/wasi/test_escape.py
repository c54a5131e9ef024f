"""Attempts to reach what was not lent. Each is made on both engines; afterwards, what lies outside is as it was and nothing of it was learnt."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pywasm_ref.capabilities import HostTree, OverlayTree
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.wasi.abi import Errno, Rights
from tests.wasi.support import ALL, BUFFER, CREAT, DIRECTORY, EXCL, FOLLOW, RESULT, ROOT, TRUNC, Caller

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no directory of the machine can be lent there")

SECRET = b"what nobody lent"
REFUSED = {Errno.NOTCAPABLE, Errno.PERM}
SECOND = 0x2000

Attempt = Callable[[Caller], Errno]


class House:
    """A directory to lend, and beside it what is secret."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.lent, self.secret, self.other = top / "lent", top / "secret", top / "other"
        for folder in (self.lent, self.secret, self.other):
            folder.mkdir()
        (self.secret / "plan.txt").write_bytes(SECRET)
        (self.lent / "sub" / "deep").mkdir(parents=True)
        (self.lent / "file.txt").write_bytes(b"mine")
        (self.other / "file.txt").write_bytes(b"other")
        for name, target in LINKS.items():
            (self.lent / name).symlink_to(target.format(top=top))
        os.mkfifo(self.lent / "pipe")

    def outside(self) -> dict[str, tuple[int, int, bytes]]:
        """All that was not lent."""
        return {
            str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in [self.top, self.secret, *self.secret.rglob("*")]
        }


LINKS = {
    "absolute": "{top}/secret/plan.txt",
    "absolute-dir": "{top}/secret",
    "root": "/",
    "up": "..",
    "up-dir": "../secret",
    "up-file": "../secret/plan.txt",
    "chain1": "chain2",
    "chain2": "chain3",
    "chain3": "../secret/plan.txt",
    "round": "sub/../../secret/plan.txt",
    "slashes": "..//secret///plan.txt",
    "dots": "./.././secret/./plan.txt",
    "loop1": "loop2",
    "loop2": "loop1",
    "self": "self",
    "self-dir": "self-dir/x",
    "proc": "/proc/self/root",
    "proc-fd": "/proc/self/fd/0",
    "sub/deep/up": "../../../secret",
    "dangling": "../secret/new.txt",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    before = house.outside()
    yield house
    assert house.outside() == before


@pytest.fixture(params=[HostTree, OverlayTree])
def guest(house: House, engine: Engine, request: pytest.FixtureRequest) -> Iterator[Caller]:
    with Caller(engine, {"/lent": request.param(house.lent), "/other": request.param(house.other)}) as caller:
        yield caller


OPENED = [
    *("..", "../", "../secret", "../secret/plan.txt", "sub/../../secret/plan.txt", "./../secret/plan.txt", "sub/deep/../../../secret/plan.txt"),
    *("/", "/etc/passwd", "//etc/passwd", "/proc/self/environ", "/proc/self/root", "..//secret", "../lent/file.txt"),
    *("absolute", "absolute-dir/plan.txt", "root/etc/passwd", "up/secret/plan.txt", "up-dir/plan.txt", "up-file", "chain1", "round"),
    *("slashes", "dots", "proc/etc/passwd", "proc-fd", "sub/deep/up/plan.txt", "dangling", "up", "up/lent/file.txt", "sub/../.."),
]


@pytest.mark.parametrize("path", OPENED)
@pytest.mark.parametrize("oflags", [0, CREAT | TRUNC])
def test_a_path_that_leads_out_opens_nothing(guest: Caller, path: str, oflags: int) -> None:
    found = guest.open_errno(path, oflags)
    assert found in REFUSED
    assert len(guest.wasi.descriptors.by_number) == 5


@pytest.mark.parametrize("path", ["loop1", "loop2", "self", "self-dir", "self-dir/y", "loop1/x"])
def test_a_loop_of_links_ends(guest: Caller, path: str) -> None:
    assert guest.open_errno(path) is Errno.LOOP


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("file.txt/", Errno.NOTDIR),
        ("file.txt/.", Errno.NOTDIR),
        ("file.txt/..", Errno.NOTDIR),
        ("file.txt/../../secret/plan.txt", Errno.NOTDIR),
        ("absolute/", Errno.NOTCAPABLE),
        ("up-dir/", Errno.NOTCAPABLE),
        ("", Errno.NOENT),
        (b"..\0/x", Errno.INVAL),
        (b"file.txt\0", Errno.INVAL),
        (b"\xff\xfe/../..", Errno.ILSEQ),
        (b"\xc0\xae\xc0\xae/secret", Errno.ILSEQ),
        ("x" * 256, Errno.NAMETOOLONG),
        ("x/" * 3000, Errno.NAMETOOLONG),
        ("../" * 1400, Errno.NAMETOOLONG),
        ("\\..\\secret\\plan.txt", Errno.NOENT),
        ("..\u2215secret", Errno.NOENT),
        ("...", Errno.NOENT),
        (".. /secret", Errno.NOENT),
        ("~/plan.txt", Errno.NOENT),
        ("$HOME", Errno.NOENT),
        ("sub/deep/nothing/../../../../secret/plan.txt", Errno.NOENT),
    ],
)
def test_an_odd_path_is_refused_for_what_it_is(guest: Caller, path: bytes | str, expected: Errno) -> None:
    guest.memory[:] = bytes(len(guest.memory))
    assert guest.call("path_open", ROOT, FOLLOW, *guest.put(0x8000, path), 0, ALL, ALL, 0, RESULT) is expected


def reduced(guest: Caller) -> Caller:
    """The guest gives up all rights but to open files for reading."""
    guest.ok("fd_fdstat_set_rights", ROOT, int(Rights.PATH_OPEN), int(Rights.FD_READ))
    return guest


ACTIONS: dict[str, Attempt] = {
    "create a directory": lambda g: g.call("path_create_directory", ROOT, *g.path("../secret/new")),
    "create a directory through a link": lambda g: g.call("path_create_directory", ROOT, *g.path("up-dir/new")),
    "stat": lambda g: g.call("path_filestat_get", ROOT, FOLLOW, *g.path("../secret/plan.txt"), RESULT),
    "stat through a link": lambda g: g.call("path_filestat_get", ROOT, FOLLOW, *g.path("up-file"), RESULT),
    "set times": lambda g: g.call("path_filestat_set_times", ROOT, FOLLOW, *g.path("../secret/plan.txt"), 1, 1, 5),
    "set times through a link": lambda g: g.call("path_filestat_set_times", ROOT, FOLLOW, *g.path("up-file"), 1, 1, 5),
    "link from outside": lambda g: g.call("path_link", ROOT, 0, *g.path("../secret/plan.txt"), ROOT, *g.path("plan", SECOND)),
    "link what a link leads to": lambda g: g.call("path_link", ROOT, FOLLOW, *g.path("up-file"), ROOT, *g.path("plan", SECOND)),
    "link to outside": lambda g: g.call("path_link", ROOT, 0, *g.path("file.txt"), ROOT, *g.path("../secret/in", SECOND)),
    "read a link outside": lambda g: g.call("path_readlink", ROOT, *g.path("../secret/x"), BUFFER, 100, RESULT),
    "remove a directory": lambda g: g.call("path_remove_directory", ROOT, *g.path("../secret")),
    "rename out": lambda g: g.call("path_rename", ROOT, *g.path("file.txt"), ROOT, *g.path("../secret/stolen", SECOND)),
    "rename in": lambda g: g.call("path_rename", ROOT, *g.path("../secret/plan.txt"), ROOT, *g.path("plan", SECOND)),
    "rename over a link's target": lambda g: g.call("path_rename", ROOT, *g.path("file.txt"), ROOT, *g.path("up-dir/plan.txt", SECOND)),
    "symlink outside": lambda g: g.call("path_symlink", *g.path("x"), ROOT, *g.path("../secret/link", SECOND)),
    "symlink to an absolute path": lambda g: g.call("path_symlink", *g.path("/etc/passwd"), ROOT, *g.path("link", SECOND)),
    "unlink": lambda g: g.call("path_unlink_file", ROOT, *g.path("../secret/plan.txt")),
    "unlink through a link": lambda g: g.call("path_unlink_file", ROOT, *g.path("up-dir/plan.txt")),
    "open without following": lambda g: g.open_errno("up-dir/plan.txt", follow=0),
    "open from a directory below": lambda g: g.open_errno("../file.txt", fd=g.open("sub", DIRECTORY)),
    "open a directory above": lambda g: g.open_errno("..", DIRECTORY, fd=g.open("sub/deep", DIRECTORY)),
    "a right that was given up": lambda g: reduced(g).open_errno("file.txt", CREAT, int(Rights.FD_READ)),
    "a right that is not handed on": lambda g: reduced(g).open_errno("file.txt", 0, int(Rights.FD_WRITE)),
    "more rights": lambda g: reduced(g).call("fd_fdstat_set_rights", ROOT, ALL, ALL),
    "rights that nobody has": lambda g: g.call("fd_fdstat_set_rights", ROOT, 2**63, 0),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_outside_can_be_touched(guest: Caller, house: House, action: str) -> None:
    assert ACTIONS[action](guest) in REFUSED
    assert SECRET not in bytes(guest.memory)


def test_a_directory_without_the_right_hands_none_on(guest: Caller) -> None:
    sub = guest.open("sub", DIRECTORY, int(Rights.PATH_OPEN))
    assert guest.open_errno("deep", DIRECTORY, int(Rights.FD_READDIR), fd=sub) is Errno.NOTCAPABLE


def test_nothing_is_moved_or_linked_between_trees_that_were_lent_separately(guest: Caller, house: House) -> None:
    other = ROOT + 1
    assert guest.call("path_rename", ROOT, *guest.path("file.txt"), other, *guest.path("moved", SECOND)) is Errno.XDEV
    assert guest.call("path_link", ROOT, 0, *guest.path("file.txt"), other, *guest.path("linked", SECOND)) is Errno.XDEV
    assert sorted(os.listdir(house.other)) == ["file.txt"]


def test_a_link_that_the_guest_makes_leads_nowhere_either(guest: Caller) -> None:
    guest.ok("path_symlink", *guest.path("../../secret"), ROOT, *guest.path("sub/out", SECOND))
    assert guest.open_errno("sub/out/plan.txt") in REFUSED
    guest.ok("path_symlink", *guest.path("sub/out"), ROOT, *guest.path("twice", SECOND))
    assert guest.open_errno("twice/plan.txt", CREAT) in REFUSED


def test_a_link_may_lead_up_within_the_tree(guest: Caller) -> None:
    guest.ok("path_symlink", *guest.path("../../file.txt"), ROOT, *guest.path("sub/deep/in", SECOND))
    assert guest.read(guest.open("sub/deep/in", rights=int(Rights.FD_READ))) == b"mine"


def test_a_number_is_not_put_in_the_place_of_a_lent_directory(guest: Caller) -> None:
    sub = guest.open("sub", DIRECTORY)
    assert guest.call("fd_renumber", sub, ROOT) is Errno.NOTSUP
    assert guest.call("fd_renumber", ROOT, sub) is Errno.NOTSUP
    guest.ok("fd_renumber", sub, 0)
    assert guest.open_errno("../file.txt", fd=0) in REFUSED
    assert guest.call("fd_prestat_get", 0, RESULT) is Errno.BADF


def test_numbers_of_another_guest_mean_nothing(house: House, engine: Engine) -> None:
    with Caller(engine, {"/": HostTree(house.lent)}) as rich, Caller(engine) as poor:
        fd = rich.open("file.txt", rights=int(Rights.FD_READ))
        for number in (ROOT, fd, rich.wasi.descriptors.by_number[fd].file.fd):  # type: ignore[union-attr]
            assert poor.call("fd_read", number, *poor.iovs((BUFFER, 10)), RESULT) is Errno.BADF
        assert poor.open_errno("file.txt") is Errno.BADF


@pytest.mark.parametrize("fd", [-1, 2**31, 2**32 - 100, 5, 100])
def test_descriptors_of_the_host_are_not_the_guests(guest: Caller, fd: int) -> None:
    assert guest.call("fd_read", fd, *guest.iovs((BUFFER, 10)), RESULT) is Errno.BADF
    assert guest.call("fd_filestat_get", fd, RESULT) is Errno.BADF
    assert guest.open_errno("file.txt", fd=fd) is Errno.BADF


def test_a_file_is_no_directory_to_start_from(guest: Caller) -> None:
    fd = guest.open("file.txt", rights=int(Rights.FD_READ))
    assert guest.open_errno("../secret/plan.txt", fd=fd) is Errno.NOTDIR


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.open_errno("new.txt", CREAT),
        lambda g: g.open_errno("file.txt", TRUNC),
        lambda g: g.open_errno("file.txt", 0, int(Rights.FD_WRITE)),
        lambda g: g.call("path_create_directory", ROOT, *g.path("new")),
        lambda g: g.call("path_unlink_file", ROOT, *g.path("file.txt")),
        lambda g: g.call("path_remove_directory", ROOT, *g.path("sub/deep")),
        lambda g: g.call("path_rename", ROOT, *g.path("file.txt"), ROOT, *g.path("new", SECOND)),
        lambda g: g.call("path_link", ROOT, 0, *g.path("file.txt"), ROOT, *g.path("new", SECOND)),
        lambda g: g.call("path_symlink", *g.path("x"), ROOT, *g.path("new", SECOND)),
        lambda g: g.call("path_filestat_set_times", ROOT, 0, *g.path("file.txt"), 1, 1, 5),
        lambda g: g.call("fd_filestat_set_times", ROOT, 1, 1, 5),
        lambda g: g.call("fd_filestat_set_size", g.open("file.txt", rights=int(Rights.FD_READ)), 0),
        lambda g: g.write_errno(g.open("file.txt", rights=int(Rights.FD_READ)), b"x"),
        lambda g: g.call("fd_allocate", g.open("file.txt", rights=int(Rights.FD_READ)), 0, 100),
    ],
)
def test_what_is_lent_for_reading_cannot_be_changed(house: House, engine: Engine, change: Attempt) -> None:
    def state() -> list[tuple[str, int, int]]:
        found = [(str(path), path.lstat()) for path in sorted(house.lent.rglob("*"))]
        return [(path, known.st_mtime_ns, known.st_size) for path, known in found if not stat.S_ISDIR(known.st_mode)]

    before = state()
    with Caller(engine, {"/": HostTree(house.lent, readonly=True)}) as caller:
        assert change(caller) in {Errno.ROFS, Errno.NOTCAPABLE}
    assert state() == before


def test_changes_to_an_overlay_stay_in_memory(house: House, engine: Engine) -> None:
    with Caller(engine, {"/": OverlayTree(house.lent)}) as caller:
        fd = caller.open("file.txt", TRUNC, int(Rights.FD_WRITE | Rights.FD_READ | Rights.FD_SEEK))
        caller.write(fd, b"changed")
        caller.ok("path_rename", ROOT, *caller.path("sub"), ROOT, *caller.path("moved", SECOND))
        caller.ok("path_unlink_file", ROOT, *caller.path("up"))
        assert caller.read(caller.open("file.txt", rights=int(Rights.FD_READ))) == b"changed"
        assert caller.open_errno("sub") is Errno.NOENT
        caller.open("moved/deep", DIRECTORY)
    assert (house.lent / "file.txt").read_bytes() == b"mine"
    assert (house.lent / "sub" / "deep").is_dir()
    assert (house.lent / "up").is_symlink()


def test_a_directory_that_is_removed_under_the_guest_is_empty(house: House, engine: Engine) -> None:
    with Caller(engine, {"/": HostTree(house.lent)}) as caller:
        empty = house.lent / "sub" / "empty"
        empty.mkdir()
        fd = caller.open("sub/empty", DIRECTORY)
        empty.rmdir()
        assert caller.open_errno("new", CREAT, fd=fd) is Errno.NOENT
        assert caller.open_errno("..", fd=fd) in REFUSED
        assert caller.names(fd) == [".", ".."]


def test_a_directory_that_is_moved_away_keeps_the_guest_in(house: House, engine: Engine) -> None:
    """The guest keeps what it has open, and gets no further: `..` leads to where it came from, not to where the directory is now."""
    with Caller(engine, {"/": HostTree(house.lent)}) as caller:
        fd = caller.open("sub/deep", DIRECTORY)
        os.rename(house.lent / "sub" / "deep", house.other / "moved")
        assert caller.open_errno("../secret/plan.txt", fd=fd) in REFUSED
        os.rename(house.other / "moved", house.lent / "sub" / "deep")


@pytest.mark.parametrize("path", ["swap/plan.txt", "swap2/../swap/plan.txt"])
def test_a_link_that_is_swapped_in_by_another_thread_leads_nowhere(house: House, engine: Engine, path: str) -> None:
    """While the guest opens a path again and again, a directory in it becomes a link to the secret, and back."""
    for name in ("swap", "swap2"):
        (house.lent / name).mkdir()
        (house.lent / name / "plan.txt").write_bytes(b"mine")
    (house.lent / "bait").symlink_to(house.secret)
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(house.lent / "swap", house.lent / "aside")
            os.rename(house.lent / "bait", house.lent / "swap")
            os.rename(house.lent / "swap", house.lent / "bait")
            os.rename(house.lent / "aside", house.lent / "swap")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        with Caller(engine, {"/": HostTree(house.lent)}) as caller:
            for _ in range(400):
                found = caller.open_errno(path, rights=int(Rights.FD_READ))
                seen.add(found)
                if found is Errno.SUCCESS:
                    fd = caller.u32()
                    assert caller.read(fd) == b"mine"
                    caller.ok("fd_close", fd)
    finally:
        done.set()
        thread.join()
    assert seen <= {Errno.SUCCESS, Errno.NOENT, Errno.NOTDIR, Errno.LOOP, *REFUSED}


def test_a_file_that_is_swapped_for_a_link_is_not_written_through(house: House, engine: Engine) -> None:
    (house.lent / "target").write_bytes(b"mine")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.symlink(house.secret / "plan.txt", house.lent / "trap")
            os.replace(house.lent / "trap", house.lent / "target")
            (house.lent / "fresh").write_bytes(b"mine")
            os.replace(house.lent / "fresh", house.lent / "target")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        with Caller(engine, {"/": HostTree(house.lent)}) as caller:
            for _ in range(300):
                if caller.open_errno("target", CREAT | TRUNC, int(Rights.FD_WRITE)) is Errno.SUCCESS:
                    fd = caller.u32()
                    caller.write(fd, b"x")
                    caller.ok("fd_close", fd)
    finally:
        done.set()
        thread.join()


def test_what_the_system_makes_of_magic_links_is_not_followed(engine: Engine) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    with Caller(engine, {"/": HostTree("/proc/self", readonly=True)}) as caller:
        for path in ("root/etc/passwd", "cwd/x", "exe", "fd/0", "fd/1", f"task/{os.getpid()}/root/etc/passwd"):
            assert caller.open_errno(path, rights=int(Rights.FD_READ)) in REFUSED | {Errno.NOENT}


def test_a_device_in_a_lent_directory_is_not_opened(engine: Engine) -> None:
    with Caller(engine, {"/": HostTree("/dev")}) as caller:
        for name in ("null", "zero", "tty"):
            assert caller.open_errno(name, rights=int(Rights.FD_READ)) in REFUSED


def test_a_pipe_in_a_lent_directory_keeps_nobody_waiting(guest: Caller) -> None:
    assert guest.open_errno("pipe", rights=int(Rights.FD_READ)) is Errno.NOTCAPABLE if guest.names(ROOT).count("pipe") else Errno.NOENT


def test_exclusive_creation_does_not_follow_a_dangling_link(guest: Caller) -> None:
    assert guest.open_errno("dangling", CREAT | EXCL, follow=0) in {Errno.EXIST, Errno.LOOP}
