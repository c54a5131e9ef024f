"""Both engines count the same fuel, stop at the same instruction, and have done the same until then."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import pywasm_ref as wasm

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)
ENGINES = {"reference": "reference", "fast": native.ENGINE}

LONG = 40_000
"""Instructions in a row, more than one charge can count."""

PROGRAM = """(module
  (import "host" "back" (func $back (param i32) (result i32)))
  (memory 1)
  (global $g (mut i32) (i32.const 0))
  (table $t funcref (elem $fib $through))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "branches") (param i32) (result i32) (local i32)
    (block (loop
      (br_if 1 (i32.eqz (local.get 0)))
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (if (i32.and (local.get 0) (i32.const 1))
        (then (global.set $g (local.get 0)) nop nop)
        (else nop (i32.store (i32.const 8) (local.get 1)) (global.set $g (i32.load (i32.const 8)))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br 0)))
    (local.get 1))
  (func (export "values") (param i32) (result i32)
    (block (result i32)
      (block (result i32) (i32.const 3) (br_if 1 (i32.const 9) (local.get 0)) drop nop)
      (global.set $g (i32.const 2)) nop nop drop (i32.const 4)))
  (func (export "tables") (param i32) (result i32) (local i32)
    (loop $l
      (block $a (block $b (block $c (br_table $a $b $c $l (i32.rem_u (local.get 0) (i32.const 3))))
        (local.set 1 (i32.add (local.get 1) (i32.const 5))) nop)
        (local.set 1 (i32.mul (local.get 1) (i32.const 3))) (global.set $g (local.get 1)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $l (local.get 0)))
    (local.get 1))
  (func (export "jumps") (param i32) (result i32) (local i32)
    (loop $l
      (block $a (result i32) (block $b (result i32) (i32.const 1) (i32.const 2) (br_table MANY $b (local.get 0))) nop nop (i32.add (i32.const 3)))
      (local.set 1 (i32.add (local.get 1)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $l (local.get 0)))
    (local.get 1))
  (func (export "traps") (param i32) (result i32)
    nop (global.set $g (i32.const 5)) (drop (i32.div_u (i32.const 4) (local.get 0))) nop (global.set $g (i32.const 6)) (i32.const 4))
  (tag $e (param i32))
  (func $thrower (param i32) (if (i32.and (local.get 0) (i32.const 1)) (then (throw $e (local.get 0)))) nop)
  (func (export "throws") (param i32) (result i32) (local i32)
    (loop $l
      (block $h (result i32) (try_table (catch $e $h) (call $thrower (local.get 0)) nop) (i32.const 7))
      (local.set 1 (i32.add (local.get 1)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $l (local.get 0)))
    (local.get 1))
  (func $tail (export "tail") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 3))))
    (return_call $tail (i32.sub (local.get 0) (i32.const 1))))
  (func $through (export "through") (param i32) (result i32)
    (i32.add (call $back (local.get 0)) (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0))))
  (func (export "grows") (param i32) (result i32) (drop (memory.grow (local.get 0))) (i32.store8 (i32.const 70000) (i32.const 1)) (memory.size))
  (func (export "g") (result i32) (global.get $g)))""".replace("MANY", "$a $b " * 40)

ROW = f"""(module (global $g (mut i32) (i32.const 0))
  (func (export "long") (result i32) (global.set $g (i32.const 1)) {"nop " * LONG} (global.set $g (i32.const 2)) (i32.const 7))
  (func (export "g") (result i32) (global.get $g)))"""

FUELS = (*range(70), 100, 150, 300, 10**6, 10**30, None)


@cache
def module(text: str, engine: str) -> wasm.Module:
    return wasm.Module(text, engine=ENGINES[engine])


def outcome(engine: str, fuel: int | None, call: Callable[[wasm.Instance, wasm.Store], object], text: str = PROGRAM) -> tuple[object, ...]:
    """What a call gives or raises, the fuel that is left and what was told to the host; and what the guest had done until then."""
    store = wasm.Store(ENGINES[engine], wasm.Limits(fuel=fuel))
    heard: list[object] = []
    instance: Any = None

    def back(number: int) -> int:
        heard.append((number, store.fuel))
        return int(instance.exports.fib(number))

    instance = wasm.instantiate(module(text, engine), {"host": {"back": back}}, store=store)
    try:
        result: object = call(instance, store)
    except wasm.WasmError as error:
        result = type(error), str(error).splitlines()[0].split(": ")[-1]
    left, store.fuel = store.fuel, None
    return result, left, heard, instance.exports.g()


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        *(("fib", n) for n in (1, 6)),
        *(("branches", n) for n in (0, 1, 5)),
        *(("values", n) for n in (0, 1)),
        *(("traps", n) for n in (0, 1)),
        *(("grows", n) for n in (0, 1)),
        *(("tables", 7), ("jumps", 3), ("throws", 5), ("tail", 5), ("through", 3)),
    ],
)
def test_both_engines_stop_at_the_same_instruction(name: str, argument: int) -> None:
    for fuel in FUELS:
        reference, fast = (outcome(engine, fuel, lambda i, _: getattr(i.exports, name)(argument)) for engine in ("reference", "fast"))
        assert fast == reference, fuel


@pytest.mark.parametrize("fuel", [0, 1, 2, 3, 29_999, 30_000, 30_001, 30_002, LONG, LONG + 4, LONG + 5, LONG + 6])
def test_a_long_row_of_instructions_is_counted_too(fuel: int) -> None:
    reference, fast = (outcome(engine, fuel, lambda i, _: i.exports.long(), ROW) for engine in ("reference", "fast"))
    assert fast == reference


def test_fuel_that_is_set_later_counts_from_then_on() -> None:
    def call(instance: wasm.Instance, store: wasm.Store) -> object:
        first = instance.exports.fib(5)
        store.fuel = 1000
        second = instance.exports.through(4)
        third, store.fuel = store.fuel, None
        return first, second, third, instance.exports.fib(7), store.fuel

    assert outcome("fast", None, call) == outcome("reference", None, call)


def test_fuel_is_shared_by_instances_that_call_each_other() -> None:
    found = []
    for engine in ("reference", "fast"):
        store = wasm.Store(ENGINES[engine], wasm.Limits(fuel=50))
        library = wasm.instantiate('(module (func (export "f") (param i32) (result i32) nop nop (local.get 0)))', store=store)
        program = wasm.instantiate(
            """(module (import "l" "f" (func $f (param i32) (result i32)))
                 (func (export "run") (param i32) (result i32) (drop (call $f (local.get 0))) nop (return_call $f (i32.const 8))))""",
            {"l": library},
            store=store,
        )
        results = []
        for _ in range(6):
            try:
                results.append((program.exports.run(1), store.fuel))
            except wasm.Exhaustion:
                results.append(("out", store.fuel))
        found.append(results)
    assert found[0] == found[1]
    assert found[0][-1] == ("out", 0)


def test_a_host_function_can_give_more_fuel() -> None:
    found = []
    for engine in ("reference", "fast"):
        store = wasm.Store(ENGINES[engine], wasm.Limits(fuel=30))

        def more(store: wasm.Store = store) -> None:
            store.fuel = 40

        instance = wasm.instantiate(
            '(module (import "h" "more" (func $more)) (func (export "f") (loop nop nop nop nop nop (call $more) (br 0))))'.replace(
                "(br 0)", "(br_if 0 (i32.const 0))"
            ),
            {"h": {"more": more}},
            store=store,
        )
        instance.exports.f()
        found.append(store.fuel)
    assert found == [38, 38]


def test_a_catch_in_a_loop_without_end_ends_with_the_fuel() -> None:
    source = """(module (tag $e) (func (export "f") (loop $l (block $h (try_table (catch $e $h) (throw $e))) (br $l))))"""
    for engine in ("reference", "fast"):
        store = wasm.Store(ENGINES[engine], wasm.Limits(fuel=100_003))
        instance = wasm.instantiate(source, store=store)
        with pytest.raises(wasm.Exhaustion, match="fuel exhausted"):
            instance.exports.f()
        assert store.fuel == 0
