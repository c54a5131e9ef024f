"""What was lent is narrowed and taken back while the guest runs, and is never given."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pywasm_ref.capabilities import HostTree, Listener, MemoryTree, Network, Policy, Quota
from pywasm_ref.capabilities.policy import Dir
from pywasm_ref.capabilities.streams import Inherited, as_output
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.wasi.abi import Errno, Rights
from pywasm_ref.wasi.context import Event
from pywasm_ref.wasi.faults import ProcExit
from tests.wasi.support import BUFFER, CREAT, RESULT, ROOT, Caller
from tests.wasi.test_functions import READ, clock, descriptor, poll


def test_taking_back_and_narrowing_hold_at_once(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    policy = Policy(dirs=(Dir("/", str(tmp_path)), Dir("/mem", mode="memory")), env={"A": "1"})
    with Caller(engine, policy.trees(), env=policy.env) as caller:
        fd = caller.open("file")
        caller.wasi.narrow(Policy(dirs=(Dir("/", str(tmp_path), "read"),), env={"A": "1"}))
        assert caller.write_errno(fd, b"x") is Errno.ROFS
        assert caller.read(fd, 2) == b"01"
        assert caller.open_errno("x", CREAT, fd=ROOT + 1) is Errno.NOTCAPABLE
        with pytest.raises(ValueError, match="cannot be given more: /, /mem"):
            caller.wasi.narrow(policy)
        with pytest.raises(ValueError, match="cannot be given more: /other"):
            caller.wasi.narrow(Policy(dirs=(Dir("/other", "x"),)))
        caller.wasi.revoke("/")
        assert caller.call("fd_read", fd, *caller.iovs((BUFFER, 1)), RESULT) is Errno.NOTCAPABLE
        assert caller.open_errno("file", rights=READ) is Errno.NOTCAPABLE
        assert caller.wasi.refusals[-1].refused.endswith("was taken back")
        assert next(grant for grant in caller.wasi.grants() if grant.name == "/").access.revoked


def test_a_policy_that_runs_short_of_what_was_lent_is_kept_to(engine: Engine, tmp_path: Path) -> None:
    tree = HostTree(tmp_path)
    with Caller(engine, {"/": tree}, args=["program", "-v"], env={"A": "1", "B": "2"}) as caller:
        fd = caller.open("new", CREAT)
        assert caller.write(fd, bytes(100)) == 100
        caller.wasi.narrow(Policy(args=("-v",), env={"B": "2"}, dirs=(Dir("/", str(tmp_path), bytes=50),)))
        assert caller.wasi.env == [b"B=2"]
        assert caller.write(fd, bytes(100)) == 50
        assert caller.write_errno(fd, b"x") is Errno.DQUOT
        assert (caller.wasi.refusals[-1].errno, caller.wasi.refusals[-1].refused) == ("DQUOT", "more than 50 bytes")
        for wider in (
            Policy(env={"B": "3"}),
            Policy(env={"A": "1"}),
            Policy(args=("-x",)),
            Policy(listen=("127.0.0.1:0",)),
            Policy(dirs=(Dir("/", str(tmp_path), bytes=51),)),
        ):
            with pytest.raises(ValueError, match="cannot be given more"):
                caller.wasi.narrow(wider)
        assert caller.wasi.env == [b"B=2"]
        caller.wasi.narrow(Policy())
        assert caller.call("args_get", 0x100, 0x200) is Errno.NOTCAPABLE
        assert caller.call("environ_get", 0x100, 0x200) is Errno.NOTCAPABLE
        assert caller.write_errno(1, b"x") is Errno.NOTCAPABLE


def test_a_directory_may_be_called_like_something_else_that_is_lent(engine: Engine) -> None:
    """Whatever keeps the environment does not keep a directory of that name."""
    with Caller(engine, {"env": {"file": b"x"}, "stdout": {"file": b"y"}}, env={"A": "1"}) as caller:
        caller.wasi.narrow(Policy(env={"A": "1"}, streams=frozenset({"stdout"})))
        for fd in (ROOT, ROOT + 1):
            assert caller.open_errno("file", rights=READ, fd=fd) is Errno.NOTCAPABLE
        caller.ok("environ_sizes_get", 0x100, 0x200)
        caller.write(1, b"x")
    with Caller(engine, {"env": {"file": b"x"}}, env={"A": "1"}) as caller:
        caller.wasi.revoke("env", "dir")
        caller.ok("environ_sizes_get", 0x100, 0x200)
        assert caller.open_errno("file", rights=READ) is Errno.NOTCAPABLE
        with pytest.raises(KeyError):
            caller.wasi.revoke("nothing")


def test_all_of_one_name_are_taken_back(engine: Engine) -> None:
    listener = Listener()
    network = Network([f"127.0.0.1:{listener.address[1]}"])
    ends = [network.connect(*listener.address) for _ in range(2)]
    with Caller(engine, sockets=ends) as caller:
        caller.wasi.narrow(Policy(connect=("127.0.0.0/8:*",)))
        assert [caller.write(fd, b"x") for fd in (3, 4)] == [1, 1]
        caller.wasi.revoke(ends[0].name)
        assert [caller.write_errno(fd, b"x") for fd in (3, 4)] == [Errno.NOTCAPABLE] * 2
        with pytest.raises(ValueError, match="cannot be given more"):
            caller.wasi.narrow(Policy(listen=("127.0.0.1:1",)))
    listener.close()


def test_connections_are_taken_back_with_the_listener_that_took_them(engine: Engine) -> None:
    listener = Listener()
    with Caller(engine, sockets=[listener]) as caller, socket.create_connection(listener.address):
        caller.ok("sock_accept", 3, 0, RESULT)
        fd = caller.u32()
        caller.write(fd, b"x")
        caller.wasi.revoke(listener.name)
        assert caller.write_errno(fd, b"x") is Errno.NOTCAPABLE
        assert caller.call("sock_accept", 3, 0, RESULT) is Errno.NOTCAPABLE


@pytest.mark.skipif(os.name == "nt", reason="pipes cannot be waited for there")
@pytest.mark.parametrize("waits", ["fd_read", "fd_write", "poll", "sleep", "sock_accept"])
def test_who_waits_for_what_is_taken_back_waits_no_longer(engine: Engine, waits: str) -> None:
    reader, writer = os.pipe()
    listener = Listener()
    with Caller(engine, stdin=Inherited(reader, "stdin"), stdout=Inherited(writer, "stdout"), sockets=[listener]) as caller:
        if waits == "fd_write":
            os.set_blocking(writer, False)
            while caller.write_errno(1, bytes(4096)) is Errno.SUCCESS and caller.u32() == 4096:
                caller.ok("fd_fdstat_set_flags", 1, 4)
            caller.ok("fd_fdstat_set_flags", 1, 0)
        calls: dict[str, tuple[str, Callable[[], object], object]] = {
            "fd_read": ("stdin", lambda: caller.call("fd_read", 0, *caller.iovs((BUFFER, 5)), RESULT), Errno.NOTCAPABLE),
            "fd_write": ("stdout", lambda: caller.write_errno(1, bytes(4096)), Errno.NOTCAPABLE),
            "poll": ("stdin", lambda: poll(caller, descriptor(7, 1, 0), clock(8, 1, 10**13)), [(7, Errno.NOTCAPABLE, 1, 0)]),
            "sleep": ("clocks", lambda: poll(caller, clock(8, 1, 10**13)), [(8, Errno.NOTCAPABLE, 0, 0)]),
            "sock_accept": (listener.name, lambda: caller.call("sock_accept", 3, 0, RESULT), Errno.NOTCAPABLE),
        }
        name, call, expected = calls[waits]
        threading.Timer(0.1, caller.wasi.revoke, [name]).start()
        begin = time.monotonic()
        assert call() == expected
        assert time.monotonic() - begin < 20
        assert caller.wasi.refusals[-1].refused.endswith("was taken back")
    os.close(reader)
    os.close(writer)


def test_a_refusal_says_what_would_help(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    tree = MemoryTree(quota=Quota(bytes=3, files=2))
    with Caller(engine, {"/": HostTree(tmp_path, readonly=True), "/mem": tree}) as caller:
        assert caller.open_errno("file", CREAT) is Errno.ROFS
        fd = caller.open("a", CREAT, fd=ROOT + 1)
        assert caller.write(fd, b"12345") == 3
        assert caller.write_errno(fd, b"x") is Errno.DQUOT
        assert caller.open_errno("b", CREAT, fd=ROOT + 1) is Errno.DQUOT
    told = [(event.errno, event.refused) for event in caller.wasi.refusals]
    assert told == [("ROFS", f"{tmp_path} is lent for reading only"), ("DQUOT", "more than 3 bytes"), ("DQUOT", "more than 2 files")]
    assert "without :ro" in caller.wasi.refusals[0].hint


def test_what_ends_by_an_exception_is_told_as_well(engine: Engine) -> None:
    events: list[Event] = []

    def broken(data: bytes) -> None:
        raise LookupError(data)

    with Caller(engine, audit=events.append, stdout=as_output(broken, 1)) as caller:
        with pytest.raises(LookupError):
            caller.write(1, b"x")
        with pytest.raises(ProcExit):
            caller.call("proc_raise", 6)
    assert [(event.function, event.errno) for event in events] == [("fd_write", "CANCELED"), ("proc_raise", "SUCCESS")]


def test_names_that_were_listed_long_ago_are_forgotten(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest that lists a large directory through each of its descriptors holds its names once or twice and not hundreds of times."""
    monkeypatch.setattr("pywasm_ref.wasi.descriptors.MOST_NAMES", 100)
    with Caller(engine, {"/": {f"file{i}": b"" for i in range(60)}}) as caller:
        fds = [caller.open(".", rights=int(Rights.FD_READDIR)) for _ in range(5)]
        for fd in fds:
            assert len(caller.names(fd, size=0x4000)) == 62
        kept = [fd for fd in fds if caller.wasi.descriptors.by_number[fd].listing is not None]
        assert kept == fds[-1:]
        cookie = caller.entries(fds[-1], size=300)[-1][1]
        assert len(caller.names(fds[0], cookie, size=0x4000)) == 62 - len(caller.names(fds[-1], size=300))
