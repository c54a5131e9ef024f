"""Fields, and what their abbreviations stand for."""

from __future__ import annotations

import pytest

from pywasm_ref.errors import Malformed
from pywasm_ref.features import ALL
from pywasm_ref.syntax.modules import Active, ExternKind, Mode, Module
from pywasm_ref.syntax.types import (
    FUNCREF,
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    FieldType,
    FuncType,
    Limits,
    MemType,
    PackType,
    RefType,
    StructType,
    TableType,
)
from pywasm_ref.text import parse


def same(short: str, long: str) -> None:
    assert parse(short) == parse(long)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('(func (export "a") (export "b"))', '(export "a" (func 0)) (export "b" (func 0)) (func)'),
        ('(func $f (import "m" "n") (param i32))', '(import "m" "n" (func $f (param i32)))'),
        ('(func (export "e") (import "m" "n"))', '(export "e" (func 0)) (import "m" "n" (func))'),
        ('(memory (export "e") (import "m" "n") 1 2)', '(export "e" (memory 0)) (import "m" "n" (memory 1 2))'),
        ('(table (import "m" "n") 1 funcref)', '(import "m" "n" (table 1 funcref))'),
        ('(global (import "m" "n") (mut i32))', '(import "m" "n" (global (mut i32)))'),
        ('(tag (export "e") (import "m" "n") (param i32))', '(export "e" (tag 0)) (import "m" "n" (tag (param i32)))'),
        ("(func (param i32) (param i32))", "(func (param $x i32) (param $y i32))"),
        ("(func (param i32 i64) (result f32) (result f64))", "(type (func (param i32 i64) (result f32 f64))) (func (type 0))"),
        ("(func (local i32 i32) (local i64) (local $x i32))", "(func (local i32) (local i32 i64 i32))"),
        ("(memory (data \"ab\" \"c\"))", '(memory 1 1) (data (memory 0) (offset (i32.const 0)) "abc")'),
        ("(memory i64 (data))", '(memory i64 0 0) (data (offset i64.const 0) "")'),
        ("(func $f) (table funcref (elem $f 0))", "(func) (table 2 2 funcref) (elem (table 0) (offset (i32.const 0)) func 0 0)"),
        ("(table i64 anyref (elem (ref.null any)))", "(table i64 1 1 anyref) (elem (offset (i64.const 0)) anyref (item ref.null any))"),
        ("(func) (table 1 funcref) (elem (i32.const 0) 0)", "(func) (table 1 funcref) (elem (table 0) (offset i32.const 0) func 0)"),
        ("(func) (elem func 0)", "(func) (elem (ref func) (item (ref.func 0)))"),
        ("(memory 1) (data 0 (i32.const 0) \"a\")", '(memory 1) (data (i32.const 0) "a")'),
        ("(type (sub final (func)))", "(type (func))"),
        ("(type (func))", "(rec (type (func)))"),
        ("(type (struct (field i8 (mut i16) anyref)))", "(type (struct (field i8) (field $x (mut i16)) (field (ref null any))))"),
    ],
)  # fmt: skip
def test_an_abbreviation_is_what_it_stands_for(short: str, long: str) -> None:
    same(short, long)


def test_the_parentheses_of_the_module_may_be_left_out() -> None:
    same("(module $m (func))", "(func)")
    assert parse("") == parse("(module)") == Module()


def test_an_implicit_type_is_the_first_that_fits_or_comes_last() -> None:
    module = parse("(func (param i32)) (func) (type (struct)) (rec (type (func)) (type (func (param i64)))) (type (func (param i32)))")
    assert [func.type for func in module.funcs] == [3, 4]
    assert len(module.types) == 4


def test_types_may_refer_to_each_other_before_they_are_defined() -> None:
    module = parse("(rec (type $a (struct (field (ref $b)))) (type $b (sub $a (array (mut i8)))))")
    (group,) = module.types
    assert group.subtypes[0].comp == StructType((FieldType(False, RefType(False, 1)),))
    assert group.subtypes[1].comp == ArrayType(FieldType(True, PackType.I8))
    assert (group.subtypes[1].final, group.subtypes[1].supers) == (False, (0,))


def test_fields_may_come_in_any_order() -> None:
    module = parse('(start $f) (export "e" (func $f)) (func $f (call $g) (global.get $x)) (func $g) (global $x i32 (i32.const 0))')
    assert module.start == 0
    assert module.exports[0].kind is ExternKind.FUNC
    assert len(module.funcs) == 2


def test_inline_segments_count() -> None:
    module = parse('(table funcref (elem)) (elem $e func) (memory (data "x")) (data $d "y") (func (elem.drop $e) (data.drop $d))')
    assert [instr.elem if hasattr(instr, "elem") else instr.data for instr in module.funcs[0].body.body] == [1, 1]  # type: ignore[attr-defined]
    assert module.has_data_count


def test_segments_have_their_modes() -> None:
    module = parse('(memory 1) (table 1 funcref) (data "a") (data (memory 0) (i32.const 0) "b") (elem declare func) (elem funcref)')
    assert module.datas[0].mode is Mode.PASSIVE
    assert isinstance(module.datas[1].mode, Active)
    assert [elem.mode for elem in module.elems] == [Mode.DECLARE, Mode.PASSIVE]
    assert [elem.type for elem in module.elems] == [RefType(False, AbsHeapType.FUNC), FUNCREF]


def test_a_table_may_have_an_initial_value() -> None:
    module = parse("(func $f) (table 3 (ref func) (ref.func $f)) (table i64 1 2 funcref)")
    first, second = module.tables
    assert first.init is not None
    assert second.type == TableType(I64, Limits(1, 2), FUNCREF)
    assert second.init is None


def test_memories_have_what_the_proposals_give_them() -> None:
    module = parse('(memory 1 2 shared) (memory i64 0 (pagesize 1)) (memory (pagesize 1) (data "abc"))', ALL)
    assert [mem.type for mem in module.mems] == [
        MemType(I32, Limits(1, 2), shared=True),
        MemType(I64, Limits(0), page_bits=0),
        MemType(I32, Limits(3, 3), page_bits=0),
    ]


def test_locals_are_kept_in_runs() -> None:
    (func,) = parse("(func (param i32) (local i32 i32) (local $x i32) (local i64))").funcs
    assert func.locals == ((3, I32), (1, I64))


def test_a_type_use_gives_the_function_its_parameters() -> None:
    module = parse("(func (type 0) (local $x i32) (local.get $x)) (type (func (param i64 i64)))")
    assert module.funcs[0].body.body[0].index == 2  # type: ignore[attr-defined]


def test_a_type_that_does_not_exist_is_left_to_validation() -> None:
    assert parse("(func (type 7))").funcs[0].type == 7
    with pytest.raises(Malformed, match="unknown type 7"):
        parse("(func (type 7) (local $x i32))")


def test_parameters_of_types_may_share_a_name() -> None:
    module = parse("(type (func (param $x i32) (param $x i64)))")
    assert module.types[0].subtypes[0].comp == FuncType((I32, I64), ())


def test_identifiers_are_handed_on_as_names() -> None:
    names = parse(
        """(module $m (type $t (struct (field $a i32) (field i32) (field $b i32)))
        (import "m" "n" (func $i (param $p i32)))
        (func $f (param $x i32) (local i32) (local $"y z" i32) block block $l end end)
        (table $tab 0 funcref) (memory $mem 0) (global $g i32 i32.const 0) (tag $tag) (elem $e func) (data $d))"""
    ).names
    assert names.module == "m"
    assert names.funcs == {0: "i", 1: "f"}
    assert names.locals == {0: {0: "p"}, 1: {0: "x", 2: "y z"}}
    assert names.labels == {1: {1: "l"}}
    assert names.types == {0: "t"}
    assert names.fields == {0: {0: "a", 2: "b"}}
    assert (names.tables, names.mems, names.globals) == ({0: "tab"}, {0: "mem"}, {0: "g"})
    assert (names.tags, names.elems, names.datas) == ({0: "tag"}, {0: "e"}, {0: "d"})


def test_every_part_has_its_place() -> None:
    source = '(type (func)) (import "m" "n" (func)) (func (export "e")) (memory 1) (start 0)'
    places = parse(source).places
    for part, text in {
        "types": "(type",
        "imports": "(import",
        "funcs": "(func (e",
        "exports": "(export",
        "mems": "(memory",
        "start": "(start",
    }.items():
        assert places.of(part, 0) == source.index(text)
    assert places.of("funcs", 1) is None
