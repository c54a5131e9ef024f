"""What a store that was interrupted still runs, and where a guest stops whose host function interrupts it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import pywasm_ref as wasm

TEXT = """(module
  (import "env" "f" (func $f)) (export "host" (func $f)) (type $t (func)) (tag $oops (export "oops")) (table funcref (elem $f))
  (global $g (export "g") (mut i32) (i32.const 0))
  (func $in (call $f) (global.set $g (i32.const 1)))
  (func (export "once") (result i32) (call $f) (i32.const 5))
  (func (export "twice") (call $f) (call $f))
  (func (export "indirectly") (call_indirect (type $t) (i32.const 0)) (global.set $g (i32.const 1)))
  (func (export "deep") (call $in) (global.set $g (i32.const 1)))
  (func (export "tail") (return_call $f))
  (func (export "before") (global.set $g (i32.const 1)) (call $f))
  (func (export "catch") (block $h (try_table (catch_all $h) (call $f))) (global.set $g (i32.const 1)))
  (func (export "spin") (loop $on (br $on))))"""


class Guest:
    """An instance whose import interrupts its store, and then does what `action` says."""

    def __init__(self, engine: str, fuel: int | None = None) -> None:
        self.calls = 0
        self.action: Any = lambda: None
        self.store = wasm.Store(engine, wasm.Limits(fuel=fuel))
        self.exports: Any = wasm.instantiate(TEXT, {"env": {"f": self.stop}}, store=self.store).exports

    def stop(self) -> None:
        self.calls += 1
        self.store.interrupt()
        self.action()

    def throw(self) -> None:
        raise wasm.WasmException(self.exports.oops, ())


@pytest.mark.parametrize("fuel", [None, 100])
@pytest.mark.parametrize("name", ["once", "twice", "indirectly", "deep", "catch", "tail"])
def test_a_guest_whose_host_function_interrupts_it_stops_when_that_returns(engine: str, name: str, fuel: int | None) -> None:
    guest = Guest(engine, fuel)
    with pytest.raises(wasm.Interrupted) as stopped:
        guest.exports[name]()
    assert (guest.calls, guest.exports.g.value) == (1, 0)
    if name != "tail":  # the frame that called is gone, which the engines tell each in its own way
        assert stopped.value.source is not None
        assert stopped.value.at == TEXT.index("(call", TEXT.index(f'"{name}"' if name != "deep" else "$in")) + 1
        assert stopped.value.frames[0][1] == stopped.value.at
    if fuel is not None:
        assert guest.store.fuel == fuel - {"indirectly": 2, "deep": 2, "catch": 3}.get(name, 1)
    guest.store.resume()
    guest.calls = 0
    with pytest.raises(wasm.Interrupted):
        guest.exports[name]()
    assert guest.calls == 1


def test_a_guest_that_was_stopped_catches_nothing(engine: str) -> None:
    guest = Guest(engine)
    guest.action = guest.throw
    with pytest.raises(wasm.Interrupted):
        guest.exports["catch"]()
    assert guest.exports.g.value == 0
    guest.store.resume()
    missing: dict[str, int] = {}
    guest.action = lambda: missing["missing"]
    with pytest.raises(KeyError, match="missing"):
        guest.exports["catch"]()


def test_the_guest_outside_is_stopped_as_well(engine: str) -> None:
    outer: list[Any] = []

    def call() -> None:
        with pytest.raises(wasm.Interrupted):
            inner.exports.once()

    inner = Guest(engine)
    text = '(module (import "env" "f" (func $f)) (global (export "g") (mut i32) (i32.const 0)) (func (export "go") (call $f) (global.set 0 (i32.const 1))))'
    outer.append(wasm.instantiate(text, {"env": {"f": call}}, store=inner.store).exports)
    with pytest.raises(wasm.Interrupted):
        outer[0].go()
    assert outer[0].g.value == 0


def test_nothing_runs_in_a_store_that_is_interrupted(engine: str) -> None:
    guest = Guest(engine)
    starts = '(module (import "env" "f" (func $f)) (start $f))'
    written = '(module (import "env" "m" (memory 1)) (data (i32.const 0) "x"))'
    memory = wasm.Memory(guest.store, 1)
    ways = [
        guest.exports.before,
        guest.exports.host,
        wasm.Func(guest.store, guest.stop, wasm.functype([], [])),
        lambda: wasm.instantiate(starts, {"env": {"f": guest.stop}}, store=guest.store),
        lambda: wasm.instantiate(starts, {"env": {"f": guest.exports.host}}, store=guest.store),
        lambda: wasm.instantiate(written, {"env": {"m": memory}}, store=guest.store),
        lambda: wasm.instantiate("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", store=guest.store),
    ]
    guest.store.interrupt()
    for way in ways:
        with pytest.raises(wasm.Interrupted):
            way()
    assert (guest.calls, guest.exports.g.value, memory[0]) == (0, 0, 0)
    for way in ways[1:]:
        guest.store.resume()
        way()
    assert (guest.calls, memory[0]) == (4, ord("x"))


def test_a_host_function_that_another_thread_interrupts_is_the_last(engine: str) -> None:
    guest = Guest(engine)
    guest.exports.g.value = 0
    entered = threading.Event()

    def wait() -> None:
        entered.set()
        stopper.join()

    def stop() -> None:
        entered.wait()
        guest.store.interrupt()

    stopper = threading.Thread(target=stop)
    stopper.start()
    text = '(module (import "env" "f" (func $f)) (func (export "go") (call $f) (call $f)))'
    with pytest.raises(wasm.Interrupted):
        wasm.instantiate(text, {"env": {"f": wait}}, store=guest.store).exports.go()
    assert entered.is_set()
