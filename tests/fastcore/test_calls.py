"""Calls through the face, both ways: a shorter way that one engine has must not be told from the longer one, and gives the GIL back."""

from __future__ import annotations

import gc
import inspect
import math
import struct
import sys
import threading
import weakref
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pywasm_ref as wasm

NATIVE = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError).ENGINE
ENGINES = ("reference", NATIVE)
TYPES = ("i32", "i64", "f32", "f64", "v128")


class Index:
    def __index__(self) -> int:
        return 7


class Whole(int):
    pass


class Broken(float):
    def __float__(self) -> float:
        raise ZeroDivisionError("asked for a float")


NAN_WITH_A_PAYLOAD = struct.unpack("<d", (0x7FF4_0000_A000_0000).to_bytes(8, "little"))[0]
OBJECTS: list[Any] = [
    *(0, -1, True, 2**31 - 1, 2**31, 2**32 - 1, 2**32, -(2**31), -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63)),
    *(-(2**63) - 1, 2**1024, -(2**200), 0x1_0000_0180_0000_01, Whole(5), Index(), "1", b"", None, 1j, [1], object),
    *(0.0, -0.0, 1.5, 0.1, 1e39, -1e308, 3.4028235677973366e38, 1e-46, math.inf, -math.inf, math.nan, -math.nan, NAN_WITH_A_PAYLOAD, Broken(2)),
    *(bytes(16), bytes(range(16)), bytearray(range(16)), memoryview(bytes(range(16))), bytes(15), bytes(17)),
]


@pytest.fixture(params=ENGINES, ids=("reference", "fast"))
def engine(request: pytest.FixtureRequest) -> str:
    """Both of them, whatever other tests run on."""
    name: str = request.param
    return name


def told(call: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """What came of a call, so that two engines can be compared: floats by their bits, errors by class, words and cause."""
    try:
        return shown(call(*args, **keywords))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        return type(error), str(error), type(error.__cause__)


def shown(value: Any) -> Any:
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, tuple):
        return tuple(map(shown, value))
    return type(value), value


def same_on_both(text: str, imports: Any = None) -> list[Any]:
    return [wasm.instantiate(text, imports, engine=name).exports for name in ENGINES]


IDENTITY = "".join(f'(func (export "{t}") (param {t}) (result {t}) (local.get 0))' for t in TYPES)
PAIRS = "".join(
    f'(func (export "{s}{t}") (param {s} {t}) (result {t} {s}) (local.get 1) (local.get 0))' for s, t in product(TYPES, TYPES)
)


@pytest.mark.parametrize("type", TYPES)
def test_a_value_of_any_kind_is_taken_or_refused_alike(type: str) -> None:
    one, other = same_on_both(f"(module {IDENTITY})")
    for value in OBJECTS:
        assert told(one[type], value) == told(other[type], value), value


def test_two_values_of_any_kind_are_taken_or_refused_alike() -> None:
    one, other = same_on_both(f"(module {PAIRS})")
    for s, t in product(TYPES, TYPES):
        for first, second in ((1, 2), (1, b"x"), (None, 2), (0.5, 2**64), (bytes(16), 1.5), (Index(), Whole(3))):
            assert told(one[s + t], first, second) == told(other[s + t], first, second)


@given(st.sampled_from(TYPES), st.one_of(st.integers(-(2**66), 2**66), st.floats(), st.floats(width=32), st.binary(min_size=14, max_size=18)))
def test_numbers_are_converted_alike(type: str, value: Any) -> None:
    one, other = IDENTITIES
    assert told(one[type], value) == told(other[type], value)


IDENTITIES = same_on_both(f"(module {IDENTITY})")
CALLER = """(module (import "env" "f" (func $f (param {params}) (result {results})))
  (func (export "f") (param {params}) (result {results}) {gets} (call $f)))"""


def caller(params: str, results: str) -> str:
    return CALLER.format(params=params, results=results, gets=" ".join(f"(local.get {i})" for i in range(len(params.split()))))


@pytest.mark.parametrize("type", TYPES)
def test_what_a_host_function_returns_is_taken_or_refused_alike(type: str) -> None:
    answer: list[Any] = [None]
    one, other = same_on_both(caller("", type), {"env": {"f": lambda: answer[0]}})
    for answer[0] in OBJECTS:
        assert told(one.f) == told(other.f), answer[0]


@pytest.mark.parametrize("results", ["", "i32", "i32 f64", "i64 v128 f32"])
def test_a_wrong_number_of_results_is_refused_alike(results: str) -> None:
    answer: list[Any] = [None]
    one, other = same_on_both(caller("", results), {"env": {"f": lambda: answer[0]}})
    for answer[0] in (None, (), 1, (1,), (1, 2), [1, 2.5], (1, 2, 3), (1, bytes(16), 0.5), (1, bytes(16), "x"), "ab", {1: 2}):
        assert told(one.f) == told(other.f), answer[0]


def test_a_host_function_is_given_the_same_objects() -> None:
    heard: list[Any] = []
    exports = same_on_both(caller(" ".join(TYPES), ""), {"env": {"f": lambda *args: heard.append(shown(args))}})
    for f in (each.f for each in exports):
        f(-1, 2**63, NAN_WITH_A_PAYLOAD, NAN_WITH_A_PAYLOAD, bytes(range(16)))
        f(2**31, -1, 0.1, -0.0, bytes(16))
    assert heard[:2] == heard[2:]


def test_more_arguments_than_a_short_way_has_room_for(engine: str) -> None:
    params = " ".join(["i32", "f64"] * 40)
    f = wasm.instantiate(caller(params, "i32"), {"env": {"f": lambda *args: int(sum(args))}}, engine=engine).exports.f
    assert f(*range(80)) == sum(range(80))


def test_a_wrong_call_is_refused_alike() -> None:
    one, other = same_on_both(f"(module {PAIRS})")
    for args, keywords in (((), {}), ((1,), {}), ((1, 2, 3), {}), ((1,), {"x": 2}), ((), {"self": 1})):
        assert told(one.i32i64, *args, **keywords) == told(other.i32i64, *args, **keywords)
    assert told(one.i32i64.__call__, 1, 2) == told(other.i32i64.__call__, 1, 2)


def test_a_function_is_a_function_on_either_engine(engine: str) -> None:
    instance = wasm.instantiate(f'(module {PAIRS} (export "again" (func 0)))', engine=engine)
    f = instance.exports.i32i32
    assert type(f).__name__ == "Func"
    assert type(f).__module__ == wasm.Func.__module__
    assert isinstance(f, wasm.Func)
    assert (f.name, instance.exports.again.name) == ("i32i32", "again")
    assert f == instance.exports["again"]
    assert hash(f) == hash(instance.exports["again"])
    assert f.owner is instance.store
    assert repr(f) == "<Func i32i32 [i32 i32] -> [i32 i32]>"
    assert callable(f)
    assert str(inspect.signature(f)) == "(p0: i32, p1: i32, /) -> tuple[i32, i32]"
    assert list(inspect.signature(wasm.Func).parameters) == ["store", "function", "type"]
    assert weakref.ref(f)() is f
    with pytest.raises(AttributeError):
        f.colour = "red"  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="Func cannot be pickled or copied"):
        f.__reduce_ex__(4)


def test_a_class_below_func_works_on_either_engine(engine: str) -> None:
    class Named(wasm.Func):
        title = "a function of mine"

    store = wasm.Store(engine)
    double = Named(store, lambda x: 2 * x, wasm.functype([wasm.i32], [wasm.i32]))
    assert (double(4), double.title) == (8, Named.title)
    again = wasm.instantiate('(module (import "" "f" (func (param i32) (result i32))) (export "f" (func 0)))', {"": {"f": double}}, store=store)
    assert again.exports.f == double
    assert again.exports.f(5) == 10


THROWER = """(module (import "env" "fail" (func $fail (param i32) (result i32)))
  (tag $e (export "e") (param i32 i64))
  (func (export "throw") (param i32) (throw $e (local.get 0) (i64.const -2)))
  (func (export "pass") (param i32) (result i32) (call $fail (local.get 0)))
  (func (export "catch") (param i32) (result i32)
    (block $caught (result i32 i64)
      (try_table (catch $e $caught) (drop (call $fail (local.get 0))))
      (i32.const 0) (i64.const 0))
    (drop)))"""


def test_an_exception_goes_out_and_in(engine: str) -> None:
    instance: Any = None

    def fail(x: int) -> int:
        raise wasm.WasmException(instance.exports.e, (x, 5))

    instance = wasm.instantiate(THROWER, {"env": {"fail": fail}}, engine=engine)
    with pytest.raises(wasm.WasmException, match=r"unhandled exception \[i32 i64\]") as caught:
        instance.exports.throw(7)
    assert caught.value.tag == instance.exports.e
    assert caught.value.values == (7, -2)
    with pytest.raises(wasm.WasmException) as caught:
        instance.exports["pass"](9)
    assert caught.value.tag == instance.exports.e
    assert caught.value.values == (9, 5)
    assert instance.exports.catch(11) == 11


def test_a_trap_tells_where_it_was(engine: str) -> None:
    text = '(module (func $deep (export "deep") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))) (func (export "f") (param i32) (result i32) (call $deep (local.get 0))))'
    f = wasm.instantiate(text, engine=engine).exports.f
    assert f(1) == 1
    with pytest.raises(wasm.Trap, match="integer divide by zero") as caught:
        f(0)
    assert [frame[0] for frame in caught.value.frames] == ["deep", 1]
    assert f(1) == 1


def test_a_host_function_that_drops_the_instance_returns_into_it(engine: str) -> None:
    held: dict[str, Any] = {}

    def drop() -> int:
        held.clear()
        gc.collect()
        return 3

    text = '(module (import "env" "f" (func $f (result i32))) (memory 1) (func (export "f") (result i32) (i32.add (call $f) (i32.load (i32.const 0)))))'
    held["f"] = wasm.instantiate(text, {"env": {"f": drop}}, engine=engine).exports.f
    assert held["f"]() == 3
    assert not held


def test_calls_leave_no_references_behind(engine: str) -> None:
    seen = object()
    f = wasm.instantiate(caller("i64 f64 v128", "i64 f64"), {"env": {"f": lambda a, b, c: (a, b)}}, engine=engine).exports.f
    number, real, vector = 2**40, 1.25, bytes(range(16))
    before = [sys.getrefcount(x) for x in (number, real, vector, None, seen)]
    for _ in range(50):
        f(number, real, vector)
        told(f, number, "x", vector)
    after = [sys.getrefcount(x) for x in (number, real, vector, None, seen)]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 20


SPIN = """(module (import "env" "seen" (func $seen (result i32)))
  (memory 40)
  (func (export "spin") (loop $again (br_if $again (i32.eqz (i32.load8_u (i32.const 0))))))
  (func (export "ask") (loop $again (br_if $again (i32.eqz (call $seen)))))
  (func (export "fill") (loop $again (memory.fill (i32.const 65536) (i32.const 1) (i32.const 2000000)) (br_if $again (i32.eqz (i32.load8_u (i32.const 0))))))
  (memory $m 1) (export "memory" (memory 0)))"""


@pytest.mark.parametrize("name", ["spin", "ask", "fill"])
def test_another_thread_runs_while_a_guest_does(engine: str, name: str) -> None:
    flag: list[int] = [0]
    instance = wasm.instantiate(SPIN, {"env": {"seen": lambda: flag[0]}}, engine=engine)
    view = instance.exports.memory.view()

    def release() -> None:
        flag[0] = view[0] = 1

    timer = threading.Timer(0.05, release)
    timer.start()
    instance.exports[name]()
    timer.join()
    assert flag == [1]


def test_a_store_of_another_thread_runs_beside(engine: str) -> None:
    def work(found: list[int]) -> None:
        f = wasm.instantiate(caller("i32", "i32"), {"env": {"f": lambda x: x + 1}}, engine=engine).exports.f
        found.append(sum(f(i) for i in range(2_000)))

    found: list[int] = []
    threads = [threading.Thread(target=work, args=(found,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [sum(range(1, 2_001))] * 4


def test_a_call_inside_a_host_call_may_run_long(engine: str) -> None:
    text = """(module (import "env" "f" (func $f (param i32) (result i32)))
      (func (export "count") (param i32) (result i32)
        (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 5))
      (func (export "both") (param i32) (result i32) (drop (call $count (local.get 0))) (call $f (local.get 0)))
      (func $count (param i32) (result i32)
        (loop $again (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 5)))"""
    instance: Any = None
    instance = wasm.instantiate(text, {"env": {"f": lambda n: instance.exports.count(n) + 1}}, engine=engine)
    rounds = 300_000 if engine is NATIVE else 300
    assert instance.exports.both(rounds) == 6
    assert instance.exports.both(3) == 6


def test_a_stopped_store_refuses_a_short_call_too(engine: str) -> None:
    instance = wasm.instantiate(f"(module {IDENTITY})", engine=engine)
    instance.store.interrupt()
    with pytest.raises(wasm.Interrupted):
        instance.exports.i32(1)
    instance.store.resume()
    assert instance.exports.i32(1) == 1
