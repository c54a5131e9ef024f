"""Values in print."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.script import render
from pywasm_ref.script.commands import Either, Extern, Host, Lanes, Nan, Null, Number, Pattern, RefOf
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType
from pywasm_ref.text.values import CONSTANTS


@pytest.mark.parametrize(
    ("t", "bits", "words"),
    [
        (I32, 2**32 - 1, "-1"),
        (I64, 2**63, "-9223372036854775808"),
        (F32, 0x3DCCCCCD, "0.1"),
        (F32, 0x8000_0000, "-0"),
        (F64, 0x3FD5_5555_5555_5555, "0.3333333333333333"),
        (F32, 0x7F80_0000, "inf"),
        (F32, 0xFFC0_0000, "-nan"),
        (F64, 0x7FF0_0000_0000_0001, "nan:0x1"),
        (V128, 1, "i32x4 0x00000001 0x00000000 0x00000000 0x00000000"),
    ],
)
def test_a_number_is_shown_as_a_literal(t: Any, bits: int, words: str) -> None:
    assert render.number(t, bits) == words


@given(st.integers(0, 2**32 - 1))
def test_every_f32_reads_back_to_the_same_bits(bits: int) -> None:
    assert CONSTANTS["f32"](render.number(F32, bits)) == bits


@given(st.integers(0, 2**64 - 1))
def test_every_f64_reads_back_to_the_same_bits(bits: int) -> None:
    assert CONSTANTS["f64"](render.number(F64, bits)) == bits


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (Number(I32, 5), "(i32.const 5)"),
        (Lanes(F32, 32, (Nan.CANONICAL,)), "(f32.const nan:canonical)"),
        (Lanes(V128, 64, (1, Nan.ARITHMETIC)), "(v128.const f64x2 0x1 nan:arithmetic)"),
        (Null(None), "(ref.null)"),
        (Null(AbsHeapType.FUNC), "(ref.null func)"),
        (Extern(1), "(ref.extern 1)"),
        (Host(1), "(ref.host 1)"),
        (RefOf(AbsHeapType.I31), "(ref.i31)"),
        (Either((Number(I32, 1), Number(I32, 2))), "(either (i32.const 1) (i32.const 2))"),
    ],
)
def test_a_pattern_is_shown_as_it_is_written(pattern: Pattern, words: str) -> None:
    assert render.pattern(pattern) == words


def test_no_results_are_said_in_words() -> None:
    assert render.patterns([]) == "nothing"
