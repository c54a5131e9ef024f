"""Locals of which many are declared: the ones that code names are where they should be, and the others cost nothing."""

from __future__ import annotations

import random
import time

import pytest

import pywasm_ref as wasm
from pywasm_ref.features import ALL
from tests.fastcore.test_abuse import leb, section

objects = pytest.importorskip("pywasm_ref._fastcore.objects", reason="the native engine is not built", exc_type=ImportError)

KINDS = ("i32", "i64", "f32", "f64", "v128")


def wide(kind: str, value: int) -> str:
    return f"(v128.const i64x2 {value} 0)" if kind == "v128" else f"({kind}.const {value})"


def low(kind: str, value: str) -> str:
    """A value as an i64."""
    return {
        "i32": f"(i64.extend_i32_u {value})",
        "i64": value,
        "f32": f"(i64.trunc_f32_s {value})",
        "f64": f"(i64.trunc_f64_s {value})",
        "v128": f"(i64x2.extract_lane 0 {value})",
    }[kind]


def function(name: str, choose: random.Random) -> tuple[str, int]:
    """One that sets some of its locals, and adds up these and others, which are zero; and what it gives."""
    params = [choose.choice(KINDS[:4]) for _ in range(choose.choice((0, 2, 150)))]
    runs = [(choose.choice(KINDS), choose.choice((1, 5, 99, 100, 101, 150, 2_000))) for _ in range(choose.randrange(1, 7))]
    kinds = [*params, *(kind for kind, n in runs for _ in range(n))]
    chosen = choose.sample(range(len(kinds)), min(len(kinds), 12))
    values = {x: choose.randrange(1, 1_000) for x in chosen[:8]}
    sets = [f"(local.set {x} {wide(kinds[x], value)})" for x, value in values.items()]
    total = "".join(f"(local.set $sum (i64.add (local.get $sum) {low(kinds[x], f'(local.get {x})')}))" for x in [*chosen, *chosen])
    given = " ".join(f"(param {kind})" for kind in params)
    laid = " ".join(f"(local {' '.join([kind] * n)})" for kind, n in runs)
    text = f'(func ${name} {given} (result i64) {laid} (local $sum i64) {" ".join(sets)} {total} (local.get $sum))'
    call = f'(func (export "{name}") (result i64) (call ${name} {" ".join(wide(kind, 0) for kind in params)}))'
    return text + call, 2 * sum(values.values())


@pytest.mark.parametrize("fuel", [None, 10**9])
@pytest.mark.parametrize("seed", range(12))
def test_locals_of_long_runs_are_where_they_should_be(seed: int, fuel: int | None) -> None:
    choose = random.Random(seed)
    made = {f"f{i}": function(f"f{i}", choose) for i in range(8)}
    text = f"(module {' '.join(code for code, _ in made.values())})"
    exports = wasm.instantiate(text, engine="fast", limits=wasm.Limits(fuel=fuel)).exports
    for _ in range(2):
        assert {name: exports[name]() for name in made} == {name: value for name, (_, value) in made.items()}


def test_a_local_of_a_long_run_that_is_not_set_is_told_by_its_index(engine: str) -> None:
    text = "(module (elem declare func 0) (func (param i32) (local i32 i64) (local {}) (block (local.set 150 (ref.func 0)) (drop (local.get 150))) {}))"
    assert not wasm.Module(text.format("(ref func) " * 200, ""), engine=engine).exports
    for x in (103, 150):
        with pytest.raises(wasm.Invalid, match=f"uninitialized local {x}"):
            wasm.Module(text.format("(ref func) " * 200, f"(drop (local.get {x}))"), engine=engine)
    with pytest.raises(wasm.Invalid, match="unknown local 203"):
        wasm.Module(text.format("(ref func) " * 200, "(drop (local.get 203))"), engine=engine)


def seconds(types: bytes, body: bytes) -> float:
    """What twenty thousand functions of one type with one body take to compile."""
    n = 20_000
    function = leb(len(body)) + body
    data = b"\0asm\1\0\0\0" + section(1, b"\x01\x60" + types) + section(3, leb(n) + b"\0" * n) + section(10, leb(n) + function * n)
    begun = time.process_time()
    objects.Module(data, ALL)
    return time.process_time() - begun


@pytest.mark.parametrize("groups", [b"\x01" + leb(50_000) + b"\x7f", b"\x02" + leb(20_000) + b"\x7e" + leb(29_000) + b"\x7b"])
def test_locals_that_nobody_names_cost_nothing(groups: bytes) -> None:
    assert seconds(b"\0\0", groups + b"\x0b") < 0.5
    assert seconds(b"\0\0", groups + b"\x20" + leb(40_000) + b"\x1a\x20" + leb(7) + b"\x1a\x0b") < 0.5


def test_parameters_cost_little_in_each_function_that_has_them() -> None:
    assert seconds(leb(2_500) + b"\x7f" * 2_500 + b"\0", b"\0\x0b") < 1
