"""Fuel: what never ends elsewhere ends alike on our engines, and to the instruction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import WASM_3
from pywasm_ref.tools.difftest.compare import Ability, compare
from pywasm_ref.tools.difftest.generate import PROFILES
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job
from pywasm_ref.tools.difftest.peers import Peer, kind, peer
from pywasm_ref.tools.difftest.work import FUEL, SHORT, generated

SPIN = """(module (global $g (export "g") (mut i32) (i32.const 0))
  (func (export "spin") (loop (global.set $g (i32.add (global.get $g) (i32.const 1))) (br 0)))
  (func (export "one") (result i32) (i32.const 1)))"""
EXACT = {"a": Ability(), "b": Ability()}


def job(fuel: int) -> Job:
    return Job(binary.encode(text.parse(SPIN)), (Call("spin", ()), Call("one", ())), WASM_3, fuel=fuel)


@pytest.fixture(params=["fast", "wasmtime"])
def other(request: pytest.FixtureRequest) -> tuple[str, Peer]:
    try:
        return request.param, peer(request.param)
    except ImportError as missing:
        pytest.skip(str(missing))


def test_a_loop_without_end_ends_on_every_engine_that_counts(other: tuple[str, Peer]) -> None:
    name, engine = other
    answers = {"reference": peer("reference").run(job(5000)), name: engine.run(job(5000))}
    assert [str(outcome) for outcome in answers[name].calls] == ["exhaustion of fuel", "returned i32:0x1"]
    assert not compare(job(5000), answers, {each: kind(each).ability for each in answers})


def test_engines_that_count_alike_stop_at_the_same_instruction() -> None:
    reference = peer("reference")
    answers = [reference.run(job(fuel)) for fuel in (1000, 1005)]
    assert answers[0].fuel == [1000, 0, 999]
    assert not compare(job(1000), {"a": answers[0], "b": reference.run(job(1000))}, EXACT)
    (found,) = compare(job(1000), {"a": answers[0], "b": replace(answers[1], fuel=answers[0].fuel)}, EXACT)
    assert found.where == "g"


@pytest.mark.parametrize(("fuel", "where"), [([1000, 0, 998], "fuel after call 1 one"), ([999, 0, 999], "fuel after start")])
def test_another_count_is_a_difference(fuel: list[int], where: str) -> None:
    answer = peer("reference").run(job(1000))
    (found,) = compare(job(1000), {"a": answer, "b": replace(answer, fuel=fuel)}, EXACT)
    assert found.where == where


def test_who_runs_on_where_another_has_no_fuel_left_differs_only_if_both_count_alike() -> None:
    answer = peer("reference").run(job(1000))
    goes_on = replace(answer, calls=[answer.calls[1], answer.calls[1]])
    assert [found.where for found in compare(job(1000), {"a": answer, "b": goes_on}, EXACT)] == ["call 0 spin"]
    assert not compare(job(1000), {"a": answer, "b": goes_on}, {"a": Ability(), "b": Ability(fuel=False)})


def metered() -> Iterator[tuple[int, int | None]]:
    for seed in range(64):
        yield seed, generated(seed, PROFILES["3.0"]).fuel


def test_some_generated_modules_are_metered_and_some_run_out() -> None:
    told = dict(metered())
    assert [seed for seed, fuel in told.items() if fuel == FUEL] == [seed for seed in range(3, 64, 4) if seed not in (31, 63)]
    assert all(0 < (told[seed] or 0) <= SHORT for seed in (31, 63))
    assert sum(fuel is None for fuel in told.values()) == 48


@pytest.mark.parametrize("release", PROFILES)
def test_our_engines_count_alike(release: str) -> None:
    engines: dict[str, Peer] = {}
    for name in ("reference", "fast"):
        try:
            engines[name] = peer(name)
        except ImportError as missing:
            pytest.skip(str(missing))
    for seed in (31, 63, 95, 127, 3, 7):
        asked = generated(seed, PROFILES[release]).job()
        answers: dict[str, Answer] = {name: engine.run(asked) for name, engine in engines.items()}
        assert answers["reference"].fuel
        assert not compare(asked, answers, {name: kind(name).ability for name in answers}), seed
