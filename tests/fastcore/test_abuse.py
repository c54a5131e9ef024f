"""What a hostile guest, or a host that does not know better, can do to the engine: it is stopped, refused, or does no harm."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.binary import encode
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Exhaustion, Interrupted, Trap
from pywasm_ref.features import ALL
from pywasm_ref.text import parse
from tests.engines import HERE

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


def test_a_native_store_or_instance_of_a_class_with_attributes_that_refers_to_itself_is_freed() -> None:
    """Python's collector does not look at the others, which cannot."""
    for cls, given in ((objects.Store, ()), (objects.Instance, (module(EXPORTING),)), (objects.Module, (module(EXPORTING).data,))):
        one = type("Derived", (cls,), {})(*given)
        one.me = one
        watched = weakref.ref(one)
        del one
        gc.collect()
        assert watched() is None, cls
    kept = type("Derived", (objects.Module,), {})(module(EXPORTING).data)
    kept.me = objects.Instance(kept)
    watched = weakref.ref(kept.me)
    del kept
    gc.collect()
    assert watched() is None


def test_what_is_asked_of_a_module_cannot_be_added_to() -> None:
    one = module(EXPORTING)
    for found in (one.imports, one.exports):
        assert type(found) is tuple


def test_a_store_can_be_told_its_limits_again() -> None:
    store = objects.Store(Limits(heap=10))
    store.__init__(Limits(memory_pages=1))  # as a class that is derived may do
    assert instance('(module (memory (export "m") 1))', store=store).exports["m"].pages == 1


# Functions of the host, and instances, that come back to life

LONE = """(module (table (export "t") 4 funcref) (type $r (func (result i32)))
  (func (export "call") (param i32) (result i32) (call_indirect (type $r) (local.get 0)))
  (func (export "clear") (table.fill (i32.const 0) (ref.null func) (i32.const 4))))"""
RESULT = '(module (func (export "f") (result i32) (i32.const 1)))'


def overwrite(store: Any) -> list[Any]:
    """Functions in whose place others may have been."""
    return [store.func_alloc(module(RESULT).exports[0][1].type, lambda _: [7]) for _ in range(20)]


def test_the_only_instance_of_a_store_may_have_a_function_that_python_let_go_of() -> None:
    store = objects.Store()
    made = instance(LONE, store=store)
    store.table_write(made.exports["t"], 0, store.func_alloc(module(RESULT).exports[0][1].type, lambda _: [42]))
    gc.collect()
    others = overwrite(store)
    assert made.exports["call"](0) == 42
    assert others


class Reviving:
    """The end of this brings back what it is in a circle with."""

    saved: Any = None
    held: Any

    def __del__(self) -> None:
        Reviving.saved = self.held

    def forty_two(self, _: Any) -> list[int]:
        return [42]


def test_a_function_of_the_host_that_was_revived_is_kept_when_it_ends_again() -> None:
    store = objects.Store()
    made = instance(LONE, store=store)
    circle = Reviving()
    circle.held = store.func_alloc(module(RESULT).exports[0][1].type, circle.forty_two)
    watched = weakref.ref(circle.held)
    del circle
    gc.collect()
    for code in gc.get_referents(Reviving.saved):
        if hasattr(code, "__self__"):
            code.__self__.held = None
    store.table_write(made.exports["t"], 0, Reviving.saved)
    Reviving.saved = code = None
    gc.collect()
    others = overwrite(store)
    assert made.exports["call"](0) == 42
    made.exports["clear"]()
    store.host_alloc(Reviving)
    gc.collect()
    assert watched() is None
    assert others


def test_an_instance_that_was_revived_is_kept_when_it_ends_again() -> None:
    store = objects.Store()
    made = instance(LONE, store=store)
    circle = Reviving()
    circle.held = instance(
        '(module (import "m" "h" (func)) (func (export "f") (result i32) (i32.const 42)))', circle.forty_two, store=store
    )
    del circle
    gc.collect()
    revived, Reviving.saved = Reviving.saved, None
    store.table_write(made.exports["t"], 0, revived.exports["f"])
    del revived
    gc.collect()
    others = [instance(RESULT, store=store) for _ in range(20)]
    assert made.exports["call"](0) == 42
    assert others


# Objects of the host in the heap, and Python's collector


def test_what_the_collector_of_a_store_may_not_see_is_not_collected_by_it() -> None:
    store = objects.Store()
    tag = instance('(module (tag (export "Tag") (param externref)))', store=store).exports["Tag"]
    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        kept = [(store.exn_alloc(tag, [store.host_alloc(n)]), n) for n in map(str, range(2000))]
    finally:
        gc.set_threshold(*threshold)
    assert all(store.host_read(store.exn_read(exn)[0]) == n for exn, n in kept)


def test_another_thread_makes_no_objects_while_a_guest_runs() -> None:
    source = """(module (type $s (struct (field externref))) (import "m" "started" (func $started))
      (tag (export "tag")) (func (export "f") (call $started) (loop (drop (struct.new $s (ref.null extern))) (br 0))))"""
    started, ended = threading.Event(), threading.Event()
    store = objects.Store()
    type = module('(module (func (export "f")))').exports[0][1].type

    def begin(_: Any) -> list[int]:
        started.set()
        return []

    made = instance(source, store.func_alloc(type, begin), store=store)

    def run() -> None:
        with pytest.raises(Interrupted):
            made.exports["f"]()
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    started.wait()
    with pytest.raises(RuntimeError, match="another thread"):
        store.host_alloc(object())
    with pytest.raises(RuntimeError, match="another thread"):
        store.exn_alloc(made.exports["tag"], [])
    gc.collect()
    store.interrupt()
    assert ended.wait(10)


# A process that forks

FORKING = """
import os, signal, sys, threading, time
os.register_at_fork(after_in_parent=lambda: time.sleep(0.001))  # before the engine can register anything: others have the GIL meanwhile
from pywasm_ref._fastcore import objects
from pywasm_ref.binary import encode
from pywasm_ref.features import ALL
from pywasm_ref.text import parse

def made(source):
    return objects.Instance(objects.Module(encode(parse(source, ALL)), ALL), (), objects.Store())

guest = made('(module (memory 1) (func (export "f") (loop (drop (memory.grow (i32.const 0))) (br 0))))')
threading.Thread(target=guest.exports["f"], daemon=True).start()
waiting = made('(module (memory 1 1 shared) (func (export "f") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))')
threading.Thread(target=waiting.exports["f"], daemon=True).start()

plain = objects.Module(encode(parse('(module (memory 1) (func (export "f")))', ALL)), ALL)

def start():
    while True:
        objects.Instance(plain, (), objects.Store()).exports["f"]()

threading.Thread(target=start, daemon=True).start()
for _ in range(40):
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        again = made('(module (memory (export "m") 1 1 shared) (func (export "f") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 9))))')
        os._exit(again.exports["f"]())
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("a child did not come to its end")
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_child_can_use_the_engine_whatever_other_threads_were_doing() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


# Types that are long and used often


def leb(n: int) -> bytes:
    return bytes([n & 0x7F | 0x80]) + leb(n >> 7) if n > 0x7F else bytes([n])


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def with_body(results: int, body: bytes, params: int = 0) -> bytes:
    """A module of one function; type 0 is [i32*] -> [i32*], type 1 is that of the function."""
    types = leb(2) + b"\x60" + leb(params) + b"\x7f" * params + leb(results) + b"\x7f" * results + b"\x60\x00\x00"
    code = b"\x00" + body + b"\x0b"
    return b"\0asm\1\0\0\0" + section(1, types) + section(3, b"\x01\x01") + section(10, b"\x01" + leb(len(code)) + code)


@pytest.mark.parametrize(
    ("results", "body", "words"),
    [
        (100_000, b"\x00" + b"\x02\x00\x00\x0b" * 2_000, "too many values on the stack"),
        (100_000, b"\x00" + b"\x02\x00\x00\x0b\x00" * 2_000, "too many values in the types"),
        (1_000, b"\x02\x00\x00\x0b" * 2_000, "too many values on the stack"),
    ],
)
def test_types_that_would_take_hours_are_refused_at_once_and_in_the_same_words(results: int, body: bytes, words: str) -> None:
    said = []
    for engine in HERE:
        with pytest.raises(Exhaustion, match=words) as found:
            wasm.Module(with_body(results, body), engine=engine, features=ALL)
        said.append(found.value.message)
    assert said[0] == said[-1]


def functions_of_one_type(params: int, functions: int, body: bytes = b"\2\0\x0b") -> bytes:
    types = b"\1\x60" + leb(params) + b"\x7f" * params + b"\0"
    declared = section(3, leb(functions) + b"\0" * functions)
    return b"\0asm\1\0\0\0" + section(1, types) + declared + section(10, leb(functions) + body * functions)


@pytest.mark.parametrize(("params", "functions"), [(1_001, 150_000), (100_000, 2_000), (1_000_001, 2)])
def test_parameters_of_very_many_functions_are_refused_at_once_and_in_the_same_words(params: int, functions: int) -> None:
    body = b"\5\1\1\x63\7\x0b" if functions == 2 else b"\2\0\x0b"  # the type of a local is unknown, but nobody comes to that
    data = functions_of_one_type(params, functions, body)
    started = time.process_time()
    said = []
    for engine in HERE:
        with pytest.raises(Exhaustion, match="too many values") as found:
            wasm.Module(data, engine=engine)
        said.append((found.value.message, found.value.at if functions == 2 else None))  # one counts bytes and the other instructions
    assert said[0] == said[-1]
    assert time.process_time() - started < 20


@pytest.mark.parametrize("engine", HERE)
def test_any_number_of_functions_may_have_as_many_parameters_as_other_engines_allow(engine: str) -> None:
    assert not wasm.Module(functions_of_one_type(1_000, 60_000), engine=engine).exports


@pytest.mark.parametrize("engine", HERE)
def test_the_longest_types_of_other_engines_can_be_used_everywhere(engine: str) -> None:
    body = b"\x41\x00" * 1_000 + b"\x02\x00\x0b" * 5_000 + b"\x1a" * 1_000
    assert not wasm.Module(with_body(1_000, body, 1_000), engine=engine, features=ALL).exports


def seconds(data: bytes) -> float:
    start = time.process_time()
    objects.Module(data, ALL)
    return time.process_time() - start


def test_branch_tables_in_deep_blocks_cost_what_they_name() -> None:
    def nested(n: int) -> bytes:
        return with_body(0, b"\x02\x40" * n + b"\x02\x40\x41\x00\x0e\x01\x00\x00\x0b" * n + b"\x0b" * n)

    assert seconds(nested(40_000)) < 2


def test_locals_that_are_pending_are_not_looked_for_again_and_again() -> None:
    def pending(n: int) -> bytes:
        reads = b"".join(b"\x20" + leb(i) for i in range(n))
        writes = b"".join(b"\x41\x00\x21" + leb(i) for i in range(n))
        code = b"\x01" + leb(n) + b"\x7f" + reads + writes + b"\x1a" * n + b"\x0b"
        return (
            with_body(0, b"")[:0]
            + b"\0asm\1\0\0\0"
            + section(1, b"\x01\x60\x00\x00")
            + section(3, b"\x04" + b"\x00" * 4)
            + section(10, b"\x04" + (leb(len(code)) + code) * 4)
        )

    assert seconds(pending(40_000)) < 2


# Where a wait was when it ended


def test_a_wait_that_is_stopped_says_where_it_was() -> None:
    source = """(module (memory 1 1 shared) (func $wait (export "f") (nop)
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"""
    made = instance(source, store=objects.Store())
    threading.Timer(0.1, made.store.interrupt).start()
    with pytest.raises(Interrupted) as caught:
        made.exports["f"]()
    at = caught.value.at
    assert at is not None
    assert made.module.data[at : at + 2] == b"\xfe\x01"
    assert caught.value.frames == [(0, at)]
