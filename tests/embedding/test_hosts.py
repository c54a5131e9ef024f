"""Python functions that the guest calls."""

from __future__ import annotations

import functools
import operator
from typing import Any

import pytest

import pywasm_ref as wasm

CALLER = """(module
  (type $t (func {type}))
  (import "env" "f" (func $f (type $t)))
  (func (export "call") (type $t) {gets} (call $f)))"""


def caller(engine: str, function: Any, params: str = "", results: str = "") -> Any:
    """The export of a module that passes its arguments on to an imported function, and gives back what that returns."""
    type = (f"(param {params}) " if params else "") + (f"(result {results})" if results else "")
    gets = " ".join(f"(local.get {i})" for i in range(len(params.split())))
    return wasm.instantiate(CALLER.format(type=type, gets=gets), {"env": {"f": function}}, engine=engine).exports.call


def test_a_plain_callable_gets_its_type_from_the_import(engine: str) -> None:
    got: list[Any] = []

    def listen(*args: Any) -> Any:
        got.extend(args)
        return args

    call = caller(engine, listen, "i32 i64 f32 f64 v128", "i32 i64 f32 f64 v128")
    args = (-1, 2**63, 0.5, -0.25, bytes(range(16)))
    assert call(*args) == (-1, -(2**63), 0.5, -0.25, bytes(range(16)))
    assert got == [-1, -(2**63), 0.5, -0.25, bytes(range(16))]


def test_builtins_methods_and_partials_are_callables_too(engine: str) -> None:
    assert caller(engine, max, "i32 i32", "i32")(3, 4) == 4
    assert caller(engine, operator.neg, "f64", "f64")(3) == -3.0
    assert caller(engine, functools.partial(pow, 2), "i32", "i32")(10) == 1024
    heard: list[int] = []
    caller(engine, heard.append, "i32")(5)
    assert heard == [5]


def test_several_results_are_a_tuple(engine: str) -> None:
    assert caller(engine, divmod, "i32 i32", "i32 i32")(17, 5) == (3, 2)
    with pytest.raises(TypeError, match=r"env\.f has 2 results \[i32 i32\], and 1 was given"):
        caller(engine, lambda: (1,), "", "i32 i32")()
    with pytest.raises(TypeError, match="a tuple of 2 results"):
        caller(engine, lambda: 1, "", "i32 i32")()


def test_a_result_that_does_not_fit_is_an_error_and_not_wrapped(engine: str) -> None:
    with pytest.raises(OverflowError, match=r"env\.f: result 1 \(i32\): int 4294967296 is out of range"):
        caller(engine, lambda: 2**32, "", "i32")()
    with pytest.raises(TypeError, match=r"env\.f: result 1 \(i32\): an int is expected for i32, not None"):
        caller(engine, lambda: None, "", "i32")()
    with pytest.raises(TypeError, match="returned int 1, and its type has no result"):
        caller(engine, lambda: 1)()


class Unusual(Exception):
    pass


@pytest.mark.parametrize(
    "error", [Unusual("x"), KeyboardInterrupt(), SystemExit(3), StopIteration(), RecursionError("mine")]
)
def test_what_a_host_function_raises_comes_out_unchanged(engine: str, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        caller(engine, fail)()
    assert caught.value is error


def test_the_guest_can_be_called_again_after_a_host_function_failed(engine: str) -> None:
    answers = iter([Unusual(), None])

    def sometimes() -> None:
        answer = next(answers)
        if answer:
            raise answer

    call = caller(engine, sometimes)
    with pytest.raises(Unusual):
        call()
    assert call() is None


def test_a_host_function_may_call_the_guest(engine: str) -> None:
    instance: Any = None

    def countdown(n: int) -> int:
        return 0 if n == 0 else 1 + instance.exports.call(n - 1)

    text = '(module (import "env" "f" (func $f (param i32) (result i32))) (func (export "call") (param i32) (result i32) (call $f (local.get 0))))'
    instance = wasm.instantiate(text, {"env": {"f": countdown}}, engine=engine)
    assert instance.exports.call(20) == 20


def test_guest_and_host_that_call_each_other_without_end_are_exhausted(engine: str) -> None:
    instance: Any = None
    text = '(module (import "env" "f" (func $f)) (func (export "call") (call $f)))'

    def back() -> None:
        instance.exports.call()

    instance = wasm.instantiate(text, {"env": {"f": back}}, engine=engine)
    with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
        instance.exports.call()
    with pytest.raises(wasm.Exhaustion):
        instance.exports.call()


def test_a_function_is_made_from_annotations(engine: str) -> None:
    def scale(x: wasm.i64, by: wasm.f32, of: object) -> tuple[float, int]:
        return x * by, x

    function = wasm.Func(wasm.Store(engine), scale)
    assert function.type == wasm.functype([wasm.i64, wasm.f32, wasm.externref], [wasm.f64, wasm.i32])
    assert function(3, 0.5, None) == (1.5, 3)
    assert repr(function) == "<Func scale [i64 f32 externref] -> [f64 i32]>"


def test_a_callable_object_is_annotated_at_its_call_method(engine: str) -> None:
    class Adder:
        def __call__(self, a: int, b: int) -> int:
            return a + b

    assert wasm.Func(wasm.Store(engine), Adder())(2, 3) == 5


def test_a_type_that_is_given_counts_more_than_annotations(engine: str) -> None:
    def same(x: int) -> int:
        return x

    assert wasm.Func(wasm.Store(engine), same, wasm.functype([wasm.f64], [wasm.f64]))(0.5) == 0.5


def without_annotations(x, y=0):  # type: ignore[no-untyped-def]
    return x


def of_strings(x: str) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (without_annotations, "no annotation for x, y, return"),
        (of_strings, "stands for no value type"),
        (max, "annot|cannot be told"),
        (lambda *a: None, "cannot be told"),
    ],
)
def test_a_type_that_cannot_be_told_is_asked_for(engine: str, function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        wasm.Func(wasm.Store(engine), function)


def test_what_is_not_callable_is_no_function(engine: str) -> None:
    with pytest.raises(TypeError, match="not callable"):
        wasm.Func(wasm.Store(engine), 3, wasm.functype([]))  # type: ignore[arg-type]


def test_a_callable_that_cannot_take_the_arguments_is_refused_when_linking(engine: str) -> None:
    with pytest.raises(
        wasm.Unlinkable, match=r"incompatible import type for env\.f: function \[i32\] -> \[\] is needed, .* it takes 2 arguments"
    ):
        caller(engine, lambda a, b: None, "i32")
    with pytest.raises(wasm.Unlinkable, match="it must be given key by name"):
        caller(engine, lambda a, *, key: None, "i32")
    assert caller(engine, lambda a, b=0, *c: None, "i32")(1) is None


def test_a_host_function_takes_and_gives_references(engine: str) -> None:
    text = """(module
      (type $pair (struct (field $a (mut i32)) (field $b i64)))
      (type $unary (func (param i32) (result i32)))
      (import "env" "swap" (func $swap (param (ref $pair) (ref null $unary) externref) (result anyref)))
      (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
      (elem declare func $double)
      (func (export "run") (param externref) (result i32)
        (struct.get $pair $a (ref.cast (ref $pair)
          (call $swap (struct.new $pair (i32.const 5) (i64.const 6)) (ref.func $double) (local.get 0))))))"""
    seen: list[object] = []

    def swap(pair: Any, double: Any, carried: object) -> Any:
        seen.append((pair.fields, carried))
        pair.a = double(pair.a) + pair.b
        return pair

    marker = object()
    assert wasm.instantiate(text, {"env": {"swap": swap}}, engine=engine).exports.run(marker) == 16
    assert seen == [((5, 6), marker)]


def test_a_host_function_may_trap_as_the_guest_would(engine: str) -> None:
    def fail() -> None:
        raise wasm.Trap(wasm.TrapReason.UNREACHABLE, "as the host says")

    with pytest.raises(wasm.Trap, match="unreachable as the host says"):
        caller(engine, fail)()


@pytest.mark.parametrize("kind", [MemoryError, SystemError, KeyboardInterrupt, StopIteration, wasm.Trap])
def test_what_a_host_function_raises_is_what_the_caller_gets(engine: str, kind: type[BaseException]) -> None:
    error = kind(wasm.TrapReason.UNREACHABLE)

    def fail() -> None:
        raise error

    text = '(module (import "env" "f" (func $f)) (func $in (call $f)) (func (export "go") (call $in)) (func (export "one") (result i32) (i32.const 1)))'
    instance = wasm.instantiate(text, {"env": {"f": fail}}, engine=engine)

    def through() -> None:
        instance.exports.go()

    outer = wasm.instantiate(text, {"env": {"f": through}}, store=instance.store)
    for exports in (instance.exports, outer.exports):
        with pytest.raises(kind) as caught:
            exports.go()
        assert caught.value is error
        assert exports.one() == 1
