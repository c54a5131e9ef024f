"""Exceptions that cross the door, in both directions."""

from __future__ import annotations

from typing import Any

import pytest

import pywasm_ref as wasm

TEXT = """(module
  (import "env" "f" (func $f (param i32)))
  (tag $oops (export "oops") (param i32 externref))
  (tag $plain (export "plain"))
  (func (export "throw") (param i32 externref) (throw $oops (local.get 0) (local.get 1)))
  (func (export "plainly") (throw $plain))
  (func (export "call") (param i32) (call $f (local.get 0)))
  (func (export "catch") (param i32) (result i32 externref)
    (block $h (result i32 externref)
      (try_table (catch $oops $h) (call $f (local.get 0)))
      (i32.const -1) (ref.null extern)))
  (func (export "catch_all") (param i32) (result i32)
    (block $h (try_table (catch_all $h) (call $f (local.get 0))) (return (i32.const 0)))
    (i32.const 1))
  (func (export "catch_ref") (param i32) (result exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (call $f (local.get 0)))
      (ref.null exn)))
  (func (export "rethrow") (param exnref) (throw_ref (local.get 0))))"""


class Guest:
    """An instance whose import does what `action` says."""

    def __init__(self, engine: str) -> None:
        self.action: Any = lambda number: None
        self.instance = wasm.instantiate(TEXT, {"env": {"f": self.act}}, engine=engine)
        self.exports: Any = self.instance.exports

    def act(self, number: int) -> None:
        self.action(number)

    def throw(self, *values: object) -> None:
        raise wasm.WasmException(self.exports.oops, values)


@pytest.fixture
def guest(engine: str) -> Guest:
    return Guest(engine)


def test_an_uncaught_exception_has_a_tag_and_values(guest: Guest) -> None:
    value = object()
    with pytest.raises(wasm.WasmException) as caught:
        guest.exports.throw(-5, value)
    assert caught.value.tag == guest.exports.oops
    assert caught.value.tag != guest.exports.plain
    assert caught.value.values == (-5, value)
    assert caught.value.message == "unhandled exception [i32 externref]"
    with pytest.raises(wasm.WasmException) as plain:
        guest.exports.plainly()
    assert (plain.value.tag, plain.value.values) == (guest.exports.plain, ())


def test_the_guest_catches_what_the_host_throws(guest: Guest) -> None:
    guest.action = lambda number: guest.throw(number + 1, "carried")
    assert guest.exports.catch(4) == (5, "carried")
    assert guest.exports.catch_all(4) == 1


def test_what_the_guest_does_not_catch_goes_on_to_the_caller(guest: Guest) -> None:
    guest.action = lambda number: guest.throw(number, None)
    with pytest.raises(wasm.WasmException) as caught:
        guest.exports.call(8)
    assert (caught.value.tag, caught.value.values) == (guest.exports.oops, (8, None))
    plain = wasm.WasmException(guest.exports.plain, ())
    guest.action = lambda number: (_ for _ in ()).throw(plain)
    with pytest.raises(wasm.WasmException) as other:
        guest.exports.catch(1)
    assert other.value.tag == guest.exports.plain


class Special(wasm.WasmException):
    """With something of the program's own."""

    note = ""


def test_the_caller_gets_the_very_exception_that_the_host_raised(guest: Guest) -> None:
    error = Special(guest.exports.oops, (3, "x"))
    error.note = "kept"

    def fail(number: int) -> None:
        try:
            raise KeyError(number)
        except KeyError:
            raise error  # noqa: B904  (the context is what is looked for)

    guest.action = fail
    for turn in range(3):
        with pytest.raises(Special) as caught:
            guest.exports.call(turn)
        assert caught.value is error
        assert (error.tag, error.values, error.exn, error.note) == (guest.exports.oops, (3, "x"), None, "kept")
        assert isinstance(error.__context__, KeyError)
        assert (error.__cause__, error.__suppress_context__) == (None, False)
        assert error.frames == [(3, error.at)] * (turn + 1)
        assert TEXT[error.at or 0 :].startswith("call $f")
    for turn in range(110):
        with pytest.raises(Special):
            guest.exports.call(turn)
    assert len(error.frames) == 100
    assert guest.exports.catch(4) == (3, "x")


def test_it_goes_through_several_guests_and_out_of_a_start_function(guest: Guest) -> None:
    error = Special(guest.exports.plain, ())

    def fail(number: int) -> None:
        raise error

    guest.action = fail
    start = '(module (import "env" "call" (func $call (param i32))) (func $s (call $call (i32.const 1))) (start $s))'

    def through(number: int) -> None:
        guest.exports.call(number)

    for call in (guest.exports.call, through):
        with pytest.raises(Special) as caught:
            wasm.instantiate(start, {"env": {"call": call}}, store=guest.instance.store)
        assert caught.value is error


def test_what_a_guest_threw_comes_out_of_another_as_it_was(guest: Guest) -> None:
    seen: list[wasm.WasmException] = []

    def through(number: int) -> None:
        try:
            guest.exports.throw(number, None)
        except wasm.WasmException as error:
            seen.append(error)
            raise

    guest.action = through
    with pytest.raises(wasm.WasmException) as caught:
        guest.exports.call(5)
    assert caught.value is seen[0]
    assert isinstance(caught.value.exn, wasm.Exn)
    assert caught.value.values == (5, None)


def test_the_same_exception_may_be_raised_again_and_again(guest: Guest) -> None:
    error = wasm.WasmException(guest.exports.oops, (1, "x"))

    def fail(number: int) -> None:
        raise error

    guest.action = fail
    assert [guest.exports.catch(0), guest.exports.catch(0)] == [(1, "x")] * 2
    assert (error.tag, error.values) == (guest.exports.oops, (1, "x"))


def test_an_exception_passes_through_host_and_guest_in_turn(guest: Guest) -> None:
    guest.action = lambda number: guest.exports.throw(number, "deep")
    assert guest.exports.catch(6) == (6, "deep")
    with pytest.raises(wasm.WasmException) as caught:
        guest.exports.call(6)
    assert caught.value.values == (6, "deep")


def test_an_exception_is_a_value_too(guest: Guest) -> None:
    guest.action = lambda number: guest.throw(number, "v")
    exn = guest.exports.catch_ref(3)
    assert isinstance(exn, wasm.Exn)
    assert (exn.tag, exn.values) == (guest.exports.oops, (3, "v"))
    assert repr(exn) == "<Exn <Tag [i32 externref]>>"
    with pytest.raises(wasm.WasmException) as caught:
        guest.exports.rethrow(exn)
    assert caught.value.values == (3, "v")
    assert caught.value.exn == exn
    with pytest.raises(wasm.Trap, match="null exception reference"):
        guest.exports.rethrow(None)


@pytest.mark.parametrize("values", [(), (1,), (1, 2, 3), ("one", None), (2**32, None)])
def test_values_that_do_not_fit_the_tag_are_an_error_of_the_host(guest: Guest, values: tuple[object, ...]) -> None:
    guest.action = lambda number: guest.throw(*values)
    with pytest.raises((TypeError, OverflowError), match="exception"):
        guest.exports.catch(0)


def test_a_tag_is_a_tag_of_this_store(guest: Guest, engine: str) -> None:
    def fail(number: int) -> None:
        raise wasm.WasmException(tag, ())

    guest.action = fail
    tag: Any = "oops"
    with pytest.raises(TypeError, match="the tag of an exception is a Tag, not str 'oops'"):
        guest.exports.call(0)
    tag = wasm.Tag(wasm.Store(engine))
    with pytest.raises(ValueError, match="this Tag belongs to another store"):
        guest.exports.call(0)


def test_an_exception_of_python_is_not_caught_by_the_guest(guest: Guest) -> None:
    def fail(number: int) -> None:
        raise KeyError(number)

    guest.action = fail
    with pytest.raises(KeyError, match="7"):
        guest.exports.catch_all(7)


def test_a_trap_of_a_nested_call_is_not_caught_by_the_guest(guest: Guest) -> None:
    guest.action = lambda number: guest.exports.rethrow(None)
    with pytest.raises(wasm.Trap, match="null exception reference"):
        guest.exports.catch_all(7)


def test_a_tag_made_by_the_host_is_known_by_identity(engine: str) -> None:
    store = wasm.Store(engine)
    tag = wasm.Tag(store, [wasm.i64])
    text = '(module (import "env" "t" (tag $t (param i64))) (func (export "f") (throw $t (i64.const -2))))'
    with pytest.raises(wasm.WasmException) as caught:
        wasm.instantiate(text, {"env": {"t": tag}}, store=store).exports.f()
    assert caught.value.tag == tag
    assert caught.value.values == (-2,)


def test_a_start_function_may_throw(engine: str) -> None:
    with pytest.raises(wasm.WasmException) as caught:
        wasm.instantiate("(module (tag $t (param f32)) (func $f (throw $t (f32.const 0.5))) (start $f))", engine=engine)
    assert caught.value.values == (0.5,)
