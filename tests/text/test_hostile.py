"""Texts that mean harm: each is read or refused in bounded time, without recursion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.errors import Invalid, Malformed
from pywasm_ref.features import ALL
from pywasm_ref.text import parse

MANY = 50_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * MANY,
        "(func " + "(" * MANY,
        "(func " + "(block " * MANY,
        "(func " + "block " * MANY,
        "(func " + "(drop " * MANY,
        "(@a " + "(" * MANY,
        "(;" * MANY,
        '"' * MANY + "\\",
        "(memory " + "9" * MANY + ")",
        "(func (f64.const 1" + "0" * MANY + "))",
        "(type (func (param" + " i32" * MANY,
        "(global (ref " * MANY,
    ],
    ids=lambda text: text[:12],
)
def test_what_never_closes_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(func " + "(block " * MANY + ")" * MANY + ")",
        "(func " + "block $l " * MANY + "br $l " + "end " * MANY + ")",
        "(func " + "(drop " * MANY + ")" * MANY + ")",
        "(func " + "(if (then " * MANY + "))" * MANY + ")",
        "(func " + "(try (do " * MANY + "))" * MANY + ")",
        "(; " * MANY + ";)" * MANY,
        "(@a " + "(" * MANY + ")" * MANY + ")",
        "(rec " + "(type (func)) " * MANY + ")",
        "(func (local" + " i32" * MANY + "))",
        "(func i32.const " + "0" * MANY + ")",
        "(func f64.const 0." + "0" * MANY + "1)",
        "(func br_table" + " 0" * MANY + ")",
    ],
    ids=lambda text: text[:12],
)
def test_what_closes_may_nest_as_deep_as_it_likes(text: str) -> None:
    parse(text, ALL)


PIECES = (
    *["(", ")", "(module", "(func", "(type", "(rec", "(sub", "final", "(struct", "(field", "(array", "(param", "(result", "(local", "$x", "$y", "0", "1", "-1", "0x1p3", "nan", "i32", "i64", "f32"],
    *["funcref", "(ref", "null", "func", "any", "v128", "block", "loop", "if", "else", "end", "(if", "(then", "(else", "(block", "try", "catch", "(try", "(do", "(catch", "(delegate"],
    *["i32.const", "i32.add", "local.get", "br", "br_table", "call", "call_indirect", "(call_indirect", "select", "select", "(select", "memory.copy"],
    *["v128.const", "i32x4", "v128.load8_lane", "offset=1", "align=4", "ref.null", "struct.get", "(memory", "(data", "(table", "(elem", "(offset", "(item", "declare"],
    *['(import', '(export', '(global', '(mut', '(tag', '(start', '""', '"a"', '(@custom', '(@name', '(@metadata.code.branch_hint', ';;'],
    "(;", ";)", "\n", "foo", '"\\01"',
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_pieces_are_read_or_refused(pieces: list[str]) -> None:
    text = " ".join(pieces)
    try:
        parse(text, ALL)
    except (Malformed, Invalid) as error:
        assert error.at is not None
        assert 0 <= error.at <= len(text)
