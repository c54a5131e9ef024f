"""What nobody refers to is freed; nothing is kept in a registry."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import pywasm_ref as wasm

TEXT = """(module
  (type $node (struct (field (mut (ref null $node))) (field externref)))
  (import "env" "f" (func $f))
  (memory (export "memory") 1)
  (table (export "table") 4 externref)
  (func $call (export "call") (call $f))
  (elem declare func $call)
  (func (export "node") (param externref) (result (ref $node))
    (local $n (ref $node))
    (local.set $n (struct.new $node (ref.null $node) (local.get 0)))
    (struct.set $node 0 (local.get $n) (local.get $n))
    (local.get $n)))"""


class Held:
    """Something that can be watched."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    gc.collect()
    yield
    gc.collect()


def test_an_instance_is_freed_with_its_store(engine: str) -> None:
    instance: Any = wasm.instantiate(TEXT, {"env": {"f": lambda: None}}, engine=engine)
    instance.exports.call()
    watched = [weakref.ref(each) for each in (instance, instance.store, instance.exports.memory, instance.exports.call)]
    del instance
    gc.collect()
    assert [ref() for ref in watched] == [None] * 4


def test_a_store_does_not_keep_instances_that_are_dropped(engine: str) -> None:
    store = wasm.Store(engine)
    module = wasm.Module(TEXT, engine=engine)
    watched = []
    for _ in range(5):
        held = Held()
        instance = wasm.instantiate(module, {"env": {"f": lambda held=held: None}}, store=store)
        instance.exports.table[0] = held
        watched.append(weakref.ref(held))
    del instance, held
    gc.collect()
    assert [ref() for ref in watched] == [None] * 5


def test_an_export_keeps_what_it_needs_alive(engine: str) -> None:
    heard: list[int] = []
    call = wasm.instantiate(TEXT, {"env": {"f": lambda: heard.append(1)}}, engine=engine).exports.call
    gc.collect()
    call()
    assert heard == [1]


def test_an_object_in_a_circle_of_structures_is_freed(engine: str) -> None:
    held = Held()
    exports = wasm.instantiate(TEXT, {"env": {"f": lambda: None}}, engine=engine).exports
    node = exports.node(held)
    assert node[1] is held
    watched = weakref.ref(held)
    del held, node
    gc.collect()
    assert watched() is None


def test_a_table_lets_go_of_what_is_overwritten(engine: str) -> None:
    exports = wasm.instantiate(TEXT, {"env": {"f": lambda: None}}, engine=engine).exports
    held = Held()
    exports.table[0] = held
    watched = weakref.ref(held)
    del held
    assert watched() is not None
    exports.table[0] = None
    gc.collect()
    assert watched() is None


def test_a_thousand_instances_leave_nothing_behind(engine: str) -> None:
    module = wasm.Module(TEXT, engine=engine)
    for _ in range(20):
        wasm.instantiate(module, {"env": {"f": print}}).exports.memory[0] = 1
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        wasm.instantiate(module, {"env": {"f": print}}).exports.memory[0] = 1
    gc.collect()
    assert len(gc.get_objects()) - before < 50


ALONE = "(module (table (export \"table\") 1 externref) (global (export \"g\") (mut externref) (ref.null extern)))"


@pytest.mark.parametrize("way", ["exports", "store", "raw"])
def test_an_instance_that_keeps_itself_in_its_own_store_is_freed(engine: str, way: str) -> None:
    """Its store is its own, so that nothing leads to the instance before somebody asks for a part of it, and Python's collector need not look."""
    instance: Any = wasm.instantiate(wasm.Module(ALONE, engine=engine))
    if way == "exports":
        instance.exports.table[0] = instance
    elif way == "store":
        wasm.Table(instance.store, wasm.externref, 1)[0] = instance
    else:
        store = instance.raw.store if engine == "fast" else instance.store.raw
        table = instance.raw.exports["table"]
        store.table_write(table, 0, store.host_alloc(instance))
        del store, table
    watched = weakref.ref(instance)
    del instance
    gc.collect()
    gc.collect()
    assert watched() is None


def test_python_s_collector_is_not_shown_what_nothing_leads_to(engine: str) -> None:
    if engine != "fast":
        assert gc.is_tracked(wasm.instantiate(wasm.Module(ALONE, engine=engine)))
        return
    module = wasm.Module(ALONE, engine=engine)
    instance: Any = wasm.instantiate(module)
    assert not gc.is_tracked(instance)
    assert instance.exports.g.value is None
    assert gc.is_tracked(instance)

    class Mine(wasm.Module):
        """It may refer to anything."""

    assert gc.is_tracked(wasm.instantiate(Mine(ALONE, engine=engine)))
