"""Both engines give a guest the same world: random calls of all functions, one after the other, with the same results and memory."""

from __future__ import annotations

import importlib.util
import socket
import struct
import sys
import threading

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pywasm_ref.capabilities import Access, Capture, Connection, FakeClocks, Listener, MemoryTree, Quota, SeededRandomness
from pywasm_ref.capabilities.filesystem.nodes import Directory, Kind
from pywasm_ref.capabilities.streams import as_input
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.embedding.selection import engine as engine_named
from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.types import I32
from pywasm_ref.wasi.context import Event
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.function import PREVIEW1
from tests.wasi.support import ALL, ROOT, SIZE, Caller, native

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pywasm_ref._fastcore.engine") is None, reason="the native engine is not built"),
    pytest.mark.skipif(sys.platform != "linux", reason="the sockets of the test have names that the system chooses"),
]

PATHS = (
    *(b"file", b"dir/deep", b"link", b"new", b"dir/../file", b"link/deep", b"dir/x"),
    *(b"dir", b"..", b"/abs", b"../x", b"\xff", b"x\0y", b"dir/", b".", b""),
)
GOOD = 7
"""Paths that are mostly good for something."""

PATH_AT = 0x1000
MOST_CALLS = 20

numbers32 = st.one_of(
    st.integers(0, 8),
    st.sampled_from([0x100, 0x1000, 0x1020, 0x2000, 0x3000, 0x3001, 0x4000, 0x5000, SIZE - 8, SIZE, 2**31, 2**32 - 1]),
    st.integers(0, len(PATHS) - 1).map(lambda i: PATH_AT + 32 * i),
    st.integers(0, 2**32 - 1),
)
numbers64 = st.one_of(st.integers(0, 64), st.sampled_from([ALL, 2**62, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))
RESULTS = (0x3000, 0x3008, 0x3010, 0x3018)
BUFFER, IOVS = 0x4000, 0x2000
PAIRED = {"path": "path_len", "old_path": "old_path_len", "new_path": "new_path_len"}
LENGTHS = frozenset(PAIRED.values())

SENSIBLE: dict[str, st.SearchStrategy[int]] = {
    "Size": st.integers(0, 100),
    "RightsBits": st.one_of(st.just(ALL), st.sampled_from([1 << i for i in range(30)])),
    "ClockId": st.integers(0, 3),
    "Whence": st.integers(0, 2),
    "LookupFlags": st.integers(0, 1),
    "OFlags": st.integers(0, 15),
    "FdFlags": st.sampled_from([0, 0, 0, 1, 2, 4, 5, 16]),
    "FstFlags": st.integers(0, 15),
    "Filesize": st.integers(0, 200),
    "Filedelta": st.one_of(st.integers(0, 30), st.integers(2**64 - 10, 2**64 - 1)),
    "Timestamp": st.integers(0, 10**9),
    "DirCookie": st.integers(0, 8),
    "Advice": st.integers(0, 5),
    "Signal": st.integers(0, 31),
    "Exit": st.integers(0, 300),
    "RiFlags": st.integers(0, 3),
    "SiFlags": st.just(0),
    "SdFlags": st.integers(1, 3),
}
BY_NAME: dict[str, st.SearchStrategy[int]] = {
    "iovs_len": st.integers(0, 2),
    "ri_data_len": st.integers(0, 2),
    "si_data_len": st.integers(0, 2),
    "nsubscriptions": st.integers(1, 3),
    **dict.fromkeys(("iovs", "ri_data", "si_data"), st.just(IOVS)),
    **dict.fromkeys(("buf", "argv_buf", "environ_buf"), st.just(BUFFER)),
    "subscriptions": st.just(0x5000),
    "events": st.just(0x6000),
}


def sensible(function: str, name: str, type: str) -> st.SearchStrategy[int]:
    """What a program could well give for a parameter."""
    if type == "Fd":
        usual = {"path": [ROOT], "sock": [4, 5, 6]}.get(function.split("_", maxsplit=1)[0], [6, 7])
        return st.one_of(st.sampled_from(usual), st.sampled_from(usual), st.integers(0, 9))
    if name in BY_NAME:
        return BY_NAME[name]
    return st.sampled_from(RESULTS) if type == "Ptr" else SENSIBLE[type]


@st.composite
def call(draw: st.DrawFn, name: str) -> tuple[str, tuple[int, ...]]:
    """A call such as a program makes, and once in a while with an argument that none would give."""
    function = PREVIEW1[name]
    args: dict[str, int] = {}
    for parameter, type in function.params:
        if parameter in PAIRED and PAIRED[parameter] in dict(function.params):
            i = draw(st.one_of(st.integers(0, GOOD - 1), st.integers(0, GOOD - 1), st.integers(0, len(PATHS) - 1)))
            args[parameter], args[PAIRED[parameter]] = PATH_AT + 32 * i, len(PATHS[i])
        elif parameter not in LENGTHS:
            args[parameter] = draw(sensible(name, parameter, type))
    values = [args[parameter] for parameter, _ in function.params]
    if values and draw(st.integers(0, 3)) == 0:
        wild = draw(st.integers(0, len(values) - 1))
        values[wild] = draw(numbers32 if function.type.params[wild] is I32 else numbers64)
    return name, tuple(values)


class Local(Listener):
    """A listener that is no port of the machine, with more connections to it than will be taken: so nobody waits for one."""

    def __init__(self) -> None:
        self.name, self.address = "local", ("local", 0)
        self.access = Access("the listener")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind("")  # a name that the system chooses
        self._socket.listen(2 * MOST_CALLS)
        self._socket.setblocking(False)
        self.clients = [socket.socket(socket.AF_UNIX) for _ in range(MOST_CALLS + 1)]
        for client in self.clients:
            client.connect(self._socket.getsockname())
            greet(client)


def greet(end: socket.socket) -> None:
    """The other side says something, and nothing after that."""
    end.sendall(b"words that were sent")
    end.shutdown(socket.SHUT_WR)
    end.setblocking(False)


class World:
    """A guest of one engine with a tree, a listener and a connection, and all that can be seen of it from outside."""

    def __init__(self, engine: Engine, *, audited: bool) -> None:
        self.tree = MemoryTree({"file": b"contents of a file", "dir": {"deep": {}, "x": b"x"}, "big": bytes(5000)}, quota=Quota(100_000, 30))
        self.listener = Local()
        own, other = socket.socketpair()
        greet(other)
        self.ends = [other, *self.listener.clients]
        self.events: list[Event] = []
        self.said = Capture()
        self.guest = Caller(
            engine,
            {"/": self.tree},
            args=["p", "q"],
            env={"A": "b"},
            clocks=FakeClocks(),
            randomness=SeededRandomness(1),
            stdin=as_input(b"what is to be read"),
            stdout=self.said,
            sockets=[self.listener, Connection(own, "the connection")],
            audit=self.events.append if audited else None,
        )
        self.guest.put(0x2000, struct.pack("<IIII", 0x4000, 100, 0x4800, 7))
        self.guest.ok("path_open", ROOT, 0, *self.guest.put(PATH_AT, b"file"), 0, ALL, ALL, 0, 0x3000)
        self.guest.ok("path_open", ROOT, 0, *self.guest.put(PATH_AT, b"dir"), 2, ALL, ALL, 0, 0x3000)
        self.guest.ok("path_symlink", *self.guest.put(PATH_AT, b"dir"), ROOT, *self.guest.put(PATH_AT + 32, b"link"))
        for i, path in enumerate(PATHS):
            self.guest.put(PATH_AT + 32 * i, path)
        self.guest.put(0x5000, struct.pack("<QB7xI4xQQH6x", 7, 0, 1, 1000, 0, 0))
        self.guest.put(0x5030, struct.pack("<QB7xI28x", 8, 1, 4))
        self.guest.put(0x5060, struct.pack("<QB7xI28x", 9, 2, 5))

    def outcome(self, name: str, args: tuple[int, ...]) -> object:
        """What a call comes to, the end of the guest included."""
        try:
            return self.guest.call(name, *args)
        except ProcExit as end:
            return "exit", end.code
        except WasmError as error:
            return type(error), str(error)

    def heard(self) -> list[bytes]:
        """What arrived at the other sides since the last time."""
        found = []
        for end in self.ends:
            try:
                found.append(end.recv(1 << 22))
            except OSError:
                found.append(b"")
        return found

    def state(self) -> object:
        descriptors = [
            (fd, found.filetype, found.rights, found.inheriting, found.flags, found.preopen) for fd, found in self.guest.wasi.descriptors
        ]
        return descriptors, self.heard(), self.said.data, contents(self.tree.root()), self.events, list(self.guest.wasi.refusals)

    def close(self) -> None:
        self.guest.wasi.close()
        for end in self.ends:
            end.close()


def contents(directory: Directory) -> dict[bytes, object]:
    """All files below, by their names."""
    found: dict[bytes, object] = {}
    for entry in directory.entries():
        name = entry.name.decode(errors="surrogateescape")
        if entry.kind is Kind.DIRECTORY:
            found[entry.name] = contents(directory.enter(name))
        else:
            found[entry.name] = directory.readlink(name) if entry.kind is Kind.SYMLINK else directory.stat_at(name).size
    directory.close()
    return found


def stop(*worlds: World) -> None:
    for world in worlds:
        world.guest.wasi.stop()


TIMES = frozenset({"fd_filestat_get", "path_filestat_get"})
"""What writes times of the machine and the number of the tree."""


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(PREVIEW1)).flatmap(call), min_size=8, max_size=MOST_CALLS), st.booleans())
@example([("path_open", (3, 1, PATH_AT, 4, 0, ALL, ALL, 0, 0x3000)), ("fd_read", (6, 0x2000, 2, 0x3000))], False)
@example([("poll_oneoff", (0x5000, 0x6000, 3, 0x100))], True)
@example([("sock_accept", (4, 0, 0x3000)), ("sock_recv", (6, 0x2000, 1, 1, 0x3000, 0x3008)), ("sock_send", (6, 0x2000, 2, 0, 0x3000))], False)
@example([("sock_recv", (5, 0x2000, 2, 2, 0x3000, 0x3008)), ("sock_shutdown", (5, 2)), ("sock_send", (5, 0x2000, 2, 0, 0x3000))], False)
@example([("fd_write", (1, 0x2000, 1, 0x3000)), ("fd_renumber", (5, 1)), ("fd_write", (1, 0x2000, 1, 0x3000))], False)
@example([("proc_raise", (6,)), ("proc_raise", (18,)), ("proc_exit", (256,)), ("sched_yield", ())], True)
@example([(name, tuple(0 for _ in PREVIEW1[name].params)) for name in PREVIEW1], False)
def test_random_calls_of_all_functions_come_to_the_same_on_both_engines(calls: list[tuple[str, tuple[int, ...]]], audited: bool) -> None:
    worlds = [World(engine, audited=audited) for engine in (engine_named("reference"), native())]
    guard = threading.Timer(30, stop, worlds)
    guard.start()
    first, second = worlds
    try:
        for name, args in calls:
            found = first.outcome(name, args)
            assert found == second.outcome(name, args), (name, args)
            if name in TIMES:
                second.guest.memory[:] = first.guest.memory
            assert first.guest.memory == second.guest.memory, (name, args)
        assert first.state() == second.state()
    finally:
        guard.cancel()
        for world in worlds:
            world.close()


def test_all_functions_are_called() -> None:
    assert len(PREVIEW1) == 46
