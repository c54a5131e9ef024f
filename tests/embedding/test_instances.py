"""An instance and the parts of it that are made when somebody asks for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import pywasm_ref as wasm

ADD = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'


def test_an_instance_has_one_store_and_one_set_of_exports(engine: str) -> None:
    instance = wasm.instantiate(ADD, engine=engine, limits=wasm.Limits(call_depth=7))
    assert instance.exports is instance.exports
    assert instance.store is instance.store
    assert instance.store.engine.name == engine
    assert instance.store.limits.call_depth == 7
    assert instance.store is instance.exports.add.owner


def test_the_store_of_an_instance_can_be_used_for_more(engine: str) -> None:
    first = wasm.instantiate(ADD, engine=engine)
    text = '(module (import "first" "add" (func $add (param i32 i32) (result i32))) (func (export "two") (result i32) (call $add (i32.const 1) (i32.const 1))))'
    assert wasm.instantiate(text, {"first": first}, store=first.store).exports.two() == 2


def test_threads_that_ask_at_the_same_time_get_the_same_parts(engine: str) -> None:
    module = wasm.Module(ADD, engine=engine)
    for _ in range(50):
        instance = wasm.instantiate(module)
        together = threading.Barrier(4)
        found: list[tuple[int, int]] = []

        def ask(instance: wasm.Instance = instance, together: threading.Barrier = together, found: list[tuple[int, int]] = found) -> None:
            together.wait()
            found.append((id(instance.exports), id(instance.store)))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == 1


def test_limits_that_are_none_are_refused_for_a_store_of_its_own_too(engine: str) -> None:
    with pytest.raises(TypeError, match="limits are Limits"):
        wasm.instantiate(ADD, engine=engine, limits=5)  # type: ignore[arg-type]


def test_an_instance_has_no_other_parts(engine: str) -> None:
    with pytest.raises(AttributeError, match="'Instance' object has no attribute 'export'"):
        wasm.instantiate(ADD, engine=engine).export  # type: ignore[attr-defined]  # noqa: B018


FORKING = """
import os, signal, sys, threading
import pywasm_ref as wasm

module = wasm.Module('(module (func (export "f") (result i32) (i32.const 0)))', engine=sys.argv[1])

def ask():
    while True:
        wasm.instantiate(module).exports

for _ in range(2):
    threading.Thread(target=ask, daemon=True).start()
for _ in range(60):
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(wasm.instantiate(module).exports.f())
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("a child did not come to its end")
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_a_child_makes_parts_whatever_other_threads_were_making(engine: str) -> None:
    done = subprocess.run([sys.executable, "-c", FORKING, engine], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
