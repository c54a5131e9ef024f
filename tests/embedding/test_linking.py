"""Imports: where they come from, and what is said when they do not fit."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

import pywasm_ref as wasm
from tests.engines import needs_native

COUNTER = """(module
  (global $n (export "n") (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (table (export "table") 2 funcref)
  (tag (export "oops") (param i32))
  (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))"""
USER = """(module
  (import "counter" "next" (func $next (result i32)))
  (import "counter" "n" (global $n (mut i32)))
  (func (export "skip") (result i32) (global.set $n (i32.const 40)) (call $next)))"""


def wanting(what: str) -> str:
    return f'(module (import "env" "it" {what}))'


def link(engine: str, what: str, value: Any) -> wasm.Instance:
    return wasm.instantiate(wanting(what), {"env": {"it": value}}, engine=engine)


def test_an_instance_is_a_whole_module_of_imports(engine: str) -> None:
    store = wasm.Store(engine)
    counter = wasm.instantiate(COUNTER, store=store)
    for namespace in (
        counter,
        counter.exports,
        {"next": counter.exports.next, "n": counter.exports.n},
        SimpleNamespace(next=counter.exports.next, n=counter.exports.n),
    ):
        assert wasm.instantiate(USER, {"counter": namespace}, store=store).exports.skip() == 41
    assert counter.exports.n.value == 41


def test_every_kind_of_extern_can_be_given(engine: str) -> None:
    store = wasm.Store(engine)
    counter = wasm.instantiate(COUNTER, store=store)
    text = """(module (import "c" "memory" (memory 1)) (import "c" "table" (table 2 funcref)) (import "c" "oops" (tag (param i32)))
      (import "c" "f" (func)) (import "c" "g" (global f64)))"""
    extra = {"f": wasm.Func(store, lambda: None, wasm.functype([])), "g": wasm.Global(store, wasm.f64, 0.5)}
    wasm.instantiate(text, {"c": {name: counter.exports[name] for name in counter.exports} | extra}, store=store)


def test_a_number_stands_for_an_immutable_global(engine: str) -> None:
    text = '(module (import "env" "it" (global $g {0})) (func (export "get") (result {0}) (global.get $g)))'
    for type, value, expected in (
        ("i32", 2**32 - 1, -1),
        ("i64", 5, 5),
        ("f32", 0.5, 0.5),
        ("v128", bytes(16), bytes(16)),
        ("externref", "any", "any"),
        ("funcref", None, None),
    ):
        assert wasm.instantiate(text.format(type), {"env": {"it": value}}, engine=engine).exports.get() == expected


def test_an_immutable_global_takes_any_reference_of_its_type(engine: str) -> None:
    store = wasm.Store(engine)
    text = '(module (import "env" "it" (global $g {0})) (func (export "get") (result {0}) (global.get $g)))'
    function = wasm.Func(store, lambda: None, wasm.functype([]))
    assert wasm.instantiate(text.format("funcref"), {"env": {"it": function}}, store=store).exports.get() == function
    for value in (len, [1], function, store):
        assert wasm.instantiate(text.format("externref"), {"env": {"it": value}}, store=store).exports.get() is value


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("(func (param i32))", 3, r"env\.it: function \[i32\] -> \[\] is needed, given is int 3"),
        ("(func (param i32))", None, "given is None"),
        ("(memory 1)", bytearray(65536), "memory of 1 page is needed, given is bytearray"),
        ("(global i32)", "four", "an int is expected for i32, not str 'four'"),
        ("(global i32)", 2**40, "out of range for i32"),
        ("(global i32)", len, "immutable global i32 is needed, given is builtin_function_or_method len: an int is expected"),
        ("(global funcref)", len, "is no funcref"),
        ("(global (mut i32))", 4, "mutable global i32 is needed, given is int 4; give a Global"),
        ("(table 1 funcref)", [], "table of 1 funcref entry is needed, given is list"),
        ("(tag)", print, r"tag \[\] -> \[\] is needed"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_what_is_needed(engine: str, what: str, value: Any, message: str) -> None:
    with pytest.raises(wasm.Unlinkable, match=f"incompatible import type.*{message}"):
        link(engine, what, value)


def test_an_extern_of_another_type_is_told_with_both_types(engine: str) -> None:
    store = wasm.Store(engine)
    cases: list[tuple[str, Any, str]] = [
        (
            "(func (param i32))",
            wasm.Func(store, lambda x: None, wasm.functype([wasm.i64])),
            r"function \[i32\] -> \[\] is needed, given is function \[i64\] -> \[\]",
        ),
        ("(memory 2)", wasm.Memory(store, 1), "memory of 2 pages is needed, given is memory of 1 page"),
        ("(memory 1 2)", wasm.Memory(store, 1, 3), "memory of 1 to 2 pages is needed, given is memory of 1 to 3 pages"),
        ("(global i32)", wasm.Global(store, wasm.i32, 1, mutable=True), "given is mutable global i32"),
        ("(memory 1)", wasm.Global(store, wasm.i32, 1), "given is immutable global i32"),
        ("(table 1 externref)", wasm.Table(store, wasm.funcref, 1), "given is table of 1 funcref entry"),
        ("(tag (param i32))", wasm.Tag(store), r"given is tag \[\] -> \[\]"),
    ]
    for what, value, message in cases:
        with pytest.raises(wasm.Unlinkable, match=message):
            wasm.instantiate(wanting(what), {"env": {"it": value}}, store=store)


def test_a_missing_import_is_told_with_a_near_name(engine: str) -> None:
    text = '(module (import "env" "log" (func (param i32))))'
    with pytest.raises(
        wasm.Unlinkable, match=r"unknown import env\.log: function \[i32\] -> \[\] is needed, and no module 'env' is provided"
    ):
        wasm.instantiate(text, engine=engine)
    with pytest.raises(wasm.Unlinkable, match="no module 'env' is provided; did you mean 'Env'"):
        wasm.instantiate(text, {"Env": {}}, engine=engine)
    with pytest.raises(wasm.Unlinkable, match="module 'env' does not have it; did you mean 'logs'"):
        wasm.instantiate(text, {"env": {"logs": print, "other": print}}, engine=engine)


def test_a_python_module_can_be_imported_from(engine: str) -> None:
    text = '(module (import "math" "sin" (func $sin (param f64) (result f64))) (import "math" "pi" (global $pi f64)) (func (export "f") (result f64) (call $sin (global.get $pi))))'
    assert wasm.instantiate(text, {"math": math}, engine=engine).exports.f() == math.sin(math.pi)


@pytest.mark.parametrize("imports", [[], 3, "env", {"env": 3}, {"env": None}, {"env": "abc"}, {"env": "it"}, {"env": ["it"]}, {3: {}}])
def test_imports_of_a_strange_shape_are_refused(engine: str, imports: Any) -> None:
    with pytest.raises((TypeError, wasm.Unlinkable)):
        wasm.instantiate(wanting("(func)"), imports, engine=engine)


def test_what_belongs_to_another_store_cannot_be_imported(engine: str) -> None:
    with pytest.raises(
        wasm.Unlinkable,
        match=r"incompatible import type for env\.it: memory of 1 page is needed, given is Memory: this Memory belongs to another store; make both with the same store=$",
    ):
        link(engine, "(memory 1)", wasm.Memory(wasm.Store(engine), 1))


def test_a_linker_links_by_name(engine: str) -> None:
    store = wasm.Store(engine)
    linker = wasm.Linker(store)
    heard: list[int] = []
    linker.define("env", "hear", heard.append)
    linker.define_module("math", {"twice": lambda x: 2 * x})
    linker.instantiate(COUNTER, "counter")
    program = linker.instantiate("""(module
      (import "env" "hear" (func $hear (param i32))) (import "math" "twice" (func $twice (param i32) (result i32)))
      (import "counter" "next" (func $next (result i32)))
      (func (export "run") (call $hear (call $twice (call $next)))))""")
    program.exports.run()
    program.exports.run()
    assert heard == [2, 4]


def test_a_linker_does_not_shadow_unless_it_may(engine: str) -> None:
    linker = wasm.Linker(wasm.Store(engine))
    linker.define("env", "f", print)
    linker.instantiate("(module)", "empty")
    with pytest.raises(ValueError, match=r"env\.f is defined already"):
        linker.define("env", "f", print)
    with pytest.raises(ValueError, match="module 'env' is defined already"):
        linker.define_module("env", {})
    with pytest.raises(ValueError, match="module 'empty' is defined already"):
        linker.instantiate("(module)", "empty")
    with pytest.raises(ValueError, match="'empty' is defined as a whole"):
        linker.define("empty", "f", print)
    shadowing = wasm.Linker(linker.store, allow_shadowing=True)
    shadowing.define("env", "it", 1)
    shadowing.define("env", "it", 2)
    text = '(module (import "env" "it" (global $g i32)) (func (export "get") (result i32) (global.get $g)))'
    assert shadowing.instantiate(text, "m").exports.get() == 2
    shadowing.instantiate("(module)", "m")


@needs_native
def test_a_module_of_another_engine_is_refused(engine: str) -> None:
    other = "fast" if engine == "reference" else "reference"
    module = wasm.Module("(module)", engine=engine)
    with pytest.raises(ValueError, match=f"the store to {other}"):
        wasm.instantiate(module, store=wasm.Store(other))
    with pytest.raises(ValueError, match=f"the store to {other}"):
        wasm.instantiate(module, engine=other)


def test_a_start_function_that_traps_leaves_no_instance(engine: str) -> None:
    with pytest.raises(wasm.Trap, match="unreachable"):
        wasm.instantiate("(module (func $f unreachable) (start $f))", engine=engine)


class Lent:
    """A namespace with something to hide."""

    def __init__(self) -> None:
        self._key = "s3cret"
        self.key = "public"


@pytest.mark.parametrize("name", ["_key", "__module__", "__class__", "__dict__"])
def test_an_object_lends_its_public_attributes_only(engine: str, name: str) -> None:
    text = '(module (import "env" "{0}" (global $g externref)) (func (export "get") (result externref) (global.get $g)))'
    assert wasm.instantiate(text.format("key"), {"env": Lent()}, engine=engine).exports.get() == "public"
    with pytest.raises(wasm.Unlinkable, match=rf"unknown import env\.{name}: .* module 'env' does not have it(; did you mean 'key'\?)?$"):
        wasm.instantiate(text.format(name), {"env": Lent()}, engine=engine)


def test_a_guest_cannot_set_attributes_of_what_lends(engine: str) -> None:
    lent = Lent()
    text = '(module (import "env" "__setattr__" (func (param externref externref))))'
    with pytest.raises(wasm.Unlinkable, match="unknown import"):
        wasm.instantiate(text, {"env": lent}, engine=engine)


def test_a_mapping_lends_any_name(engine: str) -> None:
    text = '(module (import "env" "_key" (global $g i32)) (func (export "get") (result i32) (global.get $g)))'
    assert wasm.instantiate(text, {"env": {"_key": 7}}, engine=engine).exports.get() == 7


@pytest.mark.parametrize("namespace", [None, 3, "text", print, [1], b"bytes"])
def test_what_has_no_names_to_lend_is_no_namespace(engine: str, namespace: Any) -> None:
    with pytest.raises(TypeError, match="module 'env' is a mapping, an instance or an object with attributes, not "):
        wasm.instantiate(wanting("(func)"), {"env": namespace}, engine=engine)
    with pytest.raises(TypeError, match="module 'env' is a mapping"):
        wasm.Linker(wasm.Store(engine)).define_module("env", namespace)


def test_a_function_alone_is_no_namespace(engine: str) -> None:
    store = wasm.Store(engine)
    function = wasm.Func(store, lambda: None, wasm.functype([]))
    with pytest.raises(TypeError, match="module 'env' is a mapping"):
        wasm.instantiate(wanting("(func)"), {"env": function}, store=store)
