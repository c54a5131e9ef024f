"""The heap of the native engine: what is collected, what is kept, limits; and instances that their functions outlive."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from pywasm_ref.binary import encode
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Exhaustion, Trap, TrapReason, WasmException
from pywasm_ref.features import ALL
from pywasm_ref.syntax.types import I32, AbsHeapType, GlobalType, RefType, TableType
from pywasm_ref.syntax.types import Limits as Size
from pywasm_ref.text import parse

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)
collector = pytest.importorskip("pywasm_ref._fastcore.collector", reason="the native engine is not built", exc_type=ImportError)

EXTERN = RefType(True, AbsHeapType.EXTERN)
FUNC = RefType(True, AbsHeapType.FUNC)
ROUNDS = 200_000
"""Allocations of some ten bytes each that are several collections."""


@pytest.fixture(params=["lazy", "stress"])
def eager(request: pytest.FixtureRequest) -> Iterator[bool]:
    """With collections when they are due, and with one before every allocation."""
    collector.tune(stress=request.param == "stress")
    yield request.param == "stress"
    collector.tune()


def module(source: str) -> Any:
    return objects.Module(encode(parse(source, ALL)), ALL)


def instance(source: str, *imports: Any, store: Any = None) -> Any:
    return objects.Instance(module(source), imports, store)


def small(heap: int) -> Any:
    return objects.Store(Limits(heap=heap))


def table(store: Any, n: int = 4, of: RefType = FUNC) -> Any:
    return store.table_alloc(TableType(I32, Size(n, None), of), None)


class Held:
    """Something that can be watched."""


# What is kept, and what is not


LIST = """(module
  (type $node (sub (struct (field (mut (ref null $node))) (field i32))))
  (type $wide (sub $node (struct (field (mut (ref null $node))) (field i32) (field i64 f32 f64 v128 i8))))
  (global $list (export "list") (mut (ref null $node)) (ref.null $node))
  (func (export "grow") (param i32) (local $i i32)
    (loop $more
      (global.set $list (struct.new $wide (global.get $list) (local.get $i) (i64.const 1) (f32.const 2) (f64.const 3) (v128.const i64x2 4 5) (i32.const 6)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (local.get 0)))))
  (func (export "waste") (param i32) (result i32) (local $n (ref null $node))
    (loop $more
      (local.set $n (struct.new $node (local.get $n) (local.get 0)))
      (if (i32.rem_u (local.get 0) (i32.const 7)) (then) (else (local.set $n (ref.null $node))))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $more (local.get 0)))
    (struct.get $node 1 (struct.new $node (local.get $n) (i32.const 42))))
  (func (export "sum") (result i64) (local $n (ref null $node)) (local $sum i64)
    (local.set $n (global.get $list))
    (block $end (loop $more
      (br_if $end (ref.is_null (local.get $n)))
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get $node 1 (local.get $n)))))
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get_u $wide 6 (ref.cast (ref $wide) (local.get $n))))))
      (local.set $n (struct.get $node 0 (local.get $n)))
      (br $more)))
    (local.get $sum))
  (func (export "drop") (global.set $list (ref.null $node))))"""


def test_a_list_survives_the_collections_that_garbage_causes(eager: bool) -> None:
    i = instance(LIST)
    n = 100 if eager else 50_000
    i.exports["grow"](n)
    assert i.exports["waste"](100 if eager else ROUNDS) == 42
    assert i.exports["sum"]() == n * (n - 1) // 2 + 6 * n


def test_garbage_does_not_count_against_the_limit() -> None:
    i = instance(LIST, store=small(20_000))
    assert i.exports["waste"](ROUNDS) == 42
    i.exports["grow"](15_000)
    i.exports["drop"]()
    i.exports["grow"](15_000)
    with pytest.raises(Exhaustion, match="out of memory: the heap of 20000 is too full for 1 more"):
        i.exports["grow"](15_000)
    i.exports["drop"]()
    i.exports["grow"](15_000)
    assert i.exports["sum"]() == 15_000 * 14_999 // 2 + 6 * 15_000


@pytest.mark.parametrize("work", [0, 1, 3])
def test_marking_needs_no_memory(work: int) -> None:
    collector.tune(work=work)
    try:
        i = instance(LIST)
        i.exports["grow"](2_000)
        assert i.exports["waste"](ROUNDS) == 42
        assert i.exports["sum"]() == 2_000 * 1_999 // 2 + 6 * 2_000
    finally:
        collector.tune()


def test_numbers_that_look_like_references_are_harmless(eager: bool) -> None:
    source = """(module (type $s (struct (field i64)))
      (func (export "f") (param i64 i64 i64) (result i64) (local i64 i64) (local $i i32)
        (local.set 3 (i64.add (local.get 0) (i64.const 176))) (local.set 4 (i64.xor (local.get 1) (i64.const 8)))
        (loop $more (drop (struct.new $s (local.get 2))) (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
        (i64.add (local.get 3) (local.get 4))))"""
    if eager:
        source = source.replace("100000", "50")
    f = instance(source).exports["f"]
    for word in (0, 1, 8, 0xFFF8, 0x2000, 0x20B0, 1 << 47, (1 << 64) - 8, id(f), id(f) & ~0x1FFF, (id(f) & ~0x1FFF) + 176):
        assert f(word, word ^ 16, 7) == ((word + 176) + (word ^ 16 ^ 8)) % (1 << 64) - ((((word + 176) + (word ^ 16 ^ 8)) % (1 << 64) >> 63) << 64)


SIZES = (0, 1, 63, 64, 100, 2640, 2641, 5000, 100_000)


@pytest.mark.parametrize("field", ["i8", "i16", "i32", "i64", "f32", "f64", "v128", "anyref"])
def test_arrays_of_all_sizes_are_filled_read_and_let_go(field: str, eager: bool) -> None:
    read = "array.len" if field in ("v128", "anyref", "f32", "f64") else "array.get_u $a" if field in ("i8", "i16") else "array.get $a"
    index = "" if read == "array.len" else "(i32.sub (local.get 0) (i32.const 1))"
    wrap = "(i32.wrap_i64 {})" if field == "i64" else "{}"
    value = {"i64": "(i64.const 77)", "f32": "(f32.const 77)", "f64": "(f64.const 77)", "v128": "(v128.const i64x2 77 77)", "anyref": "(ref.i31 (i32.const 77))"}
    body = wrap.format(f"({read} (local.get 1) {index})")
    source = f"""(module (type $a (array (mut {field}))) (func (export "f") (param i32) (result i32) (local (ref null $a)) (local i32)
      (loop $more
        (drop (array.new_default $a (local.get 0)))
        (local.set 1 (array.new $a {value.get(field, "(i32.const 77)")} (local.get 0)))
        (br_if $more (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 30))))
      {body}))"""
    f = instance(source).exports["f"]
    for n in SIZES:
        if n or read == "array.len":
            assert f(n) == (n if read == "array.len" else 77)


@pytest.mark.parametrize("op", ["array.new_default $a (i32.const -1)", "array.new $a (i64.const 1) (i32.const -1)"])
def test_an_array_that_is_too_large_is_an_exhaustion(op: str) -> None:
    source = f'(module (type $a (array (mut i64))) (func (export "f") (result i32) (array.len ({op}))))'
    with pytest.raises(Exhaustion, match="out of memory: the heap of 10000000 is too full for 4294967295 more"):
        instance(source).exports["f"]()
    with pytest.raises(Exhaustion, match="out of memory"):
        instance(source, store=objects.Store(Limits(heap=1 << 62))).exports["f"]()


def test_large_objects_count_by_their_elements() -> None:
    source = """(module (type $a (array (mut i8))) (global $g (mut (ref null $a)) (ref.null $a))
      (func (export "keep") (param i32) (global.set $g (array.new_default $a (local.get 0)))))"""
    i = instance(source, store=small(1_000))
    for _ in range(50):
        i.exports["keep"](400)
    with pytest.raises(Exhaustion, match="too full for 900 more"):
        i.exports["keep"](900)
    i.exports["keep"](63)


EXCEPTIONS = """(module (tag $e (export "e") (param externref i32))
  (type $s (struct (field exnref)))
  (global $kept (mut exnref) (ref.null exn)) (global $in (mut (ref null $s)) (ref.null $s))
  (func (export "throw") (param externref i32) (throw $e (local.get 0) (local.get 1)))
  (func (export "f") (param externref i32) (result i32)
    (block $h (result externref i32 exnref)
      (loop $more
        (block $caught (result externref i32) (try_table (catch $e $caught) (throw $e (local.get 0) (local.get 1))) (unreachable))
        (drop) (drop)
        (br_if $more (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
      (try_table (catch_ref $e $h) (throw $e (local.get 0) (i32.const 5))) (unreachable))
    (global.set $kept) (global.set $in (struct.new $s (global.get $kept))) (drop) (drop)
    (block $h (result externref i32) (try_table (catch $e $h) (throw_ref (global.get $kept))) (unreachable)))
  (func (export "drop") (global.set $kept (ref.null exn)) (global.set $in (ref.null $s))))"""
EXCEPTIONS = EXCEPTIONS.replace("(func (export \"f\") (param externref i32) (result i32)", "(func (export \"f\") (param externref i32) (result externref i32)")


def test_exceptions_and_what_they_carry_are_collected(eager: bool) -> None:
    store = objects.Store(Limits(heap=5_000))
    i = instance(EXCEPTIONS, store=store)
    held = Held()
    watched = weakref.ref(held)
    f = i.exports["f"]
    assert store.func_invoke(f, [store.host_alloc(held), 100 if eager else 100_000])[1] == 5
    with pytest.raises(WasmException) as caught:
        store.func_invoke(i.exports["throw"], [store.host_alloc(held), 9])
    assert caught.value.values[1] == 9
    del held, caught
    gc.collect()
    assert watched() is not None
    store.func_invoke(i.exports["drop"], [])
    for _ in range(2):  # the first time, old slots of the frame still say where the exception was
        store.func_invoke(f, [None, 100 if eager else 100_000])
        store.func_invoke(i.exports["drop"], [])
    assert watched() is None


KEEPER = """(module (type $s (struct (field (mut externref)) (field (mut anyref))))
  (global $g (mut (ref null $s)) (ref.null $s))
  (func (export "keep") (param externref) (global.set $g (struct.new $s (local.get 0) (any.convert_extern (local.get 0)))))
  (func (export "get") (result externref) (struct.get $s 0 (global.get $g)))
  (func (export "struct") (result anyref) (global.get $g))
  (func (export "waste") (param i32) (loop $more (drop (struct.new_default $s)) (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def test_objects_of_the_host_are_released_when_no_guest_refers_to_them() -> None:
    store = objects.Store(Limits())
    i = instance(KEEPER, store=store)
    held = [Held() for _ in range(3)]
    watched = [weakref.ref(each) for each in held]
    for each in held:
        store.func_invoke(i.exports["keep"], [store.host_alloc(each)])
    del held, each
    store.func_invoke(i.exports["waste"], [ROUNDS])
    assert store.host_read(store.func_invoke(i.exports["get"], [])[0]) is watched[2]()
    assert [ref() is None for ref in watched] == [True, True, False]


def test_a_host_object_that_is_released_may_call_the_guest() -> None:
    store = objects.Store(Limits())
    i = instance(KEEPER, store=store)

    class Calls:
        def __del__(self) -> None:
            store.func_invoke(i.exports["waste"], [ROUNDS])
            done.append(1)

    done: list[int] = []
    for _ in range(3):
        store.func_invoke(i.exports["keep"], [store.host_alloc(Calls())])
        store.func_invoke(i.exports["waste"], [ROUNDS])
    assert len(done) == 2


def test_python_keeps_what_it_refers_to() -> None:
    store = objects.Store(Limits())
    i = instance(KEEPER, store=store)
    store.func_invoke(i.exports["keep"], [store.host_alloc(held := Held())])
    ref = store.func_invoke(i.exports["struct"], [])[0]
    store.func_invoke(i.exports["keep"], [None])
    store.func_invoke(i.exports["waste"], [ROUNDS])
    assert store.host_read(store.aggregate_read(ref, 0)) is held
    assert store.host_read(store.aggregate_read(ref, 1)) is held
    assert store.aggregate_size(ref) == 2
    store.aggregate_write(ref, 0, None)
    assert store.aggregate_read(ref, 0) is None
    with pytest.raises(IndexError):
        store.aggregate_read(ref, 2)
    with pytest.raises(IndexError):
        store.aggregate_write(ref, -1, None)
    with pytest.raises(TypeError):
        store.aggregate_size(store.host_alloc(held))
    with pytest.raises(TypeError):
        store.aggregate_size(store.i31_alloc(5))


def test_a_cycle_through_the_host_goes_with_its_store() -> None:
    store = objects.Store(Limits())
    i = instance(KEEPER, store=store)
    held = Held()
    held.instance, held.func = i, i.exports["keep"]  # type: ignore[attr-defined]
    watched = weakref.ref(held)
    store.func_invoke(i.exports["keep"], [store.host_alloc(held)])
    del store, i, held
    gc.collect()
    gc.collect()
    assert watched() is None


# Functions that outlive their instance


GIVER = """(module (import "m" "t" (table 4 funcref)) (global $g (mut i32) (i32.const 0))
  (func $f (export "f") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))
  (elem (i32.const 1) func $f))"""
TAKER = """(module (import "m" "t" (table 4 funcref)) (type $f (func (result i32)))
  (func (export "call") (result i32) (call_indirect (type $f) (i32.const 1)))
  (func (export "clear") (table.set (i32.const 1) (ref.null func))))"""


def test_a_table_of_the_host_keeps_the_instance_of_its_function() -> None:
    store = objects.Store(Limits())
    t = table(store)
    taker = instance(TAKER, t, store=store)
    giver = instance(GIVER, t, store=store)
    watched = weakref.ref(giver)
    del giver
    gc.collect()
    assert [taker.exports["call"]() for _ in range(3)] == [1, 2, 3]
    taker.exports["clear"]()
    other = instance(GIVER.replace("(i32.const 1) func", "(i32.const 2) func"), t, store=store)
    del other
    assert watched() is None
    with pytest.raises(Trap):
        taker.exports["call"]()


def test_a_table_of_another_instance_keeps_the_instance_of_its_function() -> None:
    store = objects.Store(Limits())
    owner = instance('(module (table (export "t") 4 funcref) (type $f (func (result i32))) (func (export "call") (result i32) (call_indirect (type $f) (i32.const 1))))', store=store)
    giver = instance(GIVER, owner.exports["t"], store=store)
    watched = [weakref.ref(owner), weakref.ref(giver)]
    del giver
    gc.collect()
    assert owner.exports["call"]() == 1
    assert owner.exports["call"]() == 2
    func = store.table_read(owner.exports["t"], 1)
    del owner
    assert func() == 3
    del func
    gc.collect()
    assert [ref() for ref in watched] == [None, None]


def test_instances_are_freed_at_once_where_nobody_has_a_function_of_them() -> None:
    gc.disable()
    try:
        store = objects.Store(Limits())
        t = table(store)
        keep = instance('(module (table (export "t") 4 funcref) (func $f (export "f")) (elem (i32.const 0) func $f))', store=store)
        watched = []
        for source, imports in ((LIST, ()), (KEEPER, ()), (TAKER, (t,)), (GIVER.replace("(elem (i32.const 1) func $f)", ""), (t,)), (TAKER, (keep.exports["t"],))):
            made = instance(source, *imports, store=store)
            watched.append(weakref.ref(made))
            del made
        assert [ref() for ref in watched] == [None] * 5
        alone = instance('(module (table (export "t") 4 funcref) (func $f) (elem (i32.const 0) func $f))')
        watched = [weakref.ref(alone), weakref.ref(alone.store)]
        del alone
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("place", ["global", "struct", "exception", "array", "elem"])
def test_every_place_keeps_the_instance_of_a_function(place: str, eager: bool) -> None:
    store = objects.Store(Limits())
    keeper = instance("""(module (type $f (func (result i32))) (type $s (struct (field funcref) (field exnref))) (type $a (array funcref))
      (tag $e (param funcref))
      (global $g (mut funcref) (ref.null func)) (global $s (mut (ref null $s)) (ref.null $s)) (global $a (mut (ref null $a)) (ref.null $a))
      (func (export "global") (param funcref) (global.set $g (local.get 0)))
      (func (export "struct") (param funcref) (global.set $s (struct.new $s (local.get 0) (ref.null exn))))
      (func (export "array") (param funcref) (global.set $a (array.new $a (local.get 0) (i32.const 100))))
      (func (export "elem") (param funcref) (global.set $a (array.new_fixed $a 2 (ref.null func) (local.get 0))))
      (func (export "exception") (param funcref) (local exnref)
        (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (local.get 0))) (unreachable))
        (local.set 1) (global.set $s (struct.new $s (ref.null func) (local.get 1))))
      (func $call (param funcref) (result i32) (call_ref $f (ref.cast (ref $f) (local.get 0))))
      (func (export "call_global") (result i32) (call $call (global.get $g)))
      (func (export "call_struct") (result i32) (call $call (struct.get $s 0 (global.get $s))))
      (func (export "call_array") (result i32) (call $call (array.get $a (global.get $a) (i32.const 99))))
      (func (export "call_elem") (result i32) (call $call (array.get $a (global.get $a) (i32.const 1))))
      (func (export "call_exception") (result i32)
        (call $call (block $h (result funcref) (try_table (catch $e $h) (throw_ref (struct.get $s 1 (global.get $s)))) (unreachable))))
      (func (export "waste") (param i32) (loop $more (drop (struct.new $s (ref.null func) (ref.null exn)))
        (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "clear") (global.set $g (ref.null func)) (global.set $s (ref.null $s)) (global.set $a (ref.null $a))))""", store=store)
    giver = instance('(module (global $n (mut i32) (i32.const 6)) (func (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))', store=store)
    watched = weakref.ref(giver)
    store.func_invoke(keeper.exports[place], [giver.exports["f"]])
    del giver
    gc.collect()
    store.func_invoke(keeper.exports["waste"], [50 if eager else ROUNDS])
    assert [keeper.exports[f"call_{place}"]() for _ in range(2)] == [7, 8]
    keeper.exports["clear"]()
    store.func_invoke(keeper.exports["waste"], [50 if eager else ROUNDS])
    keeper.exports["clear"]()
    assert watched() is None


def test_a_function_of_the_host_outlives_its_python_object() -> None:
    store = objects.Store(Limits())
    t = table(store)
    taker = instance(TAKER, t, store=store)
    watched = weakref.ref(held := Held())
    func = store.func_alloc(module('(module (func (export "f") (result i32) (i32.const 1)))').exports[0][1].type, lambda arguments, held=held: [5])
    store.table_write(t, 1, func)
    del func, held
    gc.collect()
    assert taker.exports["call"]() == 5
    taker.exports["clear"]()
    instance(GIVER.replace("(i32.const 1) func", "(i32.const 2) func"), t, store=store)
    taker.exports["clear"]()
    assert watched() is None


def test_a_running_instance_may_lose_its_last_reference() -> None:
    store = objects.Store(Limits())
    t = table(store)
    box: list[Any] = []

    def let_go() -> None:
        box.clear()
        store.table_write(t, 1, None)
        gc.collect()
        instance(LIST, store=store).exports["waste"](ROUNDS)

    box.append(instance("""(module (import "m" "t" (table 4 funcref)) (import "m" "h" (func $h)) (global $g (mut i32) (i32.const 3)) (memory 1)
      (func $f (result i32) (i32.store (i32.const 0) (i32.const 4)) (call $h) (i32.add (global.get $g) (i32.load (i32.const 0)))) (elem (i32.const 1) func $f))""", t, let_go, store=store))
    watched = weakref.ref(box[0])
    taker = instance(TAKER, t, store=store)
    assert taker.exports["call"]() == 7
    gc.collect()
    assert watched() is None


def test_instances_that_share_a_table_go_together() -> None:
    gc.disable()
    try:
        store = objects.Store(Limits())
        main = instance('(module (table (export "t") 4 funcref) (func $f (export "f")) (elem (i32.const 0) func $f))', store=store)
        side = instance(GIVER, main.exports["t"], store=store)
        watched = [weakref.ref(main), weakref.ref(side)]
        del main, side
        other = instance(GIVER, table(store), store=store)
        del other
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


def test_a_store_goes_with_what_it_had_adopted() -> None:
    store = objects.Store(Limits())
    t = table(store)
    giver = instance(GIVER, t, store=store)
    taker = instance(TAKER, t, store=store)
    watched = [weakref.ref(giver), weakref.ref(store)]
    del giver, store
    gc.collect()
    assert taker.exports["call"]() == 1
    del taker, t
    gc.collect()
    gc.collect()
    assert [ref() for ref in watched] == [None, None]


def test_an_instance_that_failed_to_start_leaves_functions_that_work() -> None:
    store = objects.Store(Limits())
    t = table(store)
    taker = instance(TAKER, t, store=store)
    with pytest.raises(Trap):
        instance(GIVER[:-1] + "(func $s (unreachable)) (start $s))", t, store=store)
    gc.collect()
    assert [taker.exports["call"]() for _ in range(2)] == [1, 2]


def test_many_instances_come_and_go() -> None:
    store = objects.Store(Limits())
    t = table(store)
    made = module(GIVER)
    watched = []
    for _ in range(300):
        each = objects.Instance(made, (t,), store)
        watched.append(weakref.ref(each))
        del each
    assert sum(ref() is not None for ref in watched) < 20
    assert instance(TAKER, t, store=store).exports["call"]() == 1


def test_the_element_that_is_missing_is_named() -> None:
    taker = instance(TAKER, table(store := objects.Store(Limits())), store=store)
    with pytest.raises(Trap, match="uninitialized element 1") as caught:
        taker.exports["call"]()
    assert caught.value.reason is TrapReason.UNINITIALIZED_ELEMENT


def test_references_of_the_wrong_type_stay_out() -> None:
    store = objects.Store(Limits())
    i = instance("""(module (type $s (struct (field i64))) (type $a (array i64)) (tag $e)
      (func (export "s") (param (ref null $s))) (func (export "a") (param (ref null $a))) (func (export "i") (param i31ref)) (func (export "q") (param eqref))
      (func (export "n") (param (ref any))) (func (export "f") (param (ref null $f))) (type $f (func (param i64)))
      (func (export "new") (result anyref) (struct.new_default $s)))""", store=store)
    new = store.func_invoke(i.exports["new"], [])[0]
    host, scalar, func = store.extern_internalize(store.host_alloc(Held())), store.i31_alloc(3), i.exports["new"]
    exn = store.exn_alloc(instance('(module (tag (export "e")))', store=store).exports["e"], ())
    fits = {"s": [new, None], "a": [None], "i": [scalar, None], "q": [new, scalar, None], "n": [new, host, scalar], "f": [None]}
    for name, good in fits.items():
        for value in (new, host, scalar, func, exn, None, store.host_alloc(5), 5):
            if any(value is each for each in good):
                store.func_invoke(i.exports[name], [value])
            else:
                with pytest.raises(TypeError):
                    store.func_invoke(i.exports[name], [value])


@pytest.mark.slow
def test_the_official_scripts_pass_with_a_collection_before_every_allocation(spec_suite: Any) -> None:
    environment = {**os.environ, "PYWASM_FASTCORE_GC": "stress"}
    command = [sys.executable, "-m", "tests.fastcore", "core/gc", "core/exceptions"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout


def test_a_global_of_the_host_keeps_the_instance_of_its_function() -> None:
    store = objects.Store(Limits())
    variable = store.global_alloc(GlobalType(True, FUNC), None)
    giver = instance(GIVER, table(store), store=store)
    store.global_write(variable, giver.exports["f"])
    del giver
    gc.collect()
    assert store.func_invoke(store.global_read(variable), []) == [1]
