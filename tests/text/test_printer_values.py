"""What the printer spells, the parser reads as the same bits."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pywasm_ref.text import printer_values, values
from pywasm_ref.text.values import CONSTANTS


def bits(width: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**width - 1)


@given(bits(32))
@example(2**31)
@example(2**32 - 1)
def test_an_i32_reads_back(value: int) -> None:
    assert CONSTANTS["i32"](printer_values.i32(value)) == value


@given(bits(64))
@example(2**63)
def test_an_i64_reads_back(value: int) -> None:
    assert CONSTANTS["i64"](printer_values.i64(value)) == value


@given(bits(32))
@example(0x8000_0000)
@example(0x0000_0001)
@example(0x007F_FFFF)
@example(0x7F7F_FFFF)
@example(0x3DCC_CCCD)
@example(0x4B80_0001)
def test_an_f32_reads_back(value: int) -> None:
    assert CONSTANTS["f32"](printer_values.f32(value)) == value


@given(bits(64))
@example(0x8000_0000_0000_0000)
@example(0x0000_0000_0000_0001)
@example(0x7FEF_FFFF_FFFF_FFFF)
def test_an_f64_reads_back(value: int) -> None:
    assert CONSTANTS["f64"](printer_values.f64(value)) == value


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (0x7F80_0000, "inf"),
        (0xFF80_0000, "-inf"),
        (0x7FC0_0000, "nan"),
        (0xFFC0_0000, "-nan"),
        (0x7F80_0001, "nan:0x1"),
        (0xFFFF_FFFF, "-nan:0x7fffff"),
        (0x3F80_0000, "1.0"),
        (0x3DCC_CCCD, "0.100000001"),
    ],
)
def test_the_spelling_of_an_f32(value: int, spelling: str) -> None:
    assert printer_values.f32(value) == spelling
    assert CONSTANTS["f32"](spelling) == value


def test_nan_payloads_of_an_f64() -> None:
    for value in (0x7FF0_0000_0000_0001, 0xFFF8_0000_0000_0001, 0x7FF8_0000_0000_0000, 0xFFF0_0000_0000_0000):
        assert CONSTANTS["f64"](printer_values.f64(value)) == value


@given(bits(128))
def test_a_vector_reads_back(value: int) -> None:
    shape, *lanes = printer_values.v128(value).split()
    assert values.vector(shape, lanes) == value


@given(st.binary())
def test_a_string_reads_back(data: bytes) -> None:
    assert values.string(printer_values.quoted(data)) == data


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('\u202e\x7f"\\\n')
def test_a_name_reads_back(name: str) -> None:
    spelled = printer_values.quoted_name(name)
    assert values.string(spelled).decode() == name
    assert spelled.isprintable()
