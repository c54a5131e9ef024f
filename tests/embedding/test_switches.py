"""What a feature that is off takes away; and names that a text has, in messages."""

from __future__ import annotations

import pytest

import pywasm_ref as wasm
from pywasm_ref import binary
from pywasm_ref.features import ALL, WASM_3, Feature, Features
from pywasm_ref.text import parse

CASES = [
    ("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", WASM_3, "illegal opcode fe 10 (needs the feature threads"),
    ("(func (atomic.fence))", WASM_3, "illegal opcode fe 03 (needs the feature threads"),
    ("(func) (elem declare func 0)", ALL - {Feature.REFERENCE_TYPES}, "a declarative segment needs the feature reference-types"),
    ('(import "m" "g" (global (ref func)))', ALL - {Feature.REFERENCE_TYPES}, "a reference type needs the feature reference-types"),
    ("(type (func (param (ref func))))", ALL - {Feature.REFERENCE_TYPES}, "a reference type needs the feature reference-types"),
    (
        "(func (param anyref) (drop (ref.test (ref eq) (local.get 0))))",
        ALL - {Feature.FUNCTION_REFERENCES},
        "a reference type without null needs the feature function-references",
    ),
    (
        "(func (param anyref) (block (result anyref) (br_on_cast 0 anyref (ref eq) (local.get 0))) (drop))",
        ALL - {Feature.FUNCTION_REFERENCES},
        "a reference type without null needs the feature function-references",
    ),
]


@pytest.mark.parametrize(("fields", "features", "words"), CASES)
def test_what_belongs_to_a_feature_that_is_off_is_refused(engine: str, fields: str, features: Features, words: str) -> None:
    data = binary.encode(parse(f"(module {fields})", ALL))
    wasm.Module(data, engine, ALL)
    with pytest.raises(wasm.WasmError) as caught:
        wasm.Module(data, engine, features)
    assert words in caught.value.message


def test_a_function_of_a_text_is_told_by_its_name(engine: str) -> None:
    text = "(module (func $seven (result i32)))"
    for source in (text, binary.encode(parse(text), names=True)):
        with pytest.raises(wasm.Invalid, match=r"\(end in function 0 \$seven\)"):
            wasm.Module(source, engine)
