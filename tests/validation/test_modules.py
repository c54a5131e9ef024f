"""Modules: each part in its context, in the words of the official suite, and what earlier releases lacked."""

from __future__ import annotations

import pytest

from pywasm_ref.features import ALL, WASM_1, WASM_2, WASM_3, Feature
from pywasm_ref.syntax.types import (
    F32,
    FUNCREF,
    I32,
    I64,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    TableType,
    TagType,
)
from pywasm_ref.validation.types import functype_deftype
from tests.validation.modules import message, refused, validated


def test_the_type_of_a_module_lists_imports_and_exports_closed_and_in_order() -> None:
    found = validated(
        """(module
          (import "a" "b" (func $f (param i32)))
          (import "a" "c" (global i64))
          (memory (export "m") 1 2)
          (table (export "t") 0 funcref)
          (tag (export "x") (param f32))
          (export "g" (global 0))
          (export "f" (func $f)))"""
    )
    f = FuncTypeUse(functype_deftype(FuncType((I32,), ())))
    assert found.imports == (f, GlobalType(False, I64))
    assert found.exports == (
        MemType(I32, Limits(1, 2)),
        TableType(I32, Limits(0), FUNCREF),
        TagType(functype_deftype(FuncType((F32,), ()))),
        GlobalType(False, I64),
        f,
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("(type (sub (struct (field i32)))) (type (sub 0 (struct)))", "sub type 1 does not match super type 0"),
        ("(type (struct)) (type (sub 0 (struct)))", "sub type 1 has final super type 0"),
        ("(rec (type (sub 1 (struct))) (type (sub (struct))))", "forward use of type 1 in sub type definition"),
        ("(type (func (param (ref 9))))", "unknown type 9"),
        ("(type (struct)) (func (type 0))", "non-function type 0"),
        ('(import "" "" (func (type 3)))', "unknown type 3"),
        ("(tag (result i32))", "non-empty tag result type"),
        ("(memory 2 1)", "size minimum must not be greater than maximum"),
        ("(memory 65537)", "memory size must be at most 65536 pages (4GiB)"),
        ("(memory 0 65537)", "memory size must be at most 65536 pages (4GiB)"),
        ("(memory i64 0x1_0000_0000_0001)", "memory size must be at most 281474976710656 pages (16EiB)"),
        ("(memory 1 (pagesize 2))", "invalid custom page size"),
        ("(memory 1 shared)", "shared memory must have maximum"),
        ("(table 0x1_0000_0000 funcref)", "table size must be at most 2^32-1"),
        ("(table 2 1 funcref)", "size minimum must not be greater than maximum"),
        ("(table 1 (ref func))", "type mismatch: a table of (ref func) requires an initial value"),
        ("(global i32 (i64.const 0))", "type mismatch"),
        ("(global i32 (i32.const 0) (i32.const 0))", "type mismatch"),
        ("(global i32 (i32.ctz (i32.const 0)))", "constant expression required"),
        ("(global (mut i32) (i32.const 0)) (global i32 (global.get 0))", "constant expression required"),
        ("(global i32 (global.get 1)) (global i32 (i32.const 0))", "unknown global 1"),
        ("(table 1 (ref null func) (global.get 0)) (global (ref null func) (ref.null func))", "unknown global 0"),
        ("(global i32 (i32.const 0)) (func (global.set 0 (i32.const 1)))", "immutable global"),
        ('(data (i32.const 0) "")', "unknown memory 0"),
        ('(memory 1) (data (i64.const 0) "")', "type mismatch"),
        ("(elem (i32.const 0) func)", "unknown table 0"),
        ("(table 1 externref) (elem (table 0) (i32.const 0) func)", "type mismatch: element segment's type"),
        ("(elem func 3)", "unknown function 3"),
        ("(start 1) (func)", "unknown function 1"),
        ("(start 0) (func (param i32))", "start function"),
        ('(func) (export "a" (func 0)) (export "a" (func 0))', 'duplicate export name "a"'),
        ('(export "a" (table 0))', "unknown table 0"),
        ('(export "a" (memory 0))', "unknown memory 0"),
        ('(export "a" (global 0))', "unknown global 0"),
        ('(export "a" (func 0))', "unknown function 0"),
        ('(export "a" (tag 0))', "unknown tag 0"),
    ],
)
def test_a_module_is_refused_in_the_words_of_the_suite(fields: str, words: str) -> None:
    assert message(f"(module {fields})").startswith(words)


@pytest.mark.parametrize(
    "fields",
    [
        "(memory 65536)",
        "(memory 0xFFFF_FFFF (pagesize 1))",
        "(memory i64 0xFFFF_FFFF_FFFF_FFFF (pagesize 1))",
        "(table i64 0xFFFF_FFFF_FFFF_FFFF funcref)",
        "(memory 1) (memory 1 2 shared)",
        "(global i32 (i32.const 1)) (global i32 (i32.add (global.get 0) (i32.const 1)))",
        "(func $f) (global (ref func) (ref.func $f)) (func (drop (ref.func $f)))",
        "(func $f) (elem declare func $f) (func (drop (ref.func $f)))",
        '(func $f (drop (ref.func $f))) (export "f" (func $f))',
        "(rec (type $a (sub (struct (field (ref null $b))))) (type $b (sub $a (struct (field (ref null $b)) (field i8)))))",
    ],
)
def test_a_module_at_the_edge_is_valid(fields: str) -> None:
    validated(f"(module {fields})")


def test_an_error_of_an_entry_stands_at_the_entry() -> None:
    source = '(module (func)\n  (export "a" (func 0))\n  (export "b" (func 1)))'
    error = refused(source)
    assert error.at is not None
    assert error.source is not None
    assert str(error).split(":")[1] == "3"


def test_an_export_can_be_named_like_eighty_thousand_others_but_one() -> None:
    exports = "".join(f'(export "{x}" (func 0))' for x in range(2_000))
    assert len(validated(f"(module (func) {exports})").exports) == 2_000
    assert message(f'(module (func) {exports} (export "7" (func 0)))').startswith("duplicate export name")


# Earlier releases


@pytest.mark.parametrize(
    ("fields", "feature", "words"),
    [
        ("(memory 1) (memory 1)", Feature.MULTI_MEMORY, "multiple memories"),
        ("(table 1 funcref) (table 1 funcref)", Feature.REFERENCE_TYPES, "multiple tables"),
        ("(func (result i32 i32) unreachable)", Feature.MULTI_VALUE, "invalid result arity"),
        (
            "(type (func (param i32))) (func i32.const 0 block (type 0) unreachable end)",
            Feature.MULTI_VALUE,
            "a block with a function type needs the feature multi-value",
        ),
        ("(global i32 (i32.add (i32.const 0) (i32.const 0)))", Feature.EXTENDED_CONST, "constant expression required"),
        ("(global i32 (i32.const 0)) (global i32 (global.get 0))", Feature.GC, "unknown global 0"),
        ('(import "" "" (global (mut i32)))', Feature.MUTABLE_GLOBALS, "the import of a mutable global"),
        ('(global (export "") (mut i32) (i32.const 0))', Feature.MUTABLE_GLOBALS, "the export of a mutable global"),
        ("(memory i64 1)", Feature.MEMORY64, "a memory with 64-bit addresses"),
        ("(table i64 1 funcref)", Feature.MEMORY64, "a table with 64-bit addresses"),
        ("(memory 1 1 shared)", Feature.THREADS, "a shared memory"),
        ("(memory 1 (pagesize 1))", Feature.CUSTOM_PAGE_SIZES, "a custom page size"),
        ("(type (struct))", Feature.GC, "a structure or array type"),
        ("(type (sub (func)))", Feature.GC, "a sub type"),
        ("(rec (type (func)) (type (func)))", Feature.GC, "a recursive type"),
        ("(func (local eqref))", Feature.GC, "a reference type"),
        ("(func (param (ref func)))", Feature.FUNCTION_REFERENCES, "a reference type without null"),
        ("(table 1 externref)", Feature.REFERENCE_TYPES, "a reference type"),
        ("(func (param v128))", Feature.SIMD, "a vector type"),
        ("(func (local exnref))", Feature.EXCEPTIONS, "a reference type"),
        ('(data "x")', Feature.BULK_MEMORY, "a passive segment needs the feature bulk-memory"),
        ("(elem func)", Feature.BULK_MEMORY, "a passive segment needs the feature bulk-memory"),
        ("(elem declare func 0) (func)", Feature.REFERENCE_TYPES, "a declarative segment needs the feature reference-types"),
        ("(func unreachable select (result i32) drop)", Feature.REFERENCE_TYPES, "select needs the feature reference-types"),
        ("(func unreachable i32.extend8_s drop)", Feature.SIGN_EXTENSION, "i32.extend8_s needs the feature sign-extension"),
        ("(func return_call 0)", Feature.TAIL_CALL, "return_call needs the feature tail-call"),
        ("(memory 1) (func unreachable memory.fill)", Feature.BULK_MEMORY, "memory.fill needs the feature bulk-memory"),
        ("(func unreachable i64.add128 unreachable)", Feature.WIDE_ARITHMETIC, "i64.add128 needs the feature wide-arithmetic"),
        ("(func atomic.fence)", Feature.THREADS, "atomic.fence needs the feature threads"),
    ],
)
def test_without_its_feature_a_module_is_refused(fields: str, feature: Feature, words: str) -> None:
    source = f"(module {fields})"
    validated(source)
    assert message(source, ALL - {feature}).startswith(words)


def test_tags_came_with_exceptions_of_either_kind() -> None:
    validated("(module (tag))", WASM_2 | {Feature.LEGACY_EXCEPTIONS})
    validated("(module (tag))", WASM_2 | {Feature.EXCEPTIONS})
    assert message("(module (tag))", WASM_2).startswith("a tag needs the feature exceptions")


@pytest.mark.parametrize("features", [WASM_1, WASM_2, WASM_3])
def test_a_module_of_the_first_release_is_valid_in_all(features: frozenset[Feature]) -> None:
    validated(
        """(module (import "" "g" (global $g i32)) (table 2 funcref) (memory 1)
          (elem (i32.const 0) func $f $f) (data (global.get $g) "a")
          (func $f (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (i32.load (local.get 0)))))""",
        features,
    )
