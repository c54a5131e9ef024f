"""Errors outside of function bodies say where in the text, or in the binary, something is wrong; the same on every engine."""

from __future__ import annotations

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.text import parse

TABLE = "(module (table 1 funcref) (func)\n "
CASES = [
    (TABLE + "(elem (i32.const 5) 0))", "2:2", 0x1B, "out of bounds table access"),
    (TABLE + "(elem (i32.const 0) 0) (elem (i32.const 1) 0))", "2:25", 0x21, "out of bounds table access"),
    (TABLE + "(elem (i32.const 5) funcref (ref.null func)))", "2:2", 0x1B, "out of bounds table access"),
    (TABLE + "(elem func 0) (elem declare func 0) (elem (i32.const 9)))", "2:38", 0x23, "out of bounds table access"),
    ('(module (memory 1)\n (data (i32.const 0) "a")\n (data (i32.const 65536) "b"))', "3:2", 0x16, "out of bounds memory access"),
    ('(module (memory 1)\n (data "a")\n (data (i32.const 65536) "b"))', "3:2", 0x13, "out of bounds memory access"),
    (TABLE + "(elem (i32.const 0) 0 0 7))", "2:26", 0x1B, "unknown function 7"),
    (TABLE + "(elem (i32.const 0) 0) (elem (i32.const 0) 0 7))", "2:47", 0x21, "unknown function 7"),
    (TABLE + "(elem func 7))", "2:13", 0x1B, "unknown function 7"),
    (TABLE + "(elem declare func 7))", "2:21", 0x1B, "unknown function 7"),
    (TABLE + "(elem (table 0) (i32.const 0) (ref func) (ref.func 7)))", "2:44", 0x1B, "unknown function 7"),
    (TABLE + "(table funcref (elem 0 7)))", "2:25", 0x1F, "unknown function 7"),
    (TABLE + "(elem funcref (ref.func 0) (ref.func 7)))", "2:30", 0x21, "unknown function 7"),
    (TABLE + "(elem (table 3) (i32.const 0) func 0))", "2:2", 0x1B, "unknown table 3"),
    (TABLE + "(elem (i64.const 0) 0))", "2:20", 0x1E, "type mismatch"),
    (TABLE + "(elem funcref (ref.null extern)))", "2:32", 0x20, "type mismatch"),
    (TABLE + "(elem externref) (elem (i32.const 0) externref))", "2:19", 0x1E, "type mismatch"),
    ('(module (memory 1)\n (data (i64.const 0) "x"))', "2:20", 0x13, "type mismatch"),
    ("(module\n (global i32 (i64.const 0)))", "2:27", 0xF, "type mismatch"),
    ("(module\n (global i32 (i32.const 0)) (global i32 (global.get 4)))", "2:42", 0x12, "unknown global 4"),
    ("(module\n (global funcref (ref.func 9)))", "2:19", 0xD, "unknown function 9"),
    ("(module\n (table 1 funcref (ref.func 9)))", "2:20", 0x10, "unknown function 9"),
    ("(module\n (global i32 (i32.ctz (i32.const 0))))", "2:15", 0xF, "constant expression required"),
]


@pytest.mark.parametrize(("text", "place", "offset", "words"), CASES)
def test_it_is_told_where_a_module_cannot_be_instantiated(engine: str, text: str, place: str, offset: int, words: str) -> None:
    for source, expected in ((text, f"<text>:{place}"), (binary.encode(parse(text)), f"<bytes>:{offset:#x}")):
        with pytest.raises(wasm.WasmError, match=words) as caught:
            wasm.instantiate(source, engine=engine)
        assert caught.value.at is not None
        assert caught.value.source is not None
        assert caught.value.source.where(caught.value.at) == expected


def test_a_segment_that_does_not_fit_is_found_in_code_that_was_kept(engine: str) -> None:
    key = bytes(16)
    module = wasm.Module(TABLE + "(elem (i32.const 5) 0))", engine=engine)
    again = wasm.Module.deserialize(module.serialize(key), engine, key)
    with pytest.raises(wasm.Trap) as caught:
        wasm.instantiate(again)
    assert caught.value.at == 0x1B


def test_a_limit_that_a_text_meets_is_told_at_its_place_in_the_text(engine: str) -> None:
    many = f"(module (type $many (func (result {'i32 ' * 1000})))\n (func $f\n unreachable {'(block (type $many) unreachable)' * 2000} unreachable))"
    with pytest.raises(wasm.Exhaustion, match=r"<text>:3:\d+: too many values on the stack \(end in function 0 \$f\)") as caught:
        wasm.Module(many, engine)
    assert caught.value.at is not None
    assert many[: caught.value.at].endswith("unreachable")  # the end of a block


@pytest.mark.parametrize(("index", "words"), [(1, "uninitialized element 1"), (2, "undefined element 2"), (-1, "undefined element 4294967295")])
def test_a_call_through_a_table_says_the_same_on_every_engine(engine: str, index: int, words: str) -> None:
    text = '(module (table 2 funcref) (func (export "f") (param i32) (call_indirect (local.get 0))) (elem (i32.const 0) func 0))'
    with pytest.raises(wasm.Trap) as caught:
        wasm.instantiate(text, engine=engine).exports.f(index)
    assert caught.value.message == words
