"""Defined types: made once, compared by identity, without following what they refer to."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax.types import (
    FUNCREF,
    I8,
    I32,
    I64,
    AbsHeapType,
    ArrayType,
    FieldType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    RecIdx,
    RecType,
    RefType,
    StructType,
    SubType,
    TableType,
    TagType,
)
from pywasm_ref.validation import types as made
from pywasm_ref.validation.matching import match_deftype
from pywasm_ref.validation.types import (
    close,
    defaultable,
    deftypes,
    difference,
    expand,
    functype_deftype,
    kind,
    roll,
    top_of,
    unpack,
    unroll,
)

LONG = 20_000


def func(*params: RefType) -> SubType:
    return SubType(True, (), FuncType(params, ()))


def alone(sub: SubType) -> RecType:
    return RecType((sub,))


def open_struct(*supers: int) -> RecType:
    return alone(SubType(False, supers, StructType(())))


def test_equal_types_are_the_same_object() -> None:
    first, second = deftypes([alone(func()), alone(func())])
    assert first is second
    assert deftypes([alone(func())])[0] is first


def test_equal_types_of_two_modules_are_the_same_object_whatever_their_indices() -> None:
    here = deftypes([alone(func()), alone(func(RefType(True, 0)))])
    there = deftypes([open_struct(), alone(func()), alone(func(RefType(True, 1)))])
    assert here[1] is there[2]


def test_types_of_different_groups_differ_even_when_they_say_the_same() -> None:
    single = deftypes([alone(func())])[0]
    pair = deftypes([RecType((func(), func()))])
    assert len({single, *pair}) == 3


def test_a_reference_into_the_own_group_is_not_one_to_an_equal_type_outside() -> None:
    looping = deftypes([alone(func(RefType(True, 0)))])[0]
    again, outside = deftypes([alone(func(RefType(True, 0))), alone(func(RefType(True, 0)))])
    assert again is looping
    assert outside is not looping
    assert expand(looping) == FuncType((RefType(True, looping),), ())


def test_an_unrolled_type_names_the_types_of_its_group() -> None:
    a, b = deftypes(
        [
            RecType(
                (SubType(False, (), StructType((FieldType(True, RefType(True, 1)),))), SubType(True, (0,), ArrayType(FieldType(False, I8))))
            )
        ]
    )
    assert unroll(a) == SubType(False, (), StructType((FieldType(True, RefType(True, b)),)))
    assert unroll(b) == SubType(True, (a,), ArrayType(FieldType(False, I8)))
    assert a.rectype.subtypes[0].comp == StructType((FieldType(True, RefType(True, RecIdx(1))),))
    assert (kind(a), kind(b)) == (AbsHeapType.STRUCT, AbsHeapType.ARRAY)


def test_expanding_twice_gives_the_same_object() -> None:
    a = deftypes([alone(func(RefType(True, 0)))])[0]
    assert expand(a) is expand(a)


def test_closing_reaches_into_every_type() -> None:
    types = deftypes([alone(func())])
    (t,) = types
    assert close(I32, types) is I32
    assert close(FUNCREF, types) is FUNCREF
    assert close(RefType(True, 0), types) == RefType(True, t)
    assert close((I64, RefType(False, 0)), types) == (I64, RefType(False, t))
    assert close(GlobalType(True, RefType(True, 0)), types) == GlobalType(True, RefType(True, t))
    assert close(TableType(I32, Limits(1), RefType(True, 0)), types) == TableType(I32, Limits(1), RefType(True, t))
    assert close(FuncTypeUse(0), types) == FuncTypeUse(t)
    assert close(TagType(0), types) == TagType(t)


@pytest.mark.parametrize(
    "group", [alone(func(RefType(True, 1))), alone(SubType(True, (7,), StructType(()))), alone(func(RefType(True, RecIdx(1))))]
)
def test_an_index_past_the_group_is_an_unknown_type(group: RecType) -> None:
    with pytest.raises(Invalid, match="unknown type"):
        deftypes([group])


def test_an_index_past_the_types_cannot_be_closed() -> None:
    with pytest.raises(Invalid, match="unknown type 3"):
        close(RefType(True, 3), deftypes([alone(func())]))


def test_a_host_function_has_the_type_of_an_equal_module_type() -> None:
    assert functype_deftype(FuncType((I32,), (I64,))) is deftypes([alone(SubType(True, (), FuncType((I32,), (I64,))))])[0]


def test_types_that_nobody_uses_are_forgotten() -> None:
    t = deftypes([alone(func(RefType(True, 0))), alone(func(RefType(True, 0), RefType(True, 0), FUNCREF))])[1]
    group = weakref.ref(t.group)  # type: ignore[attr-defined]
    del t
    gc.collect()
    assert group() is None
    assert all(key.deftypes for key in made._groups)


def test_a_chain_of_types_far_longer_than_the_stack_is_deep_works() -> None:
    count = max(LONG, 10 * sys.getrecursionlimit())
    chain = [open_struct(), *(alone(SubType(False, (i,), StructType(()))) for i in range(count))]
    types = deftypes(chain)
    assert deftypes(chain)[-1] is types[-1]
    assert match_deftype(types[-1], types[0])
    assert match_deftype(types[-1], types[count // 3])
    assert not match_deftype(types[count // 3], types[-1])
    assert repr(types[-1])


def test_a_chain_of_references_far_longer_than_the_stack_is_deep_works() -> None:
    count = max(LONG, 10 * sys.getrecursionlimit())
    types = deftypes([alone(func()), *(alone(func(RefType(True, i))) for i in range(count))])
    assert expand(types[-1]) == FuncType((RefType(True, types[-2]),), ())
    assert hash(expand(types[-1])) == hash(FuncType((RefType(True, types[-2]),), ()))
    assert "deftype" in repr(expand(types[-1]))


@pytest.mark.slow
def test_a_group_of_two_hundred_thousand_types_works() -> None:
    types = roll(RecType((func(),) * 200_000), ())
    assert len(set(types)) == 200_000
    assert expand(types[-1]) is expand(types[0])


def test_siblings_under_one_supertype_do_not_match_each_other() -> None:
    base, left, right = deftypes([open_struct(), open_struct(0), alone(SubType(True, (0,), StructType(())))])
    assert match_deftype(left, base)
    assert match_deftype(right, base)
    assert not match_deftype(left, right)
    assert not match_deftype(right, left)


def test_every_ancestor_is_found_and_nothing_else() -> None:
    trunk = deftypes([open_struct(), *(open_struct(i) for i in range(40))])
    branch = deftypes([open_struct(), *(open_struct(i) for i in range(20)), alone(SubType(True, (20,), StructType(())))])
    for depth, t in enumerate(trunk):
        assert [match_deftype(t, above) for above in trunk] == [d <= depth for d in range(41)]
        assert match_deftype(branch[-1], t) == (depth <= 20)


def test_a_supertype_that_does_not_come_earlier_counts_as_none() -> None:
    a, b = deftypes([RecType((SubType(False, (1,), StructType(())), SubType(False, (1,), StructType(()))))])
    assert not match_deftype(a, b)
    assert match_deftype(b, b)


def test_the_small_helpers_follow_the_specification() -> None:
    any_, i31 = RefType(True, AbsHeapType.ANY), RefType(True, AbsHeapType.I31)
    assert difference(any_, i31) == RefType(False, AbsHeapType.ANY)
    assert difference(any_, RefType(False, AbsHeapType.I31)) == any_
    assert (unpack(I8), unpack(I64)) == (I32, I64)
    assert (defaultable(I32), defaultable(FUNCREF), defaultable(RefType(False, AbsHeapType.FUNC))) == (True, True, False)
    assert top_of(functype_deftype(FuncType((), ()))) is AbsHeapType.FUNC
    assert top_of(AbsHeapType.NONE) is AbsHeapType.ANY
