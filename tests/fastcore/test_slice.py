"""The native engine before it satisfies the protocol: it reads, refuses, runs, traps and calls back."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
from typing import Any

import pytest

from benchmarks.programs import PROGRAMS, Kernel
from pywasm_ref.binary import encode
from pywasm_ref.errors import Exhaustion, Interrupted, Invalid, Malformed, Trap, TrapReason
from pywasm_ref.text import parse

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)


def instance(source: str, *imports: Any) -> Any:
    return objects.Instance(objects.Module(encode(parse(source))), imports)


def run(source: str, *arguments: Any) -> Any:
    return instance(source).exports["f"](*arguments)


def test_the_reasons_for_a_trap_are_numbered_as_in_errors() -> None:
    assert list(TrapReason) == objects.REASONS


@pytest.mark.parametrize(
    ("a", "b", "op", "expected"),
    [
        (7, -2, "div_s", -3),
        (7, -2, "rem_s", 1),
        (-1, 1, "shr_u", 0x7FFFFFFF),
        (1, 33, "shl", 2),
        (5, 9, "lt_u", 1),
        (-(2**31), -1, "rem_s", 0),
    ],
)
@pytest.mark.parametrize(
    "shape", ["local.get 0) (local.get 1", "local.get 0) (i32.const {b}", "i32.const {a}) (local.get 1", "i32.const {a}) (i32.const {b}"]
)
def test_operands_may_be_locals_and_constants(a: int, b: int, op: str, expected: int, shape: str) -> None:
    operands = shape.format(a=a, b=b)
    assert run(f'(module (func (export "f") (param i32 i32) (result i32) (i32.{op} ({operands}))))', a, b) == expected


def test_a_local_that_is_set_keeps_its_earlier_readings() -> None:
    source = '(module (func (export "f") (param i32) (result i32) local.get 0 (local.set 0 (i32.const 5)) local.get 0 i32.sub))'
    assert run(source, 12) == 7


def test_a_value_made_before_a_local_is_read_does_not_overtake_the_reading() -> None:
    source = """(module (memory 1) (func (export "f") (param i32) (result i32)
      (i32.add (local.get 0) (i32.const 1)) (i32.store (i32.const 0) (local.get 0)) local.set 0
      (i32.mul (local.get 0) (i32.load (i32.const 0)))))"""
    assert run(source, 6) == 42


def test_a_value_does_not_go_into_a_local_before_a_branch_that_leaves() -> None:
    source = """(module (func (export "f") (param i32) (result i32)
      (block (i32.add (local.get 0) (i32.const 1)) (br_if 0 (local.get 0)) (local.set 0)) local.get 0))"""
    assert run(source, 3) == 3
    assert run(source, 0) == 1


def test_blocks_take_and_give_several_values() -> None:
    source = """(module (func (export "f") (param i32) (result i32 i64)
      local.get 0 (i64.const 9) (block (param i32 i64) (result i32 i64) (br_if 0 (local.get 0)) (drop) (i64.const 1))))"""
    assert run(source, 4) == (4, 9)
    assert run(source, 0) == (0, 1)


def test_a_branch_past_the_list_takes_the_default() -> None:
    source = """(module (func (export "f") (param i32) (result i32)
      (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 10))) (return (i32.const 11))) (i32.const 12)))"""
    assert [run(source, i) for i in (0, 1, 2, 3, -1)] == [10, 11, 12, 12, 12]


def test_a_branch_with_values_moves_them_down() -> None:
    source = """(module (func (export "f") (param i32) (result i32)
      (block (result i32) (i32.const 1) (i32.const 2) (i32.const 3) (br_table 0 0 (local.get 0)))))"""
    assert run(source, 0) == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("(i32.div_s (local.get 0) (i32.const 0))", TrapReason.INTEGER_DIVIDE_BY_ZERO),
        ("(i32.div_s (i32.const 0x80000000) (local.get 0))", TrapReason.INTEGER_OVERFLOW),
        ("(i32.trunc_f32_s (f32.const nan))", TrapReason.INVALID_CONVERSION),
        ("(i32.load (i32.const 65533))", TrapReason.OUT_OF_BOUNDS_MEMORY),
        ("(i32.load offset=0xffffffff (local.get 0))", TrapReason.OUT_OF_BOUNDS_MEMORY),
        ("(unreachable)", TrapReason.UNREACHABLE),
        ("(call_indirect (result i32) (i32.const 9))", TrapReason.UNDEFINED_ELEMENT),
        ("(call_indirect (result i32) (i32.const 1))", TrapReason.UNINITIALIZED_ELEMENT),
        ("(call_indirect (result f32) (i32.const 0)) drop (i32.const 0)", TrapReason.INDIRECT_CALL_TYPE_MISMATCH),
    ],
)
def test_traps_have_the_reason_and_the_place(body: str, reason: TrapReason) -> None:
    source = f'(module (memory 1) (table 2 funcref) (elem (i32.const 0) $g) (func $g (result i32) (i32.const 1)) (func (export "f") (param i32) (result i32) {body}))'
    with pytest.raises(Trap) as caught:
        run(source, -1)
    assert caught.value.reason is reason
    assert caught.value.at is not None


def test_endless_recursion_is_exhaustion() -> None:
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        run('(module (func $f (export "f") (call $f)))')


def test_memory_grows_and_has_a_view() -> None:
    made = instance('(module (memory (export "m") 1 3) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))')
    grow, memory = made.exports["f"], made.exports["m"]
    assert grow(2) == 1
    assert grow(1) == -1
    view = memoryview(memory)
    view[3 * 65536 - 1] = 7
    assert len(view) == 3 * 65536


def test_the_host_is_called_and_calls_again() -> None:
    calls: list[int] = []

    def host(n: int) -> int:
        calls.append(n)
        return int(again(n - 1)) + 1 if n else 0

    made = instance(
        '(module (import "m" "h" (func $h (param i32) (result i32))) (func (export "f") (param i32) (result i32) (call $h (local.get 0))))',
        host,
    )
    again = made.exports["f"]
    assert again(5) == 5
    assert calls == [5, 4, 3, 2, 1, 0]


def test_what_the_host_raises_comes_through() -> None:
    def host() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        instance('(module (import "m" "h" (func $h)) (func (export "f") (call $h)))', host).exports["f"]()


def test_a_function_of_another_instance_uses_its_own_globals() -> None:
    one = instance(
        '(module (global $g (mut i32) (i32.const 5)) (func (export "f") (param i32) (result i32) (global.set $g (i32.add (global.get $g) (local.get 0))) (global.get $g)))'
    )
    other = '(module (import "m" "f" (func $f (param i32) (result i32))) (global $g (mut i32) (i32.const 100)) (func (export "f") (param i32) (result i32) (i32.add (call $f (local.get 0)) (global.get $g))))'
    assert instance(other, one.exports["f"]).exports["f"](2) == 107
    assert one.exports["f"](0) == 7


def test_a_global_has_all_its_64_bits() -> None:
    source = '(module (global $g (mut i64) (i64.const 0)) (func (export "f") (param i64) (result i64) (global.set $g (local.get 0)) (global.get $g)))'
    assert run(source, 1 << 40 | 5) == 1 << 40 | 5


def test_a_running_store_can_be_stopped_and_refuses_another_thread() -> None:
    loop = instance('(module (func (export "f") (loop (br 0))))')
    refusals: list[BaseException] = []

    def meddle() -> None:
        try:
            loop.exports["f"]()
        except RuntimeError as error:
            refusals.append(error)
        loop.store.interrupt()

    threading.Timer(0.05, meddle).start()
    with pytest.raises(Interrupted):
        loop.exports["f"]()
    assert len(refusals) == 1


def test_a_dropped_instance_is_freed_at_once() -> None:
    def host() -> None:
        pass

    made = instance('(module (import "m" "h" (func)) (memory 1))', host)
    before = sys.getrefcount(host)
    del made
    assert sys.getrefcount(host) == before - 1


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", Malformed, "unexpected end"),
        (b"\0asn\1\0\0\0", Malformed, "magic header not detected"),
        (b"\0asm\2\0\0\0", Malformed, "unknown binary version"),
    ],
)
def test_bytes_that_are_no_module_are_malformed(data: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        objects.Module(data)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("i32.add", "type mismatch"),
        ("local.get 7", "unknown local"),
        ("br 3", "unknown label"),
        ("call 9", "unknown function"),
        ("i32.const 1", "type mismatch"),
    ],
)
def test_bodies_that_do_not_type_are_invalid(body: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        objects.Module(encode(parse(f"(module (func {body}))")))


@pytest.mark.parametrize("kernel", PROGRAMS, ids=lambda k: k.name)
def test_mutated_modules_are_refused_or_read(kernel: Kernel) -> None:
    dice = random.Random(kernel.name)
    data = kernel.path.read_bytes()
    for _ in range(300):
        mutant = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            mutant[dice.randrange(len(mutant))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        with contextlib.suppress(Malformed, Invalid, NotImplementedError):
            objects.Module(bytes(mutant))


def test_both_ways_of_dispatch_give_the_same_results() -> None:
    program = (
        "from benchmarks.programs import PROGRAMS\n"
        "from pywasm_ref._fastcore import dispatch, objects\n"
        "print([objects.Instance(objects.Module(k.path.read_bytes())).exports['run'](max(k.argument // 8, 4)) for k in PROGRAMS])\n"
    )
    printed = []
    for way in ("threaded", "loop"):
        done = subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYWASM_FASTCORE_DISPATCH": way}, capture_output=True, text=True, check=True
        )
        printed.append(done.stdout)
    assert printed[0] == printed[1]
