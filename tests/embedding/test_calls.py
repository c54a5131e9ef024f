"""Calling the guest from Python."""

from __future__ import annotations

import inspect
import math
import pydoc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pywasm_ref as wasm

TEXT = """(module
  (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
  (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "same") (param f64) (result f64) (local.get 0))
  (func (export "vector") (param v128) (result v128) (i8x16.add (local.get 0) (v128.const i8x16 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1)))
  (func (export "nothing"))
  (func (export "three") (result i32 f64 i64) (i32.const -1) (f64.const 2.5) (i64.const -3))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))"""


@pytest.fixture
def exports(engine: str) -> Any:
    return wasm.instantiate(TEXT, engine=engine).exports


def test_a_function_shows_its_parameters_and_results(engine: str) -> None:
    text = """(module (import "env" "f" (func (param $unseen i32)))
      (func (export "named") (param $n i32) (param $scale f32) (result i64) unreachable)
      (func (export "unnamed") (param v128 externref) (result f64 funcref) unreachable)
      (func $inner (export "some") (param $x i32) (param i64) (param $class i32) (param $p1 i32) (param $"a b" (ref null func)) unreachable)
      (export "other name" (func $inner))
      (func (export "nothing")))"""
    exports = wasm.instantiate(text, {"env": {"f": print}}, engine=engine).exports
    assert {name: str(inspect.signature(exports[name])) for name in exports} == {
        "named": "(n: i32, scale: f32, /) -> i64",
        "unnamed": "(p0: v128, p1: externref, /) -> tuple[f64, funcref]",
        "some": "(x: i32, p1: i64, p2: i32, p1_: i32, p4: funcref, /) -> None",
        "other name": "(x: i32, p1: i64, p2: i32, p1_: i32, p4: funcref, /) -> None",
        "nothing": "() -> None",
    }
    shown = inspect.signature(exports.named)
    assert [p.annotation for p in shown.parameters.values()] == [wasm.i32, wasm.f32]
    assert shown.return_annotation is wasm.i64
    assert shown.bind(1, 2.0).args == (1, 2.0)
    with pytest.raises(TypeError):
        shown.bind(1)


def test_a_function_without_a_module_shows_its_types(engine: str) -> None:
    store = wasm.Store(engine)
    host = wasm.Func(store, max, wasm.functype([wasm.i32, wasm.i32], [wasm.i32]))
    assert str(inspect.signature(host)) == "(p0: i32, p1: i32, /) -> i32"
    text = '(module (table (export "t") funcref (elem 0)) (func (param $x i64)))'
    assert str(inspect.signature(wasm.instantiate(text, store=store).exports.t[0])) == "(p0: i64, /) -> None"


def test_help_tells_the_signature_and_the_class_what_a_function_is(engine: str) -> None:
    fib = wasm.instantiate('(module (func (export "fib") (param $n i32) (result i32) (local.get 0)))', engine=engine).exports.fib
    shown = pydoc.render_doc(fib, renderer=pydoc.TextDoc())
    assert "fib(n: i32, /) -> i32" in shown
    assert "A function that Python can call" in shown
    assert inspect.getdoc(fib) == f"fib(n: i32, /) -> i32\n\n{wasm.Func.__doc__}"
    assert inspect.getdoc(type(fib)) == inspect.getdoc(wasm.Func) == wasm.Func.__doc__
    assert list(inspect.signature(wasm.Func).parameters) == ["store", "function", "type"]


def test_a_signature_survives_serialization_and_outlives_the_instance(engine: str) -> None:
    module = wasm.Module('(module (func (export "f") (param $n i32)))', engine)
    f = wasm.instantiate(wasm.Module.deserialize(module.serialize(), engine)).exports.f
    assert str(inspect.signature(f)) == "(n: i32, /) -> None"


def test_a_function_can_be_made_of_that_of_another_store(engine: str) -> None:
    double = wasm.instantiate(
        '(module (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))', engine=engine
    ).exports.double
    here = wasm.Func(wasm.Store(engine), double)
    assert (here.type, here(21)) == (double.type, 42)


def test_numbers_go_in_and_come_out(exports: Any) -> None:
    assert exports.add(-1, 2**64 - 1) == -2
    assert exports.add(2**32 - 1, 0) == -1
    assert exports.half(3) == 1.5
    assert math.isnan(exports.same(math.nan))
    assert math.copysign(1, exports.same(-0.0)) == -1
    assert exports.vector(bytes(range(16))) == bytes(range(1, 17))


def test_no_result_is_none_and_several_are_a_tuple(exports: Any) -> None:
    assert exports.nothing() is None
    assert exports.three() == (-1, 2.5, -3)


def test_a_function_tells_its_type(exports: Any) -> None:
    assert exports.add.type == wasm.functype([wasm.i32, wasm.i64], [wasm.i64])
    assert repr(exports.add) == "<Func add [i32 i64] -> [i64]>"


@pytest.mark.parametrize("args", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_arguments_names_the_function_and_its_parameters(exports: Any, args: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=rf"add has 2 parameters \[i32 i64\], and {len(args)} w"):
        exports.add(*args)


def test_a_wrong_argument_names_the_parameter_and_its_type(exports: Any) -> None:
    with pytest.raises(TypeError, match=r"add: parameter 2 \(i64\): an int is expected for i64, not float 1\.5"):
        exports.add(1, 1.5)
    with pytest.raises(OverflowError, match=r"add: parameter 1 \(i32\): int 4294967296 is out of range"):
        exports.add(2**32, 1)
    with pytest.raises(ValueError, match=r"vector: parameter 1 \(v128\): 16 bytes"):
        exports.vector(b"")
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        exports.add(1, i=2)


def test_a_trap_is_an_exception_with_a_reason(exports: Any) -> None:
    with pytest.raises(wasm.Trap, match="integer divide by zero") as caught:
        exports.divide(1, 0)
    assert caught.value.reason is wasm.TrapReason.INTEGER_DIVIDE_BY_ZERO
    assert exports.divide(7, -2) == -3


def test_equal_functions_are_the_same_function(exports: Any, engine: str) -> None:
    other = wasm.instantiate(TEXT, engine=engine).exports
    assert exports["add"] == exports.add
    assert exports.add != exports.half
    assert exports.add != other.add
    assert len({exports.add, exports["add"], exports.half}) == 2


def test_an_object_that_is_an_index_is_an_integer(exports: Any) -> None:
    class Four:
        def __index__(self) -> int:
            return 4

    assert exports.add(Four(), True) == 5


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i32": st.integers(-(2**31), 2**31 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "f32": st.floats(width=32, allow_nan=False),
    "f64": st.floats(allow_nan=False),
    "v128": st.binary(min_size=16, max_size=16),
    "externref": st.one_of(st.none(), st.text(), st.integers(), st.lists(st.booleans())),
    "i31ref": st.one_of(st.none(), st.integers(-(2**30), 2**30 - 1)),
    "anyref": st.one_of(st.none(), st.text(), st.integers(-(2**30), 2**30 - 1)),
}


@pytest.fixture(scope="session")
def same(engine: str) -> Any:
    """For each type a function that gives back what it takes."""
    text = "\n".join(f'(func (export "{type}") (param {type}) (result {type}) (local.get 0))' for type in VALUES)
    return wasm.instantiate(f"(module {text})", engine=engine).exports


@given(type=st.sampled_from(sorted(VALUES)), data=st.data())
def test_a_value_comes_back_from_the_guest_as_it_went_in(same: Any, type: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[type])
    assert same[type](value) == value
    if type == "externref":
        assert same[type](value) is value
