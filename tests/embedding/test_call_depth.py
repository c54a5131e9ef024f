"""How many calls there may be that have not returned: exactly as many as the limit says, whatever guests call, leave, throw and catch.

A guest asks the host at each step what to do next, the host decides at random, and a model of what should be on the stack says when a call
is one too many.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

import pywasm_ref as wasm

LOCALS = (0, 3, 40, 700)
"""Of the four functions that call each other; the second and the last have parameters as well."""
PARAMS = (0, 2, 0, 5)
N = len(LOCALS)
WAYS = ("call", "call_indirect", "call_ref", "elsewhere", "try", "tail", "tail_ref", "tail_elsewhere", "again", "tail_again")
OPS: tuple[tuple[str, int], ...] = (("return", 0), ("throw", 0), *((way, kind) for way in WAYS for kind in range(N)))


def step(way: str, k: int) -> str:
    """What a function does to go on in the k-th."""
    given = "(i32.const 1)" * PARAMS[k]
    return {
        "call": f"(call $f{k} {given})",
        "call_indirect": f"(call_indirect $own (type $t{k}) {given} (i32.const {k}))",
        "call_ref": f"(call_ref $t{k} {given} (ref.func $f{k}))",
        "elsewhere": f"(call_indirect $other (type $t{k}) {given} (i32.const {k}))",
        "try": f"(block (try_table (catch $thrown 0) (call $f{k} {given})))",
        "tail": f"(return_call $f{k} {given})",
        "tail_ref": f"(return_call_ref $t{k} {given} (ref.func $f{k}))",
        "tail_elsewhere": f"(return_call_indirect $other (type $t{k}) {given} (i32.const {k}))",
        "again": f"(call $again (i32.const {k}))",
        "tail_again": f"(return_call $again (i32.const {k}))",
    }[way]


def text() -> str:
    """Two instances of this are each other's `other`."""
    steps = ["(return)", "(throw $thrown)", *(step(way, k) for way in WAYS for k in range(N))]
    cases = "(block " * len(steps) + "(br_table " + " ".join(map(str, range(len(steps)))) + " (call $next (i32.const KIND))))"
    cases += ")".join(f"{code} (br {len(steps) - 1 - i})" for i, code in enumerate(steps))
    functions = "".join(
        f"(func $f{k} (export \"f{k}\") (type $t{k}) (local {'i64 ' * LOCALS[k]})"
        f" (loop $on {cases.replace('KIND', str(k))} (br $on)))" for k in range(N)
    )  # fmt: skip
    types = "".join(f"(type $t{k} (func (param {'i32 ' * PARAMS[k]})))" for k in range(N))
    return f"""(module {types} (type $thrown (func))
      (import "host" "next" (func $next (param i32) (result i32))) (import "host" "again" (func $again (param i32)))
      (import "host" "thrown" (tag $thrown (type $thrown))) (import "host" "other" (table $other {N} funcref))
      (import "host" "own" (table $own {N} funcref))
      (elem (table $own) (i32.const 0) func {" ".join(f"$f{k}" for k in range(N))}) {functions})"""


@dataclass
class Frame:
    kind: int
    catches: bool = False


@dataclass
class Model:
    """What is on the stack. A segment begins where the host called."""

    limit: int
    choose: random.Random
    segments: list[list[Frame]] = field(default_factory=list)
    expected: str = ""
    deepest: int = 0
    steps: int = 0
    down: float = 0.9

    def begin(self) -> int:
        """The function that the host calls first."""
        kind = self.choose.randrange(N)
        self.segments = [[]]
        self.expected = ""
        self.steps += 1
        self.enter(kind)
        return kind

    def depth(self) -> int:
        return sum(map(len, self.segments))

    def enter(self, kind: int) -> None:
        if self.depth() >= self.limit:
            self.expected = "exhausted"
            return
        self.segments[-1].append(Frame(kind))
        self.deepest = max(self.deepest, self.depth())

    def leave(self) -> None:
        self.segments[-1].pop()
        self.clear()

    def clear(self) -> None:
        """Segments end with their first frame, and whoever waited goes on."""
        while self.segments and not self.segments[-1]:
            self.segments.pop()
        if self.segments:
            self.segments[-1][-1].catches = False
        else:
            self.expected = "returned"

    def throw(self) -> None:
        while self.segments:
            while self.segments[-1]:
                if self.segments[-1][-1].catches:
                    self.clear()
                    return
                self.segments[-1].pop()
            self.segments.pop()
        self.expected = "thrown"

    def next(self) -> int:
        self.steps += 1
        number = self.pick()
        way, kind = OPS[number]
        if way == "return":
            self.leave()
        elif way == "throw":
            self.throw()
        else:
            self.go(way, kind)
        return number

    def pick(self) -> int:
        """For a while mostly downward, then mostly upward; and not so many calls of the host inside each other that another limit is met."""
        if self.choose.random() < 0.02:
            self.down = self.choose.choice((0.4, 0.6, 0.9, 0.98))
        if self.choose.random() > self.down:
            return 1 if self.choose.random() < 0.03 else 0
        while True:
            number = self.choose.randrange(2, len(OPS))
            if not ("again" in OPS[number][0] and len(self.segments) > 20):
                return number

    def go(self, way: str, kind: int) -> None:
        frames = self.segments[-1]
        if way.startswith("tail"):
            frames.pop()
        if way == "try":
            frames[-1].catches = True
        if way.endswith("again"):
            self.segments.append([])
        self.enter(kind)


class Guests:
    """Two instances, and the host that tells them what to do."""

    def __init__(self, store: wasm.Store, model: Model) -> None:
        self.model = model
        tables = [wasm.Table(store, wasm.funcref, N) for _ in range(2)]
        tag = wasm.Tag(store)
        host = {"next": self.next, "again": self.again, "thrown": tag}
        module = wasm.Module(text(), engine=store.engine)
        self.instances = [
            wasm.instantiate(module, {"host": {**host, "own": own, "other": other}}, store=store)
            for own, other in (tables, reversed(tables))
        ]  # fmt: skip

    def next(self, kind: int) -> int:
        assert self.model.segments[-1][-1].kind == kind
        return self.model.next()

    def again(self, kind: int) -> None:
        self.call(kind)

    def call(self, kind: int) -> None:
        self.model.choose.choice(self.instances).exports[f"f{kind}"](*[1] * PARAMS[kind])

    def outcome(self) -> str:
        """What comes of a call that the host makes."""
        kind = self.model.begin()
        try:
            self.call(kind)
        except wasm.Exhaustion as error:
            assert "call stack exhausted" in str(error)
            return "exhausted"
        except wasm.WasmException:
            return "thrown"
        return "returned"


@pytest.mark.parametrize("fuel", [None, 10**12])
@pytest.mark.parametrize("limit", [0, 1, 2, 3, 10, 70, 300])
def test_the_first_call_that_is_too_many_is_refused_and_none_before(engine: str, limit: int, fuel: int | None) -> None:
    model = Model(limit, random.Random(limit))
    guests = Guests(wasm.Store(engine, wasm.Limits(call_depth=limit, fuel=fuel)), model)
    seen = {""}
    while model.steps < 8_000:
        assert guests.outcome() == model.expected
        seen.add(model.expected)
    assert model.deepest == limit
    assert "exhausted" in seen


COUNT = """(module
  (global $depth (export "depth") (mut i32) (i32.const 0))
  (func $down (export "down") (local LOCALS)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (call $down))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7))))
  (func $odd (param i32) (result i32) (local LOCALS)
    (call $even (i32.sub (local.get 0) (i32.const 1))))
  (func $spin (export "spin") (param i32) (result i32) (local LOCALS)
    (if (result i32) (local.get 0) (then (return_call $spin (i32.sub (local.get 0) (i32.const 1)))) (else (call $even (i32.const 0))))))"""


@pytest.mark.parametrize("locals", [0, 1, 20, 500])
@pytest.mark.parametrize("limit", [3, 100, 222])
def test_frames_count_whatever_their_size(engine: str, limit: int, locals: int) -> None:
    text = COUNT.replace("LOCALS", "i64 " * locals)
    instance = wasm.instantiate(text, engine=engine, limits=wasm.Limits(call_depth=limit))
    for _ in range(2):
        instance.exports.depth.value = 0
        with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
            instance.exports.down()
        assert instance.exports.depth.value == limit
        last = (limit - 1) // 2 * 2
        assert instance.exports.even(last) == 7
        with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
            instance.exports.even(last + 2)
        assert instance.exports.spin(5_000) == 7


def test_more_calls_than_usual_have_room(engine: str) -> None:
    text = COUNT.replace("LOCALS", "i32 i64")
    instance = wasm.instantiate(text, engine=engine, limits=wasm.Limits(call_depth=150_000))
    assert instance.exports.even(149_998) == 7
    with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
        instance.exports.even(150_000)


def test_the_host_may_be_called_where_no_guest_may(engine: str) -> None:
    text = """(module (import "host" "log" (func $log)) (import "host" "back" (func $back))
      (func (export "leaf") (call $log)) (func (export "tail") (return_call $back)) (func (export "call") (call $back)))"""
    heard = []
    guest: list[Any] = []

    def back() -> None:
        guest[0].leaf()

    host = {"log": lambda: heard.append(1), "back": back}
    exports = wasm.instantiate(text, {"host": host}, engine=engine, limits=wasm.Limits(call_depth=1)).exports
    guest.append(exports)
    exports.leaf()
    exports.tail()
    assert heard == [1, 1]
    with pytest.raises(wasm.Exhaustion, match="call stack exhausted"):
        exports.call()


def test_constant_expressions_are_no_calls(engine: str) -> None:
    text = """(module (type $pair (struct (field i32) (field i32)))
      (global (export "pair") (ref $pair) (struct.new $pair (i32.const 1) (i32.add (i32.const 1) (i32.const 1)))))"""
    instance = wasm.instantiate(text, engine=engine, limits=wasm.Limits(call_depth=0))
    assert instance.exports.pair.value is not None
