"""Observers see each rule that a run takes, in order, and how the configuration is written."""

from contextlib import suppress

import pytest

from pywasm_ref.errors import Trap, WasmException
from pywasm_ref.execution.machine import Machine
from pywasm_ref.execution.notation import Notation
from pywasm_ref.execution.runtime import Store
from pywasm_ref.syntax.instructions import Instr
from tests.execution.support import call, run, start


class Recorder:
    def __init__(self) -> None:
        self.rules: list[str] = []

    def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
        self.rules.append(rule.split("/")[1])


def rules(text: str, *args: int) -> list[str]:
    store = Store()
    inst = start(text, store=store)
    store.observer = recorder = Recorder()
    with suppress(Trap, WasmException):
        call(inst, "f", *args, store=store)
    return recorder.rules


@pytest.mark.parametrize(("body", "expected"), [
    ("(drop (i32.add (i32.const 1) (i32.const 2)))", "binop-val drop"),
    ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", "binop-trap trap-instrs trap-label trap-frame"),
    ("(block (block (br 1)))", "block block br-label-succ br-label-zero"),
    ("(block (block (br_table 0 1 (i32.const 7))))", "block block br_table-ge br-label-succ br-label-zero"),
    ("(if (i32.const 1) (then (nop)))", "if-true block nop label-vals"),
    ("(block (return))", "block return-label return-label return-frame"),
    ("(return_call 1)", "return_call return_call_ref-label return_call_ref-frame-addr call_ref-func"),
    ("(call 1)", "call call_ref-func label-vals frame-vals"),
    ("(call_ref 0 (ref.null 0))", "ref.null call_ref-null trap-instrs trap-label trap-frame"),
    ("(call_indirect (i32.const 0))", "call_indirect table.get-val ref.cast-succeed call_ref-func label-vals frame-vals"),
    ("(call_indirect (i32.const 9))", "call_indirect table.get-oob trap-instrs trap-label trap-frame"),
    ("(try_table (nop))", "try_table nop label-vals handler-vals"),
    ("(block (try_table (catch_all 0) (throw 0)))", "block try_table throw throw_ref-instrs throw_ref-label throw_ref-handler-catch_all br-label-zero"),
    ("(try_table (catch 1 0) (throw 0))",
     "try_table throw throw_ref-instrs throw_ref-label throw_ref-handler-next throw_ref-handler-empty throw_ref-label throw_ref-frame"),
    ("(throw_ref (ref.null exn))", "ref.null throw_ref-null trap-instrs trap-label trap-frame"),
    ("(drop (v128.load8_lane 0 (i32.const 65536) (v128.const i64x2 0 0)))", "vload_lane-oob trap-instrs trap-label trap-frame"),
    ("(v128.store64_lane 0 (i32.const 65529) (v128.const i64x2 0 0))", "vstore_lane-oob trap-instrs trap-label trap-frame"),
    ("(memory.fill (i32.const 0) (i32.const 1) (i32.const 0))", "memory.fill-zero"),
    ("(drop (i32.load (i32.const 65533)))", "load-num-oob trap-instrs trap-label trap-frame"),
])  # fmt: skip
def test_each_rule_is_announced(body: str, expected: str) -> None:
    text = f"""(module (type (func)) (tag $a) (tag $b) (memory 1) (table funcref (elem 1))
      (func (export "f") (type 0) {body}) (func))"""
    found = rules(text)
    assert found[0] == "call_ref-func"
    ends = [] if set(found) & {"return-frame", "trap-frame", "throw_ref-frame", "return_call"} else ["label-vals", "frame-vals"]
    tail = ["label-vals", "frame-vals"] if "return_call" in found else ends
    assert found == ["call_ref-func", *expected.split(), *tail]


def test_a_branch_to_the_body_of_a_function_ends_the_frame() -> None:
    assert rules('(module (func (export "f") (br 0)))') == ["call_ref-func", "br-label-zero", "frame-vals"]


def test_an_observed_run_costs_the_same_fuel() -> None:
    text = '(module (func (export "f") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))'
    plain, observed = Store(fuel=1000), Store(fuel=1000)
    observed.observer = Recorder()
    for store in (plain, observed):
        run(text, "f", 10, store=store)
    assert plain.fuel_left == observed.fuel_left


def test_constant_expressions_cost_an_observed_store_nothing_either() -> None:
    store = Store(fuel=100)
    store.observer = Recorder()
    run('(module (global i32 (i32.add (i32.const 1) (i32.const 2))) (func (export "f") nop))', "f", store=store)
    assert store.fuel_left == 99


FAC = """(module (func $fac (export "f") (param $n i64) (result i64)
  (if (result i64) (i64.eqz (local.get $n)) (then (i64.const 1))
    (else (i64.mul (local.get $n) (call $fac (i64.sub (local.get $n) (i64.const 1))))))))"""


def test_a_configuration_is_written_with_typed_values_and_nested_labels() -> None:
    notation = Notation()
    lines: list[str] = []

    class Writer:
        def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
            lines.append(f"{rule}: {notation.configuration(z, instr)}")

    store = Store()
    store.observer = Writer()
    assert run(FAC, "f", 1, store=store) == [1]
    assert "Step_pure/testop: frame_1{locals (i64.const 1)} label_1{} (i64.const 1) i64.eqz if (result i64) … end end end" in lines
    assert "Step_pure/binop-val: frame_1{locals (i64.const 1)} label_1{} label_1{} (i64.const 1) (i64.const 1) i64.mul end end end" in lines
    assert any(
        line.startswith("Step_read/local.get: … frame_1{locals (i64.const 1)} label_1{} label_1{} (i64.const 1) frame_1") for line in lines
    )


def test_a_sequence_shows_the_innermost_label_only() -> None:
    notation = Notation()
    lines: list[str] = []

    class Writer:
        def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
            lines.append(notation.sequence(z, instr))

    store = Store()
    store.observer = Writer()
    run('(module (func (export "f") (result i32) (i32.const 4) (block (result i32) (i32.const 5) (i32.clz)) (i32.add)))', "f", store=store)
    assert "(i32.const 5) i32.clz" in lines
    assert "(i32.const 4) (i32.const 29) i32.add" in lines


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize("body", ["(call $deep)", "(block $b (try_table (catch $other $b) (call $deep)))"])
def test_an_exception_that_nobody_takes_knows_where_it_was_thrown(body: str, observed: bool) -> None:
    text = f'(module (tag $e) (tag $other) (func (export "f") {body}) (func $deep (throw $e)))'
    store = Store()
    store.observer = Recorder() if observed else None
    with pytest.raises(WasmException) as caught:
        run(text, "f", store=store)
    assert caught.value.at == text.index("throw $e")
    assert [name for name, _ in caught.value.frames] == ["deep", 0]
