"""Which features a module needs, told from the module alone."""

import pytest

from pywasm_ref import binary, text, validation
from pywasm_ref.errors import WasmError
from pywasm_ref.features import ALL, Feature
from pywasm_ref.tools.features_used import features_used

MODULES = {
    Feature.MUTABLE_GLOBALS: '(module (global (export "g") (mut i32) (i32.const 0)))',
    Feature.SIGN_EXTENSION: "(module (func (param i32) (drop (i32.extend8_s (local.get 0)))))",
    Feature.SATURATING_FLOAT_TO_INT: "(module (func (param f32) (drop (i32.trunc_sat_f32_s (local.get 0)))))",
    Feature.MULTI_VALUE: "(module (func (result i32 i32) (i32.const 0) (i32.const 1)))",
    Feature.REFERENCE_TYPES: "(module (func (param externref)))",
    Feature.BULK_MEMORY: '(module (data "passive"))',
    Feature.SIMD: "(module (func (param v128)))",
    Feature.TAIL_CALL: "(module (func $f (return_call $f)))",
    Feature.GC: "(module (type (struct (field i8))))",
    Feature.EXCEPTIONS: "(module (func (param exnref)))",
    Feature.MULTI_MEMORY: "(module (memory 0) (memory 0))",
    Feature.MEMORY64: "(module (memory i64 0))",
    Feature.EXTENDED_CONST: "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
    Feature.THREADS: "(module (memory 1 1 shared))",
    Feature.CUSTOM_PAGE_SIZES: "(module (memory 1 (pagesize 1)))",
    Feature.WIDE_ARITHMETIC: "(module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))",
    Feature.LEGACY_EXCEPTIONS: "(module (func (try (do) (catch_all))))",
}


@pytest.mark.parametrize("feature", MODULES, ids=lambda feature: feature.value)
def test_a_feature_that_is_named_is_one_that_the_module_cannot_do_without(feature: Feature) -> None:
    module = text.parse(MODULES[feature], ALL)
    validation.validate(module, ALL)
    assert feature in features_used(module)
    with pytest.raises(WasmError):
        validation.validate(binary.decode(binary.encode(module), ALL - {feature}), ALL - {feature})


def test_a_plain_module_uses_the_first_release_alone() -> None:
    module = text.parse('(module (memory 1) (data (i32.const 0) "x") (table 1 funcref) (elem (i32.const 0) 0) (func (loop (br 0))))')
    assert features_used(module) == [Feature.MVP]


def test_bodies_are_searched_at_any_depth() -> None:
    deep = 20_000
    module = text.parse(f"(module (func {'block ' * deep} memory.copy {'end ' * deep}) (memory 1))")
    assert Feature.BULK_MEMORY in features_used(module)
