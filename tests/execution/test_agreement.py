"""What an observer is told before a step agrees with what the step then does."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from pywasm_ref.errors import Trap
from pywasm_ref.execution.machine import Machine
from pywasm_ref.execution.runtime import Store
from pywasm_ref.syntax.instructions import Instr
from tests.execution.support import call, start

REASONS = {
    "oob": ("out of bounds", "undefined element"),
    "null": ("null ", "uninitialized element"),
    "trap": ("integer ", "invalid conversion"),
    "unreachable": ("unreachable",),
    "ref.cast-fail": ("cast failure", "indirect call type mismatch"),
}
BRANCHES = {"br_on_null-null", "br_on_non_null-null", "any.convert_extern-null", "extern.convert_any-null"}
"""Rules on null references that do not trap."""


def reasons(rule: str) -> tuple[str, ...]:
    """How the trap that a rule announces may begin; nothing when it announces none."""
    name = rule.split("/")[1]
    if name in BRANCHES or name.startswith("trap-"):
        return ()
    return REASONS.get(name) or REASONS.get(name.split("-")[-1].rstrip("12"), ())


class Agreement:
    """Compares each step with the rules that were announced for it."""

    def __init__(self) -> None:
        self.announced: list[str] = []
        self.seen: set[str] = set()
        self.todo: Any = None

    def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
        self.seen.add(rule.split("/")[1])
        if not rule.startswith("Step_pure/trap-"):
            self.announced.append(rule)
            self.todo = z.todo

    def after(self, z: Machine) -> None:
        """The step is done, so none of its rules was one that traps; and it went elsewhere just when it said so."""
        assert not [rule for rule in self.announced if reasons(rule)]
        if self.announced[0].startswith("Step_pure/br_if-"):
            assert (z.todo is not self.todo) == (self.announced[0] == "Step_pure/br_if-true")
        self.announced.clear()

    def trapped(self, error: Trap) -> None:
        """The step ended in a trap: its last rule said so, and which."""
        assert self.announced
        assert error.message.startswith(reasons(self.announced[-1])), (self.announced, error.message)


MEMORY = "0 1 65535 65536 0xffffffff"
TABLE = "0 1 2 3 0xffffffff"
BODIES = [
    ("(drop (i32.div_s {a} {b}))", "0 1 0x80000000 -1", "1 0 -1"),
    ("(drop (i64.rem_u (i64.extend_i32_u {a}) (i64.extend_i32_u {b})))", "0 5", "0 3"),
    ("(drop (i32.trunc_f32_s (f32.reinterpret_i32 {a})))", "0 0x7fc00000 0x7f800000 0xcf000000", "0"),
    ("(drop (i32.load {a}))", MEMORY, "0"),
    ("(drop (i64.load16_s offset=1 {a}))", MEMORY, "0"),
    ("(drop (v128.load {a}))", MEMORY, "0"),
    ("(i32.store {a} {b})", MEMORY, "7"),
    ("(i64.store8 {a} (i64.extend_i32_u {b}))", MEMORY, "7"),
    ("(memory.fill {a} (i32.const 1) {b})", MEMORY, MEMORY),
    ("(memory.copy {a} (i32.const 1) {b})", MEMORY, MEMORY),
    ("(memory.init $d {a} (i32.const 0) {b})", MEMORY, "0 1 4 5"),
    ("(drop (memory.grow {a}))", "0 1 65536", "0"),
    ("(drop (table.get {a}))", TABLE, "0"),
    ("(table.set {a} (ref.func $g))", TABLE, "0"),
    ("(table.fill {a} (ref.null func) {b})", TABLE, TABLE),
    ("(table.copy {a} (i32.const 1) {b})", TABLE, TABLE),
    ("(table.init $e {a} (i32.const 0) {b})", TABLE, "0 1 2"),
    ("(call_indirect (type $v) {a})", TABLE, "0"),
    ("(call_ref $v (select (result (ref null $v)) (ref.null $v) (ref.func $g) {a}))", "0 1", "0"),
    ("(return_call_ref $v (select (result (ref null $v)) (ref.null $v) (ref.func $g) {a}))", "0 1", "0"),
    ("(drop (ref.as_non_null (select (result funcref) (ref.null func) (ref.func $g) {a})))", "0 1", "0"),
    ("(block (drop (br_on_null 0 (select (result funcref) (ref.null func) (ref.func $g) {a}))))", "0 1", "0"),
    ("(block (br_if 0 {a}) (nop))", "0 1", "0"),
    ("(loop (br_if 0 (local.tee 0 (i32.shr_u {a} (i32.const 1)))))", "0 2", "0"),
    ("(if {a} (then (unreachable)) (else (nop)))", "0 1", "0"),
    ("(drop (i31.get_u (select (result i31ref) (ref.null i31) (ref.i31 (i32.const 5)) {a})))", "0 1", "0"),
    ("(drop (struct.get $s 0 (select (result (ref null $s)) (ref.null $s) (struct.new_default $s) {a})))", "0 1", "0"),
    ("(drop (ref.cast (ref $s) (select (result anyref) (ref.null any) (struct.new_default $s) {a})))", "0 1", "0"),
    ("(drop (array.get $a (select (result (ref null $a)) (ref.null $a) (array.new_default $a (i32.const 2)) {a}) {b}))", "0 1", "0 1 2"),
    ("(array.fill $a (select (result (ref null $a)) (ref.null $a) (array.new_default $a (i32.const 2)) {a}) {b} (i32.const 0) (i32.const 1))",
     "0 1", "0 1 2"),
    ("(array.copy $a $a (array.new_default $a (i32.const 2)) {a} (array.new_default $a (i32.const 2)) {b} (i32.const 1))", "0 1 2", "0 1 2"),
    ("(drop (array.new_data $a $d {a} {b}))", "0 4 5", "0 1 4"),
]  # fmt: skip
MODULE = """(module (type $v (func)) (type $s (struct (field i32))) (type $a (array (mut i32))) (memory 1 2) (table 3 funcref)
  (func $g (type $v)) (func $h (param i32)) (data $d "abcd") (elem $e func $g) (elem (i32.const 0) func $g $h)
  (func (export "f") (param i32 i32) BODY))"""


@pytest.mark.parametrize(("body", "first", "second"), BODIES)
def test_what_is_announced_is_what_happens(body: str, first: str, second: str) -> None:
    text = MODULE.replace("BODY", body.format(a="(local.get 0)", b="(local.get 1)"))
    outcomes = set()
    for a, b in product(first.split(), second.split()):
        store = Store(call_depth=50)
        inst = start(text, store=store)
        store.observer = agreement = Agreement()
        try:
            call(inst, "f", int(a, 0) % 2**32, int(b, 0) % 2**32, store=store)
        except Trap as error:
            agreement.trapped(error)
        outcomes.add(frozenset(agreement.seen))
    assert len(outcomes) > 1
