"""What nobody refers to is freed; nothing is kept in a registry."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.features import Feature
from pywasm_ref.text import parse

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


class MyText(str):
    """A text that may refer to anything."""


class MyNumber(int):
    """A number that may."""


class MyLimits(wasm.Limits):
    """Limits that may."""


class MyFeatures(frozenset[Feature]):
    """Features that may."""


class MyModule(wasm.Module):
    """A module that may."""


def circle_through(part: str, engine: str) -> Any:
    """An instance whose module, limits or features refer to it, and that nobody has asked for its exports."""
    text = MyText(ALONE) if part == "text" else ALONE
    features = MyFeatures(Feature) if part == "features" else frozenset(Feature)
    fuel = MyNumber(5) if part == "number" else None
    limits = MyLimits(fuel) if part == "limits" else wasm.Limits(fuel)
    module = (MyModule if part == "module" else wasm.Module)(text, engine, features)
    instance: Any = wasm.instantiate(module, limits=limits)
    if part == "features":  # the face makes a plain set of them
        instance = module.engine.store(limits).module_instantiate(module.engine.adopt(parse(text), features), [])
    held: Any = {"text": text, "features": features, "number": fuel, "limits": limits, "module": module}[part]
    vars(held)["me"] = instance
    return instance


@pytest.mark.parametrize("part", ["text", "features", "number", "limits", "module"])
def test_an_instance_that_what_it_is_made_of_refers_to_is_freed(engine: str, part: str) -> None:
    instance = circle_through(part, engine)
    watched = weakref.ref(instance)
    del instance
    gc.collect()
    assert watched() is None


def test_an_instance_of_a_class_with_attributes_that_refers_to_itself_is_freed(engine: str) -> None:
    module = wasm.Module(ALONE, engine=engine)

    class Mine(wasm.Instance):
        me: Any

    mine = Mine(wasm.Store(engine), module)
    mine.me = mine
    watched = weakref.ref(mine)
    del mine
    gc.collect()
    assert watched() is None


@pytest.mark.parametrize(("of", "name"), [("instance", "module"), ("instance", "exports"), ("instance", "store"), ("instance", "raw"),
                                          ("module", "engine"), ("module", "features"), ("module", "raw"), ("module", "_features")])  # fmt: skip
def test_what_modules_and_instances_are_made_of_cannot_be_exchanged(engine: str, of: str, name: str) -> None:
    module = wasm.Module(ALONE, engine=engine)
    one = wasm.instantiate(module) if of == "instance" else module
    with pytest.raises(AttributeError):
        setattr(one, name, one)
    with pytest.raises(AttributeError):
        delattr(one, name)
    with pytest.raises(AttributeError):
        one.me = one
