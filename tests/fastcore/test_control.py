"""Tail calls, references, exceptions and what an error tells, in the native engine and through frames of the host."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from pywasm_ref.binary import encode
from pywasm_ref.errors import Exhaustion, Trap, TrapReason, WasmException
from pywasm_ref.features import ALL
from pywasm_ref.text import parse

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)

MANY = 300_000
"""Calls that would not fit on the stack if each kept its frame."""


def instance(source: str, *imports: Any) -> Any:
    return objects.Instance(objects.Module(encode(parse(source, ALL)), ALL), imports)


def run(source: str, *arguments: Any) -> Any:
    return instance(source).exports["f"](*arguments)


def catching(body: str, tags: str = "(tag $e (param i32))") -> str:
    """A module whose f gives the value of $e when its body throws it, and else what the body gives."""
    return f"""(module (import "m" "h" (func $h (param i32) (result i32))) {tags}
      (func (export "f") (param i32) (result i32)
        (block $l (result i32) (try_table (result i32) (catch $e $l) {body}))) (export "e" (tag $e)))"""


# Tail calls


def test_tail_calls_keep_the_stack_as_it_is() -> None:
    source = """(module (func $f (export "f") (param i32 i64) (result i64)
      (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call $f (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2)))))"""
    assert run(source, MANY, 5) == 2 * MANY + 5


def test_tail_calls_go_to_functions_with_more_and_fewer_locals() -> None:
    source = """(module
      (func $few (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 42)) (else (return_call $many (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3)))))
      (func $many (param i32 i32 i32 i32) (result i32) (local i64 i64 i64 i64 i64 i64 i64)
        (local.set 4 (i64.const -1)) (local.set 10 (i64.const -1)) (return_call $few (i32.sub (local.get 0) (local.get 1))))
      (func (export "f") (param i32) (result i32) (i32.add (call $few (local.get 0)) (i32.const 1))))"""
    assert run(source, MANY) == 43


TABLE = '(table (export "t") 2 funcref)'
ODD = f"""(module {TABLE} (global $g (export "g") (mut i32) (i32.const 7))
  (func (export "odd") (param i32) (result i32) (global.set $g (local.get 0))
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (return_call_indirect (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))))"""
EVEN = """(module (import "a" "odd" (func $odd (param i32) (result i32))) (import "a" "t" (table 2 funcref))
  (global $mine (mut i32) (i32.const 100))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (elem (i32.const 1) $even)
  (func (export "f") (param i32) (result i32) (i32.add (call $even (local.get 0)) (global.get $mine))))"""


def test_tail_calls_between_instances_keep_the_stack_as_it_is() -> None:
    a = instance(ODD)
    b = instance(EVEN, a.exports["odd"], a.exports["t"])
    assert b.exports["f"](MANY) == 101
    assert b.exports["f"](MANY + 1) == 100
    assert [b.exports["even"](n) for n in range(4)] == [1, 0, 1, 0]
    assert a.exports["odd"](MANY + 1) == 1


def test_a_tail_call_of_the_host_gives_its_result() -> None:
    source = """(module (import "m" "h" (func $h (param i32) (result i32)))
      (func $g (param i32) (result i32) (return_call $h (i32.add (local.get 0) (i32.const 1))))
      (func (export "f") (param i32) (result i32) (i32.mul (call $g (local.get 0)) (i32.const 10))))"""
    assert instance(source, lambda n: n * 3).exports["f"](4) == 150


def test_handlers_around_a_tail_call_hear_nothing_of_it() -> None:
    made: Any = instance(catching("(return_call $h (local.get 0))"), lambda n: raise_(WasmException(made.exports["e"], (n,))))
    with pytest.raises(WasmException) as caught:
        made.exports["f"](5)
    assert caught.value.tag is made.exports["e"]
    guest = """(module (tag $e (param i32)) (func $g (param i32) (result i32) (throw $e (local.get 0)))
      (func $t (param i32) (result i32) (block $l (result i32) (try_table (result i32) (catch $e $l) (return_call $g (local.get 0)))))
      (func (export "f") (param i32) (result i32)
        (i32.add (i32.const 100) (block $l (result i32) (try_table (result i32) (catch $e $l) (call $t (local.get 0)))))))"""
    assert run(guest, 5) == 105


def raise_(error: BaseException) -> Any:
    raise error


# References


def test_an_imported_function_is_the_same_everywhere() -> None:
    a = instance('(module (func (export "f") (result i32) (i32.const 1)))')
    b = instance('(module (import "a" "f" (func $f (result i32))) (export "g" (func $f)))', a.exports["f"])
    assert b.exports["g"] is a.exports["f"]


def test_calls_through_references() -> None:
    source = """(module (type $t (func (param i32) (result i32))) (export "g" (func $g))
      (func $g (type $t) (i32.mul (local.get 0) (i32.const 3)))
      (func (export "f") (param i32 i32) (result i32) (local $r (ref null $t))
        (if (local.get 1) (then (local.set $r (ref.func $g))))
        (call_ref $t (local.get 0) (local.get $r))))"""
    made = instance(source)
    assert made.exports["f"](5, 1) == 15
    with pytest.raises(Trap) as caught:
        made.exports["f"](5, 0)
    assert caught.value.reason is TrapReason.NULL_FUNCTION_REFERENCE


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("(i32.const 10) (br_on_null 0 (local.get $r)) (drop) (drop) (i32.const 20)", (10, 20)),
        ("(i32.const 3) (i32.const 10) (br_on_null 0 (local.get $r)) (drop) (drop) (drop) (i32.const 20)", (10, 20)),
        ("(ref.is_null (local.get $r))", (1, 0)),
        ("(if (result i32) (ref.is_null (local.get $r)) (then (i32.const 1)) (else (i32.const 2)))", (1, 2)),
        ("(block $o (result (ref $t)) (br_on_non_null $o (local.get $r)) (br 1 (i32.const 1))) (drop) (i32.const 2)", (1, 2)),
        ("(select (result (ref null $t)) (local.get $r) (ref.null $t) (i32.const 1)) (ref.is_null)", (1, 0)),
    ],
)
def test_null_and_other_references_go_different_ways(body: str, expected: tuple[int, int]) -> None:
    source = f"""(module (type $t (func (result i32))) (export "g" (func $g)) (func $g (type $t) (i32.const 1))
      (func $h (param $r (ref null $t)) (result i32) (block (result i32) {body}))
      (func (export "f") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (call $h (ref.func $g))) (else (call $h (ref.null $t))))))"""
    made = instance(source)
    assert (made.exports["f"](0), made.exports["f"](1)) == expected


# Exceptions


def test_a_handler_sees_locals_as_they_were_when_it_was_thrown() -> None:
    source = """(module (tag $e) (func $g (param i32) (if (local.get 0) (then (throw $e))))
      (func (export "f") (param i32) (result i32) (local $x i32)
        (local.set $x (i32.const 1))
        (block $l (try_table (catch $e $l)
          (i32.add (local.get 0) (i32.const 10)) (call $g (local.get 0)) (local.set $x)))
        (local.get $x)))"""
    assert run(source, 1) == 1
    assert run(source, 0) == 10


def test_values_and_the_reference_come_to_the_label() -> None:
    source = """(module (tag $e (param i32 i64 f32 f64)) (tag $other)
      (func $g (throw $e (i32.const 1) (i64.const -2) (f32.const 3) (f64.const 4)))
      (func (export "f") (result i32 i64 f32 f64) (local $x exnref)
        (i32.const 99)
        (block $l (result i32 i64 f32 f64 exnref)
          (try_table (catch_ref $e $l) (try_table (catch $other 0) (call $g)) (unreachable)) (unreachable))
        (local.set $x) (drop) (drop) (drop) (drop) (drop)
        (block $n (result i32 i64 f32 f64) (try_table (catch $e $n) (throw_ref (local.get $x))) (unreachable))))"""
    assert run(source) == (1, -2, 3.0, 4.0)


def test_a_loop_of_throws_can_be_left() -> None:
    source = """(module (tag $e (param i32)) (func $g (param i32) (throw $e (local.get 0)))
      (func (export "f") (param i32) (result i32)
        (loop $l (result i32) (block $c (result i32)
          (try_table (result i32) (catch $e $c) (if (i32.eqz (local.get 0)) (then (return (i32.const 77)))) (call $g (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))
          (local.set 0) (br $l))))"""
    assert run(source, 100_000) == 77


def test_what_nobody_catches_has_the_tag_and_the_values() -> None:
    made = instance('(module (tag $e (export "e") (param i32 i64)) (func (export "f") (throw $e (i32.const -1) (i64.const 2))))')
    with pytest.raises(WasmException) as caught:
        made.exports["f"]()
    assert caught.value.tag is made.exports["e"]
    assert caught.value.values == (0xFFFFFFFF, 2)


def test_a_guest_catches_what_the_host_raises() -> None:
    made: Any = instance(catching("(call $h (local.get 0))"), lambda n: raise_(WasmException(made.exports["e"], (n + 1,))))
    assert made.exports["f"](5) == 6


def test_an_exception_crosses_a_host_frame_between_guests() -> None:
    inner = instance('(module (tag $e (export "e") (param i32)) (func (export "f") (param i32) (result i32) (throw $e (local.get 0))))')
    outer = """(module (import "m" "h" (func $h (param i32) (result i32))) (import "m" "e" (tag $e (param i32)))
      (func (export "f") (param i32) (result i32) (block $l (result i32) (try_table (result i32) (catch $e $l) (call $h (local.get 0))))))"""
    made: Any = instance(outer, lambda n: inner.exports["f"](n + 1), inner.exports["e"])
    assert made.exports["f"](1) == 2


def test_other_errors_of_the_host_are_not_caught() -> None:
    made = instance(
        """(module (import "m" "h" (func $h)) (func (export "f") (result i32) (block $l (try_table (catch_all $l) (call $h))) (i32.const 1)))""",
        lambda: raise_(KeyError("mine")),
    )
    with pytest.raises(KeyError, match="mine"):
        made.exports["f"]()


def test_an_exception_that_fits_no_tag_is_an_error_of_the_host() -> None:
    made: Any = instance(catching("(call $h (local.get 0))"), lambda n: raise_(WasmException(made.exports["e"], (1, 2))))
    with pytest.raises(TypeError, match="1 values, not 2"):
        made.exports["f"](5)


def test_tags_are_told_apart_by_instance() -> None:
    thrower = '(module (tag $e (export "e")) (func (export "f") (throw $e)))'
    one = instance(thrower)
    other = instance(
        """(module (import "m" "f" (func $f)) (import "m" "e" (tag $e)) (tag $mine)
      (func (export "f") (result i32)
        (block $a (block $b (try_table (catch $mine $a) (catch $e $b) (call $f)) (return (i32.const 0))) (return (i32.const 2))) (i32.const 1)))""",
        one.exports["f"],
        one.exports["e"],
    )
    assert other.exports["f"]() == 2


LEGACY = """(module (tag $e (param i32)) (tag $d) (func $g (param i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $e (i32.const 11))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $d))))
  (func (export "f") (param i32) (result i32) {body}))"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("(try (result i32) (do (call $g (local.get 0)) (i32.const 5)) (catch $e) (catch_all (i32.const 7)))", (5, 11, 7)),
        (
            """(try (result i32) (do (try (result i32) (do (call $g (local.get 0)) (i32.const 5)) (catch $e (drop) (rethrow 0))))
              (catch $e (i32.add (i32.const 1))) (catch_all (i32.const 9)))""",
            (5, 12, 9),
        ),
        (
            """(try (result i32) (do (try (result i32) (do (try (result i32) (do (call $g (local.get 0)) (i32.const 5)) (delegate 1)))
              (catch_all (i32.const 1)))) (catch $e (i32.add (i32.const 2))) (catch_all (i32.const 3)))""",
            (5, 13, 3),
        ),
        (
            """(i32.const 100) (try (param i32) (result i32 i32) (do (call $g (local.get 0)) (i32.const 5))
              (catch $e (i32.const 1) (i32.add) (i32.const 4)) (catch_all (i32.const 1) (i32.const 2))) (i32.add)""",
            (105, 16, 3),
        ),
    ],
)
def test_legacy_exceptions(body: str, expected: tuple[int, int, int]) -> None:
    made = instance(LEGACY.replace("{body}", body))
    assert tuple(made.exports["f"](i) for i in range(3)) == expected


# What an error tells


def test_a_trap_in_another_instance_has_its_place_and_all_calls() -> None:
    inner = instance('(module (func) (func $deep (unreachable)) (func (export "f") (call $deep)))')
    outer = instance('(module (import "m" "f" (func $f)) (func (export "f") (call $f)))', inner.exports["f"])
    with pytest.raises(Trap) as caught:
        outer.exports["f"]()
    places = [(data, at) for data, at in caught.value.frames]
    assert [index for index, _ in places] == [1, 2, 1]
    assert caught.value.at == places[0][1]
    assert inner.module.data[places[0][1] :][:1] == b"\x00"
    assert inner.module.data[places[1][1] :][:2] == b"\x10\x01"
    assert outer.module.data[places[2][1] :][:2] == b"\x10\x00"


def test_endless_recursion_tells_its_innermost_frames() -> None:
    with pytest.raises(Exhaustion, match="call stack exhausted") as caught:
        run('(module (func $f (export "f") (call $f)))')
    assert len(caught.value.frames) == 100


@pytest.mark.parametrize("call", ["(call $h (local.get 0))", "(return_call $h (local.get 0))"])
def test_endless_recursion_through_the_host_is_exhaustion(call: str) -> None:
    made: Any = instance(
        f"""(module (import "m" "h" (func $h (param i32) (result i32))) (func (export "f") (param i32) (result i32) {call}))""",
        lambda n: made.exports["f"](n + 0),
    )
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        made.exports["f"](1)
    assert instance('(module (func (export "f") (result i32) (i32.const 3)))').exports["f"]() == 3


# Large frames


@pytest.mark.parametrize("locals_", [0, 1, 1000, 49_998])
def test_functions_may_have_many_locals(locals_: int) -> None:
    source = f"""(module (func $f (export "f") (param i32 i32) (result i32) (local {"i64 " * locals_})
      (if (i32.eqz (local.get 1)) (then (return (local.get 0))))
      (i32.add (i32.const 1) (call $f (local.get 0) (i32.sub (local.get 1) (i32.const 1))))))"""
    assert run(source, 40, 1) == 41


@pytest.mark.parametrize("group", [b"\xd1\x86\x03\x7f", b"\xff\xff\xff\xff\x0f\x7e"])
def test_a_function_with_too_many_locals_is_valid_and_exhausts_the_stack(group: bytes) -> None:
    body = b"\x01" + group + b"\x20\xd0\x86\x03\x1a\x0b"
    data = b"\0asm\1\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a" + bytes([len(body) + 2, 1, len(body)]) + body
    made = objects.Instance(objects.Module(data))
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        made.exports["f"]()


def test_a_function_with_too_many_values_is_valid_and_exhausts_the_stack() -> None:
    n = 70_000
    source = f'(module (func $g (result i32) (i32.const 1)) (func (export "f") {"(call $g)" * n} {"(drop)" * n}))'
    with pytest.raises(Exhaustion, match="call stack exhausted"):
        run(source)


def test_the_other_way_of_dispatch_does_the_same() -> None:
    if "PYWASM_FASTCORE_DISPATCH" in os.environ:
        pytest.skip("it was said which backend to test")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env={**os.environ, "PYWASM_FASTCORE_DISPATCH": "loop"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# References in globals


def test_a_reference_that_was_read_from_a_global_is_a_result() -> None:
    source = """(module (global $g (mut funcref) (ref.func $read)) (func $read (result funcref) (global.get $g))
      (func (export "f") (result i32) (ref.is_null (call $read))))"""
    assert run(source) == 0


def test_a_reference_that_was_read_from_a_global_is_in_no_accumulator() -> None:
    source = """(module (global $g externref (ref.null extern)) (global $n (mut i64) (i64.const 5))
      (func (export "f") (result i32 i64)
        (ref.is_null (global.get $g))
        (drop (global.get $g))
        (i64.add (global.get $n) (i64.const 1))))"""
    assert run(source) == (1, 6)
