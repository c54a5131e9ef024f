"""Integers, names and vectors, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.errors import Malformed


def written(value: int, *, signed: bool) -> bytes:
    w = Writer()
    (w.signed if signed else w.unsigned)(value)
    return bytes(w.data)


@given(st.integers(0, 2**64 - 1))
def test_an_unsigned_integer_comes_back(value: int) -> None:
    data = written(value, signed=False)
    s = Reader(data)
    assert s.u64() == value
    assert s.at_end()
    assert len(data) == max(1, -(-value.bit_length() // 7))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_signed_integer_comes_back(value: int) -> None:
    data = written(value, signed=True)
    s = Reader(data)
    assert s.signed(64) == value
    assert s.at_end()


@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_padding_up_to_the_width_is_fine(value: int, padding: int) -> None:
    data = bytearray(written(value, signed=False))
    while padding and len(data) < 5:
        data[-1] |= 0x80
        data.append(0)
        padding -= 1
    assert Reader(bytes(data)).u32() == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x80\x80\x80\x80\x00", "integer representation too long"),
        (b"\x82\x80\x80\x80\x10", "integer too large"),
        (b"\xff\xff\xff\xff\x1f", "integer too large"),
        (b"\x80\x80", "unexpected end of section or function"),
        (b"", "unexpected end of section or function"),
    ],
)
def test_an_unsigned_integer_that_is_none(data: bytes, message: str) -> None:
    with pytest.raises(Malformed) as error:
        Reader(data).u32()
    assert error.value.message == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80\x80\x80\x80\x80\x00", "integer representation too long"),
        (b"\xff\xff\xff\xff\x0f", "integer too large"),
        (b"\x80\x80\x80\x80\x1f", "integer too large"),
    ],
)
def test_the_unused_bits_of_a_signed_integer_are_its_sign(data: bytes, message: str) -> None:
    with pytest.raises(Malformed) as error:
        Reader(data).signed(32)
    assert error.value.message == message


def test_the_least_signed_integer() -> None:
    assert Reader(b"\x80\x80\x80\x80\x78").signed(32) == -(2**31)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_comes_back(name: str) -> None:
    w = Writer()
    w.name(name)
    assert Reader(bytes(w.data)).name() == name


@pytest.mark.parametrize("data", [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xff", b"\xe2\x82"])
def test_a_name_that_is_not_utf8(data: bytes) -> None:
    with pytest.raises(Malformed, match="malformed UTF-8 encoding"):
        Reader(bytes([len(data)]) + data).name()


def test_a_count_beyond_the_input_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(Malformed, match="length out of bounds"):
        Reader(b"\xff\xff\xff\xff\x0f\x00").vector(Reader.byte)


def test_fewer_bytes_than_a_float_has() -> None:
    with pytest.raises(Malformed, match="unexpected end"):
        Reader(b"\0\0\0").fixed(4)
