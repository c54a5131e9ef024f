"""Matching is an order with a smallest and a largest type in each hierarchy, and external types match by their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pywasm_ref.syntax.types import (
    BOT,
    EXTERNREF,
    F32,
    FUNCREF,
    I8,
    I16,
    I32,
    I64,
    V128,
    AbsHeapType,
    ArrayType,
    CompType,
    ExternType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    HeapType,
    Limits,
    MemType,
    RecType,
    RefType,
    StructType,
    SubType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.validation.matching import (
    match_comptype,
    match_externtype,
    match_heaptype,
    match_limits,
    match_reftype,
    match_resulttype,
    match_storagetype,
    match_valtype,
)
from pywasm_ref.validation.types import deftypes, functype_deftype, top_of

H = AbsHeapType
STRUCT, SUB, SUBSUB, ARRAY, FUNC = deftypes(
    [
        RecType((SubType(False, (), StructType(())),)),
        RecType((SubType(False, (0,), StructType((FieldType(False, I32),))),)),
        RecType((SubType(True, (1,), StructType((FieldType(False, I32), FieldType(True, I8)))),)),
        RecType((SubType(True, (), ArrayType(FieldType(True, I32))),)),
        RecType((SubType(True, (), FuncType((I32,), (I64,))),)),
    ]
)

heaptypes: st.SearchStrategy[HeapType] = st.sampled_from([*AbsHeapType, STRUCT, SUB, SUBSUB, ARRAY, FUNC])
reftypes = st.builds(RefType, st.booleans(), heaptypes)
plain: list[ValType] = [I32, I64, F32, V128, BOT]
valtypes: st.SearchStrategy[ValType] = st.sampled_from(plain) | reftypes
resulttypes = st.lists(valtypes, max_size=3).map(tuple)
fieldtypes = st.builds(FieldType, st.booleans(), valtypes | st.sampled_from([I8, I16]))
comptypes: st.SearchStrategy[CompType] = (
    st.builds(FuncType, resulttypes, resulttypes)
    | st.builds(StructType, st.lists(fieldtypes, max_size=3).map(tuple))
    | st.builds(ArrayType, fieldtypes)
)


@given(valtypes)
def test_every_type_matches_itself(t: ValType) -> None:
    assert match_valtype(t, t)


@given(valtypes, valtypes, valtypes)
def test_what_matches_a_type_matches_all_that_it_matches(t1: ValType, t2: ValType, t3: ValType) -> None:
    if match_valtype(t1, t2) and match_valtype(t2, t3):
        assert match_valtype(t1, t3)


@given(valtypes, valtypes)
def test_types_that_match_both_ways_are_equal(t1: ValType, t2: ValType) -> None:
    if match_valtype(t1, t2) and match_valtype(t2, t1):
        assert t1 == t2


@given(comptypes, comptypes, comptypes)
def test_composite_types_are_ordered_too(t1: CompType, t2: CompType, t3: CompType) -> None:
    assert match_comptype(t1, t1)
    if match_comptype(t1, t2) and match_comptype(t2, t3):
        assert match_comptype(t1, t3)
    if match_comptype(t1, t2) and match_comptype(t2, t1):
        assert t1 == t2


@given(heaptypes)
def test_every_heap_type_lies_between_the_ends_of_its_hierarchy(heap: HeapType) -> None:
    bottoms = {H.ANY: H.NONE, H.FUNC: H.NOFUNC, H.EXN: H.NOEXN, H.EXTERN: H.NOEXTERN, H.BOT: H.BOT}
    top = top_of(heap)
    assert match_heaptype(heap, top)
    assert match_heaptype(bottoms[top], heap)
    assert match_heaptype(H.BOT, heap)


@given(heaptypes, heaptypes)
def test_heap_types_of_different_hierarchies_never_match(h1: HeapType, h2: HeapType) -> None:
    if h1 is not H.BOT and match_heaptype(h1, h2):
        assert top_of(h1) is top_of(h2)


@given(reftypes, reftypes)
def test_a_reference_that_may_be_null_needs_a_type_that_allows_it(t1: RefType, t2: RefType) -> None:
    if match_reftype(t1, t2):
        assert t2.null or not t1.null


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (SUBSUB, SUB),
        (SUB, STRUCT),
        (STRUCT, H.STRUCT),
        (ARRAY, H.ARRAY),
        (H.STRUCT, H.EQ),
        (H.I31, H.EQ),
        (H.EQ, H.ANY),
        (FUNC, H.FUNC),
        (H.NONE, ARRAY),
    ],
)
def test_each_step_of_the_hierarchy_goes_one_way(lower: HeapType, upper: HeapType) -> None:
    assert match_heaptype(lower, upper)
    assert not match_heaptype(upper, lower)


def test_a_longer_structure_matches_a_shorter_one() -> None:
    short, long = StructType((FieldType(False, I32),)), StructType((FieldType(False, I32), FieldType(True, I64)))
    assert match_comptype(long, short)
    assert not match_comptype(short, long)


def test_a_field_that_can_be_written_does_not_vary() -> None:
    narrow, wide = RefType(False, H.FUNC), FUNCREF
    assert match_comptype(ArrayType(FieldType(False, narrow)), ArrayType(FieldType(False, wide)))
    assert not match_comptype(ArrayType(FieldType(True, narrow)), ArrayType(FieldType(True, wide)))
    assert not match_comptype(ArrayType(FieldType(True, wide)), ArrayType(FieldType(False, wide)))


def test_parameters_match_the_other_way_round() -> None:
    narrow, wide = RefType(False, H.FUNC), FUNCREF
    assert match_comptype(FuncType((wide,), (narrow,)), FuncType((narrow,), (wide,)))
    assert not match_comptype(FuncType((narrow,), ()), FuncType((wide,), ()))


def test_packed_storage_matches_only_itself() -> None:
    assert match_storagetype(I8, I8)
    assert not match_storagetype(I8, I16)
    assert not match_storagetype(I8, I32)


def test_result_types_match_entry_by_entry() -> None:
    assert match_resulttype((BOT, I32), (F32, I32))
    assert not match_resulttype((I32,), (I32, I32))


@pytest.mark.parametrize(
    ("given_", "wanted", "matches"),
    [
        (Limits(1, 2), Limits(1, 2), True),
        (Limits(2, 2), Limits(1, 3), True),
        (Limits(1, None), Limits(1, None), True),
        (Limits(1, 5), Limits(1, None), True),
        (Limits(1, None), Limits(1, 5), False),
        (Limits(0, 5), Limits(1, 5), False),
        (Limits(1, 6), Limits(1, 5), False),
    ],
)
def test_limits_match_when_they_lie_within(given_: Limits, wanted: Limits, matches: bool) -> None:
    assert match_limits(given_, wanted) is matches


UNIT = functype_deftype(FuncType((), ()))


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        (FuncTypeUse(UNIT), FuncTypeUse(FUNC)),
        (FuncTypeUse(UNIT), TagType(UNIT)),
        (TagType(UNIT), TagType(FUNC)),
        (GlobalType(True, I32), GlobalType(False, I32)),
        (GlobalType(True, RefType(False, H.FUNC)), GlobalType(True, FUNCREF)),
        (MemType(I32, Limits(1)), MemType(I64, Limits(1))),
        (MemType(I32, Limits(1, 2)), MemType(I32, Limits(1, 2), shared=True)),
        (MemType(I32, Limits(1)), MemType(I32, Limits(1), page_bits=0)),
        (TableType(I32, Limits(1), FUNCREF), TableType(I64, Limits(1), FUNCREF)),
        (TableType(I32, Limits(1), FUNCREF), TableType(I32, Limits(1), EXTERNREF)),
        (TableType(I32, Limits(1), RefType(False, H.FUNC)), TableType(I32, Limits(1), FUNCREF)),
    ],
)
def test_external_types_that_differ_in_a_part_do_not_match(given_: ExternType, wanted: ExternType) -> None:
    assert match_externtype(given_, given_)
    assert match_externtype(wanted, wanted)
    assert not match_externtype(given_, wanted)


def test_a_constant_global_may_have_a_smaller_type_than_asked_for() -> None:
    assert match_externtype(GlobalType(False, RefType(False, H.FUNC)), GlobalType(False, FUNCREF))
