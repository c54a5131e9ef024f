"""Engines by name."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from typing import Any

import pytest

import pywasm_ref as wasm
from pywasm_ref.embedding import engine as protocols
from pywasm_ref.embedding import selection
from tests.engines import needs_native

MODULE = '(module (func (export "f") (result i32) (i32.const 7)))'


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYWASM_ENGINE", raising=False)
    monkeypatch.delenv("PYWASM_REQUIRE_FAST", raising=False)


@pytest.fixture
def without_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has no native engine, whatever this one has."""
    monkeypatch.setitem(selection.HOMES, "fast", ("pywasm_ref._not_there",))


def test_the_engine_is_the_one_that_was_named(engine: str) -> None:
    assert wasm.engine(engine).name == engine
    assert wasm.Module(MODULE, engine=engine).engine.name == engine
    assert wasm.Store(engine).engine.name == engine


@pytest.mark.usefixtures("without_fast")
def test_auto_falls_back_to_the_reference_engine() -> None:
    assert wasm.engine().name == wasm.engine("auto").name == "reference"


@pytest.mark.usefixtures("without_fast")
def test_a_missing_fast_engine_is_a_clear_error() -> None:
    with pytest.raises(ImportError, match="the fast engine is not installed"):
        wasm.engine("fast")


@pytest.mark.usefixtures("without_fast")
def test_requiring_the_fast_engine_forbids_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYWASM_REQUIRE_FAST", "1")
    with pytest.raises(ImportError, match="the fast engine is not installed"):
        wasm.engine("auto")
    assert wasm.engine("reference").name == "reference"


def test_the_environment_chooses_where_the_program_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYWASM_ENGINE", "reference")
    assert wasm.engine("auto").name == "reference"
    monkeypatch.setenv("PYWASM_ENGINE", "steam")
    with pytest.raises(ValueError, match="there is no engine 'steam'"):
        wasm.engine("auto")
    assert wasm.engine("reference").name == "reference"


@pytest.mark.parametrize("name", ["", "Reference", "wasmtime", "os"])
def test_an_unknown_name_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(ValueError, match="auto, reference, fast"):
        wasm.engine(name)


@pytest.mark.parametrize("name", [None, 3, b"auto"])
def test_an_engine_is_not_chosen_by_anything_but_a_name(name: Any) -> None:
    with pytest.raises(TypeError, match="chosen by its name"):
        wasm.engine(name)


def test_a_store_takes_an_engine_or_its_name(engine: str) -> None:
    assert wasm.Store(wasm.engine(engine)).engine is wasm.Store(engine).engine
    with pytest.raises(TypeError, match="chosen by its name"):
        wasm.Store(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="limits are Limits, not int 5"):
        wasm.Store(engine, 5)  # type: ignore[arg-type]


def test_an_error_inside_an_engine_is_not_mistaken_for_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'libsomething'", name="libsomething")

    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="libsomething"):
        wasm.engine("fast")


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_an_engine_has_all_that_the_protocols_ask_for(engine: str) -> None:
    found = wasm.engine(engine)
    module = wasm.Module(MODULE, engine=engine)
    instance = wasm.instantiate(module)
    raw = wasm.Store(engine).raw
    missing = {
        protocol.__name__: sorted(name for name in members(protocol) if not hasattr(thing, name))
        for protocol, thing in (
            (protocols.Engine, found),
            (protocols.Module, module.raw),
            (protocols.Store, raw),
            (protocols.Instance, instance.raw),
            (protocols.Func, instance.raw.exports["f"]),
        )
    }
    assert not {name: names for name, names in missing.items() if names}


SUBINTERPRETER = """
import importlib, sys
try:
    interpreters = importlib.import_module("_interpreters")
except ImportError:
    interpreters = importlib.import_module("_xxsubinterpreters")
use = f"import sys; sys.path[:] = {sys.path!r}; " + "import pywasm_ref as wasm; wasm.Module('(module (func))', engine={!r})"
inside = interpreters.create()
if sys.argv[1] == "before":
    exec(use.format("fast"))
for engine in ("fast", "auto", "reference"):
    told = f"try:\\n  {use.format(engine)}\\n  print('works', flush=True)\\nexcept ImportError as error:\\n  print(error, flush=True)"
    interpreters.run_string(inside, told)
interpreters.destroy(inside)
exec(use.format("fast"))
print("and here", flush=True)
"""


@needs_native
@pytest.mark.parametrize("main", ["before", "afterwards"])
def test_the_native_engine_refuses_to_work_in_a_subinterpreter_and_leaves_the_main_one_alone(main: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYWASM_")}
    done = subprocess.run([sys.executable, "-c", SUBINTERPRETER, main], env=environment, capture_output=True, text=True, timeout=100, check=False)
    if "No module named '_xxsubinterpreters'" in done.stderr:
        pytest.skip("this Python has no module for subinterpreters")
    if done.returncode != 0 and "mpd_setminalloc" in done.stderr:
        pytest.skip("the module decimal of this Python breaks when a second interpreter has had it, and the text format needs it")
    assert done.returncode == 0, done.stderr[-2000:]
    first, second, *others = done.stdout.splitlines()
    assert first == second == "the fast engine works in the main interpreter only; use the reference engine in others"
    assert others == ["works", "and here"]
