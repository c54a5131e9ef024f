"""What a store limits, and what happens at the limit."""

import gc
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from pywasm_ref.errors import Exhaustion, Interrupted, Trap
from pywasm_ref.execution.machine import Machine
from pywasm_ref.execution.modules import instantiate
from pywasm_ref.execution.runtime import HostFunc, MemInst, Store
from pywasm_ref.syntax.types import I32, I64
from pywasm_ref.text import parse
from tests.execution.support import call, run, signature, start

FOREVER = '(module (func (export "run") (loop (br 0))))'
DOWN = """(module (func $down (export "down") (param i32) (result i32)
  (if (result i32) (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))))"""
COUNT = """(module (func (export "count") (param i32)
  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""


def test_the_depth_of_calls_is_what_the_store_says_exactly() -> None:
    assert run(DOWN, "down", 99, store=Store(call_depth=100)) == [7]
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        run(DOWN, "down", 100, store=Store(call_depth=100))


def test_a_depth_beyond_any_stack_of_python_is_fine() -> None:
    assert run(DOWN, "down", 199_000, store=Store(call_depth=200_000)) == [7]


def test_a_function_that_claims_billions_of_locals_is_refused_when_it_is_called() -> None:
    module = parse('(module (func (export "f")))')
    vast = replace(module, funcs=(replace(module.funcs[0], locals=((2**31, I64), (2**31 - 1, I32))),))
    with pytest.raises(Exhaustion, match="too many locals"):
        call(instantiate(Store(), vast, []), "f")


def test_many_locals_count_in_each_call_that_is_open() -> None:
    many = "i64 " * 1000
    text = f'(module (func (export "f") (local {many * 5}) (call 0)))'
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        run(text, "f", store=Store(call_depth=1_000_000))


def test_locals_are_not_counted_again_in_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of n calls inside each other that would be n² frames to look at."""
    counts: list[int] = []
    count = Machine.count_locals

    def counting(z: Machine) -> int:
        counts.append(len(z.frames))
        return count(z)

    monkeypatch.setattr(Machine, "count_locals", counting)
    text = f'(module (func (export "f") (local {"i64 " * 1010}) (call 0)))'
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        run(text, "f", store=Store(call_depth=4000))
    assert counts == []
    calls = f"(module (func $g (local {'i64 ' * 1010})) (func (export \"f\") {'(call $g)' * 5000}))"
    assert run(calls, "f") == []
    assert counts == [2]


@pytest.mark.parametrize(("text", "name", "price"), [
    ('(module (func (export "f") (result i32) (i32.add (i32.const 1) (i32.const 2))))', "f", 3),
    ('(module (func (export "f") (nop) (block (nop) (br 0) (nop)) (nop)))', "f", 5),
    ('(module (func $g (nop)) (func (export "f") (call $g) (call $g)))', "f", 4),
    ('(module (func (export "f") (local i32) (if (local.get 0) (then (nop)) (else (nop) (nop)))))', "f", 4),
])  # fmt: skip
def test_fuel_counts_instructions_and_no_more(text: str, name: str, price: int) -> None:
    store = Store(fuel=price)
    run(text, name, store=store)
    assert store.fuel_left == 0
    with pytest.raises(Exhaustion, match="fuel exhausted"):
        run(text, name, store=Store(fuel=price - 1))


def test_fuel_of_a_loop_is_its_entry_and_each_turn() -> None:
    store = Store(fuel=1000)
    run(COUNT, "count", 10, store=store)
    assert store.fuel_left == 1000 - 1 - 10 * 5


def test_fuel_is_shared_with_the_calls_that_a_host_function_makes() -> None:
    store = Store(fuel=100)
    inner = start('(module (func (export "f") (nop) (nop)))', store=store)
    host = HostFunc(signature(), lambda args: call(inner, "f", store=store))
    outer = start('(module (import "" "" (func)) (func (export "f") (call 0) (nop)))', host, store=store)
    call(outer, "f", store=store)
    assert store.fuel_left == 100 - 4


def test_a_memory_larger_than_the_limit_is_not_made() -> None:
    with pytest.raises(Exhaustion, match="memory of 11 pages"):
        start("(module (memory 11))", store=Store(memory_pages=10))


def test_growth_past_the_limit_fails_and_growth_to_the_limit_succeeds() -> None:
    store = Store(memory_pages=10, table_entries=5)
    inst = start("""(module (memory 1) (table 1 funcref)
      (func (export "memory") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))""", store=store)  # fmt: skip
    assert call(inst, "memory", 10, store=store) == [2**32 - 1]
    assert call(inst, "memory", 9, store=store) == [1]
    assert call(inst, "table", 5, store=store) == [2**32 - 1]
    assert call(inst, "table", 4, store=store) == [1]


def test_all_memories_and_all_tables_of_a_store_share_its_limits() -> None:
    store = Store(memory_pages=10, table_entries=10)
    inst = start("""(module (memory $a 4) (memory $b 4) (table $s 4 funcref) (table $t 4 funcref)
      (func (export "a") (param i32) (result i32) (memory.grow $a (local.get 0)))
      (func (export "b") (param i32) (result i32) (memory.grow $b (local.get 0)))
      (func (export "s") (param i32) (result i32) (table.grow $s (ref.null func) (local.get 0)))
      (func (export "t") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))""", store=store)  # fmt: skip
    for name, other in (("a", "b"), ("s", "t")):
        assert [call(inst, name, 3), call(inst, name, 1), call(inst, other, 2), call(inst, other, 1)] == [[2**32 - 1], [4], [2**32 - 1], [4]]
    with pytest.raises(Exhaustion, match="memory of 1 pages is more than the limit"):
        start("(module (memory 1))", store=store)
    with pytest.raises(Exhaustion, match="table of 10000000 entries is more than the limit"):
        start("(module" + "(table 10000000 funcref)" * 100 + ")")


@pytest.mark.parametrize("text", ["(module (memory 6) (func))", "(module (table 6 funcref) (func))"])
def test_an_instance_that_nobody_holds_gives_back_what_it_took(text: str) -> None:
    store = Store(memory_pages=10, table_entries=10)
    for _ in range(3):
        start(text, store=store)
    gc.collect()
    assert store.memory.elements == store.tables.elements == 0


def test_growth_finds_the_room_of_instances_that_nobody_holds() -> None:
    store = Store(memory_pages=10)
    inst = start('(module (memory 1) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))', store=store)
    start("(module (memory 8) (func))", store=store)
    assert call(inst, "f", 9) == [1]
    assert call(inst, "f", 1) == [2**32 - 1]


def test_growth_beyond_any_machine_fails_whatever_the_limit() -> None:
    inst = start("""(module (memory i64 1) (table i64 1 funcref)
      (func (export "memory") (result i64) (memory.grow (i64.const 0x2000000000000)))
      (func (export "table") (result i64) (table.grow (ref.null func) (i64.const 0x7fffffffffffffff))))""",
      store=Store(memory_pages=1 << 60, table_entries=1 << 70))  # fmt: skip
    assert [call(inst, "memory"), call(inst, "table")] == [[2**64 - 1]] * 2
    with pytest.raises(Exhaustion, match="is more than there is"):
        start("(module (table i64 0x7fffffffffffffff funcref))", store=Store(table_entries=1 << 70))


def test_a_table_larger_than_the_limit_is_not_made() -> None:
    with pytest.raises(Exhaustion, match="table of 6 entries"):
        start("(module (table 6 funcref))", store=Store(table_entries=5))


def test_a_memory_of_64_bits_may_declare_more_than_there_is() -> None:
    inst = start('(module (memory (export "m") i64 1 0x1000000000000))')
    memory = inst.exports["m"]
    assert isinstance(memory, MemInst)
    assert len(memory.data) == 65536


def test_an_array_that_no_machine_could_hold_is_refused() -> None:
    with pytest.raises(Exhaustion, match="out of memory: the heap of 10000000 is too full for 4294967295 more"):
        run('(module (type $a (array i8)) (func (export "f") (drop (array.new_default $a (i32.const -1)))))', "f")


def test_arrays_that_nobody_refers_to_make_room_for_others() -> None:
    store = Store()
    text = """(module (type $a (array i8)) (global $kept (mut (ref null $a)) (ref.null $a))
      (func (export "f") (param i32) (global.set $kept (array.new_default $a (local.get 0)))))"""
    inst = start(text, store=store)
    for _ in range(5):
        call(inst, "f", 4_000_000, store=store)
        assert store.heap.elements == 4_000_000
    call(inst, "f", 10, store=store)
    assert store.heap.elements == 0


HEAP = """(module (type $n (struct (field (mut (ref null $n)))))
  (type $wide (struct (field i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (tag $e (param exnref))
  (func (export "list") (param $count i32) (local $x (ref null $n))
    (loop $l
      (local.set $x (struct.new $n (local.get $x)))
      (br_if $l (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "rings") (param $count i32) (local $x (ref null $n))
    (loop $l
      (local.set $x (struct.new_default $n))
      (struct.set $n 0 (local.get $x) (local.get $x))
      (br_if $l (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "exceptions") (param $count i32) (local $x exnref)
    (loop $l
      (local.set $x (block $caught (result exnref) (try_table (catch_all_ref $caught) (throw $e (local.get $x))) (unreachable)))
      (br_if $l (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "wide") (result eqref) (struct.new_default $wide)))"""


@pytest.mark.parametrize("name", ["list", "exceptions"])
def test_the_heap_holds_as_much_as_the_store_says(name: str) -> None:
    store = Store(heap=1000)
    inst = start(HEAP, store=store)
    call(inst, name, 900, store=store)
    with pytest.raises(Exhaustion, match="out of memory: the heap of 1000 is too full for 1 more"):
        call(inst, name, 1100, store=store)
    call(inst, name, 900, store=store)


def test_what_nobody_reaches_is_collected_before_the_heap_is_called_full() -> None:
    store = Store(heap=1000)
    inst = start(HEAP, store=store)
    gc.disable()
    try:
        call(inst, "rings", 5000, store=store)
    finally:
        gc.enable()


def test_a_large_structure_counts_by_its_fields() -> None:
    store = Store(heap=100)
    inst = start(HEAP, store=store)
    kept = call(inst, "wide", store=store)
    assert store.heap.elements == 64
    with pytest.raises(Exhaustion, match="out of memory"):
        call(inst, "wide", store=store)
    del kept
    call(inst, "wide", store=store)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process are those of Linux")
@pytest.mark.parametrize("collector", ["enable", "disable"])
@pytest.mark.parametrize("kept", ["(local.set $x (struct.new $n (local.get $x)))", "(global.set $g (struct.new $n (global.get $g)))"])
def test_a_guest_that_takes_all_memory_of_the_process_is_stopped(kept: str, collector: str) -> None:
    text = f"""(module (type $n (struct (field (ref null $n)))) (global $g (mut (ref null $n)) (ref.null $n))
      (func (export "f") (local $x (ref null $n)) (loop {kept} (br 0))))"""
    program = f"""
import gc, resource
gc.{collector}()
import pywasm_ref as wasm
exports = wasm.instantiate({text!r}, engine="reference").exports
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (64 << 20),) * 2)
try:
    exports.f()
except wasm.Exhaustion as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "out of memory\n", done.stderr


def test_another_thread_can_stop_a_guest_which_can_then_be_used_again() -> None:
    store = Store()
    inst = start(FOREVER[:-1] + ' (func (export "one") (result i32) (i32.const 1)))', store=store)
    timer = threading.Timer(0.05, setattr, (store, "stop", True))
    timer.start()
    begin = time.monotonic()
    with pytest.raises(Interrupted):
        call(inst, "run", store=store)
    assert time.monotonic() - begin < 5
    timer.join()
    store.stop = False
    assert call(inst, "one", store=store) == [1]


def test_the_stop_switch_works_with_fuel_and_with_an_observer() -> None:
    class Observer:
        def __init__(self, store: Store) -> None:
            self.store = store

        def step(self, z: object, instr: object, rule: str) -> None:
            self.store.stop = True

    store = Store()
    store.observer = Observer(store)
    with pytest.raises(Interrupted):
        run(FOREVER, "run", store=store)
    store = Store(fuel=10**9)
    store.stop = True
    with pytest.raises(Interrupted):
        run(FOREVER, "run", store=store)


def test_a_guest_that_waits_for_nobody_can_be_stopped() -> None:
    store = Store()
    text = """(module (memory 1 1 shared)
      (func (export "f") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"""
    timer = threading.Timer(0.05, setattr, (store, "stop", True))
    timer.start()
    with pytest.raises(Interrupted):
        run(text, "f", store=store)
    timer.join()


def test_a_segment_that_does_not_fit_traps_and_those_before_stay() -> None:
    memory = start('(module (memory (export "m") 1))').exports["m"]
    with pytest.raises(Trap, match="out of bounds memory access"):
        start('(module (import "" "" (memory 1)) (data (i32.const 0) "ab") (data (i32.const 65535) "cd"))', memory)
    assert isinstance(memory, MemInst)
    assert memory.data[:2] == b"ab"
    assert memory.data[65535] == 0


def test_a_memory_of_four_gigabytes_takes_no_room_before_it_is_used() -> None:
    inst = start("""(module (memory (export "m") 65536) (memory $small 0 65536)
      (func (export "grow") (result i32) (memory.grow $small (i32.const 65536)))
      (func (export "last") (i64.store (i32.const 0xfffffff8) (i64.const -1)) (i32.store8 $small (i32.const 0xffffffff) (i32.const 1)))
      (func (export "past") (result i32) (i32.load (i32.const 0xfffffffd))))""", store=Store(memory_pages=1 << 17))  # fmt: skip
    assert call(inst, "grow") == [0]
    call(inst, "last")
    memory = inst.exports["m"]
    assert isinstance(memory, MemInst)
    assert memory.data[-8:] == b"\xff" * 8
    with pytest.raises(Trap, match="out of bounds memory access"):
        call(inst, "past")


def test_a_large_memory_grows_in_place_or_moves_under_a_view() -> None:
    inst = start('(module (memory (export "m") 1023) (func (export "grow") (result i32) (memory.grow (i32.const 1))))')
    memory = inst.exports["m"]
    assert isinstance(memory, MemInst)
    memory.data[5] = 9
    assert [call(inst, "grow") for _ in range(2)] == [[1023], [1024]]
    with memoryview(memory.data) as view:
        assert call(inst, "grow") == [1025]
        assert (len(view), view[5]) == (1025 << 16, 9)
    assert (len(memory.data), memory.data[5], memory.data[-1]) == (1026 << 16, 9, 0)


def test_hosts_and_guests_may_call_each_other_fifty_deep() -> None:
    store = Store()
    depth = 0

    def again(args: list[Any]) -> list[Any]:
        nonlocal depth
        depth += 1
        return call(inst, "f", store=store)

    inst = start('(module (import "" "" (func)) (func (export "f") (call 0)))', HostFunc(signature(), again), store=store)
    with pytest.raises(Exhaustion, match="call stack exhausted: 50 calls from the host are inside each other"):
        call(inst, "f", store=store)
    assert depth == 50
    assert store.machines == []


BULK = """(module (type $a (array (mut i8))) (type $r (array (mut funcref))) (memory (export "m") 16) (table (export "t") 1000000 funcref)
  (table $u 1000000 funcref)
  (data $d "") (elem $e funcref) (global $bytes (ref $a) (array.new_default $a (i32.const 1000000)))
  (func $f) (elem declare func $f)
  (func (export "memory.fill") (memory.fill (i32.const 0) (i32.const 7) (i32.const 1000000)))
  (func (export "memory.copy") (memory.copy (i32.const 1) (i32.const 0) (i32.const 1000000)))
  (func (export "table.fill") (table.fill (i32.const 0) (ref.func $f) (i32.const 1000000)))
  (func (export "table.copy") (table.copy 0 $u (i32.const 0) (i32.const 0) (i32.const 1000000)))
  (func (export "array.fill") (array.fill $a (global.get $bytes) (i32.const 0) (i32.const 7) (i32.const 1000000)))
  (func (export "array.copy") (array.copy $a $a (global.get $bytes) (i32.const 0) (global.get $bytes) (i32.const 1) (i32.const 999999))))"""


@pytest.mark.parametrize("name", ["memory.fill", "memory.copy", "table.fill", "table.copy", "array.fill", "array.copy"])
def test_a_bulk_instruction_that_was_begun_sees_the_stop_switch(name: str) -> None:
    inst = start(BULK)
    call(inst, name)
    store = Stopping()
    with pytest.raises(Interrupted):
        call(inst, name, store=store)
    assert store.looks == 3


class Stopping(Store):
    """A store that is stopped while the second piece of a bulk instruction is at work."""

    looks = 0

    @property
    def stop(self) -> bool:
        self.looks += 1
        return self.looks > 2

    @stop.setter
    def stop(self, value: bool) -> None:
        pass


@pytest.mark.parametrize(("to", "start_"), [(0, 3), (3, 0), (300_000, 0), (0, 300_000), (5, 5)])
def test_long_ranges_that_overlap_are_copied_as_if_all_at_once(to: int, start_: int) -> None:
    inst = start("""(module (memory (export "m") 16)
      (func (export "f") (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const 700000))))""")  # fmt: skip
    memory = inst.exports["m"]
    assert isinstance(memory, MemInst)
    before = bytes(range(251)) * 4177 + bytes(149)
    memory.data[:] = before
    call(inst, "f", to, start_)
    assert memory.data[:] == before[:to] + before[start_ : start_ + 700_000] + before[to + 700_000 :]
