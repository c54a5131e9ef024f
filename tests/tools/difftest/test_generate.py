"""Generated modules are valid, and the same on every machine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pywasm_ref import binary
from pywasm_ref.execution import rules
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Expr
from pywasm_ref.syntax.modules import Func, Module
from pywasm_ref.syntax.types import V128, FuncType, RecType, SubType
from pywasm_ref.tools.difftest.generate import PROFILES, Generated, Profile, portable, seeded
from pywasm_ref.tools.difftest.generate.nans import canonical
from pywasm_ref.tools.difftest.generate.space import const, make
from pywasm_ref.tools.difftest.generate.strategies import generated
from pywasm_ref.tools.difftest.peers import peer
from pywasm_ref.validation import validate

SMALL = replace(PROFILES["3.0"], funcs=2, instructions=15, nesting=2)


@pytest.mark.parametrize("name", PROFILES)
def test_every_module_is_valid_in_its_release(name: str) -> None:
    for seed in range(60):
        made = seeded(seed, PROFILES[name])
        data = made.job().data
        decoded = binary.decode(data, made.features)
        validate(decoded, made.features)
        assert binary.encode(decoded) == data


@given(generated(SMALL))
@settings(max_examples=40, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large, HealthCheck.too_slow])
def test_hypothesis_draws_valid_modules(made: Generated) -> None:
    validate(made.module, made.features)


def test_the_same_number_gives_the_same_module() -> None:
    assert seeded(7, PROFILES["3.0"]) == seeded(7, PROFILES["3.0"])
    assert seeded(7, PROFILES["3.0"]) != seeded(8, PROFILES["3.0"])


@pytest.mark.parametrize("profile", [PROFILES["2.0"], portable(PROFILES["3.0"])], ids=["2.0", "portable"])
def test_most_modules_start_and_most_calls_return(profile: Profile) -> None:
    reference = peer("reference")
    answers = [reference.run(seeded(seed, profile).job()) for seed in range(60)]
    started = [answer for answer in answers if answer.start.kind == "returned"]
    calls = Counter(outcome.kind for answer in started for outcome in answer.calls)
    assert len(started) >= 54
    assert calls["returned"] >= 0.8 * calls.total()
    assert not calls.keys() - {"returned", "trap", "exception"}


def test_a_product_that_may_be_rounded_twice_plays_no_part_even_alone() -> None:
    body = (*(make("local.get", 0) for _ in range(3)), make("f64x2.relaxed_nmadd"))
    types = (RecType((SubType(True, (), FuncType((V128,), (V128,))),)),)
    made = canonical(Module(types=types, funcs=(Func(0, (), Expr(body)),)))
    assert made.funcs[0].body.body == (*body, const(V128, 0), make("v128.and"))


def test_a_local_whose_value_needs_locals_is_the_one_that_is_set() -> None:
    made = seeded(3907, PROFILES["3.0"])
    validate(made.module, made.features)


def test_arrays_are_copied_onto_themselves_where_the_order_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    proper, telling = rules.REDUCE[form.ArrayCopy], 0

    def array_copy(z: Any, i: Any) -> Any:
        nonlocal telling
        target, to, source, start, n = z.values[-5:]
        if target is not None and target is source and start < to < start + n and to + n <= len(target.fields):
            telling += target.fields[start : start + n] != [target.fields[start + k % (to - start)] for k in range(n)]
        return proper(z, i)

    monkeypatch.setitem(rules.REDUCE, form.ArrayCopy, array_copy)
    reference = peer("reference")
    for seed in range(150):
        reference.run(seeded(seed, PROFILES["3.0"]).job())
    assert telling >= 3
