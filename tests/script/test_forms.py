"""Cutting a script into its top-level forms."""

import time

import pytest

from pywasm_ref.errors import Malformed
from pywasm_ref.script.forms import split


def forms(text: str) -> list[str]:
    return [text[start:end] for start, end in split(text)]


def test_forms_are_told_apart_by_their_parentheses() -> None:
    assert forms('(a (b)) (c "d")\n(e)') == ["(a (b))", '(c "d")', "(e)"]


def test_parentheses_in_strings_and_comments_do_not_count() -> None:
    assert forms(r'(a ")\"(") ;; (b' + "\n(; ( (; ) ;) ;) (c (; ) ;) ;; )\n)") == [r'(a ")\"(")', "(c (; ) ;) ;; )\n)"]


def test_words_between_forms_are_forms_of_their_own() -> None:
    assert forms(' x  y (a) "s" ) (b') == ["x  y", "(a)", '"s"', ")", "(b"]


def test_a_string_that_does_not_end_leaves_the_forms_before_it_alone() -> None:
    assert forms('(a) (b "c)')[0] == "(a)"


def test_an_unclosed_comment_is_an_error_with_its_place() -> None:
    with pytest.raises(Malformed, match="unclosed comment") as caught:
        forms("(a) (; (; ;) (b)")
    assert caught.value.at == 4


@pytest.mark.parametrize("text", ["(" * 200_000, ")" * 100_000, '"' * 100_001, "(;" * 100_000 + ";)" * 100_000, "\\" * 200_000])
def test_hostile_text_takes_no_more_than_linear_time(text: str) -> None:
    start = time.perf_counter()
    forms(text)
    assert time.perf_counter() - start < 5
