"""The public face of the package."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pywasm_ref as wasm
from pywasm_ref import capabilities, wasi

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", wasm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(wasm, name) is not None
    assert name in dir(wasm)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Modul'"):
        _ = wasm.Modul  # type: ignore[attr-defined]


PUBLIC = {
    f"{package.__name__}.{name}": thing
    for package in (wasm, capabilities, wasi)
    for name, thing in ((name, getattr(package, name)) for name in package.__all__)
    if inspect.isroutine(thing) or inspect.isclass(thing)
}


def parts(thing: object) -> Iterator[object]:
    """What `help` shows of a class below its own words."""
    for name, part in vars(thing).items() if inspect.isclass(thing) else ():
        if not name.startswith("_") and (callable(part) or isinstance(part, property | classmethod)):
            yield part


@pytest.mark.parametrize("name", PUBLIC)
def test_help_stands_without_the_sources(name: str) -> None:
    assert PUBLIC[name].__doc__
    for thing in (PUBLIC[name], *parts(PUBLIC[name])):
        assert not re.search(r"\.py\b|this file", inspect.getdoc(thing) or "")


def test_the_names_for_a_type_checker_are_those_at_run_time() -> None:
    assert set(wasm.__all__) == set(wasm._HOME_OF)


def test_the_version_is_that_of_the_project() -> None:
    assert wasm.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_importing_the_package_loads_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import pywasm_ref; print(len([n for n in set(sys.modules) - before if n.startswith('pywasm_ref.')]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == 0
