"""Every function with addresses that are wrong: outside of memory, wrapping, misaligned, overlapping. Nothing is changed."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from pywasm_ref.capabilities import Listener, MemoryTree
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.wasi.abi import Errno
from pywasm_ref.wasi.context import no_memory
from pywasm_ref.wasi.descriptors import connection_descriptor, listener_descriptor
from pywasm_ref.wasi.function import PREVIEW1
from tests.wasi.support import ALL, BUFFER, PATHS, RESULT, ROOT, SIZE, Caller

FILE = 4
WRONG = {Errno.FAULT, Errno.INVAL}
OUTSIDE = [SIZE, SIZE - 1, SIZE - 3, 2**31, 2**32 - 1, 2**32 - 4, 2**32 - 8]
IOVS = RESULT + 0x100

CALLS: dict[str, list[int]] = {
    "args_get": [0x100, 0x200],
    "args_sizes_get": [0x100, 0x200],
    "environ_get": [0x100, 0x200],
    "environ_sizes_get": [0x100, 0x200],
    "clock_res_get": [1, RESULT],
    "clock_time_get": [1, 0, RESULT],
    "fd_fdstat_get": [FILE, RESULT],
    "fd_filestat_get": [FILE, RESULT],
    "fd_pread": [FILE, IOVS, 1, 0, RESULT],
    "fd_prestat_get": [ROOT, RESULT],
    "fd_prestat_dir_name": [ROOT, BUFFER, 4],
    "fd_pwrite": [FILE, IOVS, 1, 0, RESULT],
    "fd_read": [FILE, IOVS, 1, RESULT],
    "fd_readdir": [ROOT, BUFFER, 100, 0, RESULT],
    "fd_seek": [FILE, 1, 0, RESULT],
    "fd_tell": [FILE, RESULT],
    "fd_write": [FILE, IOVS, 1, RESULT],
    "path_create_directory": [ROOT, PATHS, 4],
    "path_filestat_get": [ROOT, 0, PATHS, 4, RESULT],
    "path_filestat_set_times": [ROOT, 0, PATHS, 4, 1, 1, 5],
    "path_link": [ROOT, 0, PATHS, 4, ROOT, PATHS, 4],
    "path_open": [ROOT, 0, PATHS, 4, 1, ALL, ALL, 0, RESULT],
    "path_readlink": [ROOT, PATHS, 4, BUFFER, 100, RESULT],
    "path_remove_directory": [ROOT, PATHS, 4],
    "path_rename": [ROOT, PATHS, 4, ROOT, PATHS, 4],
    "path_symlink": [PATHS, 4, ROOT, PATHS, 4],
    "path_unlink_file": [ROOT, PATHS, 4],
    "poll_oneoff": [0x5000, 0x6000, 1, RESULT],
    "random_get": [BUFFER, 16],
    "sock_accept": [5, 0, RESULT],
    "sock_recv": [6, IOVS, 1, 0, RESULT, RESULT + 8],
    "sock_send": [6, IOVS, 1, 0, RESULT],
}
"""A call of each function that takes an address, all of whose addresses are good."""

UNWRITTEN = {"fd_write", "fd_pwrite", "sock_send"}


def addresses(name: str) -> Iterator[int]:
    """The places of the parameters that are addresses."""
    return (i for i, (_, type) in enumerate(PREVIEW1[name].params) if type == "Ptr")


CASES = [(name, i) for name in CALLS for i in addresses(name)]


@pytest.fixture
def guest(engine: Engine) -> Iterator[Caller]:
    listener = Listener()
    end = socket.create_connection(listener.address)
    accepted = None
    while accepted is None:
        try:
            accepted = listener.accept()
        except BlockingIOError:
            continue
    tree = MemoryTree({"file": b"contents"})
    with Caller(engine, {"/dir": tree}, args=["program", "x"], env={"A": "b"}, sockets=[]) as caller:
        assert caller.open("file") == FILE
        caller.wasi.descriptors.add(listener_descriptor(listener))
        caller.wasi.descriptors.add(connection_descriptor(accepted))
        caller.put(PATHS, "file")
        caller.put(IOVS, struct.pack("<II", BUFFER, 16))
        caller.put(0x5000, struct.pack("<QB7xI4xQQH6x", 7, 0, 1, 0, 0, 0))
        caller.tree = tree  # type: ignore[attr-defined]
        yield caller
    end.close()


def unchanged(guest: Caller, name: str, args: list[int]) -> None:
    """The call fails for its addresses, and nothing is other than before."""
    before = bytes(guest.memory)
    found = guest.call(name, *args)
    assert found in WRONG, f"{name}{tuple(map(hex, args))}: {found.name}"
    assert bytes(guest.memory) == before
    assert guest.tree.read("file") == b"contents"  # type: ignore[attr-defined]
    assert len(guest.wasi.descriptors.by_number) == 7
    assert guest.names(ROOT) == [".", "..", "file"]


def test_every_function_that_takes_an_address_is_here() -> None:
    assert set(CALLS) == {name for name in PREVIEW1 if any(True for _ in addresses(name))}
    assert len(PREVIEW1) == 46


@pytest.mark.parametrize(("name", "i"), CASES)
def test_an_address_outside_of_memory(guest: Caller, name: str, i: int) -> None:
    for address in OUTSIDE:
        args = list(CALLS[name])
        args[i] = address
        unchanged(guest, name, args)


@pytest.mark.parametrize(("name", "i"), [(name, i) for name, i in CASES if f"{PREVIEW1[name].params[i][0]}_len" in dict(PREVIEW1[name].params)])
def test_a_length_that_leads_out_of_memory_or_around_it(guest: Caller, name: str, i: int) -> None:
    at = next(k for k, (parameter, _) in enumerate(PREVIEW1[name].params) if parameter == f"{PREVIEW1[name].params[i][0]}_len")
    for length in (SIZE + 1, 2**31, 2**32 - 1, 2**32 - CALLS[name][i], 2**29):
        args = list(CALLS[name])
        args[at] = length
        unchanged(guest, name, args)


@pytest.mark.parametrize("name", ["fd_read", "fd_pread", "fd_write", "fd_pwrite", "sock_recv", "sock_send"])
@pytest.mark.parametrize("buffer", [(SIZE, 1), (SIZE - 4, 8), (2**32 - 1, 2), (BUFFER, 2**32 - BUFFER), (0, 2**32 - 1), (2**31, 2**31)])
def test_a_buffer_of_an_array_outside_of_memory(guest: Caller, name: str, buffer: tuple[int, int]) -> None:
    guest.put(IOVS, struct.pack("<II", *buffer))
    unchanged(guest, name, CALLS[name])
    guest.put(IOVS, struct.pack("<IIII", BUFFER, 4, *buffer))
    args = list(CALLS[name])
    args[2] = 2
    unchanged(guest, name, args)


MISALIGNED = [
    *((name, i, by) for name, i in CASES for by in (1, 2) if PREVIEW1[name].params[i][0] in ("nread", "nwritten", "bufused", "opened_fd")),
    *((name, 1, by) for name in ("clock_res_get", "fd_fdstat_get", "fd_filestat_get", "fd_tell") for by in (1, 2, 4)),
    *((name, 1, by) for name in ("fd_read", "fd_write", "fd_pread", "fd_pwrite", "sock_recv", "sock_send") for by in (1, 2)),
    *(("args_get", 0, by) for by in (1, 2)),
    *(("args_sizes_get", i, by) for i in (0, 1) for by in (1, 2)),
    *(("environ_sizes_get", i, by) for i in (0, 1) for by in (1, 2)),
    *(("poll_oneoff", i, by) for i in (0, 1) for by in (1, 4)),
    *(("poll_oneoff", 3, by) for by in (1, 2)),
    *(("sock_recv", 4, 1), ("sock_recv", 5, 1), ("sock_accept", 2, 1), ("fd_seek", 3, 4), ("fd_prestat_get", 1, 2), ("path_filestat_get", 4, 4)),
]


@pytest.mark.parametrize(("name", "i", "by"), MISALIGNED)
def test_a_record_that_is_misaligned(guest: Caller, name: str, i: int, by: int) -> None:
    args = list(CALLS[name])
    args[i] += by
    unchanged(guest, name, args)


OVERLAPPING: list[tuple[str, dict[int, int]]] = [
    ("args_get", {0: 0x200, 1: 0x204}),
    ("args_sizes_get", {0: 0x200, 1: 0x200}),
    ("environ_get", {0: 0x200, 1: 0x200}),
    ("environ_sizes_get", {0: 0x200, 1: 0x200}),
    *((name, {1: RESULT}) for name in ("fd_read", "fd_write")),
    *((name, {4: BUFFER + 4}) for name in ("fd_pread", "fd_pwrite", "sock_send")),
    *((name, {3: BUFFER + 12}) for name in ("fd_read", "fd_write")),
    ("fd_readdir", {4: BUFFER + 96}),
    ("path_filestat_get", {4: PATHS - 56}),
    ("path_open", {8: PATHS}),
    ("path_readlink", {3: PATHS}),
    ("path_readlink", {5: BUFFER}),
    ("path_readlink", {5: PATHS}),
    ("poll_oneoff", {1: 0x5000}),
    ("poll_oneoff", {1: 0x5008}),
    ("poll_oneoff", {3: 0x5010}),
    ("poll_oneoff", {3: 0x6010}),
    ("sock_recv", {4: BUFFER}),
    ("sock_recv", {4: RESULT + 8, 5: RESULT + 10}),
]


@pytest.mark.parametrize(("name", "changes"), OVERLAPPING)
def test_what_is_written_does_not_overlap_what_else_is_used(guest: Caller, name: str, changes: dict[int, int]) -> None:
    args = list(CALLS[name])
    for i, value in changes.items():
        args[i] = value
    unchanged(guest, name, args)


@pytest.mark.parametrize("name", ["fd_read", "fd_pread", "sock_recv"])
@pytest.mark.parametrize("buffers", [((BUFFER, 16), (BUFFER + 8, 16)), ((IOVS, 16), (BUFFER, 4)), ((BUFFER, 4), (IOVS + 12, 4))])
def test_buffers_that_are_filled_do_not_overlap(guest: Caller, name: str, buffers: tuple[tuple[int, int], ...]) -> None:
    guest.put(IOVS, b"".join(struct.pack("<II", *buffer) for buffer in buffers))
    args = list(CALLS[name])
    args[2] = len(buffers)
    unchanged(guest, name, args)


def test_more_buffers_than_a_system_takes(guest: Caller) -> None:
    args = list(CALLS["fd_read"])
    args[2] = 1025
    unchanged(guest, "fd_read", args)


def test_the_good_addresses_are_good(guest: Caller) -> None:
    for name, args in CALLS.items():
        if not name.startswith("sock_"):
            assert guest.call(name, *args) not in WRONG or name == "path_readlink", name


def test_a_guest_without_memory_gets_fault(engine: Engine) -> None:
    with Caller(engine) as caller:
        caller.wasi.attach(no_memory)
        for name, args in CALLS.items():
            if name not in ("sock_accept", "sock_recv", "sock_send") and args[0] not in (ROOT, FILE):
                assert caller.call(name, *args) is Errno.FAULT, name
