"""Both engines do the same with the same generated modules: a short campaign with fixed numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from pywasm_ref.features import WASM_1, Features
from pywasm_ref.tools.difftest.child import Child, Unavailable
from pywasm_ref.tools.difftest.compare import Difference, compare
from pywasm_ref.tools.difftest.generate import PROFILES, Generated, seeded
from pywasm_ref.tools.difftest.generate.strategies import generated
from pywasm_ref.tools.difftest.jobs import Job
from pywasm_ref.tools.difftest.peers import kind

SMALL = replace(PROFILES["3.0"], funcs=2, instructions=20, nesting=2)
MODULES = 30

Children = dict[str, Child]


@pytest.fixture(scope="module", params=["fast", "wasmtime"])
def pair(request: pytest.FixtureRequest) -> Iterator[Children]:
    """The reference engine and another one, each in its process."""
    yield from started(request.param)


def started(name: str) -> Iterator[Children]:
    children = {each: Child(each) for each in ("reference", name)}
    try:
        for child in children.values():
            child.ask(seeded(0, PROFILES["1.0"]).job())
    except Unavailable as missing:
        pytest.skip(str(missing))
    yield children
    for child in children.values():
        child.close()


def differences(children: Children, job: Job) -> list[Difference]:
    for child in children.values():
        child.send(job)
    answers = {name: child.receive() for name, child in children.items()}
    return compare(job, answers, {name: kind(name).ability for name in answers})


@pytest.mark.parametrize("release", PROFILES)
def test_generated_modules_do_the_same_everywhere(pair: Children, release: str) -> None:
    found = [
        f"{release} {seed}: {difference}"
        for seed in range(2026, 2026 + MODULES)
        for difference in differences(pair, seeded(seed, PROFILES[release]).job())
    ]
    assert not found


@given(made=generated(SMALL))
@settings(
    max_examples=30,
    suppress_health_check=[
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
    derandomize=True,
)
def test_drawn_modules_do_the_same_everywhere(pair: Children, made: Generated) -> None:
    assert not differences(pair, made.job())


@pytest.mark.parametrize(
    ("data", "features"),
    [("0061736d01000000 010702 6000027f7f fd", WASM_1)],
    ids=["a type that cannot be read behind one with too many results"],
)
def test_what_the_lab_found_stays_mended(pair: Children, data: str, features: Features) -> None:
    assert not differences(pair, Job(bytes.fromhex(data), (), features, instantiate=False))
