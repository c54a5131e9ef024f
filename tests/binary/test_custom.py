"""Names and branch hints, and sections that only claim to be such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.binary import decode, encode
from pywasm_ref.binary.custom import read_names, write_names
from pywasm_ref.syntax.modules import Custom, Names
from tests.binary.builder import function, module, section

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
name_maps = st.dictionaries(st.integers(0, 2**32 - 1), words, max_size=3)
indirect = st.dictionaries(st.integers(0, 2**32 - 1), name_maps.filter(bool), max_size=3)
all_names = st.builds(
    Names,
    st.none() | words,
    name_maps,
    indirect,
    indirect,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    name_maps,
    indirect,
    name_maps,
)


@given(all_names)
def test_names_come_back(names: Names) -> None:
    assert read_names(write_names(names)) == names


@given(st.binary(max_size=40))
def test_a_name_section_of_nonsense_is_no_error(content: bytes) -> None:
    decoded = decode(module((0, b"\4name" + content)))
    assert decoded.customs == (Custom("name", content),)


def test_an_unknown_subsection_of_names_is_passed_over() -> None:
    assert read_names(bytes.fromhex("63 02 ffff 00 02 016d")).module == "m"


def test_names_are_written_when_asked_for() -> None:
    data = module((0, b"\4name" + write_names(Names(module="m", locals={0: {}}))))
    decoded = decode(data)
    assert decoded.names.module == "m"
    assert encode(decoded, names=True) == data
    assert encode(decode(module()), names=True) == module()
    bare = decode(module())
    bare.names.funcs[0] = "f"
    assert encode(bare) == module()
    assert decode(encode(bare, names=True)).names == bare.names


# local.get 0, if, end; the function has one local
CODE = bytes.fromhex("2000 0440 0b")
HINTED = b"metadata.code.branch_hint"


def hinted(content: str) -> bytes:
    """The function with a section of hints before its code."""
    plain = function(CODE, b"\1\1\x7f")
    at = plain.index(section(10, plain[plain.index(b"\x0a", 8) + 2 :]))
    return plain[:at] + section(0, bytes([len(HINTED)]) + HINTED + bytes.fromhex(content)) + plain[at:]


def test_branch_hints_come_back_at_their_instruction() -> None:
    data = hinted("01 00 01 05 01 01")
    decoded = decode(data)
    assert decoded.branch_hints == ((0, 1, 1),)
    assert decoded.customs == ()
    assert encode(decoded) == data


@pytest.mark.parametrize(
    "content",
    [
        "",
        "01",
        "01 07 01 05 01 01",
        "01 00 01 04 01 01",
        "01 00 01 05 02 0101",
        "01 00 01 05 01",
        "01 00 01 05 01 01 ff",
        "01 00 01 ff01 01 00",
    ],
)
def test_hints_of_nonsense_stay_a_custom_section(content: str) -> None:
    data = hinted(content)
    decoded = decode(data)
    assert decoded.branch_hints == ()
    assert decoded.customs == (Custom(HINTED.decode(), bytes.fromhex(content), 3),)
    assert encode(decoded) == data
