"""Loads that do the operation behind them as well: the same results, the same traps, and only where nobody can tell."""

from __future__ import annotations

import struct
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.errors import Trap
from pywasm_ref.text import parse

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)
listing = pytest.importorskip("pywasm_ref._fastcore.listing").listing
objects = pytest.importorskip("pywasm_ref._fastcore.objects")

DATA = struct.pack("<idf", -7, 2.5, float("nan")).hex()
WORDS = "".join(f"\\{DATA[i : i + 2]}" for i in range(0, len(DATA), 2))
INTEGER, FLOAT = ("add", "sub", "mul", "and", "or", "xor"), ("add", "sub", "mul", "div")
OPERATIONS = [f"{t}.{name}" for t, names in (("i32", INTEGER), ("i64", INTEGER), ("f32", FLOAT), ("f64", FLOAT)) for name in names]


def both(code: str, type: str, *arguments: tuple[Any, ...]) -> None:
    """The function gives, or says, the same on both engines."""
    text = f"""(module (memory 1) (global $g (mut {type}) ({type}.const 3)) (data (i32.const 0) "{WORDS}{WORDS}") (data (i32.const 65528) "\\01\\02\\03\\04\\05\\06\\07\\08")
      (func $same (param {type}) (result {type}) (local.get 0))
      (func (export "f") (param {type} i32) (result {type}) (local {type}) {code}))"""
    reference, fast = (wasm.instantiate(text, engine=engine).exports.f for engine in ("reference", native.ENGINE))
    for given in arguments:
        assert said(fast, given) == said(reference, given), given


def said(function: Any, given: tuple[Any, ...]) -> object:
    try:
        result = function(*given)
    except Trap as trap:
        return trap.reason, str(trap)
    return struct.pack("<d", result) if isinstance(result, float) else result


def names(code: str, type: str) -> list[str]:
    text = f"(module (memory 1) (func $same (param {type}) (result {type}) (local.get 0)) (func (param {type} i32) (result {type}) (local {type}) {code}))"
    return [part for _, name, _ in listing(objects.Module(binary.encode(parse(text))))[1] for part in name.split("__")]


def values(type: str) -> list[tuple[Any, int]]:
    edges = (0, 4, 65528, 65532, 65533, -1, -9) if type[0] == "f" else (0, 4, 8, 65528, 65529, 65533, -1)
    numbers = (0.0, -0.0, 1.5, float("inf"), float("nan"), 3e38) if type[0] == "f" else (0, 1, -1, 0x7FFFFFFF, 12345)
    return [(number, edge) for number in numbers for edge in edges]


@pytest.mark.parametrize("address", ["(local.get 1)", "(i32.const 4)", "(i32.add (local.get 1) (i32.const 1))", "(i32.const 65533)"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_value_and_what_is_loaded(name: str, address: str) -> None:
    """In this order, which matters to `sub` and `div`; the address may be out of bounds, and may need the accumulator of integers."""
    t = name[:3]
    made = f"({t}.mul (local.get 0) ({t}.const 3))"
    both(f"({name} {made} ({t}.load {address}))", t, *values(t))
    both(f"({t}.add ({name} {made} ({t}.load offset=2 {address})) ({t}.load offset=1 {address}))", t, *values(t))
    both(f"(local.set 2 ({name} {made} ({t}.load {address}))) ({t}.sub (local.get 2) (local.get 0))", t, *values(t))


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_handler_does_both(name: str) -> None:
    t = name[:3]
    code = f"({name} ({t}.mul (local.get 0) ({t}.const 3)) ({t}.load (local.get 1)))"
    assert f"{t}_mul_sk" in names(code, t), "what is made stays in the accumulator"
    assert f"{name.replace('.', '_')}_load_s" in names(code, t)


def test_floats_may_have_their_address_made_in_between() -> None:
    code = "(f64.add (f64.mul (local.get 0) (f64.const 3)) (f64.load (i32.add (local.get 1) (i32.const 8))))"
    assert "f64_add_load_r" in names(code, "f64")


APART = {
    "the value is wanted again": "({t}.add (local.tee 2 ({t}.mul (local.get 0) (local.get 0))) ({t}.load (local.get 1))) ({t}.mul (local.get 2))",
    "the loaded value is wanted again": "({t}.add ({t}.mul (local.get 0) (local.get 0)) (local.tee 2 ({t}.load (local.get 1)))) ({t}.mul (local.get 2))",
    "something else is made in between": "({t}.add ({t}.mul (local.get 0) (local.get 0)) ({t}.load (local.get 1))) (drop ({t}.add (local.get 0) (local.get 0)))",
    "another value is made behind it": "({t}.mul (local.get 0) (local.get 0)) ({t}.mul (local.get 0) ({t}.const 5)) ({t}.load (local.get 1)) {t}.sub {t}.sub",
    "a call is between": "({t}.sub ({t}.mul (local.get 0) (local.get 0)) (block (result {t}) (drop (call $same (local.get 0))) ({t}.load (local.get 1))))",
    "a branch is between": "(block (result {t}) ({t}.mul (local.get 0) (local.get 0)) (drop (br_if 0 (local.get 1))) ({t}.mul (local.get 0) (local.get 0))"
    " ({t}.load (local.get 1)) {t}.sub)",
    "a branch takes the value along": "(block (result {t}) (br_if 0 ({t}.mul (local.get 0) (local.get 0)) (local.get 1)) ({t}.load (local.get 1)) {t}.sub)",
    "a store is between": "({t}.mul (local.get 0) (local.get 0)) ({t}.store (local.get 1) (local.get 0)) ({t}.load (local.get 1)) {t}.sub",
    "it is stored itself": "(local.set 2 ({t}.mul (local.get 0) (local.get 0))) ({t}.store (i32.const 16) (local.get 2))"
    " ({t}.sub (local.get 2) ({t}.load (local.get 1)))",
    "the local is written in between": "(local.get 2) (local.set 2 ({t}.mul (local.get 0) (local.get 0))) ({t}.load (local.get 1)) {t}.sub ({t}.sub (local.get 2))",
}


@pytest.mark.parametrize("type", ["i32", "i64", "f32", "f64"])
@pytest.mark.parametrize("code", APART.values(), ids=APART)
def test_what_cannot_be_folded_is_left_apart(code: str, type: str) -> None:
    both(code.format(t=type), type, *values(type))


def test_narrow_loads_are_left_alone() -> None:
    both("(i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.load8_s (local.get 1)))", "i32", *values("i32"))


@pytest.mark.parametrize("memory", ["i64 1", "1 1 shared"])
def test_other_memories(memory: str) -> None:
    """One with 64-bit addresses has loads of its own; a shared one looks again before it traps."""
    at = "(i64.const {})" if memory[0] == "i" else "(i32.const {})"
    text = f"""(module (memory {memory}) (func (export "f") (param f64) (result f64)
      (f64.store {at.format(8)} (f64.const 4)) (f64.sub (f64.mul (local.get 0) (local.get 0)) (f64.load {at.format(8)})))
      (func (export "g") (param f64) (result f64) (f64.sub (f64.mul (local.get 0) (local.get 0)) (f64.load {at.format(65533)}))))"""
    exports = wasm.instantiate(text, engine=native.ENGINE, features="threads").exports
    assert exports.f(3.0) == 5.0
    with pytest.raises(Trap, match="out of bounds memory access"):
        exports.g(3.0)


def test_a_memory_that_has_grown_elsewhere_is_read_with_the_value_still_there() -> None:
    """The other instance grows it while this one's function runs, which finds out at the load."""
    source = '(module (memory (export "m") 1 3 shared) (func (export "g") (drop (memory.grow (i32.const 1)))))'
    owner = wasm.instantiate(source, engine=native.ENGINE, features="threads").exports
    text = """(module (import "a" "m" (memory 1 3 shared)) (import "a" "g" (func $g)) (func (export "f") (param f64) (result f64)
      (call $g) (f64.sub (f64.mul (local.get 0) (local.get 0)) (f64.load (i32.const 65536)))))"""
    exports = wasm.instantiate(text, {"a": owner}, store=owner.m.owner, features="threads").exports
    assert exports.f(3.0) == 9.0
