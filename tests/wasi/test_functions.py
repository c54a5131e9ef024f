"""What the functions do when all is well, and the errno for what is not."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pywasm_ref.capabilities import Capture, FakeClocks, Listener, MemoryTree, Network, SeededRandomness
from pywasm_ref.capabilities.streams import BytesInput, Inherited
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.errors import Interrupted
from pywasm_ref.wasi.abi import Errno, Filetype, Rights
from pywasm_ref.wasi.context import Event
from pywasm_ref.wasi.faults import ProcExit
from tests.wasi.support import ALL, BUFFER, CREAT, DIRECTORY, EXCL, FOLLOW, RESULT, ROOT, TRUNC, Caller

READ = int(Rights.FD_READ | Rights.FD_SEEK | Rights.FD_TELL)
SUBSCRIPTIONS, EVENTS = 0x5000, 0x6000


@pytest.fixture
def tree() -> MemoryTree:
    return MemoryTree({"file": b"0123456789", "dir": {"one": b"1", "two": b"22"}})


@pytest.fixture
def guest(engine: Engine, tree: MemoryTree) -> Iterator[Caller]:
    lent = {"args": ["program", "grüße"], "env": {"A": "1", "B": "zwei"}, "stdin": BytesInput(b"input"), "stdout": Capture()}
    with Caller(engine, {"/": tree}, clocks=FakeClocks(start=0, step=10), randomness=SeededRandomness(1), **lent) as caller:  # type: ignore[arg-type]
        yield caller


def strings(guest: Caller, n: int, at: int) -> list[bytes]:
    return [bytes(guest.memory[guest.u32(at + 4 * i) :][:20]).split(b"\0")[0] for i in range(n)]


def test_arguments_and_environment(guest: Caller) -> None:
    guest.ok("args_sizes_get", RESULT, RESULT + 4)
    assert (guest.u32(), guest.u32(RESULT + 4)) == (2, 16)
    guest.ok("args_get", 0x100, 0x200)
    assert strings(guest, 2, 0x100) == [b"program", "grüße".encode()]
    guest.ok("environ_sizes_get", RESULT, RESULT + 4)
    assert (guest.u32(), guest.u32(RESULT + 4)) == (2, 11)
    guest.ok("environ_get", 0x100, 0x200)
    assert strings(guest, 2, 0x100) == [b"A=1", b"B=zwei"]
    guest.wasi.revoke("args")
    assert guest.call("args_get", 0x100, 0x200) is Errno.NOTCAPABLE


def test_clocks(guest: Caller) -> None:
    for id in range(4):
        guest.ok("clock_time_get", id, 0, RESULT)
        assert guest.u64() == 10 * (id + 1)
        guest.ok("clock_res_get", id, RESULT)
        assert guest.u64() == 10
    assert guest.call("clock_time_get", 4, 0, RESULT) is Errno.INVAL
    assert guest.call("clock_res_get", -1, RESULT) is Errno.INVAL
    guest.wasi.revoke("clocks")
    assert guest.call("clock_time_get", 0, 0, RESULT) is Errno.NOTCAPABLE


def test_random_bytes(guest: Caller) -> None:
    guest.ok("random_get", BUFFER, 3)
    guest.ok("random_get", BUFFER + 3, 5)
    assert bytes(guest.memory[BUFFER : BUFFER + 8]) == SeededRandomness(1).take(8)
    guest.wasi.revoke("random")
    assert guest.call("random_get", BUFFER, 3) is Errno.NOTCAPABLE


def test_files_are_read_written_and_sought(guest: Caller, tree: MemoryTree) -> None:
    fd = guest.open("file")
    assert guest.read(fd, 4) == b"0123"
    guest.ok("fd_tell", fd, RESULT)
    assert guest.u64() == 4
    guest.ok("fd_seek", fd, -2, 2, RESULT)
    assert guest.u64() == 8
    assert guest.read(fd) == b"89"
    assert guest.read(fd) == b""
    guest.ok("fd_pread", fd, *guest.iovs((BUFFER, 2), (BUFFER + 10, 2)), 3, RESULT)
    assert bytes(guest.memory[BUFFER : BUFFER + 12 : 10]) == b"35"
    guest.put(BUFFER, "xy")
    guest.ok("fd_pwrite", fd, *guest.iovs((BUFFER, 2)), 12, RESULT)
    assert tree.read("file") == b"0123456789\0\0xy"
    assert guest.call("fd_seek", fd, -1, 0, RESULT) is Errno.INVAL
    assert guest.call("fd_seek", fd, 0, 3, RESULT) is Errno.INVAL
    assert guest.call("fd_pread", fd, *guest.iovs((BUFFER, 2)), -1, RESULT) is Errno.INVAL


def test_sizes_and_flags(guest: Caller, tree: MemoryTree) -> None:
    fd = guest.open("file")
    guest.ok("fd_filestat_set_size", fd, 3)
    guest.ok("fd_allocate", fd, 2, 3)
    assert tree.read("file") == b"012\0\0"
    guest.ok("fd_allocate", fd, 0, 1)
    assert guest.call("fd_allocate", fd, 0, 0) is Errno.INVAL
    assert guest.call("fd_allocate", fd, 2**63, 1) is Errno.FBIG
    assert guest.call("fd_filestat_set_size", fd, 2**63) is Errno.INVAL
    assert guest.call("fd_filestat_set_size", fd, 2**62) is Errno.DQUOT
    guest.ok("fd_fdstat_set_flags", fd, 1)
    guest.write(fd, b"end")
    assert tree.read("file") == b"012\0\0end"
    guest.ok("fd_fdstat_get", fd, RESULT)
    filetype, flags, rights, _ = struct.unpack_from("<BxH4xQQ", guest.memory, RESULT)
    assert (filetype, flags) == (Filetype.REGULAR_FILE, 1)
    assert rights & Rights.FD_WRITE
    assert not rights & Rights.PATH_OPEN
    assert guest.call("fd_fdstat_set_flags", fd, 32) is Errno.INVAL
    for name in ("fd_sync", "fd_datasync"):
        guest.ok(name, fd)
    guest.ok("fd_advise", fd, 0, 10, 5)
    assert guest.call("fd_advise", fd, 0, 10, 6) is Errno.INVAL
    guest.ok("fd_fdstat_set_flags", fd, 2 | 16)
    guest.write(fd, b"!")


def test_rights_are_kept_and_handed_on(guest: Caller) -> None:
    fd = guest.open("file", rights=int(Rights.FD_READ))
    assert guest.write_errno(fd, b"x") is Errno.NOTCAPABLE
    assert guest.call("fd_seek", fd, 0, 0, RESULT) is Errno.NOTCAPABLE
    assert guest.call("fd_tell", fd, RESULT) is Errno.NOTCAPABLE
    guest.ok("fd_fdstat_set_rights", fd, 0, 0)
    assert guest.call("fd_read", fd, *guest.iovs((BUFFER, 1)), RESULT) is Errno.NOTCAPABLE
    tell = guest.open("file", rights=int(Rights.FD_TELL))
    guest.ok("fd_seek", tell, 0, 1, RESULT)
    assert guest.wasi.refusals[0].refused == f"descriptor {fd} lacks the right fd_write"


def filestat(guest: Caller, at: int = RESULT) -> tuple[int, ...]:
    return struct.unpack_from("<QQB7xQQQQQ", guest.memory, at)


def test_times(guest: Caller) -> None:
    guest.ok("path_filestat_set_times", ROOT, FOLLOW, *guest.path("file"), 1000, 2000, 5)
    guest.ok("path_filestat_get", ROOT, FOLLOW, *guest.path("file"), RESULT)
    assert filestat(guest)[2:7] == (Filetype.REGULAR_FILE, 1, 10, 1000, 2000)
    fd = guest.open("file")
    guest.ok("fd_filestat_set_times", fd, 0, 0, 2)
    guest.ok("fd_filestat_get", fd, RESULT)
    assert filestat(guest)[5:7] == (10, 2000)
    for flags in (3, 12, 16):
        assert guest.call("fd_filestat_set_times", fd, 0, 0, flags) is Errno.INVAL
    assert guest.call("fd_filestat_set_times", 0, 0, 0, 5) is Errno.NOTCAPABLE


def test_a_directory_is_listed_in_pieces_and_cookies_stay_true(guest: Caller) -> None:
    fd = guest.open("dir", DIRECTORY)
    entries = guest.entries(fd)
    assert [name for name, _ in entries] == [".", "..", "one", "two"]
    after_one = entries[2][1]
    guest.ok("path_unlink_file", fd, *guest.path("one"))
    guest.open("three", CREAT, fd=fd)
    assert guest.names(fd, after_one) == ["two"]
    assert guest.names(fd) == [".", "..", "two", "three"]
    assert guest.names(fd, after_one) == ["two", "three"]
    pieces: list[str] = []
    cookie = 0
    while part := guest.entries(fd, cookie, 30):
        pieces += [name for name, _ in part]
        cookie = part[-1][1]
    assert pieces == [".", "..", "two", "three"]
    guest.ok("fd_readdir", fd, BUFFER, 30, 0, RESULT)
    assert guest.u32() == 30
    assert guest.names(fd, 2**63) == []


def test_cookies_of_names_that_are_gone_are_not_kept_for_ever(guest: Caller) -> None:
    fd = guest.open("dir", DIRECTORY)
    for i in range(2500):
        guest.ok("fd_close", guest.open(f"x{i}", CREAT, fd=fd))
        cookies = dict(guest.entries(fd))
        guest.ok("path_unlink_file", fd, *guest.path(f"x{i}"))
    listing = guest.wasi.descriptors.by_number[fd].listing
    assert listing is not None
    assert len(listing._cookies) < 1100
    assert cookies["one"] == 3
    assert cookies["x2499"] > 2500


def test_numbers_are_closed_and_given_again(guest: Caller) -> None:
    first, second = guest.open("file"), guest.open("dir", DIRECTORY)
    guest.ok("fd_close", first)
    assert guest.call("fd_close", first) is Errno.BADF
    assert guest.open("file") == first
    guest.ok("fd_renumber", first, second)
    assert guest.read(second) == b"0123456789"
    assert guest.call("fd_read", first, *guest.iovs((BUFFER, 1)), RESULT) is Errno.BADF
    guest.ok("fd_renumber", second, second)
    assert guest.call("fd_renumber", second, 77) is Errno.BADF
    assert guest.call("fd_renumber", 77, second) is Errno.BADF


def test_a_guest_cannot_open_more_than_there_are_numbers(guest: Caller) -> None:
    seen = set()
    for _ in range(300):
        seen.add(guest.open_errno("new", CREAT))
    assert seen == {Errno.SUCCESS, Errno.MFILE}
    assert guest.open_errno("not there", CREAT) is Errno.MFILE
    guest.ok("fd_close", 200)
    assert "not there" not in guest.names(ROOT)


def test_what_was_lent_is_found(guest: Caller) -> None:
    guest.ok("fd_prestat_get", ROOT, RESULT)
    assert struct.unpack_from("<B3xI", guest.memory, RESULT) == (0, 1)
    guest.ok("fd_prestat_dir_name", ROOT, BUFFER, 1)
    assert bytes(guest.memory[BUFFER : BUFFER + 1]) == b"/"
    assert guest.call("fd_prestat_dir_name", ROOT, BUFFER, 0) is Errno.NAMETOOLONG
    for fd in (0, 1, 4, 100):
        assert guest.call("fd_prestat_get", fd, RESULT) is Errno.BADF


def test_paths(guest: Caller) -> None:
    path = guest.path
    guest.ok("path_create_directory", ROOT, *path("new/"))
    assert guest.call("path_create_directory", ROOT, *path("new")) is Errno.EXIST
    assert guest.call("path_create_directory", ROOT, *path(".")) is Errno.EXIST
    guest.ok("path_rename", ROOT, *path("file"), ROOT, *guest.path("new/moved", 0x2000))
    guest.ok("path_link", ROOT, 0, *path("new/moved"), ROOT, *guest.path("again", 0x2000))
    guest.ok("path_symlink", *path("new/moved"), ROOT, *guest.path("soft", 0x2000))
    guest.ok("path_readlink", ROOT, *path("soft"), BUFFER, 5, RESULT)
    assert (guest.u32(), bytes(guest.memory[BUFFER : BUFFER + 5])) == (5, b"new/m")
    assert guest.call("path_readlink", ROOT, *path("again"), BUFFER, 5, RESULT) is Errno.INVAL
    guest.ok("path_filestat_get", ROOT, 0, *path("soft"), RESULT)
    assert filestat(guest)[2] == Filetype.SYMBOLIC_LINK
    assert guest.open_errno("soft", follow=0) is Errno.LOOP
    assert guest.read(guest.open("soft", rights=READ)) == b"0123456789"
    assert guest.call("path_remove_directory", ROOT, *path("new")) is Errno.NOTEMPTY
    assert guest.call("path_unlink_file", ROOT, *path("new")) is Errno.ISDIR
    assert guest.call("path_unlink_file", ROOT, *path("again/")) is Errno.NOTDIR
    assert guest.call("path_link", ROOT, 0, *path("new"), ROOT, *guest.path("hard", 0x2000)) is Errno.PERM
    assert guest.call("path_rename", ROOT, *path("again"), ROOT, *guest.path("x/", 0x2000)) is Errno.NOTDIR
    assert guest.call("path_rename", ROOT, *path("new"), ROOT, *guest.path("new/in", 0x2000)) is Errno.INVAL
    assert guest.call("path_filestat_get", ROOT, 2, *path("again"), RESULT) is Errno.INVAL
    guest.ok("path_unlink_file", ROOT, *path("soft"))
    guest.ok("path_unlink_file", ROOT, *path("new/moved"))
    guest.ok("path_remove_directory", ROOT, *path("new"))
    assert guest.names(ROOT) == [".", "..", "dir", "again"]


def test_ways_to_open(guest: Caller, tree: MemoryTree) -> None:
    assert guest.open_errno("dir") is Errno.ISDIR
    assert guest.open_errno("dir", rights=READ) is Errno.SUCCESS
    assert guest.open_errno("file", DIRECTORY) is Errno.NOTDIR
    assert guest.open_errno("file", CREAT | EXCL) is Errno.EXIST
    assert guest.open_errno("file", CREAT | DIRECTORY) is Errno.INVAL
    assert guest.open_errno("file", 16) is Errno.INVAL
    assert guest.open_errno("file", flags=32) is Errno.INVAL
    assert guest.open_errno("none") is Errno.NOENT
    assert guest.open_errno("file/x") is Errno.NOTDIR
    guest.open("file", TRUNC)
    assert tree.read("file") == b""
    assert guest.open_errno("file", fd=1) is Errno.NOTDIR


def test_streams_are_no_files(guest: Caller) -> None:
    assert guest.read(0) == b"input"
    assert guest.read(0) == b""
    assert guest.write(1, b"out") == 3
    assert guest.write_errno(0, b"x") is Errno.NOTCAPABLE
    assert guest.call("fd_read", 1, *guest.iovs((BUFFER, 1)), RESULT) is Errno.NOTCAPABLE
    assert guest.call("fd_seek", 0, 0, 0, RESULT) is Errno.SPIPE
    assert guest.call("fd_pread", 0, *guest.iovs((BUFFER, 1)), 0, RESULT) is Errno.SPIPE
    assert guest.call("fd_read", ROOT, *guest.iovs((BUFFER, 1)), RESULT) is Errno.ISDIR
    assert guest.call("fd_readdir", 0, BUFFER, 10, 0, RESULT) is Errno.NOTDIR
    guest.ok("fd_filestat_get", 0, RESULT)
    assert filestat(guest) == (0,) * 8
    assert guest.call("sock_recv", 0, *guest.iovs((BUFFER, 1)), 0, RESULT, RESULT + 8) is Errno.NOTSOCK
    assert guest.call("sock_accept", 0, 0, RESULT) is Errno.NOTSOCK


def clock(userdata: int, id: int, timeout: int, flags: int = 0) -> bytes:
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, id, timeout, 0, flags)


def descriptor(userdata: int, tag: int, fd: int) -> bytes:
    return struct.pack("<QB7xI28x", userdata, tag, fd)


def poll(guest: Caller, *subscriptions: bytes) -> list[tuple[int, Errno, int, int]]:
    guest.put(SUBSCRIPTIONS, b"".join(subscriptions))
    guest.ok("poll_oneoff", SUBSCRIPTIONS, EVENTS, len(subscriptions), RESULT)
    events = [struct.unpack_from("<QHB5xQ", guest.memory, EVENTS + 32 * i) for i in range(guest.u32())]
    return [(userdata, Errno(error), tag, n) for userdata, error, tag, n in events]


def test_waiting_for_fake_clocks_takes_no_time(guest: Caller) -> None:
    begin = time.monotonic()
    hour = 3600 * 10**9
    assert poll(guest, clock(1, 1, 2 * hour), clock(2, 0, hour)) == [(2, Errno.SUCCESS, 0, 0)]
    guest.ok("clock_time_get", 1, 0, RESULT)
    assert hour < guest.u64() < hour + 10**9
    assert poll(guest, clock(3, 1, 5, flags=1)) == [(3, Errno.SUCCESS, 0, 0)]
    assert time.monotonic() - begin < 30


def test_waiting_for_what_is_ready_or_wrong_does_not_wait(guest: Caller) -> None:
    fd = guest.open("file")
    guest.read(fd, 3)
    long = clock(9, 1, 10**18)
    assert poll(guest, long, descriptor(1, 1, fd)) == [(1, Errno.SUCCESS, 1, 7)]
    assert poll(guest, descriptor(1, 2, 1), descriptor(2, 1, 0)) == [(1, Errno.SUCCESS, 2, 1), (2, Errno.SUCCESS, 1, 1)]
    assert poll(guest, long, descriptor(1, 1, 77)) == [(1, Errno.BADF, 1, 0)]
    assert poll(guest, descriptor(1, 1, 1)) == [(1, Errno.NOTCAPABLE, 1, 0)]
    assert poll(guest, clock(1, 2, 0)) == [(1, Errno.INVAL, 0, 0)]
    assert poll(guest, clock(1, 1, 0, flags=2)) == [(1, Errno.INVAL, 0, 0)]
    guest.wasi.revoke("clocks")
    assert poll(guest, clock(1, 1, 0)) == [(1, Errno.NOTCAPABLE, 0, 0)]
    guest.put(SUBSCRIPTIONS, struct.pack("<QB39x", 1, 3))
    assert guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, 1, RESULT) is Errno.INVAL
    assert guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, 0, RESULT) is Errno.INVAL


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


@pytest.mark.skipif(os.name == "nt", reason="pipes cannot be waited for there")
def test_a_pipe_is_waited_for_unless_the_guest_says_not_to(engine: Engine, pipe: tuple[int, int]) -> None:
    with Caller(engine, stdin=Inherited(pipe[0], "stdin"), stdout=Inherited(pipe[1], "stdout")) as caller:
        assert poll(caller, descriptor(1, 1, 0), clock(2, 1, 10**6)) == [(2, Errno.SUCCESS, 0, 0)]
        caller.ok("fd_fdstat_set_flags", 0, 4)
        assert caller.call("fd_read", 0, *caller.iovs((BUFFER, 5)), RESULT) is Errno.AGAIN
        caller.write(1, b"hello")
        assert poll(caller, descriptor(1, 1, 0), clock(2, 1, 10**12)) == [(1, Errno.SUCCESS, 1, 1)]
        assert caller.read(0) == b"hello"
        caller.ok("fd_fdstat_set_flags", 1, 4)
        written = 0
        while caller.write_errno(1, bytes(20_000)) is Errno.SUCCESS:
            written += caller.u32()
        assert caller.write_errno(1, bytes(20_000)) is Errno.AGAIN
        assert written >= 4096


@pytest.mark.skipif(os.name == "nt", reason="pipes cannot be waited for there")
@pytest.mark.parametrize("name", ["fd_read", "poll_oneoff", "fd_write"])
def test_a_guest_that_waits_can_be_stopped(engine: Engine, pipe: tuple[int, int], name: str) -> None:
    with Caller(engine, stdin=Inherited(pipe[0], "stdin"), stdout=Inherited(pipe[1], "stdout")) as caller:
        threading.Timer(0.1, caller.wasi.stop).start()
        begin = time.monotonic()
        waits: dict[str, Callable[[], object]] = {
            "fd_read": lambda: caller.read(0),
            "poll_oneoff": lambda: poll(caller, clock(1, 1, 10**15)),
            "fd_write": lambda: [caller.write(1, bytes(20_000)) for _ in range(1000)],
        }
        with pytest.raises(Interrupted):
            waits[name]()
        assert time.monotonic() - begin < 20


def test_a_guest_ends_itself(guest: Caller) -> None:
    with pytest.raises(ProcExit, match="exit code 7") as end:
        guest.call("proc_exit", 7)
    assert end.value.code == 7
    with pytest.raises(ProcExit) as end:
        guest.call("proc_raise", 6)
    assert end.value.code == 134
    guest.ok("proc_raise", 0)
    assert guest.call("proc_raise", 31) is Errno.INVAL
    assert guest.call("proc_raise", 18) is Errno.NOTSUP
    guest.ok("sched_yield")


def test_connections_are_taken_and_used(engine: Engine) -> None:
    listener = Listener()
    with Caller(engine, sockets=[listener]) as caller:
        assert caller.call("sock_accept", 3, 2, RESULT) is Errno.INVAL
        caller.ok("fd_fdstat_set_flags", 3, 4)
        assert caller.call("sock_accept", 3, 0, RESULT) is Errno.AGAIN
        caller.ok("fd_fdstat_set_flags", 3, 0)
        with socket.create_connection(listener.address) as end:
            caller.ok("sock_accept", 3, 0, RESULT)
            fd = caller.u32()
            assert fd == 4
            end.sendall(b"hello")
            caller.ok("sock_recv", fd, *caller.iovs((BUFFER, 3)), 1 | 2, RESULT, RESULT + 8)
            caller.ok("sock_recv", fd, *caller.iovs((BUFFER, 2), (BUFFER + 2, 3)), 2, RESULT, RESULT + 8)
            assert (caller.u32(), bytes(caller.memory[BUFFER : BUFFER + 5])) == (5, b"hello")
            caller.put(BUFFER, "answer")
            caller.ok("sock_send", fd, *caller.iovs((BUFFER, 3), (BUFFER + 3, 3)), 0, RESULT)
            assert caller.write(fd, b"!") == 1
            caller.ok("sock_shutdown", fd, 2)
            assert end.makefile("rb").read() == b"answer!"
            for how in (0, 4):
                assert caller.call("sock_shutdown", fd, how) is Errno.INVAL
            assert caller.call("sock_send", fd, *caller.iovs((BUFFER, 3)), 1, RESULT) is Errno.INVAL
            assert caller.call("sock_recv", fd, *caller.iovs((BUFFER, 3)), 4, RESULT, RESULT + 8) is Errno.INVAL
            assert caller.call("sock_recv", 3, *caller.iovs((BUFFER, 3)), 0, RESULT, RESULT + 8) is Errno.NOTCONN
            assert caller.call("sock_accept", fd, 0, RESULT) is Errno.NOTCAPABLE
        assert caller.read(fd) == b""


def test_an_outgoing_connection_is_lent_like_any_socket(engine: Engine) -> None:
    listener = Listener()
    end = Network([f"127.0.0.1:{listener.address[1]}"]).connect(*listener.address)
    with Caller(engine, sockets=[end]) as caller:
        assert caller.write(3, b"x") == 1
        caller.wasi.revoke(end.name)
        assert caller.write_errno(3, b"x") is Errno.NOTCAPABLE
    listener.close()


def test_the_unstable_snapshot_differs_where_it_does(engine: Engine, tree: MemoryTree) -> None:
    with Caller(engine, {"/": tree}, home="wasi_unstable", clocks=FakeClocks()) as caller:
        fd = caller.open("file")
        caller.ok("fd_seek", fd, 4, 2, RESULT)
        caller.ok("fd_seek", fd, 1, 0, RESULT)
        assert caller.u64() == 5
        caller.ok("fd_seek", fd, -1, 1, RESULT)
        assert caller.u64() == 9
        assert caller.call("fd_seek", fd, 0, 3, RESULT) is Errno.INVAL
        caller.memory[RESULT : RESULT + 64] = b"\xee" * 64
        caller.ok("fd_filestat_get", fd, RESULT)
        assert struct.unpack_from("<B3xIQ", caller.memory, RESULT + 16) == (Filetype.REGULAR_FILE, 1, 10)
        assert bytes(caller.memory[RESULT + 56 : RESULT + 64]) == b"\xee" * 8
        caller.ok("path_filestat_get", ROOT, 0, *caller.path("dir"), RESULT)
        assert caller.memory[RESULT + 16] == Filetype.DIRECTORY
        caller.put(SUBSCRIPTIONS, struct.pack("<QB7xQI4xQQH6x", 5, 0, 9, 1, 1000, 0, 0))
        caller.ok("poll_oneoff", SUBSCRIPTIONS, EVENTS, 1, RESULT)
        assert caller.u64(EVENTS) == 5


def test_each_use_and_each_refusal_is_told(engine: Engine, tree: MemoryTree) -> None:
    events: list[Event] = []
    with Caller(engine, {"/": tree}, audit=events.append) as caller:
        fd = caller.open("file", rights=int(Rights.FD_READ))
        caller.read(fd)
        caller.open_errno("../x")
        caller.call("random_get", 2**31, 1)
        with pytest.raises(ProcExit):
            caller.call("proc_exit", 0)
    assert [(event.function, event.errno) for event in events] == [
        ("path_open", "SUCCESS"),
        ("fd_read", "SUCCESS"),
        ("path_open", "NOTCAPABLE"),
        ("random_get", "FAULT"),
        ("proc_exit", "SUCCESS"),
    ]
    assert events[0].subjects == ("fd 3 (a tree in memory)", "file")
    assert events[2].refused == "the path leads out of the directory: ../x"
    assert "--dir" in events[2].hint
    assert events[2].as_dict()["function"] == "path_open"
    assert ALL
