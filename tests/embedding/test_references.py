"""References: any Python object outside, structures and arrays of the guest inside."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pywasm_ref as wasm

POINTS = """(module
  (type $point (struct (field $x (mut i32)) (field $y f64) (field $tag (mut i8)) (field $next (mut (ref null $point)))))
  (type $bytes (array (mut i8)))
  (type $fixed (array i64))
  (func (export "point") (param i32 f64) (result (ref $point)) (struct.new $point (local.get 0) (local.get 1) (i32.const 255) (ref.null $point)))
  (func (export "x") (param (ref $point)) (result i32) (struct.get $point $x (local.get 0)))
  (func (export "any") (param anyref) (result anyref) (local.get 0))
  (func (export "eq") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
  (func (export "i31") (param i32) (result i31ref) (ref.i31 (local.get 0)))
  (func (export "signed") (param i31ref) (result i32) (i31.get_s (local.get 0)))
  (func (export "array") (param i32) (result (ref $bytes)) (array.new $bytes (i32.const 7) (local.get 0)))
  (func (export "fixed") (result (ref $fixed)) (array.new_fixed $fixed 2 (i64.const -1) (i64.const 2)))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "outside") (param anyref) (result externref) (extern.convert_any (local.get 0)))
  (func (export "inside") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "around") (param externref) (result externref) (extern.convert_any (any.convert_extern (local.get 0))))
  (func (export "func") (param funcref) (result funcref) (local.get 0))
  (type $unary (func (param i32) (result i32)))
  (func (export "apply") (param (ref $unary) i32) (result i32) (call_ref $unary (local.get 1) (local.get 0)))
  (func (export "struct") (param structref) (result i32) (ref.is_null (local.get 0))))"""


@pytest.fixture
def instance(engine: str) -> wasm.Instance:
    return wasm.instantiate(POINTS, engine=engine)


@pytest.fixture
def guest(instance: wasm.Instance) -> Any:
    return instance.exports


@pytest.mark.parametrize("value", [object(), "text", 3, 2**40, 1.5, True, (), [1], print, KeyError, "\ud800"])
def test_an_external_reference_is_the_same_object_again(guest: Any, value: object) -> None:
    assert guest.extern(value) is value
    assert guest.around(value) is value


def test_null_is_none_in_every_hierarchy(guest: Any) -> None:
    assert [guest.extern(None), guest.any(None), guest.func(None), guest.outside(None), guest.inside(None)] == [None] * 5
    assert guest.struct(None) == 1
    with pytest.raises(TypeError, match=r"x: parameter 1 .*: None is the null reference, which \(ref <struct>\) does not have"):
        guest.x(None)


def test_a_structure_is_an_object_with_fields(guest: Any) -> None:
    point = guest.point(-3, 0.5)
    assert isinstance(point, wasm.Struct)
    assert (point.x, point["y"], point[2], point.next) == (-3, 0.5, 255, None)
    assert point.fields == (-3, 0.5, 255, None)
    assert len(point) == 4
    point.x = 2**32 - 1
    point[2] = -1
    point["next"] = point
    assert (point[0], point.tag, guest.x(point)) == (-1, 255, -1)
    assert point.next == point
    assert point.next.next.next.x == -1
    assert "x" in dir(point)
    assert repr(point) == "<Struct x=-1, y=0.5, tag=255, next=<Struct>>"


def test_a_field_keeps_its_type_and_its_constness(guest: Any) -> None:
    point = guest.point(1, 2)
    with pytest.raises(TypeError, match=r"field 1 is immutable in struct \{mut i32, f64, mut i8"):
        point.y = 1.0
    with pytest.raises(OverflowError, match="out of range for i32"):
        point.x = 2**32
    with pytest.raises(OverflowError, match="out of range for i8"):
        point.tag = 256
    with pytest.raises(TypeError):
        point.next = guest.array(1)
    with pytest.raises(AttributeError, match="no field of this structure is named 'z'"):
        point.z = 1
    with pytest.raises(AttributeError, match="'z'"):
        _ = point.z
    with pytest.raises(KeyError):
        point["z"]
    for i in (4, -1, 2**70):
        with pytest.raises(IndexError, match=f"index {i} is outside the structure, which has 4 fields"):
            point[i]
    with pytest.raises(TypeError, match="an index is an int"):
        point[1.0]
    assert point.fields == (1, 2.0, 255, None)


def test_an_array_is_a_sequence(guest: Any) -> None:
    array = guest.array(3)
    array[1] = 200
    assert list(array) == [7, 200, 7]
    assert (len(array), array[2]) == (3, 7)
    assert repr(array) == "<Array array [mut i8] of 3>"
    for i in (3, -1, -3):
        with pytest.raises(IndexError, match=f"index {i} is outside the array, which has 3 elements"):
            array[i]
    fixed = guest.fixed()
    assert list(fixed) == [-1, 2]
    with pytest.raises(TypeError, match="immutable"):
        fixed[0] = 1


def test_a_reference_keeps_its_identity(guest: Any) -> None:
    one, two = guest.point(1, 1), guest.point(1, 1)
    assert guest.any(one) == one
    assert one != two
    assert guest.eq(one, guest.any(one)) == 1
    assert guest.eq(one, two) == 0
    assert len({one, guest.any(one), two}) == 2


@given(st.integers(-(2**30), 2**31 - 1))
def test_an_i31_is_an_int_and_signed(number: int) -> None:
    value = wasm.I31(number)
    assert -(2**30) <= value < 2**30
    assert (value - number) % 2**31 == 0
    assert (repr(value), str(value), f"{value} {value:+}") == (f"I31({int(value)})", str(int(value)), f"{int(value)} {int(value):+}")


def test_an_i31_goes_in_as_an_int_and_comes_out_as_one(guest: Any) -> None:
    assert guest.i31(2**31 - 1) == -1
    assert guest.signed(-(2**30)) == -(2**30)
    assert guest.any(5) == 5
    assert isinstance(guest.any(5), wasm.I31)
    assert guest.eq(5, wasm.I31(5)) == 1
    for number in (2**31, -(2**30) - 1, 2**100):
        with pytest.raises(OverflowError, match="out of range for an i31"):
            guest.any(number)


def test_what_the_guest_sends_outside_is_itself_again(guest: Any) -> None:
    point = guest.point(4, 4)
    outside = guest.outside(point)
    assert outside == point
    assert guest.inside(outside) == point
    assert guest.x(guest.inside(outside)) == 4
    assert guest.outside(9) == 9
    assert isinstance(guest.outside(9), wasm.I31)
    assert guest.inside(wasm.I31(9)) == 9


def test_any_other_object_can_be_held_inside(guest: Any) -> None:
    value = {"a": 1}
    assert guest.any(value) is value
    assert guest.inside(value) is value
    with pytest.raises(TypeError, match=r"eq: parameter 1 \(eqref\): dict is no eqref"):
        guest.eq(value, None)


def test_a_reference_of_another_type_is_refused(guest: Any) -> None:
    with pytest.raises(TypeError, match=r"x: parameter 1 \(\(ref <struct>\)\): Array is no \(ref <struct>\)"):
        guest.x(guest.array(1))
    with pytest.raises(TypeError, match="is no structref"):
        guest.struct(5)
    with pytest.raises(TypeError, match="is no funcref"):
        guest.func(guest.point(1, 1))


def test_a_function_reference_can_be_called(guest: Any, instance: wasm.Instance) -> None:
    assert guest.func(guest.x) == guest.x
    square = wasm.Func(instance.store, lambda x: x * x, wasm.functype([wasm.i32], [wasm.i32]))
    assert guest.apply(square, 7) == 49
    with pytest.raises(TypeError, match="is no"):
        guest.apply(guest.func, 7)
    with pytest.raises(TypeError, match="is no funcref"):
        guest.func(len)


def test_a_reference_belongs_to_its_store(guest: Any, engine: str) -> None:
    other: Any = wasm.instantiate(POINTS, engine=engine).exports
    for call, value in (
        (guest.x, other.point(1, 1)),
        (guest.any, other.array(1)),
        (guest.func, other.x),
        (guest.outside, other.point(1, 1)),
    ):
        with pytest.raises(ValueError, match="belongs to another store"):
            call(value)


def test_a_reference_cannot_be_pickled_or_taken_apart(guest: Any) -> None:
    point = guest.point(1, 1)
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.loads(pickle.dumps(point))
    empty = wasm.Struct.__new__(wasm.Struct)
    with pytest.raises(AttributeError):
        _ = empty.x
    with pytest.raises(AttributeError):
        empty.x = 1


def test_a_structure_of_another_store_is_an_object_like_any_outside(engine: str) -> None:
    foreign = wasm.instantiate(POINTS, engine=engine).exports.point(1, 2.0)
    exports = wasm.instantiate(POINTS, engine=engine).exports
    assert exports.extern(foreign) is foreign
    with pytest.raises(ValueError, match="belongs to another store"):
        exports.any(foreign)
