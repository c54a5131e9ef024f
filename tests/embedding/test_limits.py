"""Limits of a store, and the ways to stop a guest."""

from __future__ import annotations

import gc
import signal
import threading
import time
from typing import Any

import pytest

import pywasm_ref as wasm
from tests.engines import needs_native

SPIN = '(module (func (export "spin") (loop (br 0))) (func (export "one") (result i32) (i32.const 1)))'
RECURSE = '(module (func $f (export "f") (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))'


def guest(engine: str, text: str, **limits: Any) -> Any:
    return wasm.instantiate(text, engine=engine, limits=wasm.Limits(**limits)).exports


def test_fuel_ends_a_loop(engine: str) -> None:
    store = wasm.Store(engine, wasm.Limits(fuel=10_000))
    exports = wasm.instantiate(SPIN, store=store).exports
    with pytest.raises(wasm.Exhaustion, match="fuel"):
        exports.spin()
    with pytest.raises(wasm.Exhaustion, match="fuel"):
        exports.one()
    store.fuel = 10
    assert exports.one() == 1
    assert store.fuel is not None
    assert 0 < store.fuel < 10
    store.fuel = None
    assert exports.one() == 1


def test_fuel_is_not_used_where_there_is_no_limit(engine: str) -> None:
    store = wasm.Store(engine)
    assert store.fuel is None
    assert wasm.instantiate(SPIN, store=store).exports.one() == 1
    assert store.fuel is None


CALLS = """(module (import "env" "f" (func $f)) (func (export "one") (result i32) (i32.const 1))
  (func (export "spin") (loop (br 0)))
  (func (export "go") (call $f) (call $f) nop nop nop))"""


def setting(engine: str, fuel: int | None, *values: int | None) -> tuple[wasm.Store, Any]:
    """A guest whose host function sets the fuel to these, one after the other."""
    store = wasm.Store(engine, wasm.Limits(fuel=fuel))
    given = iter(values)

    def change() -> None:
        for value in given:
            store.fuel = value
            return

    return store, wasm.instantiate(CALLS, {"env": {"f": change}}, store=store).exports


def test_a_host_function_changes_the_fuel_of_the_guest_that_waits_for_it(engine: str) -> None:
    store, exports = setting(engine, 10, 3, 1000)
    exports.go()
    assert store.fuel == 997
    store, exports = setting(engine, 10, 5, 2)
    with pytest.raises(wasm.Exhaustion, match="fuel"):
        exports.go()
    assert store.fuel == 0
    store, exports = setting(engine, 2, None)
    exports.go()
    assert store.fuel is None


def test_fuel_is_not_put_on_while_a_guest_runs(engine: str) -> None:
    """Its code was begun without, and would be counted wrongly or not at all."""
    for values in ((5,), (None, 5)):
        store, exports = setting(engine, None if len(values) == 1 else 100, *values)
        with pytest.raises(RuntimeError, match="gets none while a guest runs"):
            exports.go()
        assert store.fuel is None
        store.fuel = 2
        assert (exports.one(), store.fuel) == (1, 1)
        with pytest.raises(wasm.Exhaustion, match="fuel"):
            exports.spin()


def test_call_depth_ends_a_recursion(engine: str) -> None:
    exports = guest(engine, RECURSE, call_depth=100)
    assert exports.f(90) == 90
    with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
        exports.f(101)
    assert exports.f(90) == 90


def test_a_thousand_calls_are_always_possible(engine: str) -> None:
    assert wasm.instantiate(RECURSE, engine=engine).exports.f(1_000) == 1_000


def test_memory_and_tables_stay_below_their_limits(engine: str) -> None:
    text = """(module (memory 1) (table 1 funcref)
      (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"""
    exports = guest(engine, text, memory_pages=2, table_entries=5)
    assert [exports.memory(2), exports.memory(1), exports.memory(1)] == [-1, 1, -1]
    assert [exports.table(5), exports.table(4), exports.table(1)] == [-1, 1, -1]
    with pytest.raises(wasm.Exhaustion, match="more than the limit"):
        guest(engine, text, memory_pages=0)
    with pytest.raises(wasm.Exhaustion, match="more than the limit"):
        wasm.Memory(wasm.Store(engine, wasm.Limits(memory_pages=3)), 4)


def test_all_memories_and_tables_of_a_store_share_its_limits(engine: str) -> None:
    text = """(module (memory 2) (table 3 funcref)
      (func (export "memory") (result i32) (memory.grow (i32.const 1)))
      (func (export "table") (result i32) (table.grow (ref.null func) (i32.const 1))))"""
    store = wasm.Store(engine, wasm.Limits(memory_pages=5, table_entries=7))
    first = wasm.instantiate(text, store=store)
    second: wasm.Instance | None = wasm.instantiate(text, store=store)
    assert [first.exports.memory(), first.exports.memory(), first.exports.table(), first.exports.table()] == [2, -1, 3, -1]
    with pytest.raises(wasm.Exhaustion, match="memory of 2 pages is more than the limit of this store"):
        wasm.instantiate(text, store=store)
    with pytest.raises(wasm.Exhaustion, match="table of 1 entries is more than the limit of this store"):
        wasm.instantiate("(module (table 1 funcref))", store=store)
    second = None
    gc.collect()
    assert second is None
    assert [first.exports.memory(), first.exports.memory(), first.exports.memory()] == [3, 4, -1]
    with pytest.raises(wasm.Exhaustion, match="memory of 1 pages is more than the limit"):
        wasm.Memory(store, 1)


@pytest.mark.parametrize("limits", [{"fuel": -1}, {"memory_pages": -1}, {"call_depth": -5}])
def test_a_negative_limit_is_refused(limits: Any) -> None:
    with pytest.raises(ValueError, match="is negative"):
        wasm.Limits(**limits)


@pytest.mark.parametrize("limits", [{"fuel": 1.5}, {"memory_pages": None}, {"call_depth": "9"}, {"table_entries": True}])
def test_a_limit_that_is_no_integer_is_refused(limits: Any) -> None:
    with pytest.raises(TypeError, match="is an integer"):
        wasm.Limits(**limits)


def test_another_thread_stops_a_guest(engine: str) -> None:
    store = wasm.Store(engine)
    exports = wasm.instantiate(SPIN, store=store).exports
    timer = threading.Timer(0.05, store.interrupt)
    timer.start()
    started = time.perf_counter()
    with pytest.raises(wasm.Interrupted):
        exports.spin()
    timer.join()
    assert time.perf_counter() - started < 10
    store.resume()
    assert exports.one() == 1


def test_an_interrupted_store_stays_so_until_it_is_resumed(engine: str) -> None:
    store = wasm.Store(engine)
    exports = wasm.instantiate(SPIN, store=store).exports
    store.interrupt()
    for _ in range(2):
        with pytest.raises(wasm.Interrupted):
            exports.spin()
    store.resume()
    assert exports.one() == 1


def test_ctrl_c_stops_a_guest_at_once(engine: str) -> None:
    exports = wasm.instantiate(SPIN, engine=engine).exports
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background ignores the signal
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            exports.spin()
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert exports.one() == 1


def test_an_observer_hears_of_each_rule() -> None:
    class Counter:
        rules: list[str]

        def __init__(self) -> None:
            self.rules = []

        def step(self, configuration: Any, instruction: Any, rule: str) -> None:
            self.rules.append(rule)

    store = wasm.Store("reference")
    exports = wasm.instantiate('(module (func (export "f") (result i32) (i32.add (i32.const 1) (i32.const 2))))', store=store).exports
    counter = Counter()
    store.observe(counter)
    assert exports.f() == 3
    assert "Step_pure/binop-val" in counter.rules
    heard = len(counter.rules)
    store.observe(None)
    assert exports.f() == 3
    assert len(counter.rules) == heard


@pytest.mark.parametrize("observer", [3, "step", object(), type("Wrong", (), {"step": 5})()])
def test_what_cannot_observe_is_refused_at_once(engine: str, observer: Any) -> None:
    with pytest.raises(TypeError, match=r"an observer has a method step\(configuration, instruction, rule\), and .* has none"):
        wasm.Store(engine).observe(observer)


@needs_native
def test_the_native_engine_applies_no_rules_that_could_be_observed() -> None:
    class Deaf:
        def step(self, configuration: Any, instruction: Any, rule: str) -> None: ...

    with pytest.raises(NotImplementedError, match="use the reference engine"):
        wasm.Store("fast").observe(Deaf())


OBJECTS = """(module (type $a (array i8)) (type $p (struct (field (ref null $a)))) (type $q (struct (field (ref null $a)) (field i32)))
  (func $make (param i32) (result (ref $a)) (array.new_default $a (local.get 0)))
  (func (export "default") (param i32) (result i32) (array.len (array.new_default $a (local.get 0))))
  (func (export "filled") (param i32) (result i32) (array.len (array.new $a (i32.const 7) (local.get 0))))
  (func (export "called") (param i32) (result i32) (array.len (call $make (local.get 0))))
  (func (export "inside") (param i32) (result i32)
    (array.len (struct.get $p 0 (struct.new $p (array.new_default $a (local.get 0))))))
  (func (export "one after another") (param i32) (result i32)
    (drop (array.new_default $a (local.get 0))) (array.len (array.new_default $a (local.get 0)))))"""


@pytest.mark.parametrize("name", ["default", "filled", "called", "inside", "one after another"])
def test_objects_of_calls_that_are_over_do_not_count(engine: str, name: str) -> None:
    """Nor do those that left their operand."""
    exports = guest(engine, OBJECTS, heap=1_000_000)
    for other in (name, "called", name, "one after another", name):
        assert exports[other](600_000) >= 600_000
