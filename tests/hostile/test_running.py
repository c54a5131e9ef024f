"""Hosts and guests that do what they should not, at the moment when it hurts most: both engines keep their state and say what is wrong."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import pywasm_ref as wasm
from tests.engines import not_sanitized


def start(engine: str, source: str, imports: Any = None) -> wasm.Instance:
    return wasm.instantiate(source, imports or {}, engine=engine)


# Stacks

RECURSIVE = """(module (import "m" "h" (func $h (param i32) (result i32)))
  (func $deep (export "deep") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func (export "f") (param i32) (result i32) (local i32) (local.set 1 (i32.const 40))
    (i32.add (call $h (local.get 0)) (i32.add (local.get 0) (local.get 1))))
  (func (export "one") (result i32) (i32.const 1)))"""


def test_recursion_without_end_is_an_error_after_which_the_instance_works(engine: str) -> None:
    exports = start(engine, RECURSIVE, {"m": {"h": lambda x: x}}).exports
    for _ in range(3):
        with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
            exports.deep(0)
        assert exports.one() == 1


def test_the_stack_ends_in_a_guest_that_a_host_called_from_a_guest(engine: str) -> None:
    def host(x: int) -> Any:
        with pytest.raises(wasm.Exhaustion):
            exports.deep(0)
        return x + exports.one()

    exports = start(engine, RECURSIVE, {"m": {"h": host}}).exports
    assert exports.f(7) == 7 + 1 + 7 + 40


def test_a_host_function_that_calls_its_caller_without_end(engine: str) -> None:
    def host(x: int) -> Any:
        return exports.f(x)

    exports = start(engine, RECURSIVE, {"m": {"h": host}}).exports
    with pytest.raises(wasm.Exhaustion):
        exports.f(1)
    assert exports.one() == 1


def test_guest_and_host_take_turns(engine: str) -> None:
    def host(x: int) -> Any:
        return exports.f(x - 1) if x else 0

    exports = start(engine, RECURSIVE, {"m": {"h": host}}).exports
    assert exports.f(20) == sum(range(21)) + 21 * 40


@pytest.mark.parametrize("count", [1_000, 40_000, 49_990, 60_000, 70_000, 200_000])
def test_frames_of_any_size(engine: str, count: int) -> None:
    last = count - 1
    source = f"""(module (func (export "f") (param i64) (result i64) (local {'i64 ' * last})
      (local.set {last} (local.get 0)) (i64.add (local.get {last}) (local.get 1))))"""
    exports = start(engine, source).exports
    try:
        assert exports.f(42) == 42
    except wasm.Exhaustion as error:
        assert count > 49_000
        assert error.message == "call stack exhausted"


def test_many_values_on_the_stack_at_once(engine: str) -> None:
    n = 40_000
    source = f'(module (func (export "f") (param i32) (result i32) {"(local.get 0) " * n} {"(i32.add) " * (n - 1)}))'
    assert start(engine, source).exports.f(2) == 2 * n


def test_a_branch_table_of_fifty_thousand_labels(engine: str) -> None:
    labels = " ".join(str(n % 2) for n in range(50_000))
    source = f"""(module (func (export "f") (param i32) (result i32)
      (block (block (br_table {labels} 1 (local.get 0))) (return (i32.const 10))) (i32.const 20)))"""
    exports = start(engine, source).exports
    assert [exports.f(n) for n in (0, 1, 49_998, 49_999, 50_000, -1)] == [10, 20, 10, 20, 20, 20]


# Memories and tables that grow while somebody looks

GROWING = """(module (import "m" "h" (func $h)) (memory (export "memory") 1 64) (table (export "table") 1 1000 funcref)
  (type $t (func (result i32))) (func $one (result i32) (i32.const 1)) (elem (i32.const 0) $one)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "set") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "around") (param i32) (result i32) (i32.store8 (i32.const 5) (i32.const 50)) (call $h)
    (i32.store8 (local.get 0) (i32.const 9)) (i32.add (i32.load8_u (local.get 0)) (i32.load8_u (i32.const 5))))
  (func (export "indirect") (result i32) (call $h) (call_indirect (type $t) (i32.const 0)))
  (func (export "fill") (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 4194304)) (br 0))))"""


def nothing() -> None:
    """A host function without effect."""


def test_a_memory_grows_while_a_view_is_held(engine: str) -> None:
    exports = start(engine, GROWING, {"m": {"h": nothing}}).exports
    exports.set(3, 33)
    view = exports.memory.view()
    for pages in range(1, 40):
        assert exports.grow(1) == pages
        exports.set(65536 * pages + 7, pages)
    assert view[3] == 33
    assert len(view) == 65536
    assert exports.get(65536 * 39 + 7) == 39
    assert exports.memory.view().nbytes == 40 * 65536


def test_a_host_function_lets_the_memory_grow_under_its_caller(engine: str) -> None:
    def host() -> None:
        assert exports.grow(40) == 1

    exports = start(engine, GROWING, {"m": {"h": host}}).exports
    assert exports.around(40 * 65536) == 59
    assert exports.get(5) == 50


def test_a_host_function_lets_the_table_grow_under_its_caller(engine: str) -> None:
    def host() -> None:
        exports.table.grow(100)

    exports = start(engine, GROWING, {"m": {"h": host}}).exports
    assert [exports.indirect() for _ in range(5)] == [1] * 5
    assert len(exports.table) == 501


def test_a_view_outlives_its_memory(engine: str) -> None:
    views = []
    for n in range(50):
        exports = start(engine, GROWING, {"m": {"h": nothing}}).exports
        exports.set(9, n)
        views.append(exports.memory.view())
        del exports
    gc.collect()
    assert [view[9] for view in views] == list(range(50))
    for view in views:
        view[10] = 7
        view.release()


# Host functions


def test_an_exception_of_the_host_goes_through_the_guest(engine: str) -> None:
    class Private(Exception):
        pass

    def host(x: int) -> int:
        raise Private(x)

    exports = start(engine, RECURSIVE, {"m": {"h": host}}).exports
    for n in range(3):
        with pytest.raises(Private, match=str(n)):
            exports.f(n)
    assert exports.one() == 1


def test_a_host_function_drops_all_that_runs(engine: str) -> None:
    held: list[Any] = []

    def host(x: int) -> int:
        held.clear()
        gc.collect()
        return x

    store = wasm.Store(engine)
    held += [wasm.instantiate(RECURSIVE, {"m": {"h": host}}, store=store), store]
    del store
    assert held[0].exports.f(1) == 1 + 1 + 40
    gc.collect()


class Meddler:
    """A number that calls a guest while it is made one."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call

    def __float__(self) -> float:
        self.call()
        return 0.5

    def __index__(self) -> int:
        self.call()
        return 3


ARGUMENTS = """(module
  (func (export "join") (param f64 f64 f64 f64) (result f64 f64) (f64.add (local.get 0) (local.get 1)) (f64.add (local.get 2) (local.get 3)))
  (func (export "ones") (param f64 f64 f64 f64 f64 f64 f64 f64) (result f64 f64) (f64.const 1) (f64.const 1))
  (func (export "many") (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
    (local.get 0) (local.get 0) (local.get 0) (local.get 0)))"""


def test_an_argument_calls_the_guest_that_it_is_for(engine: str) -> None:
    exports = start(engine, ARGUMENTS).exports
    meddler: Any = Meddler(lambda: exports.ones(*[9.0] * 8))
    with contextlib.suppress(TypeError):  # an engine may want numbers only
        assert exports.join(1.0, 2.0, meddler, meddler) == (3.0, 1.0)
    assert exports.join(1.0, 2.0, 3.0, 4.0) == (3.0, 7.0)


def test_a_finalizer_calls_the_guest_whose_results_are_read(engine: str) -> None:
    exports = start(engine, ARGUMENTS).exports
    calls = []

    class Garbage:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            calls.append(exports.ones(*[9.0] * 8))

    before = gc.get_threshold()
    try:
        gc.set_threshold(1, 1, 1)
        for n in range(300):
            Garbage()
            assert exports.many(n) == (n,) * 8
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(calls) == 300


# Signals and threads

LOOPS = """(module (memory (export "memory") 1)
  (func (export "sum") (param i64) (result i64) (local i64 i64)
    (loop $l (local.set 1 (i64.add (local.get 1) (local.get 2)))
      (i64.store (i32.const 8) (local.get 1))
      (br_if $l (i64.lt_u (local.tee 2 (i64.add (local.get 2) (i64.const 1))) (local.get 0))))
    (i64.load (i32.const 8)))
  (func $junk (export "junk") (param i32) (result i32) (local i64 i64 i64 i64 i64 i64)
    (local.set 1 (i64.const -1)) (local.set 2 (i64.const -1)) (local.set 3 (i64.const -1)) (local.set 4 (i64.const -1))
    (if (result i32) (local.get 0) (then (call $junk (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "spin") (loop (br 0))))"""
STEPS = {"reference": 60_000, "fast": 60_000_000}


@contextmanager
def alarms(handler: Callable[[], object]) -> Iterator[None]:
    """A handler that signals call, again and again, but not while it runs."""

    def handle(_signal: int, _frame: object) -> None:
        handler()
        signal.setitimer(signal.ITIMER_REAL, 0.005)

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


needs_alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")


@needs_alarms
def test_the_handler_of_a_signal_calls_the_guest_that_it_stopped(engine: str) -> None:
    exports = start(engine, LOOPS).exports
    seen = []
    steps = STEPS[engine]
    with alarms(lambda: seen.append(exports.junk(100))):
        assert exports.sum(steps) == steps * (steps - 1) // 2
    assert seen
    assert not any(seen)


@needs_alarms
def test_the_handler_of_a_signal_lets_the_memory_grow(engine: str) -> None:
    exports = start(engine, LOOPS).exports
    seen: list[int] = []
    steps = STEPS[engine]
    with alarms(lambda: seen.append(exports.grow(20)) if len(seen) < 10 else None):
        assert exports.sum(steps) == steps * (steps - 1) // 2
    assert seen
    assert seen == [1 + 20 * n for n in range(len(seen))]


@needs_alarms
def test_the_handler_of_a_signal_stops_the_guest(engine: str) -> None:
    class Enough(Exception):
        pass

    def handler() -> None:
        raise Enough

    exports = start(engine, LOOPS).exports
    with alarms(handler), pytest.raises(Enough):
        exports.spin()
    assert exports.junk(3) == 0


def test_another_thread_stops_the_guest(engine: str) -> None:
    instance = start(engine, LOOPS)
    timer = threading.Timer(0.05, instance.store.interrupt)
    timer.start()
    with pytest.raises(wasm.Interrupted):
        instance.exports.spin()
    timer.join()
    instance.store.resume()
    assert instance.exports.junk(3) == 0


def test_a_guest_that_fills_memory_again_and_again_can_be_stopped(engine: str) -> None:
    instance = start(engine, GROWING, {"m": {"h": nothing}})
    instance.exports.grow(63)
    begun = time.monotonic()
    timer = threading.Timer(0.05, instance.store.interrupt)
    timer.start()
    with pytest.raises(wasm.Interrupted):
        instance.exports.fill()
    timer.join()
    assert time.monotonic() - begun < 20


def test_two_threads_run_two_stores(engine: str) -> None:
    steps = STEPS[engine] // 10
    found: list[int] = []

    def work() -> None:
        exports = start(engine, LOOPS).exports
        found.extend(exports.sum(steps + n) for n in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted([(steps + n) * (steps + n - 1) // 2 for n in range(3)] * 4)


def test_two_threads_in_one_store_work_or_are_told(engine: str) -> None:
    exports = start(engine, LOOPS).exports
    steps = STEPS[engine] // 4
    found: list[object] = []

    def work() -> None:
        for _ in range(3):
            try:
                found.append(exports.sum(steps) == steps * (steps - 1) // 2 or "a wrong sum")
            except RuntimeError as error:
                found.append(str(error))
                time.sleep(0.01)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) <= {True, "the store is running in another thread"}
    assert True in found


def test_another_thread_is_told_while_a_guest_waits_for_its_host(engine: str) -> None:
    told: list[str] = []
    ways: list[Callable[[], object]] = []

    def try_all() -> None:
        for way in ways:
            try:
                way()
            except RuntimeError as error:
                told.append(str(error))

    def wait(x: int) -> int:
        thread = threading.Thread(target=try_all)
        thread.start()
        thread.join()
        return int(instance.exports.one())

    instance = start(engine, RECURSIVE, {"m": {"h": wait}})
    ways += [
        instance.exports.one,
        lambda: wasm.instantiate("(module)", store=instance.store),
        lambda: setattr(instance.store, "fuel", 5),
    ]
    assert instance.exports.f(1) == 1 + 1 + 40
    assert told == ["the store is running in another thread"] * 3
    assert instance.store.fuel is None
    for way in ways:
        way()


def test_another_thread_changes_a_memory_under_the_guest_or_is_told(engine: str) -> None:
    instance = start(engine, LOOPS)
    steps = STEPS[engine]
    told: list[object] = []

    def meddle() -> None:
        for _ in range(50):
            try:
                told.append(instance.exports.memory.grow(1))
            except (RuntimeError, wasm.Exhaustion) as error:
                told.append(str(error))
            time.sleep(0.0005)

    thread = threading.Thread(target=meddle)
    thread.start()
    total = instance.exports.sum(steps)
    thread.join()
    assert total == steps * (steps - 1) // 2
    assert len(told) == 50


# Processes

CHILD = """
import os, resource, sys
import pywasm_ref as wasm
from tests.engines import not_sanitized
engine, pages = sys.argv[1], int(sys.argv[2])
source = '(module (memory (export "memory") 1) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))'
exports = wasm.instantiate(source, engine=engine).exports
resource.setrlimit(resource.RLIMIT_AS, (pages << 16, pages << 16))
print(exports.f(60000), exports.f(1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
@not_sanitized
def test_a_memory_does_not_grow_where_there_is_no_space(engine: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, engine, "20000"], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["-1", "1"], done.stderr[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_goes_on_with_what_its_parent_made(engine: str) -> None:
    script = f"""
import os, sys
import pywasm_ref as wasm
from tests.engines import not_sanitized
exports = wasm.instantiate({LOOPS!r}, engine={engine!r}).exports
exports.sum(5)
child = os.fork()
if child == 0:
    exports.grow(1)
    os._exit(0 if exports.sum(100) == 4950 and exports.junk(10) == 0 else 1)
print(os.waitpid(child, 0)[1], exports.sum(100), exports.grow(0))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["0", "4950", "1"], done.stderr[-2000:]


def test_bytes_may_change_after_they_were_read(engine: str) -> None:
    data = bytearray(binary(ARGUMENTS))
    module = wasm.Module(data, engine=engine)
    data[:] = b"\xff" * len(data)
    assert wasm.instantiate(module).exports.join(1.0, 2.0, 3.0, 4.0) == (3.0, 7.0)


def binary(source: str) -> bytes:
    from pywasm_ref.binary import encode
    from pywasm_ref.text import parse

    return encode(parse(source))
