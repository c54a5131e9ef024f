"""Plain and folded instructions, their immediates, and their places."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pywasm_ref.errors import Malformed
from pywasm_ref.features import ALL, Feature
from pywasm_ref.isa import OPS
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.types import FUNCREF, I32, AbsHeapType, RefType
from pywasm_ref.text import parse
from pywasm_ref.text.immediates import READ
from pywasm_ref.text.instructions import PLAIN

DECLARATIONS = """
(type $t (func)) (type $s (struct (field $a i32) (field $b i32))) (func $f (type $t)) (table $tab 1 funcref) (memory $mem 1) (memory $mem2 1)
(tag $tag) (global $g i32 (i32.const 0)) (elem $e func) (data $d "")
"""


def body(text: str) -> Expr:
    return parse(f"{DECLARATIONS} (func $test (param $x i32) (param $y i32) {text})", ALL).funcs[1].body


def one(text: str) -> Instr:
    (instr,) = body(text).body
    return instr


@pytest.mark.parametrize(
    ("folded", "plain"),
    [
        ("(i32.add (local.get 0) (i32.const 1))", "local.get 0 i32.const 1 i32.add"),
        ("(drop (i32.eqz (nop)))", "nop i32.eqz drop"),
        ("(block)", "block end"),
        ("(block $l (result i32) (br $l (i32.const 1)))", "block $l (result i32) i32.const 1 br $l end $l"),
        ("(loop (nop) nop)", "loop nop nop end"),
        ("(if (i32.const 1) (then nop))", "i32.const 1 if nop end"),
        (
            "(if $l (result i32) (nop) (i32.const 1) (then (i32.const 2)) (else br $l))",
            "nop i32.const 1 if $l (result i32) i32.const 2 else $l br $l end $l",
        ),
        ("(if (then) (else))", "if else end"),
        ("(if (then) (else))", "if end"),
        ("(select (result i32) (local.get 0) (local.get 1) (i32.const 1))", "local.get 0 local.get 1 i32.const 1 select (result i32)"),
        ("(call_indirect $tab (type $t) (i32.const 0))", "i32.const 0 call_indirect $tab (type $t)"),
        ("(try_table $l (catch $tag 0) (catch_all_ref 1) (br $l))", "try_table (catch 0 0) (catch_all_ref 1) br 0 end"),
        ("(block $a (block $b (br_table $a $b $a (i32.const 0))))", "block block i32.const 0 br_table 1 0 1 end end"),
        ("(try (do nop) (catch $tag drop) (catch_all (rethrow 0)))", "try nop catch 0 drop catch_all rethrow 0 end"),
        ("(block $l (try (do nop) (delegate $l)))", "block try nop delegate 0 end"),
        ("(try (result i32) (do (i32.const 1)))", "try (result i32) i32.const 1 end"),
    ],
)
def test_folding_is_another_way_to_write_the_same(folded: str, plain: str) -> None:
    assert body(folded) == body(plain)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("table.size", "table.size $tab"),
        ("table.copy", "table.copy $tab 0"),
        ("table.init $e", "table.init $tab $e"),
        ("memory.size", "memory.size $mem"),
        ("memory.copy", "memory.copy 0 0"),
        ("memory.init $d", "memory.init 0 0"),
        ("i32.load", "i32.load $mem offset=0 align=4"),
        ("i64.load8_u offset=1", "i64.load8_u 0 offset=0x1 align=1"),
        ("v128.load8_lane 3", "v128.load8_lane 0 offset=0 align=1 3"),
        ("v128.store16_lane $mem2 3", "v128.store16_lane 1 align=2 3"),
        ("i64.atomic.rmw16.add_u", "i64.atomic.rmw16.add_u align=2"),
        ("call_indirect", "call_indirect 0 (type $t) (param) (result)"),
        ("ref.null func", "ref.null func"),
        ("ref.test funcref", "ref.test (ref null func)"),
        ("block (type $t) end", "block (type 0) (param) end"),
    ],
)
def test_an_immediate_may_be_left_out(short: str, long: str) -> None:
    assert body(short) == body(long)


def test_immediates_are_those_of_the_abstract_syntax() -> None:
    assert one("i32.load8_s $mem2 offset=0xffff_ffff_ffff_ffff align=8") == form.LoadPack(PLAIN_ROW["i32.load8_s"], 1, 3, 2**64 - 1)
    assert one("i32.const -1") == form.Const(PLAIN_ROW["i32.const"], 0xFFFFFFFF)
    assert one("f32.const -nan:0x1") == form.Const(PLAIN_ROW["f32.const"], 0xFF800001)
    assert one("v128.const i16x8 1 2 0 0 0 0 0 -1") == form.VConst(PLAIN_ROW["v128.const"], 1 | 2 << 16 | 0xFFFF << 112)
    assert one("i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31") == form.VShuffle(PLAIN_ROW["i8x16.shuffle"], (*range(15), 31))
    assert one("struct.get $s $b") == form.StructGet(PLAIN_ROW["struct.get"], 1, 1)
    assert one("array.new_fixed 0 3") == form.ArrayNewFixed(PLAIN_ROW["array.new_fixed"], 0, 3)
    assert one("br_on_cast 0 anyref (ref i31)") == form.BrOnCast(
        PLAIN_ROW["br_on_cast"], 0, RefType(True, AbsHeapType.ANY), RefType(False, AbsHeapType.I31)
    )


PLAIN_ROW = {op.mnemonic: op for op in OPS}


def test_one_keyword_may_have_two_rows() -> None:
    assert [one(text).op.code for text in ("select", "select (result)", "select (result i32)")] == [0x1B, 0x1C, 0x1C]
    assert [one(text).op.code for text in ("ref.test (ref any)", "ref.test anyref", "ref.cast (ref 0)", "ref.cast (ref null 0)")] == [
        (0xFB, 20),
        (0xFB, 21),
        (0xFB, 22),
        (0xFB, 23),
    ]


def test_equal_instructions_of_a_text_are_one_object() -> None:
    first, second, third = body("i32.const 7 i32.const 0x7 i32.const 8").body
    assert first is second
    assert first is not third


def test_every_row_of_the_table_can_be_read() -> None:
    for row in OPS:
        structured = {"instr*", "catch*", "legacycatch*"} & set(row.immediates)
        assert structured or row.immediates in READ
        assert structured or row.mnemonic in PLAIN


def test_a_block_type_needs_a_type_only_where_it_is_not_simple() -> None:
    blocks = body("(block) (block (result i32)) (block (param i32)) (block (type $t)) (block (result i32 i32))").body
    assert [block.type for block in blocks] == [None, I32, 3, 0, 4]  # type: ignore[attr-defined]


def test_a_label_hides_one_of_the_same_name() -> None:
    (outer,) = body("block $l block $m block $l br $l br $m end br $l end br $l end").body
    labels = [instr.label for instr in flat((outer,)) if isinstance(instr, form.Br)]
    assert labels == [0, 1, 1, 0]


def test_labels_of_catch_clauses_lie_outside() -> None:
    (block,) = body("block $l try_table $l (catch_all $l) (br $l) end end").body
    (inner,) = block.body  # type: ignore[attr-defined]
    assert inner.catches[0].label == 0
    assert inner.body[0].label == 0


def flat(instrs: Instrs) -> Iterator[Instr]:
    """All instructions, in the order of their opcodes."""
    for instr in instrs:
        yield instr
        for part in ("body", "then", "orelse"):
            yield from flat(getattr(instr, part, ()))


def opcodes(instrs: Instrs) -> Iterator[str]:
    """The words of the linear code."""
    for instr in instrs:
        yield instr.op.mnemonic
        match instr:
            case form.If(_, _, then, orelse):
                yield from (*opcodes(then), *(("else", *opcodes(orelse)) if orelse else ()), "end")
            case form.Try(_, _, inside, catches, delegate):
                yield from opcodes(inside)
                for clause in catches:
                    yield "catch_all" if clause.tag is None else "catch"
                    yield from opcodes(clause.body)
                yield "end" if delegate is None else "delegate"
            case form.Block(_, _, inside) | form.Loop(_, _, inside) | form.TryTable(_, _, _, inside):
                yield from (*opcodes(inside), "end")


@pytest.mark.parametrize(
    "text",
    [
        "nop (drop (i32.add (local.get 0) (local.get 1))) return",
        "block nop if nop else nop end end",
        "(block (if (i32.const 1) (then nop) (else nop)) (loop (br 0)))",
        "(if (i32.eqz (local.get 0)) (then) (else)) if else end",
        "(try_table (catch_all 0) (call $f)) try_table end",
        "(try (do nop) (catch $tag nop) (catch_all nop)) try nop catch $tag catch_all nop end",
        "(block $l (try (do nop) (delegate $l)) try nop delegate $l)",
    ],
)
def test_every_opcode_has_its_place(text: str) -> None:
    source = f"{DECLARATIONS} (func $test (param $x i32) (param $y i32) {text})"
    expr = parse(source, ALL).funcs[1].body
    words = [*opcodes(expr.body), "end"]
    assert len(words) == len(expr.places)
    for word, at in zip(words, expr.places, strict=True):
        assert source.startswith((word, ")"), at) if word == "end" else source.startswith(word, at)


def test_a_word_of_a_feature_that_is_off_is_unknown() -> None:
    text = "(func (drop (i32.extend8_s (i32.const 1))))"
    parse(text)
    with pytest.raises(Malformed, match=r"unknown operator i32\.extend8_s"):
        parse(text, frozenset({Feature.MVP}))


def test_references_may_be_written_short() -> None:
    assert parse("(table 1 (ref null func))").tables[0].type.elem == FUNCREF
