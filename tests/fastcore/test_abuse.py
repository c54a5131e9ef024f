"""What a hostile guest, or a host that does not know better, can do to the engine: it is stopped, refused, or does no harm."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pywasm_ref.binary import encode
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Interrupted, Trap
from pywasm_ref.features import ALL
from pywasm_ref.text import parse

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)


def module(source: str) -> Any:
    return objects.Module(encode(parse(source, ALL)), ALL)


def instance(source: str, *imports: Any, store: Any = None) -> Any:
    return objects.Instance(module(source), imports, store)


# Operations on many elements can be stopped

MANY = """(module
  (type $bytes (array (mut i8))) (type $wide (array (mut v128))) (type $refs (array (mut (ref null $bytes)))) (type $funcs (array (mut funcref)))
  (data $d "{data}") (elem $e funcref {items})
  (func (export "f") (local $a (ref $bytes)) (local $w (ref $wide)) (local $r (ref $refs)) (local $f (ref $funcs)) (local $x (ref null array))
    (local.set $a (array.new $bytes (i32.const 1) (i32.const 4000000)))
    (local.set $w (array.new_default $wide (i32.const 1000000)))
    (local.set $r (array.new $refs (local.get $a) (i32.const 1000000)))
    (local.set $f (array.new_elem $funcs $e (i32.const 0) (i32.const 2000)))
    (loop $again {body} (br $again))))"""


@pytest.fixture(scope="module")
def many() -> Callable[[str], Any]:
    def made(body: str) -> Any:
        source = MANY.replace("{data}", "x" * 20_000).replace("{items}", "(ref.null func) " * 2_000).replace("{body}", body)
        return instance(source, store=objects.Store(Limits(heap=10**9)))

    return made


@pytest.mark.parametrize(
    "body",
    [
        "(array.fill $bytes (local.get $a) (i32.const 0) (i32.const 7) (i32.const 4000000))",
        "(array.fill $wide (local.get $w) (i32.const 0) (v128.const i64x2 1 2) (i32.const 1000000))",
        "(array.copy $wide $wide (local.get $w) (i32.const 1) (local.get $w) (i32.const 0) (i32.const 999999))",
        "(array.init_data $bytes $d (local.get $a) (i32.const 0) (i32.const 0) (i32.const 20000))",
        "(array.init_elem $funcs $e (local.get $f) (i32.const 0) (i32.const 0) (i32.const 2000))",
        "(local.set $x (array.new $wide (v128.const i64x2 1 2) (i32.const 1000000)))",
        "(local.set $x (array.new_default $wide (i32.const 1000000)))",
        "(local.set $x (array.new_data $bytes $d (i32.const 0) (i32.const 20000)))",
        "(local.set $x (array.new_elem $funcs $e (i32.const 0) (i32.const 2000)))",
    ],
)
def test_a_loop_of_operations_on_many_elements_is_stopped_soon(many: Callable[[str], Any], body: str) -> None:
    made = many(body)
    timer = threading.Timer(0.1, made.store.interrupt)
    ended = threading.Event()

    def run() -> None:
        with pytest.raises(Interrupted):
            made.exports["f"]()
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    timer.start()
    assert ended.wait(5)
    thread.join()


# Segments that are no longer there

DROPPED = """(module
  (type $bytes (array (mut i8))) (type $funcs (array (mut funcref)))
  (table 1 funcref) (memory 1)
  (elem $active (i32.const 0) func 0) (elem $passive func 0) (elem $empty funcref) (data $d "abc") (data $none "")
  (func (export "elem") (param i32 i32)
    (drop (array.new_elem $funcs $active (local.get 0) (local.get 1)))
    (array.init_elem $funcs $active (array.new_default $funcs (i32.const 1)) (i32.const 1) (local.get 0) (local.get 1))
    (drop (array.new_elem $funcs $empty (local.get 0) (local.get 1)))
    (elem.drop $passive)
    (drop (array.new_elem $funcs $passive (local.get 0) (local.get 1)))
    (table.init 0 $active (i32.const 1) (local.get 0) (local.get 1)))
  (func (export "data") (param i32 i32)
    (drop (array.new_data $bytes $none (local.get 0) (local.get 1)))
    (data.drop $d)
    (drop (array.new_data $bytes $d (local.get 0) (local.get 1)))
    (array.init_data $bytes $d (array.new_default $bytes (i32.const 1)) (i32.const 1) (local.get 0) (local.get 1))
    (memory.init $d (i32.const 65536) (local.get 0) (local.get 1))))"""


@pytest.mark.parametrize("name", ["elem", "data"])
def test_a_segment_without_content_gives_nothing_and_no_more(name: str) -> None:
    exports = instance(DROPPED).exports
    exports[name](0, 0)
    for start, n in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(Trap, match="out of bounds"):
            exports[name](start, n)


# Objects that C makes

DOORS = ["Func", "Memory", "Table", "Global", "Tag", "Exn", "Ref"]
EXPORTING = """(module (func (export "Func")) (memory (export "Memory") 1) (table (export "Table") 1 funcref)
  (global (export "Global") i32 (i32.const 0)) (tag (export "Tag")))"""


def classes() -> list[Any]:
    return [*(getattr(objects, name) for name in DOORS), *objects.Ref.__mro__[1:-1], type(instance(EXPORTING).exports)]


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_what_stands_for_something_comes_from_nowhere_else(cls: Any) -> None:
    words = f"a {cls.__name__} comes from"
    with pytest.raises(TypeError, match=words):
        cls.__new__(cls)
    with pytest.raises(TypeError, match="not safe"):
        object.__new__(cls)
    with pytest.raises(TypeError):
        cls()
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Derived", (cls,), {"__init__": lambda self: None})
    with pytest.raises(TypeError):
        type("Plain", (), {})().__class__ = cls


def live() -> dict[str, Any]:
    store = objects.Store()
    made = instance(EXPORTING, store=store)
    tag = made.exports["Tag"]
    return {
        **dict(made.exports.items()),
        "Ref": store.host_alloc("held"),
        "Exn": store.exn_alloc(tag, []),
        "Module": made.module,
        "Instance": made,
        "Exports": made.exports,
        "Store": store,
    }


@pytest.mark.parametrize("name", [*DOORS, "Module", "Instance", "Exports", "Store"])
def test_nothing_that_is_alive_is_copied_or_made_anew(name: str) -> None:
    one = live()[name]
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps, lambda one: one.__reduce__(), lambda one: one.__reduce_ex__(2)):
        with pytest.raises(TypeError):
            attempt(one)
    assert not hasattr(one, "__setstate_cython__")
    if name in DOORS:
        with pytest.raises(TypeError, match="comes from"):
            one.__init__()


def test_a_module_or_an_instance_is_made_with_what_it_needs_or_not_at_all() -> None:
    for cls in (objects.Module, objects.Instance):
        for given in ((), (None,), (1, 2)):
            with pytest.raises(TypeError):
                cls(*given)
            with pytest.raises(TypeError):
                cls.__new__(cls, *given)
    derived = type("Derived", (objects.Instance,), {})
    assert derived(module(EXPORTING)).exports["Func"]() is None
    gc.collect()


def test_a_store_can_be_told_its_limits_again() -> None:
    store = objects.Store(Limits(heap=10))
    store.__init__(Limits(memory_pages=1))  # as a class that is derived may do
    assert instance('(module (memory (export "m") 1))', store=store).exports["m"].pages == 1
