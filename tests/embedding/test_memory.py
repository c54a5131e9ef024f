"""Memories, tables and globals as Python objects."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pywasm_ref as wasm
from pywasm_ref.embedding.memory import FORMATS

END = 65_536


@pytest.fixture
def store(engine: str) -> wasm.Store:
    return wasm.Store(engine)


@pytest.fixture
def memory(store: wasm.Store) -> wasm.Memory:
    return wasm.Memory(store, 1, 3)


def test_bytes_are_read_and_written(memory: wasm.Memory) -> None:
    memory.write(END - 3, b"abc")
    assert memory.read(END - 3, 3) == memory[END - 3 : END] == memory[END - 3 :] == b"abc"
    memory[0] = 255
    memory[1:3] = bytearray(b"xy")
    assert (memory[0], memory[:3], memory.read(END, 0)) == (255, b"\xffxy", b"")
    assert len(memory) == len(memory[:]) == END


@pytest.mark.parametrize(("at", "n"), [(END, 1), (END - 1, 2), (-1, 1), (2**64, 1), (0, END + 1), (0, 2**64), (END + 1, 0)])
def test_nothing_outside_is_read_or_written(memory: wasm.Memory, at: int, n: int) -> None:
    with pytest.raises(IndexError, match="not inside a memory of 65536 bytes"):
        memory.read(at, n)
    if n < 2**20:
        with pytest.raises(IndexError, match="not inside a memory of 65536 bytes"):
            memory.write(at, bytes(n))


@pytest.mark.parametrize("key", [slice(-1, None), slice(None, -1), slice(0, END + 1), slice(3, 2), slice(END + 1, None), END, -1])
def test_an_index_is_an_address_and_is_not_counted_from_the_end(memory: wasm.Memory, key: Any) -> None:
    with pytest.raises(IndexError):
        memory[key]
    with pytest.raises(IndexError):
        memory[key] = b"" if isinstance(key, slice) else 0


def test_a_range_is_filled_exactly(memory: wasm.Memory) -> None:
    with pytest.raises(ValueError, match="3 bytes cannot fill a range of 2"):
        memory[0:2] = b"abc"
    with pytest.raises(ValueError, match="no step"):
        memory[0:4:2]
    with pytest.raises(OverflowError):
        memory[0] = 256
    with pytest.raises(TypeError):
        memory["0"]  # type: ignore[index]
    with pytest.raises(TypeError):
        memory.read("0", 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not negative"):
        memory.read(0, -1)


@pytest.mark.parametrize(
    ("format", "value", "raw"),
    [
        ("i8", -1, b"\xff"),
        ("u8", 255, b"\xff"),
        ("i16", -2, b"\xfe\xff"),
        ("u16", 65534, b"\xfe\xff"),
        ("i32", -(2**31), b"\0\0\0\x80"),
        (wasm.i32, 1, b"\1\0\0\0"),
        ("u32", 2**31, b"\0\0\0\x80"),
        ("i64", -1, b"\xff" * 8),
        ("u64", 2**64 - 1, b"\xff" * 8),
        ("f32", 1.5, b"\0\0\xc0\x3f"),
        (wasm.f64, -2.0, b"\0\0\0\0\0\0\0\xc0"),
        ("v128", bytes(range(16)), bytes(range(16))),
    ],
)
def test_numbers_are_little_endian(memory: wasm.Memory, format: Any, value: Any, raw: bytes) -> None:
    memory.store(format, 7, value)
    assert memory.read(7, len(raw)) == raw
    assert memory.load(format, 7) == value
    with pytest.raises(IndexError):
        memory.load(format, END + 1 - len(raw))
    with pytest.raises(IndexError):
        memory.store(format, END + 1 - len(raw), value)


@pytest.mark.parametrize("format", ["i33", "", None, 3, wasm.funcref])
def test_a_format_that_there_is_not_is_told_with_those_there_are(memory: wasm.Memory, format: Any) -> None:
    with pytest.raises(ValueError, match="there are i8, u8, i16"):
        memory.load(format, 0)


@given(format=st.sampled_from(sorted(FORMATS)), raw=st.binary(min_size=16, max_size=16), at=st.integers(0, END - 16))
def test_what_is_loaded_can_be_stored_again(engine: str, format: str, raw: bytes, at: int) -> None:
    memory = wasm.Memory(wasm.Store(engine), 1)
    size = FORMATS[format][0]
    memory.write(at, raw)
    memory.store(format, 0, memory.load(format, at))
    assert memory.read(0, size) == raw[:size] or at < size


def test_a_view_shares_the_bytes_with_the_guest(engine: str) -> None:
    exports = wasm.instantiate(
        '(module (memory (export "m") 1) (func (export "load") (result i32) (i32.load8_u (i32.const 3))) (func (export "store") (i32.store8 (i32.const 3) (i32.const 7))))',
        engine=engine,
    ).exports
    view = exports.m.view()
    view[3] = 99
    assert exports.load() == 99
    exports.store()
    assert bytes(view[0:4]) == b"\0\0\0\7"
    assert not view.readonly


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a class written in Python has no buffer before Python 3.12")
def test_a_memory_has_the_buffer_protocol(memory: wasm.Memory) -> None:
    memory[0:2] = b"ab"
    assert bytes(memoryview(memory)[0:2]) == b"ab"


def test_a_memory_grows_while_a_view_is_held(memory: wasm.Memory) -> None:
    view = memory.view()
    memory[0] = 5
    assert memory.grow(2) == 1
    assert (memory.size, len(memory), memory[0], memory[3 * END - 1]) == (3, 3 * END, 5, 0)
    assert len(view) == END
    with pytest.raises(wasm.Exhaustion, match="cannot grow by 1"):
        memory.grow(1)
    with pytest.raises(wasm.Exhaustion):
        memory.grow(2**60)
    with pytest.raises(ValueError, match="not negative"):
        memory.grow(-1)
    assert memory.size == 3


@pytest.mark.parametrize(
    ("args", "kind"),
    [((-1,), ValueError), ((2, 1), ValueError), ((65_537,), ValueError), ((1.0,), TypeError), (("1",), TypeError), ((True,), TypeError)],
)
def test_a_memory_of_impossible_size_is_refused(store: wasm.Store, args: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        wasm.Memory(store, *args)


def test_a_shared_or_64_bit_memory_says_so(store: wasm.Store) -> None:
    with pytest.raises(ValueError, match="needs a maximum"):
        wasm.Memory(store, 1, shared=True)
    assert repr(wasm.Memory(store, 1, 2, memory64=True)) == "<Memory: 64-bit memory of 1 to 2 pages>"
    assert repr(wasm.Memory(store, 1, 2, shared=True)) == "<Memory: shared memory of 1 to 2 pages>"


def test_threads_share_a_memory_from_stores_of_their_own(engine: str) -> None:
    text = """(module (import "env" "m" (memory 1 1 shared))
      (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 10_000_000_000)))
      (func (export "wake") (result i32) (i32.atomic.store (i32.const 0) (i32.const 1)) (memory.atomic.notify (i32.const 0) (i32.const 1))))"""
    module = wasm.Module(text, engine=engine, features="threads")
    memory = wasm.Memory(wasm.Store(engine), 1, 1, shared=True)
    sleeper, waker = (wasm.instantiate(module, {"env": {"m": memory}}).exports for _ in range(2))
    woken: list[int] = []
    thread = threading.Thread(target=lambda: woken.append(sleeper.wait()))
    thread.start()
    waker.wake()
    thread.join(timeout=10)
    assert woken in ([0], [1])  # woken, or too late to fall asleep
    assert memory.load("i32", 0) == 1


def test_what_is_written_to_a_view_of_a_shared_memory_survives_growth(engine: str) -> None:
    text = """(module (memory (export "m") 1 4 shared)
      (func (export "load") (result i32) (i32.load8_u (i32.const 0)))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "work")
        (i32.store (i32.const 0x1fffc) (i32.const -1)) (memory.fill (i32.const 0x10000) (i32.const 1) (i32.const 4))
        (memory.copy (i32.const 0x10001) (i32.const 0x10000) (i32.const 8))))"""
    exports = wasm.instantiate(text, engine=engine, features="threads").exports
    view = exports.m.view()
    assert exports.grow(1) == 1
    exports.m.grow(1)
    view[0] = 77
    assert exports.load() == 77
    exports.m[0] = 78
    assert view[0] == 78
    exports.work()
    assert exports.m[0x10000:0x10006] == b"\1\1\1\1\1\0"
    assert exports.grow(2) == -1
    assert (exports.m.size, len(exports.m), len(view)) == (3, 3 * END, END)
    with pytest.raises(wasm.Trap, match="out of bounds memory access"):
        wasm.instantiate(
            '(module (import "" "m" (memory 1 4 shared)) (func (export "f") (drop (i32.load (i32.const 0x30000)))))',
            {"": exports}, store=exports.m.owner, features="threads",
        ).exports.f()  # fmt: skip


def test_a_shared_memory_that_claims_all_there_is_costs_nothing(engine: str) -> None:
    memories = [wasm.Memory(wasm.Store(engine), 0, 65_536, shared=True) for _ in range(20)]
    assert [memory.grow(1) for memory in memories] == [0] * 20


# Tables


def test_a_table_is_a_sequence_of_references(store: wasm.Store) -> None:
    table = wasm.Table(store, wasm.externref, 2, 4)
    marker = object()
    table[1] = marker
    assert list(table) == [None, marker]
    assert table[1] is marker
    assert table.grow(2, "x") == 2
    assert (len(table), table[3]) == (4, "x")
    with pytest.raises(wasm.Exhaustion, match="cannot grow"):
        table.grow(1)
    assert repr(table) == "<Table: table of 4 to 4 externref entries>"


def test_a_table_of_functions_takes_functions_of_its_store(store: wasm.Store, engine: str) -> None:
    table = wasm.Table(store, wasm.funcref, 1)
    function = wasm.Func(store, lambda: 4, wasm.functype([], [wasm.i32]))
    table[0] = function
    assert table[0] == function
    assert table[0]() == 4
    with pytest.raises(TypeError, match=r"function test_.* is no funcref"):
        table[0] = test_a_table_is_a_sequence_of_references
    with pytest.raises(ValueError, match="this Func belongs to another store"):
        table[0] = wasm.Func(wasm.Store(engine), lambda: 4, wasm.functype([], [wasm.i32]))


@pytest.mark.parametrize("i", [2, -1, 2**64])
def test_an_index_of_a_table_is_not_counted_from_the_end(store: wasm.Store, i: int) -> None:
    table = wasm.Table(store, wasm.externref, 2)
    with pytest.raises(IndexError, match="outside the table, which has 2 entries"):
        table[i]
    with pytest.raises(IndexError):
        table[i] = None


def test_a_table_holds_references_only(store: wasm.Store) -> None:
    with pytest.raises(TypeError, match="a table holds references, not i32"):
        wasm.Table(store, wasm.i32, 1)


# Globals


def test_a_global_has_a_value(store: wasm.Store) -> None:
    variable = wasm.Global(store, wasm.i32, 2**32 - 1, mutable=True)
    assert variable.value == -1
    variable.value = 7
    assert variable.value == 7
    with pytest.raises(OverflowError):
        variable.value = 2**32
    with pytest.raises(TypeError):
        variable.value = None
    assert variable.value == 7
    assert repr(variable) == "<Global: mutable global i32>"


def test_an_immutable_global_stays_as_it_is(store: wasm.Store) -> None:
    constant = wasm.Global(store, wasm.f64, 0.5)
    with pytest.raises(TypeError, match="immutable"):
        constant.value = 1.0
    assert constant.value == 0.5


def test_a_global_starts_with_zero_or_null(store: wasm.Store) -> None:
    assert wasm.Global(store, wasm.i64).value == 0
    assert wasm.Global(store, wasm.v128).value == bytes(16)
    assert wasm.Global(store, wasm.externref).value is None


# Many bytes at once

LONG = """(module (memory (export "m") 401) (memory (export "n") 401)
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fill n") (param i32 i32 i32) (memory.fill 1 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "from n") (param i32 i32 i32) (memory.copy 0 1 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "in n") (param i32 i32 i32) (memory.copy 1 1 (local.get 0) (local.get 1) (local.get 2))))"""
SIZE = 25 << 20
"""More than a guest can copy between two looks at its switches."""


@pytest.fixture(scope="module")
def pattern() -> bytes:
    return bytes(n * n >> 3 & 255 for n in range(1 << 16)) * (SIZE >> 16)


@pytest.mark.parametrize(("at", "to"), [(0, 5), (5, 0), (0, 40_000), (40_000, 0), (7, 7), (0, 1 << 20), (1 << 20, 0)])
@pytest.mark.parametrize(("name", "source"), [("copy", "m"), ("in n", "n"), ("from n", "n")])
def test_long_copies_do_not_write_what_is_still_to_be_read(engine: str, name: str, source: str, at: int, to: int, pattern: bytes) -> None:
    exports = wasm.instantiate(LONG, engine=engine).exports
    exports[source].write(0, pattern)
    n = SIZE - (1 << 20)
    exports[name](to, at, n)
    target = exports.m if name == "from n" else exports[source]
    expected = bytearray(bytes(SIZE) if name == "from n" else pattern)
    expected[to : to + n] = pattern[at : at + n]
    assert target.read(0, SIZE) == expected


@pytest.mark.parametrize(("name", "memory"), [("fill", "m"), ("fill n", "n")])
def test_long_fills_end_where_they_should(engine: str, name: str, memory: str) -> None:
    exports = wasm.instantiate(LONG, engine=engine).exports
    exports[name](3, 0x107, SIZE)
    assert exports[memory].read(0, SIZE + 6) == bytes(3) + b"\x07" * SIZE + bytes(3)


@pytest.mark.parametrize("name", ["fill", "copy", "fill n", "in n"])
def test_long_fills_and_copies_can_be_stopped_on_the_way(engine: str, name: str) -> None:
    text = LONG.replace("401", "16384")  # a gigabyte, that takes a second to fill at least
    instance = wasm.instantiate(text, engine=engine)
    memory = instance.exports[{"fill": "m", "copy": "m"}.get(name, "n")]
    instance.store.interrupt()
    with pytest.raises(wasm.Interrupted):
        instance.exports[name](0, 1, 1 << 29)
    instance.store.resume()
    memory.write((1 << 30) - 2, b"\7")
    timer = threading.Timer(0.02, instance.store.interrupt)
    timer.start()
    with pytest.raises(wasm.Interrupted):
        instance.exports[name](1, 7, (1 << 30) - 8)
    timer.join()
    instance.store.resume()
    assert memory.read((1 << 30) - 8, 1) == b"\0"  # where the 7 would be in the end
