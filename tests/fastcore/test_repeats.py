"""The beginning of a loop around a br_table is repeated where code goes back to the loop: that must not show but in the time it takes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.errors import Trap
from pywasm_ref.source import Source
from pywasm_ref.text import parse

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)
listing = pytest.importorskip("pywasm_ref._fastcore.listing").listing
objects = pytest.importorskip("pywasm_ref._fastcore.objects")

ENGINES = {"reference": "reference", "fast": native.ENGINE}
HEAD = "(local.set $at (i32.add (local.get $at) (i32.const 1))) (i32.load8_u offset=15 (local.get $at))"
"""Reads the next byte of a program that stands in memory from 16 on."""
AHEAD = "(local.set $next (i32.add (local.get $at) (i32.const 1))) (i32.load8_u offset=16 (local.get $at))"
"""The same as compilers have it, who keep where the next one stands in another local."""
ARMS = {
    "a counter that is copied": f"""(loop $l (block $stop (block $three (block $two (block $one
        {AHEAD} (br_table $one $two $three $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (local.set $at (local.get $next)) (br $l))
      (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $l))
      (local.set $s (i32.add (local.get $s) (local.get $at))) (local.set $at (i32.add (local.get $next) (i32.const 1))) (br $l)))
      (local.set $s (i32.add (local.get $s) (local.get $next)))""",
    "a counter that is copied from what the head writes twice": f"""(loop $l (block $stop (block $two (block $one
        (local.set $next (i32.add (local.get $at) (i32.const 2))) {AHEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (local.set $at (local.get $next)) (br $l))
      (local.set $next (i32.add (local.get $next) (i32.const 1))) (local.set $at (local.get $next)) (br $l)))
      (local.set $s (i32.add (local.get $s) (local.get $next)))""",
    "a counter that the head writes before it reads it": f"""(loop $l (block $stop (block $two (block $one
        (local.set $at (i32.add (local.get $next) (i32.const 0))) {AHEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (local.set $at (local.get $s)) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (local.set $at (i32.const 9)) (br $l)))""",
    "a sum that the head uses twice": """(loop $l (block $stop (block $two (block $one
        (local.set $s (i32.xor (local.tee $next (i32.add (local.get $at) (i32.const 1))) (local.get $s)))
        (i32.load8_u offset=16 (local.get $at)) (br_table $one $two $one $stop))
      (local.set $at (local.get $next)) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (local.set $at (local.get $next)) (br $l)))""",
    "plain": f"""(loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l))
      (local.set $at (i32.sub (local.get $at) (i32.const 1))) (i32.store8 offset=16 (local.get $at) (i32.const 0)) (br $l)))""",
    "a value under the loop": f"""(i32.const 1000) (loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (i32.const 4) (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l))
      (i32.add (i32.const 4) (local.get $s)) (i32.const 9) (br $l)))
      (local.set $s (i32.add (local.get $s)))""",
    "a loop with a parameter": f"""(i32.const 7) (loop $l (param i32) (result i32) (local.set $s (i32.add (local.get $s)))
      (block $stop (block $three (block $two (block $one {HEAD} (br_table $one $two $three $stop))
      (br $l (i32.const 5)))
      (i32.const 8) (br $l (i32.mul (local.get $s) (i32.const 3))))
      (br $l (local.get $at)))
      (local.get $s)) (local.set $s)""",
    "from inner blocks, loops and conditions": f"""(loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (loop $inner (local.set $s (i32.add (local.get $s) (i32.const 1))) (br_if $inner (i32.rem_u (local.get $s) (i32.const 5))) (br $l)))
      (if (i32.and (local.get $s) (i32.const 1)) (then (local.set $s (i32.add (local.get $s) (i32.const 1))) (br $l))
        (else (local.set $s (i32.const 11)) (br $l))))
      (block (br_if 0 (i32.eqz (local.get $s))) (local.set $s (i32.const 0)) (br $l)) (br $l)))""",
    "two loops that begin together": f"""(loop $out (loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $out))
      (local.set $s (i32.sub (local.get $s) (i32.const 1))) (br $out))))""",
    "one interpreter in another": f"""(loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (block $done (loop $m (block $b (block $a {HEAD} (br_table $a $b $done))
          (local.set $s (i32.add (local.get $s) (i32.const 7))) (br $m)) (local.set $s (i32.mul (local.get $s) (i32.const 2))) (br $m))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l))
      (local.set $s (i32.sub (local.get $s) (i32.const 1))) (br $l)))""",
    "under handlers of exceptions": f"""(loop $l (block $stop (block $three (block $two (block $one
        {HEAD} (br_table $one $two $three $stop))
      (block $h (result i32) (try_table (catch $e $h) (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l)) (i32.const 1)) (drop) (br $l))
      (block $h (result i32) (try_table (catch $e $h) (throw $e (i32.const 3))) (unreachable)) (local.set $s (i32.add (local.get $s))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l)))""",
    "a value stays where it is": f"""(loop $l (block $stop (result i32) (block $two (result i32) (block $one (result i32)
        (local.get $s) {HEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (i32.const 5))) (br $l))
      (local.set $s (i32.mul (i32.const 3))) (br $l))
      (local.set $s))""",
    "values go along with the table": f"""(loop $l (block $stop (result i32) (block $two (result i32) (block $one (result i32)
        (i32.const 77) (local.get $s) {HEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (i32.const 5))) (br $l))
      (local.set $s (i32.mul (i32.const 3))) (br $l))
      (local.set $s))""",
    "a long head": f"""(loop $l {"(local.set $s (i32.rotl (i32.add (local.get $s) (local.get $at)) (i32.const 3)))" * 6} (block $stop (block $two (block $one
        {HEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l)))""",
    "a head that calls": f"""(loop $l (local.set $s (call $same (local.get $s))) (block $stop (block $two (block $one
        {HEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l)))""",
    "a head that may leave earlier": f"""(loop $l (block $stop (br_if $stop (i32.gt_u (local.get $s) (i32.const 60))) (block $two (block $one
        {HEAD} (br_table $one $two $one $stop))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l))
      (local.set $s (i32.mul (local.get $s) (i32.const 3))) (br $l)))""",
    "a constant decides": f"""(loop $l (block $stop (block $one (drop {HEAD}) (br_table $one $stop (i32.const 0)))
      (local.set $s (i32.add (local.get $s) (i32.const 5))) (br_if $stop (i32.gt_u (local.get $s) (i32.const 30))) (br $l)))""",
}
REPEATED = set(ARMS) - {"values go along with the table", "a long head", "a head that calls", "a head that may leave earlier"}
PROGRAMS = [
    bytes(program)
    for program in (
        (3,),
        (0, 1, 0, 3),
        (0, 0, 1, 1, 2, 0, 3),
        (1, 0, 0, 2, 9, 3),
        (2, 0, 1, 2, 3),
        (0, 1, 2, 1, 0, 200),
        (0, 1, 0, 1, 0, 1, 9, 9),
    )
]


def source(name: str, program: bytes) -> str:
    data = "".join(f"\\{byte:02x}" for byte in program)
    return f"""(module (memory 1) (tag $e (param i32)) (data (i32.const 16) "{data}\\09\\09\\09")
      (func (export "program") (result i64) (i64.load (i32.const 16)))
      (func $same (param i32) (result i32) (local.get 0))
      (func (export "f") (param $at i32) (result i32) (local $s i32) (local $next i32) {ARMS[name]} (i32.add (i32.mul (local.get $s) (i32.const 256)) (local.get $at))))"""


@cache
def module(text: str, engine: str) -> wasm.Module:
    return wasm.Module(text, engine=ENGINES[engine])


def outcome(engine: str, text: str, at: int = 0, fuel: int | None = None) -> tuple[object, ...]:
    store = wasm.Store(ENGINES[engine], wasm.Limits(fuel=fuel))
    instance: Any = wasm.instantiate(module(text, engine), store=store)
    try:
        result: object = instance.exports.f(at)
    except Trap as trap:
        result = trap.reason, trap.at
    except wasm.WasmError as error:
        result = type(error)
    left, store.fuel = store.fuel, None
    return result, left, instance.exports.program()


@pytest.mark.parametrize("name", ARMS)
def test_programs_give_what_they_gave(name: str) -> None:
    for program in PROGRAMS:
        text = source(name, program)
        assert outcome("fast", text) == outcome("reference", text), program


@pytest.mark.parametrize("name", ARMS)
def test_every_amount_of_fuel_stops_at_the_same_instruction(name: str) -> None:
    text = source(name, PROGRAMS[2])
    for fuel in (*range(160), 1000):
        assert outcome("fast", text, fuel=fuel) == outcome("reference", text, fuel=fuel), fuel


@pytest.mark.parametrize("name", ARMS)
def test_a_trap_in_a_repeated_head_is_where_the_head_is(name: str) -> None:
    """The program runs out of memory's end."""
    text = source(name, b"").replace("(i32.const 16) ", "(i32.const 65500) ").replace("\\09\\09\\09", "\\00\\01\\00" * 12)
    assert outcome("fast", text, 65484) == outcome("reference", text, 65484)


@pytest.mark.parametrize("name", ARMS)
def test_short_heads_are_repeated_and_others_are_not(name: str) -> None:
    for metered in (False, True):
        operations = listing(objects.Module(binary.encode(parse(source(name, b"")))), metered=metered)[2]
        names = [operation.partition("__")[0] for _, operation, _ in operations]
        own, shared = (
            {tuple(targets) for (_, _, targets), one in zip(operations, names, strict=True) if re.match(pattern, one)}
            for pattern in ("br_table(?!_shared)", "br_table_shared")
        )
        assert shared <= own
        assert bool(shared) == (name in REPEATED)


def test_a_copied_counter_is_fetched_by_without_waiting_for_memory() -> None:
    """It is in the accumulator on each way back, and the addition in front of the load leaves it there."""
    operations = [
        name.partition("__")[0] for _, name, _ in listing(objects.Module(binary.encode(parse(source("a counter that is copied", b"")))))[2]
    ]
    ways_back = [n for n, name in enumerate(operations) if name.startswith("br_table_shared")]
    assert [operations[n - 3 : n] for n in ways_back] == [
        ["copy_i", "i32_add_aside_sk", "i32_load8_u_r"],
        ["i32_add_sk_w", "i32_add_aside_sk", "i32_load8_u_r"],
        ["i32_add_sk_w", "i32_add_aside_sk", "i32_load8_u_r"],
    ]


def test_code_with_repeated_heads_can_be_kept() -> None:
    raw: Any = module(source("plain", PROGRAMS[2]), "fast").raw
    again = native.ENGINE.load(Source("<kept>", raw.binary), raw.features, memoryview(raw.lowered()))
    assert again.lowered() == raw.lowered()
    assert listing(again) == listing(raw)


def test_a_stretch_that_would_be_too_long_jumps_instead() -> None:
    arm = "nop " * 29_995 + "(local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l)"
    text = source("plain", PROGRAMS[1]).replace("(local.set $s (i32.add (local.get $s) (i32.const 5))) (br $l)", arm, 1)
    assert arm in text
    for fuel in (*range(29_990, 30_060, 3), 60_100, None):
        assert outcome("fast", text, fuel=fuel) == outcome("reference", text, fuel=fuel), fuel


def test_many_arms_and_many_ways_back_share_one_table() -> None:
    """What a module of so many bytes becomes must not be their square."""
    n = 2000
    targets = " ".join(map(str, range(n)))
    text = (
        f"(module (func (param i32) (loop $l (block $stop {'(block ' * n} (br_table {targets} $stop (local.get 0)) {') (br $l) ' * n}))))"
    )
    operations = listing(objects.Module(binary.encode(parse(text))))[0]
    assert operations[-1][0] < 8 * n


def test_copies_have_no_more_words_than_the_function_has_bytes() -> None:
    """Five bytes that go back could become a head of thirty words."""
    head = "(i64.store (i32.const 0) (i64.const 5))" * 7
    text = f"(module (memory 1) (func (param i32) (loop $l (block $a {head} (br_table $a $a (local.get 0))) {'(block (br $l))' * 2000})))"
    source = binary.encode(parse(text))
    for metered in (False, True):
        operations = listing(objects.Module(source), metered=metered)[0]
        names = [name.partition("__")[0] for _, name, _ in operations]
        copies = sum(name.startswith("br_table_shared") for name in names)
        assert 300 < copies < 400
        assert names.count("br") + copies == 2000
        assert operations[-1][0] < 2 * len(source)


def test_ways_back_jump_when_there_are_copies_enough() -> None:
    """The program goes through all of them."""
    arms = "".join(
        f"(block (br_if 0 (i32.ne (local.get $s) (i32.const {i}))) (local.set $s (i32.const {i + 1})) (br $l))" for i in range(40)
    )
    head = "(i64.store (i32.const 8) (i64.const 5))" * 6
    text = source("plain", b"").replace(ARMS["plain"], f"(loop $l (block $a {head} (br_table $a $a (local.get $at))) {arms})")
    operations = [name for _, name, _ in listing(objects.Module(binary.encode(parse(text))))[2]]
    assert 0 < sum(name.startswith("br_table_shared") for name in operations) < 40
    for fuel in (*range(0, 900, 7), None):
        assert outcome("fast", text, fuel=fuel) == outcome("reference", text, fuel=fuel), fuel


def test_a_loop_without_end_can_be_stopped() -> None:
    text = source("plain", b"").replace(ARMS["plain"], "(loop $l (block $a (br_table $a $a (local.get $at))) (br $l))")
    assert outcome("fast", text, fuel=10_000) == outcome("reference", text, fuel=10_000)
