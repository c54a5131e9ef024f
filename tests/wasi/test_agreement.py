"""Both engines give a guest the same world: random calls of all functions, one after the other, with the same results and memory."""

from __future__ import annotations

import importlib.util
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pywasm_ref.capabilities import FakeClocks, MemoryTree, SeededRandomness
from pywasm_ref.embedding.engine import Engine
from pywasm_ref.embedding.selection import engine as engine_named
from pywasm_ref.syntax.types import I32
from pywasm_ref.wasi.function import PREVIEW1
from tests.wasi.support import ALL, SIZE, Caller, native

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pywasm_ref._fastcore.engine") is None, reason="the native engine is not built")

PATHS = (b"file", b"dir", b"dir/deep", b"link", b"..", b"new", b"dir/../file", b"/abs", b"loop", b"\xff", b"x\0y", b"dir/", b".", b"")
PATH_AT = 0x1000
CALLS = [name for name in PREVIEW1 if name not in ("proc_exit", "proc_raise", "sched_yield")] + ["sched_yield"]

numbers32 = st.one_of(
    st.integers(0, 8),
    st.sampled_from([0x100, 0x1000, 0x1020, 0x2000, 0x3000, 0x3001, 0x4000, 0x5000, SIZE - 8, SIZE, 2**31, 2**32 - 1]),
    st.integers(0, len(PATHS) - 1).map(lambda i: PATH_AT + 32 * i),
    st.integers(0, 2**32 - 1),
)
numbers64 = st.one_of(st.integers(0, 64), st.sampled_from([ALL, 2**62, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))
sensible = {"Fd": st.integers(0, 9), "Size": st.one_of(st.integers(0, 16), numbers32), "RightsBits": st.just(ALL)}


def argument(type: str, is_i32: bool) -> st.SearchStrategy[int]:
    plain = numbers32 if is_i32 else numbers64
    return st.one_of(sensible[type], plain) if type in sensible else plain


def call(name: str) -> st.SearchStrategy[tuple[str, tuple[int, ...]]]:
    function = PREVIEW1[name]
    types = zip(function.params, function.type.params, strict=True)
    return st.tuples(st.just(name), st.tuples(*(argument(type, t is I32) for (_, type), t in types)))


def world(engine: Engine) -> Caller:
    tree = MemoryTree({"file": b"contents of a file", "dir": {"deep": {}}, "big": bytes(5000)})
    caller = Caller(
        engine, {"/": tree}, args=["p", "q"], env={"A": "b"}, clocks=FakeClocks(), randomness=SeededRandomness(1), stdin=None
    )
    for i, path in enumerate(PATHS):
        caller.put(PATH_AT + 32 * i, path)
    caller.put(0x2000, struct.pack("<IIII", 0x4000, 100, 0x4800, 7))
    caller.put(0x5000, struct.pack("<QB7xI4xQQH6x", 7, 0, 1, 1000, 0, 0))
    return caller




@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(CALLS).flatmap(call), min_size=1, max_size=12))
@example([("path_open", (3, 1, PATH_AT, 4, 0, ALL, ALL, 0, 0x3000)), ("fd_read", (4, 0x2000, 2, 0x3000))])
@example([("poll_oneoff", (0x5000, 0x3000, 1, 0x100))])
def test_random_calls_have_the_same_results_on_both_engines(calls: list[tuple[str, tuple[int, ...]]]) -> None:
    engines = [engine_named("reference"), native()]
    worlds = [world(engine) for engine in engines]
    try:
        for name, args in calls:
            results: list[Any] = [caller.call(name, *args) for caller in worlds]
            assert results[0] is results[1], (name, args)
            if name not in ("fd_filestat_get", "path_filestat_get"):  # they hold times of the machine and the number of the tree
                assert worlds[0].memory == worlds[1].memory, (name, args)
            else:
                worlds[1].memory[:] = worlds[0].memory
    finally:
        for caller in worlds:
            caller.wasi.close()
