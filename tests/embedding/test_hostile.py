"""The face used wrongly: any argument to any operation gives a result, or one of the errors that a program expects."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pywasm_ref as wasm

EXPECTED = (TypeError, ValueError, OverflowError, IndexError, KeyError, AttributeError, OSError, wasm.WasmError)
LIMITS = wasm.Limits(fuel=100_000, memory_pages=16, table_entries=100, call_depth=50)
TEXT = """(module
  (type $s (struct (field $a (mut i32)) (field $b (mut externref)) (field $c (mut (ref null $s)))))
  (tag (export "tag") (param i32 externref))
  (memory (export "memory") 1)
  (table (export "table") 2 funcref)
  (global (export "global") (mut v128) (v128.const i64x2 0 0))
  (func (export "numbers") (param i32 i64 f32 f64 v128))
  (func (export "references") (param funcref externref anyref i31ref (ref null $s) exnref arrayref))
  (func (export "make") (result (ref $s)) (struct.new_default $s)))"""


class Odd:
    """An object whose special methods all fail."""

    def __index__(self) -> int:
        raise ValueError("no index")

    def __float__(self) -> float:
        raise ValueError("no float")

    def __repr__(self) -> str:
        raise ValueError("no repr")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]


class OddInt(int):
    def __repr__(self) -> str:
        raise ValueError("no repr")


class World:
    """One of everything, of two stores."""

    def __init__(self, engine: str) -> None:
        self.store, self.other = wasm.Store(engine, LIMITS), wasm.Store(engine, LIMITS)
        self.guest: Any = wasm.instantiate(TEXT, store=self.store).exports
        strange: Any = wasm.instantiate(TEXT, store=self.other).exports
        self.struct = self.guest.make()
        self.things: list[Any] = [
            *(None, True, 0, -1, 2**31, 2**32, 2**63, 2**64, 1 << 20_000, -(1 << 20_000), 0.5, float("nan"), float("inf"), 1j),
            *(
                "",
                "a",
                "\ud800",
                "(module)",
                "x" * 10_000,
                b"",
                bytes(16),
                bytearray(3),
                memoryview(b"abcd")[::2],
                slice(None),
                slice(-1, 5, 2),
                [],
                {},
                (),
                ...,
            ),
            *(Odd(), OddInt(7), OddInt(2**40), print, int, object(), wasm.i32, wasm.funcref, wasm.I31(4), wasm.functype([wasm.i32])),
            *(self.store, self.other, self.guest, self.struct, strange.make()),
            *(thing[name] for thing in (self.guest, strange) for name in thing),
        ]
        g = self.guest
        self.operations: list[Callable[..., Any]] = [
            *(g.numbers, g.references, g.__getitem__, g.__contains__, lambda name: getattr(g, name)),
            *(g.memory.read, g.memory.write, g.memory.load, g.memory.store, g.memory.grow, g.memory.__getitem__, g.memory.__setitem__),
            *(g.table.__getitem__, g.table.__setitem__, g.table.grow, lambda value: setattr(g["global"], "value", value)),
            *(
                self.struct.__getitem__,
                self.struct.__setitem__,
                lambda value: setattr(self.struct, "b", value),
                lambda value: setattr(self.struct, "c", value),
            ),
            *(wasm.I31, wasm.functype, wasm.Limits, lambda value: setattr(self.store, "fuel", 100_000 if value is None else value)),
            *(self.made(cls) for cls in (wasm.Memory, wasm.Table, wasm.Global, wasm.Tag, wasm.Func, wasm.Linker)),
            *(wasm.engine, wasm.Store, lambda *args: wasm.instantiate(*args, store=self.store)),
            lambda tag, values: g.references(None, wasm.WasmException(tag, values), None, None, None, None, None),
            lambda value: wasm.instantiate('(module (import "a" "b" (global externref)))', {"a": {"b": value}}, store=self.store),
            lambda value: wasm.instantiate('(module (import "a" "b" (global i64)))', {"a": {"b": value}}, store=self.store),
            lambda value: wasm.instantiate('(module (import "a" "b" (memory 1)))', {"a": value}, store=self.store),
            lambda value: wasm.instantiate('(module (import "a" "f" (func)) (start 0))', {"a": {"f": lambda: value}}, store=self.store),
        ]

    def made(self, cls: Any) -> Callable[..., Any]:
        return lambda *args: cls(self.store, *args)


@pytest.fixture(scope="module")
def world(engine: str) -> World:
    return World(engine)


@settings(max_examples=1_500, deadline=None)
@given(data=st.data())
def test_no_argument_breaks_anything(world: World, data: st.DataObject) -> None:
    operation = world.operations[data.draw(st.integers(0, len(world.operations) - 1))]
    places = data.draw(st.lists(st.integers(0, len(world.things) - 1), max_size=7))
    world.store.resume()
    world.store.fuel = 100_000
    with contextlib.suppress(*EXPECTED):
        operation(*(world.things[place] for place in places))


def test_each_operation_takes_each_thing(world: World) -> None:
    for operation in world.operations:
        for thing in world.things:
            for args in ((thing,), (thing, thing), (0, thing), (thing, 0), ("i32", thing, thing), ("i32", 0, thing)):
                world.store.fuel = 100_000
                with contextlib.suppress(*EXPECTED):
                    operation(*args)
