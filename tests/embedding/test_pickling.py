"""Errors travel between processes; what is alive does not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import pywasm_ref as wasm

TEXT = """(module
  (type $p (struct (field $x i32)))
  (tag $e (export "e") (param i32 f64 externref))
  (memory (export "memory") 1)
  (func (export "point") (result (ref $p)) (struct.new $p (i32.const 1)))
  (func (export "trap") (unreachable))
  (func (export "throw") (param externref) (throw $e (i32.const -7) (f64.const 0.5) (local.get 0))))"""


def error_of(call: Callable[[], Any]) -> wasm.WasmError:
    with pytest.raises(wasm.WasmError) as caught:
        call()
    return caught.value


def failing(engine: str, name: str, *args: Any) -> wasm.WasmError:
    exports = wasm.instantiate(TEXT, engine=engine).exports
    return error_of(lambda: exports[name](*args))


def trap_in_a_worker(engine: str) -> None:
    wasm.instantiate(TEXT, engine=engine).exports.trap()


def test_a_trap_comes_back_with_place_and_calls(engine: str) -> None:
    error = failing(engine, "trap")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is wasm.Trap
    assert (again.reason, again.args) == (wasm.TrapReason.UNREACHABLE, error.args)
    assert (str(again), again.at, again.frames, again.source) == (str(error), error.at, error.frames, error.source)


def test_an_exception_comes_back_with_its_numbers_and_without_its_tag(engine: str) -> None:
    error = failing(engine, "throw", open)
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, wasm.WasmException)
    assert (again.tag, again.exn) == (None, None)
    assert again.values == (-7, 0.5, "<builtin_function_or_method>")
    assert str(again) == str(error)


@pytest.mark.parametrize("error", [wasm.Malformed("m", 3), wasm.Invalid("i"), wasm.Unlinkable("u"), wasm.Exhaustion("e"), wasm.Interrupted("s")])
def test_every_other_error_comes_back_too(error: wasm.WasmError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.at) == (type(error), str(error), error.at)


def test_a_worker_that_traps_does_not_break_its_pool(engine: str) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for _ in range(2):
            with pytest.raises(wasm.Trap, match="unreachable"):
                pool.submit(trap_in_a_worker, engine).result(timeout=100)


@pytest.mark.parametrize("name", ["Module", "Store", "Instance", "Exports", "Struct", "Func", "Memory", "Tag", "Linker"])
def test_what_is_alive_says_that_it_cannot_be_pickled_or_copied(engine: str, name: str) -> None:
    instance = wasm.instantiate(TEXT, engine=engine)
    exports = instance.exports
    things = [instance, instance.module, instance.store, exports, exports.point, exports.point(), exports.memory, exports.e]
    things.append(wasm.Linker(instance.store))
    thing = next(thing for thing in things if type(thing).__name__ == name)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=f"{name} cannot be pickled or copied"):
            attempt(thing)
