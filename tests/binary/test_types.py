"""Types are written and read back; the features say which of them there are."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.binary import types
from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.errors import Malformed
from pywasm_ref.features import ALL, WASM_1, WASM_2, WASM_3, Feature, Features
from pywasm_ref.syntax.types import (
    I8,
    I16,
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    NumType,
    RecType,
    RefType,
    StructType,
    SubType,
    TableType,
    TagType,
    VecType,
)

indices = st.integers(0, 2**32 - 1)
heaptypes = st.one_of(indices, st.sampled_from([heap for heap in AbsHeapType if heap is not AbsHeapType.BOT]))
reftypes = st.builds(RefType, st.booleans(), heaptypes)
valtypes = st.one_of(st.sampled_from([*NumType, *VecType]), reftypes)
fieldtypes = st.builds(FieldType, st.booleans(), st.one_of(valtypes, st.sampled_from([I8, I16])))
resulttypes = st.lists(valtypes, max_size=4).map(tuple)
comptypes = st.one_of(
    st.builds(FuncType, resulttypes, resulttypes),
    st.builds(StructType, st.lists(fieldtypes, max_size=4).map(tuple)),
    st.builds(ArrayType, fieldtypes),
)
subtypes = st.builds(SubType, st.booleans(), st.lists(indices, max_size=2).map(tuple), comptypes)
rectypes = st.builds(RecType, st.lists(subtypes, max_size=4).map(tuple))
sizes = st.integers(0, 2**64 - 1)
limits = st.builds(Limits, sizes, st.one_of(st.none(), sizes))
addrs = st.sampled_from([I32, I64])
externtypes = st.one_of(
    st.builds(FuncTypeUse, indices),
    st.builds(TagType, indices),
    st.builds(GlobalType, st.booleans(), valtypes),
    st.builds(MemType, addrs, limits, st.booleans(), st.integers(0, 63)),
    st.builds(TableType, addrs, limits, reftypes),
)


def again(t: object, write: Callable[..., None], read: Callable[[Reader], object]) -> object:
    w = Writer()
    write(w, t)
    s = Reader(bytes(w.data), ALL)
    result = read(s)
    assert s.at_end()
    return result


@given(rectypes)
def test_a_recursive_type_comes_back(t: RecType) -> None:
    assert again(t, types.write_rectype, types.read_rectype) == t


@given(externtypes)
def test_an_external_type_comes_back(t: object) -> None:
    assert again(t, types.write_externtype, types.read_externtype) == t


@given(reftypes)
def test_a_reference_type_comes_back(t: RefType) -> None:
    assert again(t, types.write_reftype, types.read_reftype) == t


def test_the_short_form_of_a_reference_type_is_taken() -> None:
    w = Writer()
    types.write_reftype(w, RefType(True, AbsHeapType.FUNC))
    assert w.data == b"\x70"


@pytest.mark.parametrize(
    ("read", "data", "features", "message"),
    [
        (types.read_valtype, "7b", WASM_1, "malformed reference type"),
        (types.read_valtype, "70", WASM_1, "malformed reference type"),
        (types.read_valtype, "6e", WASM_2, "malformed reference type"),
        (types.read_valtype, "6470", WASM_2, "malformed reference type"),
        (types.read_valtype, "ff7f", WASM_3, "integer representation too long"),
        (types.read_valtype, "647f", WASM_3, "malformed heap type"),
        (types.read_reftype, "7f", WASM_3, "malformed reference type"),
        (types.read_heaptype, "", WASM_3, "unexpected end of section or function"),
        (types.read_comptype, "5f00", WASM_2, "malformed definition type"),
        (types.read_rectype, "4e0160 00 00", WASM_2, "malformed definition type"),
        (types.read_mut, "02", WASM_3, "malformed mutability"),
        (types.read_memtype, "0200", WASM_3, "malformed limits flags"),
        (types.read_memtype, "0400", WASM_2, "malformed limits flags"),
        (types.read_memtype, "080000", WASM_3, "malformed limits flags"),
        (types.read_memtype, "080041", ALL, "invalid custom page size"),
        (types.read_memtype, "00ffffffffff01", WASM_2, "integer too large"),
        (types.read_tabletype, "700200", ALL, "malformed limits flags"),
        (types.read_tagtype, "0100", WASM_3, "zero byte expected"),
        (types.read_externtype, "05", WASM_3, "malformed import kind"),
        (types.read_externtype, "040000", WASM_2, "malformed import kind"),
    ],
)
def test_what_is_no_type(read: Callable[[Reader], object], data: str, features: Features, message: str) -> None:
    with pytest.raises(Malformed) as error:
        read(Reader(bytes.fromhex(data), features))
    assert error.value.message == message


def test_legacy_exceptions_bring_tags_too() -> None:
    assert types.read_externtype(Reader(b"\4\0\1", WASM_2 | {Feature.LEGACY_EXCEPTIONS})) == TagType(1)


def test_a_type_that_only_a_validator_makes_cannot_be_written() -> None:
    with pytest.raises(Malformed):
        types.write_heaptype(Writer(), AbsHeapType.BOT)
