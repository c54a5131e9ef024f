"""wasmtime behind our protocols: vectors, references and the bits of NaNs come through, and scripts run."""

from __future__ import annotations

import sys

import pytest

from pywasm_ref import binary, text
from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_3
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.difftest.jobs import Argument, Call, Job
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.difftest.peers import peer
from pywasm_ref.tools.difftest.wast import script

pytest.importorskip("wasmtime")

from pywasm_ref.tools.difftest.wasmtime.engine import WasmtimeEngine
from pywasm_ref.tools.difftest.wasmtime.script import WasmtimeRunner

MODULE = """(module
  (type $s (struct (field i8) (field anyref) (field v128))) (type $t (array (mut i16)))
  (import "host" "log" (func $log (param f32 i64)))
  (tag $x (export "x") (param i32 anyref))
  (func (export "log") (call $log (f32.const nan:0x200001) (i64.const -1)))
  (func (export "vector") (param v128) (result v128) (v128.not (local.get 0)))
  (func (export "payload") (param f32) (result f32) (local.get 0))
  (func (export "i31") (result anyref) (ref.i31 (i32.const -1)))
  (func (export "struct") (result anyref) (struct.new $s (i32.const 255) (ref.i31 (i32.const 7)) (v128.const i64x2 1 2)))
  (func (export "array") (result externref) (extern.convert_any (array.new $t (i32.const -1) (i32.const 2))))
  (func (export "host") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "throw") (throw $x (i32.const 1) (ref.null any)))
  (func (export "caught") (result exnref) (block $l (result exnref)
    (try_table (catch_all_ref $l) (throw $x (i32.const 2) (ref.i31 (i32.const 3)))) unreachable))
  (func (export "trap") unreachable))"""
CALLS: dict[str, tuple[Argument, ...]] = {
    "log": (),
    "vector": (1,),
    "payload": (0x7FA0_0001,),
    "i31": (),
    "struct": (),
    "array": (),
    "host": ("extern 3",),
    "throw": (),
    "caught": (),
    "trap": (),
}


def job() -> Job:
    return Job(binary.encode(text.parse(MODULE)), tuple(Call(name, args) for name, args in CALLS.items()), WASM_3)


@pytest.mark.parametrize("strategy", ["cranelift", "pulley"])
def test_all_that_our_engine_sees_wasmtime_sees(strategy: str) -> None:
    assert observe(WasmtimeEngine(strategy), job()) == peer("reference").run(job())


def test_nothing_is_refused_that_is_valid_and_the_other_way_round() -> None:
    wrong = Job(b"\0asm\1\0\0\0\1\1", (), WASM_3, instantiate=False)
    assert observe(WasmtimeEngine(), wrong).start.kind == "malformed"


def test_a_script_counts_the_right_reason_and_no_words() -> None:
    source = Source(
        "a script",
        """(module (table 1 funcref) (func (export "f") (call_indirect (i32.const 9))) (func (export "g") (unreachable)))
        (assert_trap (invoke "f") "undefined element")
        (assert_trap (invoke "g") "integer overflow")
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_malformed (module quote "(func") "whatever")
        (assert_malformed (module binary "") "unexpected end")
        (assert_invalid (module (func)) "type mismatch")""",
    )
    report = run_script(source, WasmtimeRunner(WasmtimeEngine(), WASM_3))
    assert [failure.line for failure in report.failures] == [3, 7]


def test_without_the_package_there_is_one_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("wasmtime", "pywasm_ref.tools.difftest.wasmtime"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(ImportError, match=r"pip install 'pywasm-ref\[diff\]'"):
        peer("wasmtime")


HOST = """(module
  (import "host" "throws" (func $throws (param i32) (result i32))) (import "host" "traps" (func $traps)) (import "host" "tag" (tag $x (param i32)))
  (func (export "caught") (result i32)
    (block $l (result i32) (try_table (result i32) (catch $x $l) (call $throws (call $throws (i32.const 5))))))
  (func (export "uncaught") (drop (call $throws (call $throws (i32.const 6)))))
  (func (export "trapped") (block $l (try_table (catch_all $l) (call $traps) (call $traps) (call $traps) (call $traps)))))"""


@pytest.mark.parametrize("name", ["fast", "wasmtime"])
def test_what_the_host_throws_is_caught_and_what_it_traps_is_not(name: str) -> None:
    calls = (Call("caught", ()), Call("uncaught", ()), Call("trapped", ()))
    asked = Job(binary.encode(text.parse(HOST)), calls, WASM_3)
    try:
        answer = peer(name).run(asked)
    except ImportError as missing:
        pytest.skip(str(missing))
    assert answer == peer("reference").run(asked)
    assert [outcome.kind for outcome in answer.calls] == ["returned", "exception", "trap"]
    assert len(answer.host) == 8


def test_the_host_of_a_script_is_the_host_of_the_lab() -> None:
    asked = Job(binary.encode(text.parse(HOST)), (Call("caught", ()), Call("uncaught", ()), Call("trapped", ())), WASM_3)
    words = script(asked, peer("reference").run(asked), ["what the host does"])
    assert not run_script(Source("host", words), Runner(selection.engine("reference"), WASM_3)).failures


INTERNAL = """(module
  (type $s (struct (field i32)))
  (import "host" "log" (func $log (param anyref)))
  (import "host" "give" (func $give (param anyref i31ref (ref struct) (ref null extern) (ref i31)) (result eqref)))
  (func (export "f") (param externref) (result anyref)
    (call $log (ref.i31 (i32.const 5))) (call $log (ref.null any)) (call $log (struct.new $s (i32.const 3)))
    (call $log (any.convert_extern (local.get 0)))
    (call $give (ref.null any) (ref.i31 (i32.const 1)) (struct.new $s (i32.const 9)) (local.get 0) (ref.i31 (i32.const 2)))))"""


def test_functions_of_the_host_see_internal_references() -> None:
    """Functions of C cannot have them; what stands in front of them does not show."""
    asked = Job(binary.encode(text.parse(INTERNAL)), (Call("f", ("extern 3",)),), WASM_3)
    answer = observe(WasmtimeEngine(), asked)
    assert answer == peer("reference").run(asked)
    assert answer.host[2:] == ["log(struct 1(0x3))", "log(any 3)", "give(null, i31:0x1, struct 1(0x9), extern 3, i31:0x2)"]


def test_a_function_of_the_host_with_what_cannot_be_converted_is_refused_in_words() -> None:
    asked = Job(binary.encode(text.parse('(module (import "host" "f" (func (param exnref))))')), (), WASM_3)
    assert observe(WasmtimeEngine(), asked).start.kind == "unsupported"
