"""What results an assertion accepts; references are tried against a real store in test_run.py."""

from typing import Any

import pytest

from pywasm_ref.script.commands import Either, Lanes, Nan, Null, Number, Pattern
from pywasm_ref.script.patterns import all_match, matches
from pywasm_ref.syntax.types import ANYREF, F32, F64, I32, I64, V128, ValType

NO_STORE: Any = None  # numbers do not ask it


def accepts(t: ValType, bits: int | None, pattern: Pattern) -> bool:
    return matches(NO_STORE, t, bits, pattern)


def test_a_number_is_compared_to_the_bit() -> None:
    assert accepts(F32, 0, Number(F32, 0))
    assert not accepts(F32, 0x8000_0000, Number(F32, 0))


def test_a_number_of_another_type_is_another_value() -> None:
    assert not accepts(I64, 1, Number(I32, 1))
    assert not accepts(F32, 1, Number(I32, 1))


@pytest.mark.parametrize(
    ("t", "width", "bits", "canonical", "arithmetic"),
    [
        (F32, 32, 0x7FC0_0000, True, True),
        (F32, 32, 0xFFC0_0000, True, True),
        (F32, 32, 0x7FC0_0001, False, True),
        (F32, 32, 0x7FA0_0000, False, False),
        (F32, 32, 0x7F80_0000, False, False),
        (F64, 64, 0x7FF8_0000_0000_0000, True, True),
        (F64, 64, 0xFFF8_0000_0000_1000, False, True),
        (F64, 64, 0x7FF4_0000_0000_0000, False, False),
    ],
)
def test_classes_of_nans_look_at_the_quiet_bit_and_the_rest(t: Any, width: int, bits: int, canonical: bool, arithmetic: bool) -> None:
    assert accepts(t, bits, Lanes(t, width, (Nan.CANONICAL,))) is canonical
    assert accepts(t, bits, Lanes(t, width, (Nan.ARITHMETIC,))) is arithmetic


def test_each_lane_has_a_pattern_of_its_own() -> None:
    pattern = Lanes(V128, 32, (1, Nan.CANONICAL, 3, Nan.ARITHMETIC))
    assert accepts(V128, 0x7FC0_0001_0000_0003_FFC0_0000_0000_0001, pattern)
    assert not accepts(V128, 0x7FC0_0001_0000_0003_FFC0_0001_0000_0001, pattern)
    assert not accepts(V128, 0x7FC0_0001_0000_0004_FFC0_0000_0000_0001, pattern)


def test_one_of_several_patterns_is_enough() -> None:
    assert accepts(I32, 2, Either((Number(I32, 1), Number(I32, 2))))
    assert not accepts(I32, 3, Either((Number(I32, 1), Number(I32, 2))))


def test_null_is_no_number() -> None:
    assert accepts(ANYREF, None, Null(None))
    assert not accepts(I32, 0, Null(None))


def test_there_are_as_many_results_as_patterns() -> None:
    assert all_match(NO_STORE, [I32, I32], [1, 2], [Number(I32, 1), Number(I32, 2)])
    assert not all_match(NO_STORE, [I32], [1], [Number(I32, 1), Number(I32, 2)])
    assert not all_match(NO_STORE, [I32, I32], [1, 2], [Number(I32, 1)])
