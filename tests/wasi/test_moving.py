"""Reading and writing one buffer, which an engine may do by itself: in all that can be seen it is as if the function had done it."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

import pywasm_ref as wasm
from pywasm_ref.capabilities import Access, HostTree
from pywasm_ref.capabilities.streams import Output, as_output
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine, Func, Moves
from pywasm_ref.syntax.types import I32, FuncType
from pywasm_ref.validation.types import functype_deftype
from pywasm_ref.wasi.abi import Errno, Rights
from tests.wasi.support import ALL, BUFFER, RESULT, SIZE, TRUNC, Caller

READ_WRITE = int(Rights.FD_READ | Rights.FD_WRITE | Rights.FD_SEEK | Rights.FD_FDSTAT_SET_FLAGS)


def test_a_file_of_the_machine_is_read_and_written(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with Caller(engine, {"/": HostTree(tmp_path)}) as caller:
        fd = caller.open("file", rights=READ_WRITE)
        assert caller.read(fd, 4) == b"0123"
        caller.ok("fd_read", fd, *caller.iovs((SIZE - 3, 3)), RESULT)
        assert bytes(caller.memory[SIZE - 3 :]) == b"456"
        caller.ok("fd_read", fd, *caller.iovs((SIZE, 0)), RESULT)
        assert caller.u32() == 0
        assert caller.write(fd, b"xy") == 2
        assert caller.read(fd) == b"9"
        assert caller.read(fd) == b""
        for buffer in ((SIZE - 3, 4), (2**32 - 1, 2), (RESULT, 4), (RESULT + 0x100, 4)):
            assert caller.call("fd_read", fd, *caller.iovs(buffer), RESULT) is Errno.FAULT
        caller.ok("fd_write", fd, *caller.iovs((RESULT + 0x100, 8)), RESULT)
    assert (tmp_path / "file").read_bytes()[:10] == b"0123456xy9"


def test_whatever_stands_in_the_way_is_asked_each_time(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    tree = HostTree(tmp_path)
    with Caller(engine, {"/": tree}) as caller:
        fd = caller.open("file", rights=READ_WRITE)
        caller.write(fd, b"a")
        caller.ok("fd_fdstat_set_flags", fd, 1)
        caller.write(fd, b"end")
        caller.ok("fd_fdstat_set_flags", fd, 0)
        reader = caller.open("file", rights=READ_WRITE)
        caller.ok("fd_fdstat_set_rights", reader, int(Rights.FD_READ), 0)
        assert caller.write_errno(reader, b"x") is Errno.NOTCAPABLE
        assert caller.read(reader, 2) == b"a1"
        caller.ok("fd_fdstat_set_rights", reader, 0, 0)
        assert caller.call("fd_read", reader, *caller.iovs((BUFFER, 1)), RESULT) is Errno.NOTCAPABLE
        tree.access.make_readonly()
        assert caller.write_errno(fd, b"x") is Errno.ROFS
        tree.access.revoke()
        assert caller.write_errno(fd, b"x") is Errno.NOTCAPABLE
        assert caller.call("fd_read", fd, *caller.iovs((BUFFER, 1)), RESULT) is Errno.NOTCAPABLE
        caller.ok("fd_close", fd)
        assert caller.write_errno(fd, b"x") is Errno.BADF
    assert (tmp_path / "file").read_bytes() == b"a123456789end"


def test_what_the_system_refuses_is_an_errno(engine: Engine, tmp_path: Path) -> None:
    """A file that was opened for reading only has the right to be written where the guest asks for it; the system has the last word."""
    (tmp_path / "file").write_bytes(b"0123456789")
    with Caller(engine, {"/": HostTree(tmp_path)}) as caller:
        fd = caller.open("file", TRUNC, int(Rights.FD_READ))
        found = caller.wasi.descriptors.by_number[fd]
        found.rights = ALL
        found.set_ways()
        assert caller.write_errno(fd, b"x") is Errno.SUCCESS
        fd = caller.open("file", rights=int(Rights.FD_READ))
        found = caller.wasi.descriptors.by_number[fd]
        found.rights = ALL
        found.set_ways()
        assert caller.write_errno(fd, b"x") is Errno.BADF


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "full"), Errno.NOSPC),
        (BlockingIOError(errno.EAGAIN, "later"), Errno.AGAIN),
        (MemoryError(), Errno.NOMEM),
    ],
)
def test_an_error_of_what_was_lent_is_an_errno(engine: Engine, error: Exception, expected: Errno) -> None:
    def fails(data: bytes) -> None:
        raise error

    with Caller(engine, stdout=as_output(fails, 1)) as caller:
        assert caller.write_errno(1, b"x") is expected


def test_a_file_that_the_host_closed_is_closed(engine: Engine, tmp_path: Path) -> None:
    """Whatever has its number now is not written to."""
    file = open(tmp_path / "out", "wb", buffering=0)  # noqa: SIM115  (closed before its time)
    with Caller(engine, stdout=as_output(file, 1)) as caller:
        caller.write(1, b"first")
        number = file.fileno()
        file.close()
        with open(tmp_path / "other", "wb", buffering=0) as other:
            assert other.fileno() == number
            with pytest.raises(ValueError, match="closed file"):
                caller.write(1, b"second")
    assert (tmp_path / "out").read_bytes() == b"first"
    assert (tmp_path / "other").read_bytes() == b""


class Odd:
    """An output that says of itself what cannot be."""

    terminal = False

    def __init__(self, says: int) -> None:
        self.access = Access("odd")
        self.says = says

    def fileno(self) -> int | None:
        return None

    def write(self, buffers: Sequence[memoryview]) -> int:
        return self.says


@pytest.mark.parametrize("says", [-1, 4, 2**32])
def test_more_than_there_was_cannot_have_been_written(engine: Engine, says: int) -> None:
    with Caller(engine, stdout=cast(Output, Odd(says))) as caller, pytest.raises(ValueError, match="cannot have been written"):
        caller.write(1, b"123")


GROWS = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 64) "hello")
  (func (export "grow") (result i32) (memory.grow (i32.const 200)))
  (func (export "_start") (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))))
  (func (export "written") (result i32) (i32.load (i32.const 32))))
"""


@pytest.mark.parametrize("again", [1, 2])
def test_a_function_that_takes_output_may_call_the_guest(engine: Engine, again: int) -> None:
    """Its memory grows, and may be elsewhere afterwards, while a buffer of it is being written."""
    heard: list[bytes] = []

    def hear(buffer: bytes) -> None:
        for _ in range(again):
            functions.func_invoke(guest.store, cast(Func, guest.instantiate().exports["grow"]), ())
        heard.append(buffer)

    guest = wasm.wasi.Guest(wasm.Module(GROWS, engine), stdout=hear)
    with guest.wasi:
        guest.start()
        written = functions.func_invoke(guest.store, cast(Func, guest.instantiate().exports["written"]), ())
    assert (heard, list(written)) == ([b"hello"], [5])
    assert guest.wasi.memory_size() == (1 + 200 * again) << 16


READS = GROWS.replace('"fd_write"', '"fd_read"')


@pytest.mark.parametrize("again", [1, 2])
def test_a_function_that_gives_input_may_call_the_guest(engine: Engine, again: int) -> None:
    def give(n: int) -> bytes:
        for _ in range(again):
            functions.func_invoke(guest.store, cast(Func, guest.instantiate().exports["grow"]), ())
        return b"given"[:n]

    guest = wasm.wasi.Guest(wasm.Module(READS, engine), stdin=give)
    guest.wasi.descriptors.by_number[1] = guest.wasi.descriptors.by_number[0]
    with guest.wasi:
        guest.start()
        exports = guest.instantiate().exports
        written = functions.func_invoke(guest.store, cast(Func, exports["written"]), ())
        seen = bytes(guest.store.mem_view(exports["memory"])[64:69])  # type: ignore[arg-type]
    assert (seen, list(written)) == (b"given", [5])


def test_a_memory_of_another_store_is_written_from_as_well(engine: Engine) -> None:
    out = io.BytesIO()
    with Caller(engine, stdout=as_output(out, 1)) as caller, Caller(engine) as other:
        other.put(BUFFER, b"of the other")
        other.iovs((BUFFER, 12))
        memory: Any = other.instance.exports["memory"]
        caller.wasi.attach(lambda: other.store.mem_view(memory), memory)
        caller.ok("fd_write", 1, *caller.iovs((BUFFER, 12)), RESULT)
        assert other.u32() == 12
    assert out.getvalue() == b"of the other"


class Thing:
    """Something to write to that is no thing of WASI."""

    read_from = None

    def __init__(self, write_to: Callable[[memoryview], int]) -> None:
        self.write_to = write_to
        self.access = Access("thing")


@pytest.mark.parametrize("params", [3, 4, 5])
def test_only_a_function_of_that_type_moves_anything(engine: Engine, params: int) -> None:
    def code(args: Sequence[Any]) -> Sequence[Any]:
        return (99,)

    code.moves = Moves({0: Thing(len)}, True, 100, lambda error: 1)  # type: ignore[attr-defined]
    store = functions.store_init(engine)
    func = store.func_alloc(functype_deftype(FuncType((I32,) * params, (I32,))), code)
    assert list(functions.func_invoke(store, func, [0] * params)) == [99]
