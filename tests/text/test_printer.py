"""Printed modules read back as the same module, whatever is in them."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pywasm_ref import binary, text
from pywasm_ref.errors import Exhaustion
from pywasm_ref.features import ALL
from pywasm_ref.isa import OPS, op
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, LegacyCatch, Op
from pywasm_ref.syntax.modules import Active, Custom, Data, Elem, Func, Global, Import, Mem, Mode, Module, Names, Table, Tag
from pywasm_ref.syntax.types import (
    EXTERNREF,
    FUNCREF,
    I8,
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    RecType,
    RefType,
    StructType,
    SubType,
    TableType,
    TagType,
    ValType,
)
from tests.binary.builder import function
from tests.samples import instances

FUNCS = RefType(False, AbsHeapType.FUNC)
NOP = form.Nop(op("nop"))
ZERO = Expr((form.Const(op("i32.const"), 0),))


def function_type(*params: ValType) -> RecType:
    return RecType((SubType(True, (), FuncType(params, ())),))


def again(module: Module) -> Module:
    return text.parse(text.print_module(module), ALL)


def comes_back(module: Module) -> Module:
    """The module as it is read from its text, which has the same binary."""
    result = again(module)
    assert binary.encode(result) == binary.encode(module)
    return result


def with_body(*body: form.Instr, **parts: Any) -> Module:
    module = Module(types=(function_type(I32),), funcs=(Func(0, ((1, I64),), Expr(body)),))
    return replace(module, **parts)


@pytest.mark.parametrize("row", OPS, ids=[f"{row.mnemonic}-{row.code}" for row in OPS])
def test_every_row_of_the_table_reads_back(row: Op) -> None:
    comes_back(with_body(*instances(row), *instances(row)))


EVERYTHING = Module(
    types=(
        function_type(I32, I32),
        RecType(
            (
                SubType(False, (), StructType((FieldType(True, I8), FieldType(False, RefType(True, 2))))),
                SubType(False, (1,), ArrayType(FieldType(False, RefType(False, 1)))),
            )
        ),
        RecType(()),
        RecType((SubType(True, (1, 2), FuncType((), (FUNCREF, EXTERNREF))),)),
    ),
    imports=(
        Import("m", 'quo"te', FuncTypeUse(0)),
        Import("m", "ünï", TableType(I64, Limits(1, 2**64 - 1), FUNCREF)),
        Import("", "", MemType(I32, Limits(1, 2), True, 0)),
        Import("m", "g", GlobalType(True, I64)),
        Import("m", "t", TagType(0)),
    ),
    tables=(Table(TableType(I32, Limits(0), EXTERNREF)), Table(TableType(I32, Limits(3), FUNCS), Expr((form.RefFunc(op("ref.func"), 0),)))),
    mems=(Mem(MemType(I64, Limits(0, 5))),),
    tags=(Tag(TagType(0)),),
    globals=(Global(GlobalType(False, I32), Expr((*ZERO.body, *ZERO.body, form.Binop(op("i32.add"))))),),
    funcs=(Func(0, ((3, I32), (1, I64)), Expr((NOP,))), Func(3, (), Expr(()))),
    datas=(Data(bytes(range(256)), Active(0, ZERO)), Data(b"", Mode.PASSIVE), Data(b"x", Active(1, ZERO))),
    elems=(
        Elem(FUNCS, (Expr((form.RefFunc(op("ref.func"), 1),)),), Active(0, ZERO)),
        Elem(FUNCS, (Expr((NOP,)),), Mode.PASSIVE),
        Elem(FUNCREF, (Expr((form.Block(op("block"), None, (NOP,)),)), ZERO), Active(1, ZERO)),
        Elem(EXTERNREF, (), Mode.DECLARE),
    ),
    start=1,
    customs=(Custom("first", b"\0\xff"), Custom("ünï", b"", 13), Custom("z", b"1", 11), Custom("z", b"2", 11)),
    has_data_count=True,
)


def test_everything_that_a_module_can_have_reads_back() -> None:
    result = comes_back(EVERYTHING)
    assert result.customs == EVERYTHING.customs
    assert "(@custom" not in text.print_module(EVERYTHING, customs=False)


def test_a_name_section_reads_back_too() -> None:
    named = replace(EVERYTHING, names=Names(module="m", funcs={0: "f"}))
    module = binary.decode(binary.encode(named, names=True), ALL)
    comes_back(module)


def test_a_small_module_as_a_text() -> None:
    module = text.parse(
        """(module $m (type $t (func (param i32) (result i32)))
             (import "env" "log" (func $log (type 1)))
             (type (func (param i32)))
             (memory (export "mem") 1)
             (func $f (export "f") (type $t) (local $x i64)
               (block $out (loop (br_if $out (local.get 0)) (br 0)))
               (if (result i32) (i32.load offset=4 (i32.const -1)) (then (f32.const 0.5) drop (i32.const 1)) (else unreachable))))"""
    )
    assert text.print_module(module) == (
        """(module $m
  (type $t (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32)))
  (import "env" "log" (func $log (;0;) (type 1) (param i32)))
  (memory (;0;) 1)
  (export "mem" (memory 0))
  (export "f" (func $f))
  (func $f (;1;) (type $t) (param i32) (result i32)
    (local $x i64)
    block $out
      loop (;@1;)
        local.get 0
        br_if $out
        br 0 (;@1;)
      end
    end
    i32.const -1
    i32.load offset=4
    if (;@2;) (result i32)
      f32.const 0.5
      drop
      i32.const 1
    else
      unreachable
    end))
"""
    )


@pytest.mark.parametrize(
    "instr",
    [
        form.Try(op("try"), None, (NOP,), (LegacyCatch(0, (NOP,)), LegacyCatch(None, ())), None),
        form.Try(op("try"), 0, (), (), 7),
        form.If(op("if"), None, (), (form.If(op("if"), I32, (NOP,), ()),)),
    ],
)
def test_delimiters_read_back(instr: form.Instr) -> None:
    comes_back(with_body(instr, form.Br(op("br"), 0), tags=(Tag(TagType(0)),)))


def test_branch_hints_read_back() -> None:
    body = (form.Block(op("block"), None, (form.If(op("if"), None, (NOP,), (NOP,)), form.BrIf(op("br_if"), 0))),)
    module = with_body(*body, branch_hints=((0, 1, 0), (0, 6, 1)))
    printed = text.print_module(module)
    assert '(@metadata.code.branch_hint "\\00") if' in printed
    assert comes_back(module).branch_hints == module.branch_hints
    as_bytes = Custom("metadata.code.branch_hint", b"?")
    assert again(replace(module, customs=(as_bytes,))).branch_hints == ()


plain = st.sampled_from([instr for row in OPS if "instr*" not in row.immediates for instr in instances(row)])


def nested(bodies: st.SearchStrategy[form.Instrs]) -> st.SearchStrategy[form.Instr]:
    block = st.sampled_from([None, I32, 0])
    return st.one_of(
        st.builds(form.Block, st.just(op("block")), block, bodies),
        st.builds(form.Loop, st.just(op("loop")), block, bodies),
        st.builds(form.If, st.just(op("if")), block, bodies, bodies),
        st.builds(form.TryTable, st.just(op("try_table")), block, st.just(()), bodies),
        st.builds(
            form.Try,
            st.just(op("try")),
            block,
            bodies,
            st.lists(st.builds(LegacyCatch, st.just(0), bodies), max_size=2).map(tuple),
            st.none(),
        ),
    )


instrs = st.recursive(plain, lambda inner: nested(st.lists(inner, max_size=3).map(tuple)), max_leaves=12)


@settings(deadline=None)
@given(st.lists(instrs, max_size=5))
def test_any_nesting_of_any_instructions_reads_back(body: list[form.Instr]) -> None:
    comes_back(with_body(*body))


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(["a", "a#1", "a b", '"', "$", "1", "ü"])
name_maps = st.dictionaries(st.integers(0, 6), words, max_size=6)
indirect = st.dictionaries(st.integers(0, 6), name_maps, max_size=4)
names = st.builds(
    Names,
    st.none() | words,
    name_maps,
    indirect,
    indirect,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    indirect,
    name_maps,
)


@settings(max_examples=150, deadline=None)
@given(names)
def test_any_names_give_the_same_module(given_names: Names) -> None:
    comes_back(replace(EVERYTHING, names=given_names))
    comes_back(with_body(*instances(op("br_table")), *instances(op("block")), *instances(op("local.get")), names=given_names))


def test_names_that_repeat_are_told_apart() -> None:
    module = with_body(names=Names(locals={0: {0: "x", 1: "x"}}))
    assert comes_back(module).names.locals == {0: {0: "x", 1: "x#1"}}


def test_names_that_cannot_be_identifiers_are_left_out() -> None:
    module = with_body(names=Names(funcs={0: "", 1: "nobody"}, locals={0: {0: "a" * 1000}}))
    assert comes_back(module).names == Names()


def test_parameters_of_a_long_signature_are_not_repeated() -> None:
    types = (function_type(*[I32] * 1000),)
    body = Expr((form.LocalGet(op("local.get"), 999), form.LocalGet(op("local.get"), 1000)))
    funcs = tuple(Func(0, ((1, I32),), body) for _ in range(1000))
    module = Module(types=types, funcs=funcs, names=Names(locals={0: {999: "p", 1000: "x"}}))
    assert len(text.print_module(module)) < 200_000
    assert comes_back(module).names.locals == {0: {1000: "x"}}


def test_more_locals_than_a_text_can_list() -> None:
    with pytest.raises(Exhaustion, match="too many locals"):
        text.print_module(Module(funcs=(Func(0, ((2**32 - 1, I32),), Expr(())),)))


def test_a_type_that_is_missing_or_no_function_is_printed_all_the_same() -> None:
    names = Names(locals={0: {0: "x"}, 1: {0: "x"}})
    module = Module(types=EVERYTHING.types, funcs=(Func(1, (), ZERO), Func(99, ((1, I32),), ZERO)), names=names)
    printed = text.print_module(module)
    assert "(func (;0;) (type 1)\n" in printed
    assert "(func (;1;) (type 99)\n    (local i32)\n" in printed
    comes_back(replace(module, funcs=module.funcs[1:]))


def test_deep_nesting_takes_time_and_space_in_proportion() -> None:
    depth = 20_000
    module = binary.decode(function(b"\x02\x40" * depth + b"\x0b" * depth))
    started = time.process_time()
    printed = text.print_module(module)
    assert len(printed) < 100 * depth * 2
    assert binary.encode(text.parse(printed)) == binary.encode(module)
    assert time.process_time() - started < 10
