"""What the translator leaves out, folds or puts together must not show: each piece of code gives what the reference engine gives."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.text import parse

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)
listing = pytest.importorskip("pywasm_ref._fastcore.listing").listing
objects = pytest.importorskip("pywasm_ref._fastcore.objects")

DIRTY = f"""(func $dirty {"(local i64)" * 40} {"".join(f"(local.set {i} (i64.const -1))" for i in range(40))}
  {"".join(f"(local.get {i})" for i in range(40))} {"(drop)" * 40})"""
"""Leaves the stack above its caller full of ones."""
LEAST, MOST, NAN = 1 << 63, (1 << 63) - 1, 0x7FF4_0000_0000_0001


def both(text: str, *arguments: tuple[Any, ...]) -> None:
    reference, fast = (wasm.instantiate(text, engine=engine).exports.f for engine in ("reference", native.ENGINE))
    for given in arguments:
        assert fast(*given) == reference(*given), given


def names(text: str, index: int = 0) -> list[str]:
    return [name.partition("__")[0] for _, name, _ in listing(objects.Module(binary.encode(parse(text))))[index]]


LOCALS = {
    "read before it is written": "(local.set 1 (i32.add (local.get 2) (i32.const 5))) (local.set 2 (local.get 1)) (i32.add (local.get 1) (local.get 2))",
    "read by what is written to it": "(local.set 1 (i32.add (local.get 1) (i32.const 5))) (local.get 1)",
    "written behind a branch": "(block (br_if 0 (local.get 0)) (local.set 1 (i32.const 7))) (local.get 1)",
    "written before a branch": "(block (local.set 1 (i32.const 7)) (br_if 0 (local.get 0)) (local.set 2 (i32.const 9))) (i32.add (local.get 1) (local.get 2))",
    "written in a loop": "(loop (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br_if 0 (i32.lt_u (local.get 2) (local.get 0)))) (local.get 2)",
    "zero, and then something": "(local.set 1 (i32.const 3)) (local.set 1 (i32.const 0)) (local.set 2 (i32.const 0)) (i32.add (local.get 1) (local.get 2))",
    "zero from the beginning": "(local.set 2 (i32.const 0)) (if (local.get 0) (then (local.set 2 (i32.const 4)))) (local.get 2)",
    "a parameter becomes zero": "(local.set 0 (i32.const 0)) (local.get 0)",
    "zero, read while it waits": "(local.get 1) (local.set 1 (local.get 0)) (local.set 1 (i32.const 0)) (i32.add (local.get 1))",
    "some in the middle": "(local.set 1 (local.get 0)) (local.set 3 (local.get 0)) (i32.add (i32.add (local.get 1) (local.get 2)) (i32.add (local.get 3) (local.get 4)))",
    "read by a select": "(local.set 3 (select (local.get 1) (local.get 2) (local.get 0))) (local.set 1 (local.get 3)) (local.set 2 (local.get 3)) (i32.add (local.get 1) (local.get 2))",
    "read by a store": "(i32.store (i32.const 0) (local.get 1)) (local.set 1 (i32.const 1)) (i32.add (i32.load (i32.const 0)) (local.get 1))",
    "read by a call": "(call $same (local.get 1)) (local.set 1 (i32.const 1)) (i32.add (local.get 1))",
    "read by an indirect call": "(call_indirect (type $t) (i32.const 4) (local.get 1)) (local.set 1 (i32.const 1)) (i32.add (local.get 1))",
    "read by a jump table": "(block (block (br_table 0 1 (local.get 1))) (local.set 2 (i32.const 5))) (local.set 1 (i32.const 1)) (i32.add (local.get 1) (local.get 2))",
    "returned": "(if (local.get 0) (then (return (local.get 1)))) (local.set 1 (i32.const 1)) (local.get 1)",
}


@pytest.mark.parametrize("code", LOCALS.values(), ids=LOCALS)
def test_locals_begin_as_zero(code: str) -> None:
    text = f"""(module (memory 1) (type $t (func (param i32) (result i32))) (table funcref (elem $same $same)) {DIRTY}
      (func $same (type $t) (local.get 0))
      (func $f (param i32) (result i32) (local i32 i32 i32 i32) {code})
      (func (export "f") (param i32) (result i32) (call $dirty) (call $f (local.get 0))))"""
    both(text, (0,), (1,), (5,))


@pytest.mark.parametrize("count", [1, 4, 5, 8, 9, 30, 64, 65, 100])
def test_any_number_of_locals_begins_as_zero(count: int) -> None:
    """The last one is written first."""
    total = "".join(f"(i64.or (local.get {i}))" for i in range(count))
    text = f"""(module {DIRTY} (func $f (result i64) {"(local i64)" * count} (local.set {count - 1} (i64.const 2)) (i64.const 1) {total})
      (func (export "f") (result i64) (call $dirty) (call $dirty) (call $f)))"""
    both(text, ())


def test_locals_that_are_written_before_they_are_read_are_not_made_zero() -> None:
    text = """(module (func (param f64) (result f64) (local f64 f64)
      (local.set 1 (f64.add (local.get 0) (local.get 0))) (local.set 2 (f64.mul (local.get 1) (local.get 1))) (f64.sub (local.get 1) (local.get 2))))"""
    assert not any(name.startswith("enter") for name in names(text))


def test_exceptions_find_locals_as_they_were() -> None:
    text = f"""(module (tag $e) {DIRTY} (func $thrower (param i32) (if (local.get 0) (then (throw $e))))
      (func $f (param i32) (result i32) (local i32 i32)
        (local.set 1 (i32.const 3))
        (block $caught (try_table (catch_all $caught) (call $thrower (local.get 0)) (local.set 2 (i32.const 4))))
        (i32.add (local.get 1) (local.get 2)))
      (func (export "f") (param i32) (result i32) (call $dirty) (call $f (local.get 0))))"""
    both(text, (0,), (1,))


WIDE = [0, 1, 31, MOST, LEAST, 0x8000_0000, 0x7FFF_FFFF, 0xFFFF_FFFF, 2**64 - 2**31, 2**64 - 1, 0x0123_4567_89AB_CDEF]
INTEGER = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "div_u", "rem_u"]
COMPARED = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"]


@pytest.mark.parametrize("name", [*INTEGER, *COMPARED])
def test_constants_of_64_bits(name: str) -> None:
    """On either side, from a slot and from an accumulator, and as what a branch compares."""
    for constant in WIDE:
        if name.startswith(("div", "rem")) and constant == 0:
            continue
        left, right = (f"(i64.{name} {{x}} (i64.const {constant}))", f"(i64.{name} (i64.const {constant}) {{x}})")
        uses = [left.replace("{x}", x) for x in ("(local.get 0)", "(i64.xor (local.get 0) (local.get 1))")]
        if not name.startswith(("div", "rem")):
            uses += [right.replace("{x}", x) for x in ("(local.get 0)", "(i64.xor (local.get 0) (local.get 1))")]
        type = "i32" if name in COMPARED else "i64"
        if name in COMPARED:
            uses += [f"(if (result i32) {use} (then (i32.const 2)) (else (i32.const 3)))" for use in uses]
        text = f'(module (func (export "f") (param i64 i64) (result {" ".join([type] * len(uses))}) {" ".join(uses)}))'
        both(text, *((x, 0x5555) for x in (0, 1, constant, constant ^ 0x5555, MOST, LEAST, 2**64 - 1)))


def test_constants_of_64_bits_are_stored_and_set() -> None:
    text = """(module (memory 1) (global $g (mut i64) (i64.const 0)) (func (export "f") (param i32) (result i64 i64 i32)
      (i64.store (local.get 0) (i64.const 0x0123456789abcdef)) (i64.store32 offset=8 (local.get 0) (i64.const 0x0123456789abcdef))
      (global.set $g (i64.const 0x0123456789abcdef)) (i64.load (local.get 0)) (global.get $g) (i32.load offset=8 (local.get 0))))"""
    both(text, (0,), (1024,))


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "gt", "le", "ge"])
@pytest.mark.parametrize("type", ["f32", "f64"])
def test_a_comparison_of_floats_that_is_negated_before_a_branch(type: str, name: str) -> None:
    """The opposite of `lt` is not `ge` where there is a NaN."""
    compared = f"(i32.eqz ({type}.{name} (local.get 0) (local.get 1)))"
    text = f"""(module (func (export "f") (param {type} {type}) (result i32 i32 i32) (local i32)
      (if (result i32) {compared} (then (i32.const 1)) (else (i32.const 2)))
      (if (result i32) (i32.eqz {compared}) (then (i32.const 3)) (else (i32.const 4)))
      (block (result i32) (i32.const 5) (br_if 0 (i32.eqz (local.tee 2 ({type}.{name} (local.get 0) (local.get 1))))) (i32.add (local.get 2)))))"""
    numbers = [0.0, -0.0, 1.0, float("inf"), float("-inf"), float("nan")]
    both(text, *product(numbers, numbers))
    assert f"br_{type}_{name}_ss" in names(text)


FLOATS = [0x3FF0 << 48, 0x7FF0 << 48, 0xFFF0 << 48, NAN, NAN | LEAST, 0xFFF8 << 48, 0]
CHAINS = [
    "(f64.add (f64.mul (local.get 0) (local.get 1)) (local.get 2))", "(f64.sub (local.get 2) (f64.mul (local.get 0) (local.get 1)))",
    "(f64.mul (f64.sub (local.get 0) (local.get 1)) (f64.add (local.get 1) (local.get 2)))", "(f64.neg (f64.mul (local.get 0) (local.get 1)))",
    "(f64.abs (f64.sub (local.get 0) (local.get 1)))", "(f64.copysign (f64.add (local.get 0) (local.get 1)) (local.get 2))",
    "(f64.copysign (local.get 2) (f64.add (local.get 0) (local.get 1)))", "(f64.sqrt (f64.sub (local.get 0) (local.get 1)))",
    "(select (f64.sub (local.get 0) (local.get 1)) (local.get 2) (i32.const 1))", "(f64.div (f64.add (local.tee 2 (f64.sub (local.get 0) (local.get 1))) (local.get 0)) (local.get 2)) (drop) (local.get 2)",
    "(f64.add (f64.load (i32.const 0)) (f64.mul (local.get 0) (local.get 1)))", "(f64.min (f64.sub (local.get 0) (local.get 1)) (local.get 2))",
    "(block (result f64) (f64.sub (local.get 0) (local.get 1)) (br_if 0 (f64.lt (f64.sub (local.get 0) (local.get 1)) (local.get 2))))",
    "(f64.store (i32.const 8) (f64.sub (local.get 0) (local.get 1))) (f64.load (i32.const 8))",
    "(f64.store (i32.const 8) (f64.add (f64.mul (local.get 0) (local.get 1)) (local.get 2))) (f64.load (i32.const 8))",
    "(call $same (f64.mul (f64.sub (local.get 0) (local.get 1)) (local.get 2)))", "(call $same (f64.sub (local.get 0) (local.get 1)))",
]  # fmt: skip


@pytest.mark.parametrize("code", CHAINS)
@pytest.mark.parametrize("type", ["f64", "f32"])
def test_a_nan_on_its_way_through_several_operations(type: str, code: str) -> None:
    """Inside of a row it may have any bits; whoever can tell them sees the canonical ones."""
    bits = "i64" if type == "f64" else "i32"
    text = f"""(module (memory 1) (func $same (param {type}) (result {type}) (local.get 0))
      (func $f (param {type} {type} {type}) (result {type}) {code.replace("f64", type)})
      (func (export "f") (param {bits} {bits} {bits}) (result {bits}) ({bits}.reinterpret_{type} (call $f
        {" ".join(f"({type}.reinterpret_{bits} (local.get {i}))" for i in range(3))}))))"""
    numbers = FLOATS if type == "f64" else [0x3F80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FA0_0001, 0xFFA0_0001, 0xFFC0_0000, 0]
    both(text, *product(numbers, repeat=3))
