"""The machine: hosts that call back and throw, tail calls, growth under a view, back-traces, atomics between threads."""

import re
import sys
import threading
from typing import Any

import pytest

from pywasm_ref.errors import Exhaustion, Trap, TrapReason, Unlinkable, WasmException
from pywasm_ref.execution.machine import invoke
from pywasm_ref.execution.runtime import ExnInst, FuncInst, HostFunc, MemInst, Store, TagInst
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import I32, TagType
from tests.execution.support import call, run, signature, start

IMPORT = (
    '(module (import "" "" (func $host (param i32) (result i32))) (func (export "f") (param i32) (result i32) (call $host (local.get 0))))'
)


def test_a_tail_call_takes_no_room() -> None:
    text = """(module (func $count (export "count") (param i64) (result i64)
      (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 5))
        (else (return_call $count (i64.sub (local.get 0) (i64.const 1)))))))"""
    assert run(text, "count", 50_000, store=Store(call_depth=2)) == [5]


def test_a_tail_call_to_the_host_gives_its_results_to_the_caller() -> None:
    host = HostFunc(signature([I32], [I32]), lambda args: [args[0] + 1])
    text = """(module (import "" "" (func $host (param i32) (result i32)))
      (func $g (param i32) (result i32) (i32.const 9) (block (return_call $host (local.get 0))) (drop) (i32.const 0))
      (func (export "f") (result i32) (i32.mul (call $g (i32.const 4)) (i32.const 10))))"""
    assert call(start(text, host), "f") == [50]


def test_a_host_function_may_call_the_guest_that_called_it() -> None:
    store = Store()
    host = HostFunc(signature([I32], [I32]), lambda args: [args[0] * call(inst, "f", args[0] - 1, store=store)[0]] if args[0] else [1])
    inst = start(IMPORT, host, store=store)
    assert call(inst, "f", 10, store=store) == [3628800]
    assert store.machines == []


def test_guest_and_host_calling_each_other_for_ever_exhaust_the_call_stack() -> None:
    store = Store()
    host = HostFunc(signature([I32], [I32]), lambda args: call(inst, "f", args[0], store=store))
    inst = start(IMPORT, host, store=store)
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        call(inst, "f", 1, store=store)
    assert store.machines == []


def test_the_depth_of_calls_is_shared_with_calls_from_the_host() -> None:
    store = Store(call_depth=10)
    text = """(module (import "" "" (func $host (param i32) (result i32))) (func $down (export "f") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $host (i32.const 6))))))"""
    seen = []

    def again(args: list[int]) -> list[int]:
        seen.append(args[0])
        return [0] if len(seen) > 1 else call(inst, "f", args[0], store=store)

    inst = start(text, HostFunc(signature([I32], [I32]), again), store=store)
    assert call(inst, "f", 2, store=store) == [0]
    seen.clear()
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        call(inst, "f", 3, store=store)


def test_an_exception_of_python_passes_through_the_guest_and_leaves_the_store_usable() -> None:
    class Oops(Exception): ...

    def code(args: list[int]) -> list[int]:
        if args[0] == 1:
            raise Oops("mine")
        return [args[0]]

    store = Store()
    inst = start(IMPORT, HostFunc(signature([I32], [I32]), code), store=store)
    with pytest.raises(Oops, match="mine"):
        call(inst, "f", 1, store=store)
    assert call(inst, "f", 2, store=store) == [2]
    assert store.machines == []


def test_a_host_function_may_trap() -> None:
    def code(args: list[int]) -> list[int]:
        raise Trap(TrapReason.UNREACHABLE)

    with pytest.raises(Trap, match="unreachable"):
        call(start(IMPORT, HostFunc(signature([I32], [I32]), code)), "f", 1)


def test_a_host_function_with_too_few_results_is_an_error_of_the_host() -> None:
    with pytest.raises(TypeError, match="gave 0 results, its type says 1"):
        call(start(IMPORT, HostFunc(signature([I32], [I32]), lambda args: [])), "f", 1)


CATCHING = """(module (import "" "tag" (tag $t (param i32))) (import "" "host" (func $host (param i32) (result i32)))
  (func (export "f") (param i32) (result i32) (block (result i32) (try_table (result i32) (catch $t 0) (call $host (local.get 0)))))
  (func (export "throw") (param i32) (throw $t (local.get 0))))"""


def test_the_guest_catches_what_the_host_throws() -> None:
    tag = TagInst(TagType(signature([I32])))

    def code(args: list[int]) -> list[int]:
        raise WasmException(tag, (args[0] + 1,))

    assert call(start(CATCHING, tag, HostFunc(signature([I32], [I32]), code)), "f", 41) == [42]


def test_an_exception_of_the_guest_passes_through_host_frames_as_the_same_exception() -> None:
    tag = TagInst(TagType(signature([I32])))
    store = Store()
    passed: list[ExnInst] = []

    def code(args: list[int]) -> list[int]:
        try:
            return call(inst, "throw", args[0], store=store)
        except WasmException as error:
            passed.append(error.exn)
            raise

    inst = start(CATCHING, tag, HostFunc(signature([I32], [I32]), code), store=store)
    assert call(inst, "f", 7, store=store) == [7]
    assert passed[0].fields == (7,)
    with pytest.raises(WasmException) as caught:
        call(inst, "throw", 8, store=store)
    assert caught.value.tag is tag
    assert caught.value.values == (8,)


def test_a_memory_grows_while_somebody_holds_a_view_which_keeps_the_old_bytes() -> None:
    inst = start("""(module (memory (export "m") 1) (func (export "grow") (result i32) (memory.grow (i32.const 1)))
      (func (export "store") (i32.store8 (i32.const 0) (i32.const 9))))""")  # fmt: skip
    memory = inst.exports["m"]
    assert isinstance(memory, MemInst)
    with memoryview(memory.data) as view:
        assert call(inst, "grow") == [1]
        call(inst, "store")
        assert (len(view), view[0]) == (65536, 0)
    assert (len(memory.data), memory.data[0]) == (131072, 9)


TRAPPING = """(module
  (func $inner (param i32) (result i32)
    (block (nop))
    (if (result i32) (local.get 0)
      (then (nop) (loop (nop)) (i32.const 1))
      (else (nop) (block (result i32) (i32.div_u (i32.const 1) (local.get 0))))))
  (func $outer (export "f") (param i32) (result i32)
    (loop (result i32) (nop) (call $inner (local.get 0)))))"""


def test_a_trap_knows_where_it_happened_and_by_which_calls() -> None:
    with pytest.raises(Trap) as caught:
        run(TRAPPING, "f", 0)
    error = caught.value
    assert [name for name, _ in error.frames] == ["inner", "outer"]
    places = [re.split("[()]", TRAPPING[at:])[0].strip() for _, at in error.frames if at is not None]
    assert places == ["i32.div_u", "call $inner"]
    assert error.at == error.frames[0][1]


def test_an_exception_that_nobody_catches_knows_where_it_was_thrown() -> None:
    text = '(module (tag $t) (func $thrower (nop) (throw $t)) (func (export "f") (nop) (call $thrower)))'
    with pytest.raises(WasmException) as caught:
        run(text, "f")
    assert [name for name, _ in caught.value.frames] == ["thrower", 1]
    assert caught.value.at == text.index("throw $t")


def test_the_trace_of_a_deep_stack_is_short() -> None:
    with pytest.raises(Exhaustion) as caught:
        run('(module (func (export "f") (call 0)))', "f", store=Store(call_depth=5000))
    assert 10 < len(caught.value.frames) <= 100


def test_an_error_says_the_line_when_the_source_is_known() -> None:
    with pytest.raises(Trap) as caught:
        run(TRAPPING, "f", 0)
    assert "6:" in str(caught.value.located(Source("t.wat", TRAPPING)))


def test_imports_of_the_wrong_number_or_type_are_refused() -> None:
    with pytest.raises(Unlinkable, match="unknown import"):
        start(IMPORT)
    with pytest.raises(Unlinkable, match="incompatible import type"):
        start(IMPORT, HostFunc(signature(), lambda args: []))


def test_a_thread_that_waits_is_woken_by_another() -> None:
    memory = start('(module (memory (export "m") 1 1 shared))').exports["m"]
    text = """(module (import "" "" (memory 1 1 shared))
      (func (export "wait") (param i64) (result i32) (memory.atomic.wait32 (i32.const 8) (i32.const 0) (local.get 0)))
      (func (export "notify") (result i32) (memory.atomic.notify (i32.const 8) (i32.const 1))))"""
    waiting, waking = start(text, memory), start(text, memory)
    assert call(waiting, "wait", 1_000_000) == [2]
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.extend(call(waiting, "wait", 20_000_000_000)))
    thread.start()
    while call(waking, "notify") == [0]:
        pass
    thread.join(10)
    assert results == [0]
    assert isinstance(memory, MemInst)
    assert not memory.parked


@pytest.mark.parametrize("step", [
    "(drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))",
    """(loop $again (br_if $again (i32.ne (local.tee 1 (i32.atomic.load (i32.const 0)))
         (i32.atomic.rmw.cmpxchg (i32.const 0) (local.get 1) (i32.add (local.get 1) (i32.const 1))))))""",
])  # fmt: skip
def test_threads_that_count_in_a_shared_memory_lose_nothing(step: str) -> None:
    memory = start('(module (memory (export "m") 1 1 shared))').exports["m"]
    text = f"""(module (import "" "" (memory 1 1 shared)) (func (export "count") (param i32) (local i32)
      (loop {step} (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    insts = [start(text, memory) for _ in range(4)]
    threads = [threading.Thread(target=call, args=(inst, "count", 5_000)) for inst in insts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert isinstance(memory, MemInst)
    assert int.from_bytes(memory.data[:4], "little") == 4 * 5_000


def test_a_loop_gives_up_what_lies_above_its_parameters_when_it_starts_again() -> None:
    text = """(module (func (export "f") (param i32) (result i32) (i32.const 0)
      (loop (param i32) (result i32) (i32.const 99) (drop) (local.get 0) (i32.add) (i32.const 77)
        (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (drop) (br_if 0 (local.get 0)))))"""
    assert run(text, "f", 4) == [10]


def test_a_function_can_be_invoked_directly() -> None:
    inst = start('(module (func (export "f") (param i32 i32) (result i32 i32) (local.get 1) (local.get 0)))')
    func = inst.exports["f"]
    assert isinstance(func, FuncInst)
    assert invoke(Store(), func, [1, 2]) == [2, 1]


def test_threads_that_use_one_store_at_once_leave_nothing_behind() -> None:
    store = Store()
    text = """(module (func (export "f") (param i32) (result i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 1)))"""
    inst = start(text, store=store)
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.extend(call(inst, "f", 20_000, store=store))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 8
    assert store.machines == []
