"""Instructions that are wrong in two ways: every engine tells of the same one."""

from __future__ import annotations

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.features import ALL
from pywasm_ref.text import parse

CASES = [
    ("(i32.atomic.load align=1 (i64.const 0)) (drop)", "instruction requires [i32] but stack has [i64]"),
    ("(unreachable) (i32.atomic.load align=1) (drop)", "alignment must be equal to natural"),
    ("(i32.atomic.load align=8 (i64.const 0)) (drop)", "alignment must not be larger than natural"),
    ("(v128.load64_lane 2 (i32.const 0) (i32.const 0)) (drop)", "instruction requires [i32 v128] but stack has [i32 i32]"),
    ("(i32.const 0) (v128.const i64x2 0 0) (v128.store64_lane 2)", "invalid lane index 2"),
    ("(i32.const 0) (i8x16.extract_lane_u 16) (drop)", "invalid lane index 16"),
]


@pytest.mark.parametrize(("body", "words"), CASES)
def test_the_first_fault_of_an_instruction_is_told(engine: str, body: str, words: str) -> None:
    data = binary.encode(parse(f"(module (memory 1) (func {body}))", ALL))
    with pytest.raises(wasm.Invalid) as caught:
        wasm.Module(data, engine, ALL)
    assert words in caught.value.message
