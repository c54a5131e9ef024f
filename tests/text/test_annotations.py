"""Custom sections, names and branch hints, written as annotations."""

from __future__ import annotations

import pytest

from pywasm_ref.errors import Invalid, Malformed, WasmError
from pywasm_ref.syntax.modules import Custom
from pywasm_ref.text import parse


def test_custom_sections_come_in_the_order_of_their_places() -> None:
    module = parse(
        r"""(module (@custom "a" "1\00" "2") (@custom "b" (before global) "x") (func) (@custom "c" (after tag)) (@custom "d" (before first))
        (@custom "e" (after datacount)) (@custom "f" (before last)) (@custom "g" (after func)))"""
    )
    assert module.customs == (
        Custom("d", b"", 0),
        Custom("g", b"", 3),
        Custom("c", b"", 13),
        Custom("b", b"x", 13),
        Custom("e", b"", 12),
        Custom("f", b"", 10),
        Custom("a", b"1\x002", 11),
    )


def test_a_name_annotation_takes_precedence_over_the_identifier() -> None:
    names = parse(
        """(module $m (@name "M") (type $t (@name "T") (struct (field (@name "F") i32)))
        (func $f (@name "a b") (param $x (@name "X") i32) (local (@name "Y") i32)) (func (@name "g")) (tag (@name "θ")))"""
    ).names
    assert names.module == "M"
    assert names.funcs == {0: "a b", 1: "g"}
    assert names.locals == {0: {0: "X", 1: "Y"}}
    assert (names.types, names.fields, names.tags) == ({0: "T"}, {0: {0: "F"}}, {0: "θ"})


def test_a_branch_hint_points_to_its_opcode() -> None:
    module = parse(
        r"""(import "" "" (func)) (func block
        (@metadata.code.branch_hint "\01") (br_if 0 (local.get 0)) i32.const 1 (@metadata.code.branch_hint "\00") if nop end
        (@metadata.code.branch_hint "\01") (if (i32.const 1) (then)) end)"""
    )
    words = ["block", "local.get", "br_if", "i32.const", "if", "nop", "end", "i32.const", "if", "end", "end", "end"]
    assert len(module.funcs[0].body.places) == len(words)
    assert module.branch_hints == ((1, 2, 1), (1, 4, 0), (1, 8, 1))


def test_other_annotations_are_comments() -> None:
    assert parse("(@a) (module (@b (c)) (func (@d) nop))") == parse("(module (func nop))")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(@custom)", "@custom annotation: missing section name"),
        ('(@custom "a" (func))', "@custom annotation: malformed placement"),
        ('(@custom "a" (after))', "@custom annotation: malformed section kind"),
        ('(@custom "a" (after code 1))', "@custom annotation: unexpected token"),
        ('(@custom "a" x)', "@custom annotation: unexpected token"),
        (r'(@custom "\ff")', "@custom annotation: malformed UTF-8 encoding"),
        ('(func (@custom "a"))', "misplaced @custom annotation"),
        ("(func (@name))", "@name annotation: string expected"),
        ('(func (@name "a" "b"))', "@name annotation: unexpected token"),
        ('(module (@name "a") (@name "b"))', "@name annotation: multiple module names"),
        ('(func nop (@name "a"))', "misplaced @name annotation"),
        (r'(@metadata.code.branch_hint "\01") (func)', "@metadata.code.branch_hint annotation: not in a function"),
        (r'(func (@metadata.code.branch_hint "\02") if end)', "@metadata.code.branch_hint annotation: invalid hint value"),
        (r"(func (@metadata.code.branch_hint 1) if end)", "@metadata.code.branch_hint annotation: unexpected token"),
        (r'(func (@metadata.code.branch_hint "\01"))', "@metadata.code.branch_hint annotation: invalid"),
        (r'(func (@metadata.code.branch_hint "\01") nop)', "@metadata.code.branch_hint annotation: invalid target"),
    ],
)
def test_an_annotation_that_means_something_must_be_well_formed(text: str, message: str) -> None:
    with pytest.raises(WasmError) as caught:
        parse(text)
    assert isinstance(caught.value, Malformed | Invalid)
    assert caught.value.message.startswith(message)
    assert caught.value.at is not None
