"""Memories and tables of the native engine: what grows, what is shared, what is out of bounds, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pywasm_ref.binary import encode
from pywasm_ref.errors import Exhaustion, Interrupted, Invalid, Trap, TrapReason
from pywasm_ref.features import WASM_3, Feature
from pywasm_ref.text import parse
from tests.engines import not_sanitized

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)

FEATURES = WASM_3 | {Feature.THREADS, Feature.CUSTOM_PAGE_SIZES}
PAGE = 65536
FORMS = ("1", "i64 1", "1 4 shared")
"""Limits of memories that different handlers serve."""


def module(source: str) -> Any:
    return objects.Module(encode(parse(source, FEATURES)), FEATURES)


def instance(source: str, *imports: Any) -> Any:
    return objects.Instance(module(source), imports)


def run(source: str, *arguments: Any) -> Any:
    return instance(source).exports["f"](*arguments)


def reason(source: str, *arguments: Any) -> TrapReason:
    with pytest.raises(Trap) as caught:
        run(source, *arguments)
    assert caught.value.at is not None
    return caught.value.reason


@pytest.mark.parametrize("limits", FORMS)
@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    ("store", "load", "value"),
    [
        ("i32.store16", "i32.load16_s", -2),
        ("i64.store", "i64.load", -(2**62)),
        ("f64.store", "f64.load", 1.5),
        ("f32.store", "f32.load", 0.25),
    ],
)
def test_what_is_stored_is_loaded_from_any_memory(limits: str, index: int, store: str, load: str, value: float) -> None:
    t, at = load[:3], "i64" if "i64" in limits else "i32"
    source = f"""(module (memory $a {limits}) (memory $b {limits}) (func (export "f") (param {at} {t}) (result {t})
      ({store} {index} offset=3 (local.get 0) (local.get 1)) ({load} {index} offset=3 (local.get 0))))"""
    assert run(source, PAGE - 11, value) == value
    assert reason(source, PAGE - 1, value) is TrapReason.OUT_OF_BOUNDS_MEMORY
    assert reason(source, -1, value) is TrapReason.OUT_OF_BOUNDS_MEMORY


def test_a_64_bit_offset_does_not_wrap() -> None:
    source = '(module (memory i64 1) (func (export "f") (param i64) (result i32) (i32.load8_u offset=0xffffffffffffffff (local.get 0))))'
    for address in (0, 1, 2, -1):
        assert reason(source, address) is TrapReason.OUT_OF_BOUNDS_MEMORY


@pytest.mark.parametrize("limits", ["1 3", "i64 1 3", "1 3 shared"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_memory_grows_to_its_maximum_and_no_further(limits: str, index: int) -> None:
    t = "i64" if "i64" in limits else "i32"
    source = f"""(module (memory {limits}) (memory {limits}) (func (export "g") (param {t}) (result {t}) (memory.grow {index} (local.get 0)))
      (func (export "s") (result {t}) (memory.size {index})) (func (export "f") (param {t}) (result i32) (i32.load8_u {index} (local.get 0))))"""
    exports = instance(source).exports
    assert [exports["g"](n) for n in (0, 2, 1, -1)] == [1, 1, -1, -1]
    assert exports["s"]() == 3
    assert exports["f"](3 * PAGE - 1) == 0
    with pytest.raises(Trap):
        exports["f"](3 * PAGE)


def test_memory_is_kept_while_it_outgrows_slot_after_slot() -> None:
    source = """(module (memory (export "m") 1) (func (export "g") (param i32) (result i32) (memory.grow (local.get 0))))"""
    made = instance(source)
    grow, memory = made.exports["g"], made.exports["m"]
    memoryview(memory)[5:8] = b"abc"
    size = 1
    for n in (1, 2, 4, 8, 16, 100, 1000):
        assert grow(n) == size
        size += n
        with memoryview(memory) as view:
            assert len(view) == size * PAGE
            assert bytes(view[5:8]) == b"abc"
            assert not any(view[-100:])
            view[-1] = 0


def test_the_quota_of_a_store_bounds_growth_and_creation() -> None:
    source = '(module (memory 1) (table 1 funcref) (func (export "f") (result i32) (memory.grow (i32.const 65536))))'
    assert run(source) == -1
    with pytest.raises(Exhaustion, match="more than the limit of this store"):
        instance("(module (memory i64 0x100000000000))")
    with pytest.raises(Exhaustion, match="more than the limit of this store"):
        instance("(module (table 0xffffffff funcref))")
    assert run('(module (table 1 funcref) (func (export "f") (result i32) (table.grow (ref.null func) (i32.const 10000000))))') == -1


def test_a_memory_that_grows_while_python_looks_at_it_leaves_the_view_the_old_bytes() -> None:
    source = """(module (memory (export "m") 1) (func (export "g") (result i32) (memory.grow (i32.const 1)))
      (func (export "f") (i32.store8 (i32.const 0) (i32.const 7))))"""
    made = instance(source)
    memory = made.exports["m"]
    view = memoryview(memory)
    view[0] = 5
    for _ in range(40):
        assert made.exports["g"]() > 0
    made.exports["f"]()
    view[1] = 9
    del made
    assert (view[0], view[1], len(view)) == (5, 9, PAGE)
    with memoryview(memory) as now:
        assert (now[0], now[1], len(now)) == (7, 0, 41 * PAGE)
    view.release()


def test_a_slot_that_was_used_before_reads_as_zeros() -> None:
    source = '(module (memory (export "m") 1) (func (export "f") (result i32) (i32.load (i32.const 60000))))'
    for _ in range(20):
        made = instance(source)
        assert made.exports["f"]() == 0
        with memoryview(made.exports["m"]) as view:
            view[:] = b"\xff" * PAGE


def test_pages_may_have_one_byte() -> None:
    source = """(module (memory 3 5 (pagesize 1)) (func (export "g") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "s") (result i32) (memory.size)) (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))))"""
    exports = instance(source).exports
    assert (exports["s"](), exports["g"](2), exports["g"](1), exports["s"]()) == (3, 3, -1, 5)
    assert exports["f"](4) == 0
    with pytest.raises(Trap):
        exports["f"](5)


def test_a_store_to_one_memory_leaves_the_other_alone() -> None:
    source = """(module (memory 1) (memory 1) (func (export "f") (result i32)
      (i32.store8 1 (i32.const 9) (i32.const 42)) (memory.copy 0 1 (i32.const 100) (i32.const 9) (i32.const 1))
      (memory.fill 1 (i32.const 9) (i32.const 1) (i32.const 1))
      (i32.add (i32.load8_u 0 (i32.const 100)) (i32.add (i32.load8_u 0 (i32.const 9)) (i32.load8_u 1 (i32.const 9))))))"""
    assert run(source) == 43


def test_growing_an_alias_of_memory_0_is_seen_at_once() -> None:
    owner = instance('(module (memory (export "m") 1))')
    memory = owner.exports["m"]
    source = """(module (import "a" "m" (memory 1)) (import "b" "m" (memory 1)) (func (export "f") (param i32) (result i32)
      (drop (memory.grow 1 (i32.const 20))) (i32.store8 0 (local.get 0) (i32.const 6)) (i32.load8_u 1 (local.get 0))))"""
    assert objects.Instance(module(source), (memory, memory), owner.store).exports["f"](PAGE + 9) == 6


def test_a_passive_segment_is_empty_once_it_was_dropped() -> None:
    source = """(module (memory 1) (data $d "hello") (data (i32.const 0) "x")
      (func (export "i") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2))) (func (export "d") (data.drop $d))
      (func (export "a") (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1)))
      (func (export "f") (result i32) (i32.load8_u (i32.const 3))))"""
    exports = instance(source).exports
    exports["i"](2, 0, 5)
    assert exports["f"]() == ord("e")
    for arguments in ((0, 0, 6), (PAGE - 4, 0, 5), (0, -1, 2)):
        with pytest.raises(Trap, match="out of bounds memory access"):
            exports["i"](*arguments)
    exports["d"]()
    exports["i"](0, 0, 0)
    with pytest.raises(Trap, match="out of bounds memory access"):
        exports["i"](0, 0, 1)
    with pytest.raises(Trap, match="out of bounds memory access"):
        exports["a"]()


def test_large_data_is_shared_until_it_is_written() -> None:
    text = "0123456789abcdef" * 8192
    source = f"""(module (memory (export "m") 4) (data (i32.const 5000) "{text}") (data (i32.const 5001) "!")
      (func (export "f") (param i32) (result i32) (i32.load8_u (local.get 0))) (func (export "g") (result i32) (memory.grow (i32.const 40))))"""
    made = module(source)
    one, other = objects.Instance(made), objects.Instance(made)
    with memoryview(one.exports["m"]) as view:
        assert bytes(view[4999:5004]) == b"\x000!23"
        view[5000:5004] = b"abcd"
    assert other.exports["f"](5000) == ord("0")
    assert one.exports["g"]() == 4
    assert (one.exports["f"](5003), one.exports["f"](5004 + len(text) - 5)) == (ord("d"), ord("f"))
    del made, one
    assert other.exports["f"](5000 + len(text) - 1) == ord("f")


@pytest.mark.parametrize("more", [0, 1, 40])
def test_the_space_of_large_data_is_used_again_as_if_new(more: int) -> None:
    text = "0123456789abcdef" * 8192
    source = f"""(module (memory (export "m") 24) (data (i32.const 5000) "{text}")
      (func (export "g") (param i32) (result i32) (memory.grow (local.get 0))))"""
    made = module(source)
    for _ in range(3):
        one, other = objects.Instance(made), objects.Instance(made)
        for each in (one, other):
            assert each.exports["g"](more) == 24
            with memoryview(each.exports["m"]) as view:
                assert bytes(view) == bytes(5000) + text.encode() + bytes((24 + more) * PAGE - 5000 - len(text))
                view[:] = b"x" * len(view)
        del each
    with memoryview(one.exports["m"]) as view:
        del one, other, made
        assert bytes(view) == b"x" * len(view)


def test_data_that_does_not_fit_traps_and_what_was_before_it_stays() -> None:
    owner = instance('(module (memory (export "m") 1))')
    source = '(module (import "a" "m" (memory 1)) (data (i32.const 7) "a") (data (i32.const 65536) "b"))'
    with pytest.raises(Trap, match="out of bounds memory access"):
        objects.Instance(module(source), (owner.exports["m"],), owner.store)
    assert memoryview(owner.exports["m"])[7] == ord("a")


@pytest.mark.parametrize("at", ["i32", "i64"])
def test_tables_are_read_written_grown_filled_and_copied(at: str) -> None:
    wide = "i64 " if at == "i64" else ""
    source = f"""(module (type $t (func (result i32))) (table $a {wide}2 10 funcref) (table $b 4 funcref)
      (func $x (export "x") (result i32) (i32.const 1)) (func $y (export "y") (result i32) (i32.const 2))
      (func (export "f") (param {at}) (result i32) (call_indirect $a (type $t) (local.get 0)))
      (func (export "set") (table.set $a ({at}.const 0) (ref.func $y)))
      (func (export "grow") (param {at}) (result {at}) (table.grow $a (ref.func $x) (local.get 0)))
      (func (export "size") (result {at}) (table.size $a))
      (func (export "fill") (param {at} {at}) (table.fill $a (local.get 0) (ref.func $y) (local.get 1)))
      (func (export "copy") (param {at} i32 i32) (table.fill $b (i32.const 0) (ref.func $x) (i32.const 4))
        (table.copy $a $b (local.get 0) (local.get 1) (local.get 2)))
      (func (export "null") (param {at}) (result i32) (ref.is_null (table.get $a (local.get 0)))))"""
    exports = instance(source).exports
    assert (exports["null"](1), exports["grow"](5), exports["grow"](4), exports["size"]()) == (1, 2, -1, 7)
    exports["set"]()
    assert [exports["f"](i) for i in (0, 2, 6)] == [2, 1, 1]
    with pytest.raises(Trap, match="uninitialized element"):
        exports["f"](1)
    for index in (7, -1):
        with pytest.raises(Trap, match="undefined element"):
            exports["f"](index)
    exports["fill"](5, 2)
    assert [exports["f"](i) for i in (4, 5, 6)] == [1, 2, 2]
    exports["copy"](5, 1, 2)
    assert [exports["f"](i) for i in (5, 6)] == [1, 1]
    for name, arguments in (("fill", (6, 2)), ("fill", (-1, 1)), ("copy", (6, 0, 2)), ("copy", (0, 3, 2)), ("null", (7,))):
        with pytest.raises(Trap, match="out of bounds table access"):
            exports[name](*arguments)


def test_an_indirect_call_takes_a_subtype_and_refuses_another_type() -> None:
    source = """(module (rec (type $top (sub (func (result i32)))) (type $mid (sub $top (func (result i32)))) (type $low (sub $mid (func (result i32)))))
      (type $other (func (result i32))) (table funcref (elem $f $g)) (func $f (type $low) (i32.const 5)) (func $g (type $other) (i32.const 6))
      (func (export "f") (param i32) (result i32) (call_indirect (type $top) (local.get 0)))
      (func (export "t") (param i32) (result i32) (return_call_indirect (type $mid) (local.get 0))))"""
    exports = instance(source).exports
    assert (exports["f"](0), exports["t"](0)) == (5, 5)
    for name in "ft":
        with pytest.raises(Trap, match="indirect call type mismatch"):
            exports[name](1)


def test_tables_past_65535_are_told_apart() -> None:
    source = '(module (type $t (func (result i32))) (table $a 1 funcref) (func $x (export "x") (result i32) (i32.const 1))'
    source += " (table 0 funcref)" * 65535 + " (table $z 1 funcref)"
    source += '(func (export "f") (result i32) (table.set $z (i32.const 0) (ref.func $x)) (call_indirect $z (type $t) (i32.const 0))))'
    assert run(source) == 1


@pytest.mark.parametrize(
    ("instruction", "before", "operands", "result", "after"),
    [
        ("i32.atomic.rmw.add", 7, (5,), 7, 12),
        ("i64.atomic.rmw8.sub_u", 0x1FF, (1,), 0xFF, 0x1FE),
        ("i32.atomic.rmw16.and_u", 0xABCDEF, (0xF0F,), 0xCDEF, 0xAB0D0F),
        ("i64.atomic.rmw.xor", 3, (-1,), 3, 2**64 - 4),
        ("i64.atomic.rmw32.or_u", 2**40, (3,), 0, 2**40 + 3),
        ("i32.atomic.rmw8.xchg_u", 0x505, (0x111,), 5, 0x511),
        ("i32.atomic.rmw.cmpxchg", 4, (4, 9), 4, 9),
        ("i32.atomic.rmw.cmpxchg", 4, (5, 9), 4, 4),
        ("i64.atomic.rmw8.cmpxchg_u", 4, (0x104, 9), 4, 4),
        ("i64.atomic.rmw16.cmpxchg_u", 4, (4, 0x10009), 4, 9),
    ],
)
@pytest.mark.parametrize("limits", FORMS)
def test_atomic_accesses_give_what_was_there(
    limits: str, instruction: str, before: int, operands: tuple[int, ...], result: int, after: int
) -> None:
    t, at = instruction[:3], "i64" if "i64" in limits else "i32"
    values = " ".join(f"({t}.const {value})" for value in operands)
    source = f"""(module (memory {limits}) (func (export "f") (param i64) (result {t} i64)
      (i64.atomic.store offset=8 ({at}.const 8) (local.get 0)) ({instruction} offset=8 ({at}.const 8) {values})
      (i64.atomic.load offset=8 ({at}.const 8))))"""
    got, left = run(source, before)
    assert (got, left % 2**64) == (result, after)


def test_atomic_accesses_are_aligned_and_inside() -> None:
    source = '(module (memory 1 1 shared) (func (export "f") (param i32) (result i32) (i32.atomic.load offset=2 (local.get 0))))'
    assert run(source, 2) == 0
    assert reason(source, 0) is TrapReason.UNALIGNED_ATOMIC
    assert reason(source, PAGE - 2) is TrapReason.OUT_OF_BOUNDS_MEMORY
    with pytest.raises(Invalid, match=r"alignment must be equal to natural: 2\*\*1 for an atomic access of 4 bytes"):
        module("(module (memory 1) (func (drop (i32.atomic.load align=2 (i32.const 0)))))").validate()


WAITING = """(module (memory (export "m") 1 2 shared)
  (func (export "wait") (param i32 i64) (result i32) (memory.atomic.wait32 (i32.const 8) (local.get 0) (local.get 1)))
  (func (export "notify") (param i32) (result i32) (memory.atomic.notify (i32.const 8) (local.get 0))))"""


def test_a_wait_ends_when_the_value_differs_or_the_time_is_over() -> None:
    wait = instance(WAITING).exports["wait"]
    start = time.monotonic()
    assert wait(1, -1) == 1
    assert wait(0, 30_000_000) == 2
    assert 0.03 <= time.monotonic() - start < 5
    assert reason('(module (memory 1) (func (export "f") (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)) drop))') is (
        TrapReason.EXPECTED_SHARED_MEMORY
    )
    assert run('(module (memory 1) (func (export "f") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))') == 0


def test_a_wait_sees_that_its_store_is_stopped() -> None:
    made = instance(WAITING)
    threading.Timer(0.05, made.store.interrupt).start()
    with pytest.raises(Interrupted):
        made.exports["wait"](0, -1)
    made.store.resume()
    assert made.exports["notify"](9) == 0


@not_sanitized
def test_a_hundred_thousandth_of_what_a_machine_has_is_enough_for_an_instance() -> None:
    """In a process of its own: resident memory and mappings of many live instances, each with a store, that all answer."""
    program = """if True:
        from pywasm_ref._fastcore import objects
        from pywasm_ref.text import parse
        from pywasm_ref.binary import encode
        def resident():
            return int(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1])
        m = objects.Module(encode(parse('(module (memory 1) (func (export "f") (param i32) (result i32) (local.get 0)))')))
        N = 20000
        alive = [objects.Instance(m, (), objects.Store()) for i in range(500)]
        before = resident()
        alive += [objects.Instance(m, (), objects.Store()) for i in range(N)]
        made = resident() - before
        assert all(x.exports['f'](i) == i for i, x in enumerate(alive))
        print(made / N, (resident() - before) / N, sum(1 for _ in open('/proc/self/maps')))
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("resident memory is read from /proc")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    made, answered, mappings = (float(part) for part in done.stdout.split())
    assert made <= 2
    assert answered <= 2.5
    assert mappings < 2000


@pytest.mark.skipif("PYWASM_FASTCORE_DISPATCH" in os.environ, reason="it was said which backend to test")
def test_all_of_this_holds_for_the_loop_too() -> None:
    environment = os.environ | {"PYWASM_FASTCORE_DISPATCH": "loop"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


DEEP = """
import gc
import pywasm_ref as wasm

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) // 1024

text = '''(module (func $f (export "f") (param i32) (result i32) (local LOCALS)
  (if (result i32) (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))))'''
found = []
for locals, depth in ((25, 3_900), (49_000, 0)):
    module = wasm.Module(text.replace("LOCALS", "i64 " * locals), engine="fast")
    before = resident()
    for turn in range(2):
        instances = [wasm.instantiate(module) for _ in range(100)]
        assert all(instance.exports.f(depth) == 7 for instance in instances)
        instances.clear()
        gc.collect()
    found.append(resident() - before)
print(*found)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is resident is asked of Linux")
@not_sanitized
def test_stacks_that_guests_have_filled_do_not_stay_resident() -> None:
    """Of a hundred stores that were all alive at once, after calls that use most of a stack, and one frame that does."""
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=True)
    assert all(int(grown) < 12 for grown in done.stdout.split()), done.stdout
