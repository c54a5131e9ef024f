"""Code: what is refused and in which words, where the error stands, how deep code may nest, and what is known of the stack."""

from __future__ import annotations

import sys
from array import array

import pytest

from pywasm_ref import binary, text
from pywasm_ref.errors import Invalid
from pywasm_ref.features import ALL
from pywasm_ref.isa import op
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, Instrs
from pywasm_ref.syntax.modules import Func, Module
from pywasm_ref.syntax.types import BOT, FUNCREF, I32, I64, FuncType, RecType, RefType, SubType, ValType
from pywasm_ref.validation import operand_types, validate
from tests.validation.modules import message, refused, validated

UNIT = RecType((SubType(True, (), FuncType((), ())),))
DEEP = 10 * sys.getrecursionlimit()


def function(*body: form.Instr, locals_: tuple[tuple[int, ValType], ...] = ()) -> Module:
    return Module(types=(UNIT,), funcs=(Func(0, locals_, Expr(body)),))


# Words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("i32.add", "type mismatch: instruction requires [i32 i32] but stack has [] (i32.add in function 0)"),
        (
            "i32.const 1 i64.const 2 i32.add",
            "type mismatch: instruction requires [i32 i32] but stack has [i32 i64] (i32.add in function 0)",
        ),
        ("drop", "type mismatch: instruction requires a value but stack has [] (drop in function 0)"),
        ("i32.const 1", "type mismatch: block requires [] but stack has [i32] (end in function 0)"),
        ("block (result i32) end", "type mismatch: instruction requires [i32] but stack has [] (end in function 0)"),
        (
            "i32.const 1 ref.is_null drop",
            "type mismatch: instruction requires reference type but stack has i32 (ref.is_null in function 0)",
        ),
        ("local.get 5", "unknown local 5 (local.get in function 0)"),
        ("br 1", "unknown label 1 (br in function 0)"),
        ("call 7", "unknown function 7 (call in function 0)"),
        ("ref.null 3 drop", "unknown type 3 (ref.null in function 0)"),
        ("ref.func 0 drop", "undeclared function reference 0 (ref.func in function 0)"),
        ("i32.const 0 i32.load drop", "unknown memory 0 (i32.load in function 0)"),
        ("data.drop 2", "unknown data segment 2 (data.drop in function 0)"),
        ("throw 0", "unknown tag 0 (throw in function 0)"),
        ("rethrow 0", "invalid rethrow label 0 (rethrow in function 0)"),
    ],
)
def test_an_error_says_what_was_asked_for_and_what_there_was(body: str, words: str) -> None:
    assert message(f"(module (func {body}))") == words


def test_an_error_names_the_function_by_the_name_it_has() -> None:
    assert message('(module (import "" "" (func)) (func $fib drop))').endswith("(drop in function 1 $fib)")


def test_types_in_messages_are_written_as_in_a_text() -> None:
    source = "(module (type $a (struct)) (func (param (ref null 0) funcref nullref (ref 0)) {} i32.eqz drop))"
    shown = [message(source.replace("{}", f"local.get {x}")).split(" has ")[1].split("]")[0] for x in range(4)]
    assert shown == ["[(ref null 0)", "[funcref", "[nullref", "[(ref 0)"]


def test_of_a_long_list_of_types_the_top_is_shown() -> None:
    shown = message(f"(module (func {'i32.const 0 ' * 100} i64.const 0))")
    assert shown.endswith("but stack has [… " + "i32 " * 19 + "i64] (end in function 0)")


def test_an_alignment_past_the_natural_one_is_refused() -> None:
    assert message("(module (memory 1) (func (drop (i32.load align=8 (i32.const 0)))))").startswith(
        "alignment must not be larger than natural"
    )


def test_an_atomic_access_has_exactly_the_natural_alignment() -> None:
    source = "(module (memory 1 1 shared) (func (drop (i32.atomic.load align={} (i32.const 0)))))"
    assert message(source.replace("{}", "1")).startswith("alignment must be equal to natural")
    assert message(source.replace("{}", "8")).startswith("alignment must not be larger than natural")
    validated(source.replace("{}", "4"))


def test_an_offset_fits_the_addresses_of_its_memory() -> None:
    source = "(module (memory {} 1) (func (drop (i32.load offset=0x1_0000_0000 ({}.const 0)))))"
    assert message(source.replace("{}", "i32")).startswith("offset out of range")
    validated(source.replace("{}", "i64"))


def test_lanes_are_counted_by_the_shape() -> None:
    source = "(module (func (param v128) (result i64) (i64x2.extract_lane {} (local.get 0))))"
    validated(source.replace("{}", "1"))
    assert message(source.replace("{}", "2")).startswith("invalid lane index 2")


# Places


def test_an_error_in_a_text_stands_at_its_instruction() -> None:
    source = "(module (func (result i32)\n  (if (result i32) (i32.const 1)\n    (then (i32.const 1))\n    (else (i64.const 2)))\n  i32.eqz\n  f32.neg))"
    assert refused(source).at == source.index("))\n  i32.eqz") + 1  # the end of the `if`, where its result is missing
    source = source.replace("i64.const 2", "i32.const 2")
    error = refused(source)
    assert error.at == source.index("f32.neg")
    assert error.source is not None


def test_an_error_in_a_binary_stands_at_its_byte() -> None:
    data = binary.encode(text.parse("(module (func (block (nop) (br 0)) (if (i32.const 0) (then (nop)) (else (f32.neg) (drop)))))"))
    with pytest.raises(Invalid) as caught:
        validate(binary.decode(data))
    assert caught.value.at == data.index(0x8C)


WRITTEN = ["block", "br 0", "if", "br 0", "end", "if", "else", "br 0", "end", "try", "br 0", "catch_all", "br 0", "end", "end", "br 0"]


@pytest.mark.parametrize("wrong", [k for k, word in enumerate(WRITTEN) if word == "br 0"])
def test_the_place_of_every_opcode_is_counted(wrong: int) -> None:
    """One label at a time is unknown, in code whose clauses are partly empty or not written."""
    words = [*WRITTEN[:wrong], "br 9", *WRITTEN[wrong + 1 :]]
    source = f"(module (func {' '.join(words).replace('if', 'i32.const 1 if')}))"
    assert refused(source).at == source.index("br 9")


def test_places_may_be_missing() -> None:
    with pytest.raises(Invalid) as caught:
        validate(function(form.Drop(op("drop"))))
    assert caught.value.at is None


def test_an_error_at_the_end_stands_at_the_end() -> None:
    body = Expr((form.Nop(op("nop")), form.Const(op("i32.const"), 0)), array("I", [10, 11, 13]))
    with pytest.raises(Invalid) as caught:
        validate(Module(types=(UNIT,), funcs=(Func(0, (), body),)))
    assert caught.value.at == 13


# Size and depth


def test_blocks_nest_as_deep_as_they_like() -> None:
    body: Instrs = (form.Br(op("br"), DEEP),)
    for _ in range(DEEP):
        body = (form.Block(op("block"), None, body),)
    validate(function(*body))


def test_an_error_deep_inside_is_found() -> None:
    body: Instrs = (form.Br(op("br"), DEEP + 1),)
    for _ in range(DEEP):
        body = (form.Loop(op("loop"), None, body),)
    with pytest.raises(Invalid, match=f"unknown label {DEEP + 1}"):
        validate(function(*body))


def test_four_billion_locals_are_a_run() -> None:
    huge = 2**32 - 2
    module = function(
        form.LocalGet(op("local.get"), huge - 1),
        form.LocalSet(op("local.set"), huge),
        form.LocalGet(op("local.get"), huge),
        form.Drop(op("drop")),
        locals_=((huge, I64), (0, I32), (1, I64)),
    )
    validate(module)
    with pytest.raises(Invalid, match=f"unknown local {huge + 1}"):
        validate(function(form.LocalGet(op("local.get"), huge + 1), locals_=((huge, I64), (1, I64))))


def test_four_billion_locals_without_a_value_are_a_run() -> None:
    runs: tuple[tuple[int, ValType], ...] = ((2**32 - 1, RefType(False, 0)),)
    with pytest.raises(Invalid, match="uninitialized local 4000000000"):
        validate(function(form.LocalGet(op("local.get"), 4_000_000_000), locals_=runs))


def test_an_array_of_four_billion_operands_is_refused_at_once() -> None:
    source = "(module (type (array i32)) (func {} (drop (array.new_fixed 0 4294967295))))"
    assert message(source.replace("{}", "i32.const 1")).startswith("type mismatch: instruction requires 4294967295 times i32")
    validated(source.replace("{}", "unreachable"))


# Dead code, locals, clauses


def test_in_dead_code_the_stack_has_whatever_is_asked_for() -> None:
    validated("(module (func (result i32) unreachable i32.add))")
    validated("(module (func (result f32 i64) unreachable select (drop) unreachable))")
    assert message("(module (func (result i32) unreachable i64.const 0 i32.add))").startswith("type mismatch")


def test_a_local_set_in_a_block_is_unset_after_it() -> None:
    source = "(module (func (param funcref) (local (ref func)) (block (local.set 1 (ref.as_non_null (local.get 0))) {}) {}))"
    validated(source.replace("{}", "(drop (local.get 1))", 1).replace("{}", ""))
    assert message(source.replace("{}", "", 1).replace("{}", "(drop (local.get 1))")).startswith("uninitialized local 1")


def test_a_local_set_in_one_arm_is_unset_in_the_other() -> None:
    source = """(module (func (param funcref) (local (ref func))
      (if (i32.const 0) (then (local.set 1 (ref.as_non_null (local.get 0)))) (else (drop (local.get 1))))))"""
    assert message(source).startswith("uninitialized local 1")


def test_a_conditional_without_else_passes_its_parameters_on() -> None:
    validated("(module (func (result i32) i32.const 1 i32.const 2 if (param i32) (result i32) i32.eqz end))")
    assert message("(module (func (result i64) i32.const 1 i32.const 2 if (param i32) (result i64) drop i64.const 1 end))").startswith(
        "type mismatch"
    )


def test_the_labels_of_a_table_of_branches_agree_in_number() -> None:
    source = "(module (func (result i32) (block (result i32) (block (br_table 0 1 (i32.const 1) (i32.const 2))) (i32.const 1))))"
    assert message(source).startswith("type mismatch: label 0 requires [] but the default label [i32]")


def test_a_table_of_a_million_branches_is_checked_once_for_each_label() -> None:
    validate(function(form.Const(op("i32.const"), 0), form.BrTable(op("br_table"), (0,) * 1_000_000, 0)))


# What is known of the stack


def test_the_stack_before_every_opcode_is_known() -> None:
    module = text.parse(
        "(module (func (param i64) (result i32) (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 1)) (else (unreachable)))))"
    )
    seen = operand_types(module, 0)
    assert seen == [(), (I64,), (I32,), (), (I32,), (), (), (I32,)]
    assert len(seen) == len(module.funcs[0].body.places)


def test_an_else_that_is_not_written_has_no_entry() -> None:
    module = text.parse("(module (func (if (i32.const 1) (then (nop))) (ref.null func) (drop)))")
    seen = operand_types(module, 0)
    assert seen == [(), (I32,), (), (), (), (FUNCREF,), ()]
    assert len(seen) == len(module.funcs[0].body.places)


def test_dead_operands_have_the_bottom_type() -> None:
    module = text.parse("(module (func unreachable select unreachable))")
    assert operand_types(module, 0)[2] == (BOT,)


def test_an_imported_function_has_no_stack_to_show() -> None:
    module = text.parse('(module (import "" "" (func)) (func nop))')
    with pytest.raises(IndexError):
        operand_types(module, 0)
    assert operand_types(module, 1, ALL) == [(), ()]
