"""Tokens, comments, and what is none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.errors import Malformed
from pywasm_ref.text.lexer import Kind, source_text, tokenize


def texts(source: str) -> list[str]:
    return tokenize(source).texts[:-2]


def test_a_text_is_cut_into_tokens_with_their_places() -> None:
    tokens = tokenize('(func $f "a b" -1 0x1)')
    assert tokens.texts == ["(", "func", "$f", '"a b"', "-1", "0x1", ")", "", ""]
    assert list(tokens.starts) == [0, 1, 6, 9, 15, 18, 21, 22, 22]
    assert tokens.kinds[:7] == [Kind.OPEN, Kind.KEYWORD, Kind.ID, Kind.STRING, Kind.WORD, Kind.NAT, Kind.CLOSE]
    assert tokens.closing(0) == 6


def test_comments_are_no_tokens_and_nest() -> None:
    assert texts("a (; b (; c ;) ;; d ;) e ;; f ;)\ng (;;) h") == ["a", "e", "g", "h"]
    assert texts("a;;b\rc") == ["a", "c"]


def test_a_quoted_identifier_is_the_plain_one() -> None:
    assert texts(r'$a $"a" $"\61" $"a b"') == ["$a", "$a", "$a", "$a b"]


def test_tokens_must_be_apart() -> None:
    for source in ['"a""b"', 'i32"a"', '"a"i32', '$x"a"', "0x1$a", "1a"]:
        tokens = tokenize(source)
        assert tokens.texts[:-2] == [source]
        assert tokens.unexpected().message == f"unknown operator {source}"


def test_an_annotation_is_kept_apart() -> None:
    tokens = tokenize('(module (@a.b "x" (1) (@c)) (@"d e") (func))')
    assert tokens.texts[:3] == ["(", "module", "("]
    first, second = tokens.annotations
    assert (first.name, first.before, first.at) == ("a.b", 2, 8)
    assert [text for _, text, _ in first.items] == ['"x"', "(", "1", ")", "c", ")"]
    assert (second.name, second.items) == ("d e", ())


@pytest.mark.parametrize(
    ("source", "message", "at"),
    [
        ("a (; (; ;)", "unclosed comment", 2),
        ('a "b', "unclosed string", 2),
        ('"a\nb"', "unclosed string", 0),
        (r'"\x"', "illegal escape", 1),
        ('"\x01"', "illegal control character", 1),
        ("a \x7f", "misplaced control character", 2),
        ("a λ", "misplaced unicode character", 2),
        ("$", "empty identifier", 0),
        ('$""', "empty identifier", 0),
        (r'$"\ff"', "malformed UTF-8 encoding", 0),
        ("(@)", "empty annotation id", 0),
        ('(@"")', "empty annotation id", 0),
        ("(@a (b)", "unclosed annotation", 0),
        ("(@a λ)", "illegal character", 4),
    ],
)
def test_what_is_no_token_is_met_by_the_cursor(source: str, message: str, at: int) -> None:
    tokens = tokenize(source)
    while tokens.kind is not Kind.PROBLEM:
        tokens.take()
    error = tokens.unexpected()
    assert error.message.startswith(message)
    assert error.at == at


@pytest.mark.parametrize("source", [b"\x80", b'"\xc0\x80"', b";; \xff", b"(; \xff ;)", b"(@a \xed\xa0\x80)"])
def test_bytes_that_are_not_utf8_are_found(source: bytes) -> None:
    tokens = tokenize(source_text(source))
    assert tokens.unexpected().message == "malformed UTF-8 encoding"


def test_the_cursor_reads_what_it_is_asked_for() -> None:
    tokens = tokenize('(func $f "n" 7 i32) 1')
    assert tokens.opens("func")
    assert not tokens.enter("memory")
    assert tokens.enter("func")
    assert tokens.identifier() == "f"
    assert tokens.identifier() is None
    assert tokens.name() == "n"
    assert tokens.natural(32) == 7
    assert not tokens.accept("i64")
    assert tokens.accept("i32")
    with pytest.raises(Malformed, match="unexpected token"):
        tokens.expect("(")
    tokens.expect(")")
    assert tokens.number(int) == 1
    assert tokens.take() == ""


@given(st.text(alphabet="()\"$;@\\ua{}1x-+.\n'ff0 λ\ud800"))
def test_any_text_can_be_cut(source: str) -> None:
    tokens = tokenize(source)
    assert len(tokens.texts) == len(tokens.kinds) == len(tokens.starts) == len(tokens.closes)
    assert all(a <= b for a, b in zip(tokens.starts, tokens.starts[1:], strict=False)) or tokens.problem
    for text, kind, start in zip(tokens.texts, tokens.kinds, tokens.starts, strict=True):
        if kind is not Kind.ID:
            assert source[start : start + len(text)] == text
