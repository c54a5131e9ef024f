"""A thousand guests that are alive at the same time, in turns and in threads: whatever one does, the others never notice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest

import pywasm_ref as wasm
from pywasm_ref import wasi
from pywasm_ref.capabilities import MemoryTree, Quota
from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine, Func
from pywasm_ref.wasi.abi import Errno
from tests.wasi.support import counts_fuel
from tests.wasi.test_run import PRELUDE

MANY = 1000
ROUNDS = 3
WORKERS = 8
PAGES = 3
FUEL = 100_000
LATE = 0.05

PROGRAM = f"""(module {PRELUDE}
  (func $check (param i32) (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func $open (param $n i32) (param $oflags i32) (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 70) (local.get $n) (local.get $oflags)
      (i64.const -1) (i64.const 0) (i32.const 0) (i32.const 168)))
  (func (export "begin")  ;; reads its own number, and opens `fil`, where it keeps it
    (call $check (call $fd_read (i32.const 0) (i32.const 136) (i32.const 1) (i32.const 160)))
    (i32.store (i32.const 148) (i32.const 0x400)) (i32.store (i32.const 152) (i32.load (i32.const 160)))
    (call $check (call $open (i32.const 3) (i32.const 1))))
  (func (export "step") (result i32)  ;; writes it to its output and its file, and counts that in its memory
    (call $check (call $fd_write (i32.const 1) (i32.const 148) (i32.const 1) (i32.const 164)))
    (call $check (call $fd_write (i32.load (i32.const 168)) (i32.const 148) (i32.const 1) (i32.const 164)))
    (i32.store (i32.const 176) (i32.add (i32.load (i32.const 176)) (i32.const 1)))
    (i32.load (i32.const 176)))
  (func (export "grow") (result i32)
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size))
  (func (export "fill") (result i32) (local $errno i32)
    (call $check (call $open (i32.const 4) (i32.const 1)))
    (loop $again
      (br_if $again (i32.eqz (local.tee $errno
        (call $fd_write (i32.load (i32.const 168)) (i32.const 136) (i32.const 1) (i32.const 160))))))
    (local.get $errno))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $again (br $again))))
"""


class One:
    """One of the guests, and what it should have done."""

    def __init__(self, module: wasm.Module, i: int, *, counts: bool) -> None:
        self.i = i
        self.tree = MemoryTree({"own": str(i)}, quota=Quota(bytes=20_000, files=4))
        limits = wasm.Limits(memory_pages=PAGES, fuel=FUEL if counts else None)
        self.guest = wasi.Guest(module, dirs={"/": self.tree}, stdin=str(i), capture=True, limits=limits)
        self.exports = self.guest.instantiate().exports
        self.steps = 0
        self.call("begin")

    def call(self, name: str) -> Any:
        results = functions.func_invoke(self.guest.store, cast(Func, self.exports[name]), ())
        return results[0] if results else None

    def step(self) -> None:
        self.steps += 1
        assert self.call("step") == self.steps

    def misbehave(self) -> None:
        """Every third does one thing that its limits end."""
        kind = self.i % 30
        if kind == 3:
            assert self.call("grow") == PAGES
        elif kind == 6:
            assert self.is_spent or self.call("fill") == Errno.DQUOT
        elif kind == 9:
            with pytest.raises(wasm.Trap):
                self.call("trap")
        elif kind == 12 and self.guest.limits.fuel is not None and not self.is_spent:
            with pytest.raises(wasm.Exhaustion):
                self.call("spin")
            assert self.guest.store.fuel == 0

    @property
    def is_spent(self) -> bool:
        """Whether its fuel or its quota is used up, so that it gets no further."""
        return self.guest.store.fuel == 0 or self.tree.quota.used_bytes == self.tree.quota.bytes

    def check(self) -> None:
        """All that is left of it is its own."""
        said = self.guest.result().stdout
        assert said == str(self.i).encode() * self.steps
        assert self.tree.read("own") == str(self.i).encode()
        if self.i % 30 != 6:
            assert self.tree.read("fil") == said


def in_threads(work: Callable[[One], None], guests: list[One]) -> None:
    """Each thread takes every eighth; what one of them raises comes out."""
    problems: list[BaseException] = []

    def some(part: Iterable[One]) -> None:
        try:
            for one in part:
                work(one)
        except BaseException as problem:  # noqa: BLE001  (the test fails with it)
            problems.append(problem)

    threads = [threading.Thread(target=some, args=(guests[k::WORKERS],)) for k in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def a_round(one: One) -> None:
    if not one.is_spent:
        one.step()
    one.misbehave()
    if not one.is_spent:
        one.step()


def lateness(module: wasm.Module, timeout: float, late: list[float]) -> None:
    """How long after its deadline a guest that loops for ever is through."""
    guest = wasi.Guest(module, timeout=timeout)
    guest.instantiate()
    begin = time.monotonic()
    assert isinstance(guest.run("spin").error, wasm.Interrupted)
    late.append(time.monotonic() - begin - timeout)


def test_a_thousand_guests_that_are_alive_at_once_share_nothing(engine: Engine) -> None:
    module = wasm.Module(PROGRAM, engine)
    counts = counts_fuel(engine)
    guests = [One(module, i, counts=counts) for i in range(MANY)]
    late: list[float] = []
    loops = [threading.Thread(target=lateness, args=(module, 0.1 + i / 20, late)) for i in range(6)]
    for loop in loops:
        loop.start()
    for _ in range(ROUNDS):
        in_threads(a_round, guests)
    for loop in loops:
        loop.join()
    for one in guests:
        one.check()
        one.guest.wasi.close()
    assert sum(one.is_spent for one in guests) == len(range(6, MANY, 30)) + (len(range(12, MANY, 30)) if counts else 0)
    assert len(late) == len(loops)


def test_guests_are_stopped_within_fifty_milliseconds_of_their_deadlines(engine: Engine) -> None:
    """Five hundred others are alive, and three run at a time. On a machine that is busy with other things the best attempt counts."""
    module = wasm.Module(PROGRAM, engine)
    others = [One(module, i, counts=False) for i in range(500)]
    late: list[float] = []
    for _ in range(20):
        loops = [threading.Thread(target=lateness, args=(module, 0.1 + i / 50, late)) for i in range(3)]
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join()
        if min(late) < LATE:
            break
    for one in others:
        one.step()
        one.guest.wasi.close()
    assert min(late) < LATE, late
