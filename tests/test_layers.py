"""The floors: every module imports alone, and loads nothing that stands above it or beside it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pywasm_ref"

# Runs in a fresh interpreter. The package's own __init__ would load modules in an order that works, so an empty package with the same path
# stands in for it. Units come from the lowest floor up; before each, all is forgotten but the floors below it, which know nothing of it.
# A module that others load on their way was imported as if alone, unless one of them asks for another that is only half there, or names
# a module without saying what of it. Then each of them is tried by itself, with its unit forgotten.
PROBE = """
import builtins, importlib, json, sys, traceback, types

stand_in = sys.modules["pywasm_ref"] = types.ModuleType("pywasm_ref")
stand_in.__path__ = [sys.argv[1]]
load = builtins.__import__
entangled = False

def is_half_there(name):
    return getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False)

def watching(name, globals=None, locals=None, fromlist=(), level=0):
    global entangled
    importer = (globals or {}).get("__name__", "")
    if level or name.startswith("pywasm_ref"):
        wanted = [name, *(f"{name}.{part}" for part in fromlist or ())]
        half = [other for other in wanted if is_half_there(other) and not f"{importer}.".startswith(f"{other}.")]
        entangled |= bool(half or level or not fromlist)
    return load(name, globals, locals, fromlist, level)

def own():
    return {name for name in sys.modules if name.startswith("pywasm_ref.")}

def forget(kept):
    for name in own():
        if name.split(".")[1] not in kept:
            del sys.modules[name]

builtins.__import__ = watching
report = {}
for unit, lower, names in json.load(sys.stdin):
    forget(lower)
    known = own()
    tried = set()
    report[unit] = found = {"loaded": set(), "errors": {}}
    for name in names:
        if name in tried:
            continue
        entangled = False
        try:
            importlib.import_module(name)
        except Exception:
            found["errors"][name] = traceback.format_exc(limit=-3)
            entangled = True
        found["loaded"] |= own()
        if entangled:
            forget(lower)
        else:
            tried |= own() - known
    found["loaded"] = sorted(found["loaded"])
print(json.dumps(report))
"""


def floors() -> list[tuple[str, ...]]:
    """The layers of the import contract in pyproject.toml, lowest first, siblings together."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [tuple(part.strip() for part in layer.split("|")) for layer in reversed(layers)]


def modules_of(unit: str) -> list[str]:
    """The names of all modules of a folder or file right below the package; __main__ runs something and is no module to import."""
    paths = [PACKAGE / f"{unit}.py", *(PACKAGE / unit).rglob("*.py")]
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths if path.exists() and path.stem != "__main__")
    return sorted({".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in names})


UNITS = [unit for floor in floors() for unit in floor]


def below(unit: str) -> set[str]:
    """What a unit may load: itself and every lower floor."""
    height = next(height for height, floor in enumerate(floors()) if unit in floor)
    return {unit}.union(*floors()[:height])  # a sibling is as far away as a floor above


def test_every_unit_of_the_package_has_its_floor() -> None:
    present = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert present - set(UNITS) == {"__init__", "__main__"}


def probed(package: Path, units: list[tuple[str, list[str], list[str]]]) -> dict[str, Any]:
    """What was loaded with each unit, and the errors by module; a unit has a name, the units that it may use, and its modules."""
    command = [sys.executable, "-c", PROBE, str(package)]
    done = subprocess.run(command, input=json.dumps(units), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture(scope="session")
def report() -> dict[str, Any]:
    return probed(PACKAGE, [(unit, sorted(below(unit) - {unit}), modules_of(unit)) for unit in UNITS])


@pytest.mark.parametrize("unit", UNITS)
def test_every_module_imports_alone_and_loads_only_lower_floors(unit: str, report: dict[str, Any]) -> None:
    names = modules_of(unit)
    assert names, f"pywasm_ref/{unit} is named in the import contract and does not exist"
    assert not [f"{name}\n{error}" for name, error in report[unit]["errors"].items()]
    assert set(names) <= set(report[unit]["loaded"])
    assert not [other for other in report[unit]["loaded"] if other.split(".")[1] not in below(unit)]


def test_a_module_that_needs_another_one_to_be_loaded_first_is_found(tmp_path: Path) -> None:
    (tmp_path / "low.py").write_text("from pywasm_ref import beside\n")
    (tmp_path / "beside.py").write_text("")
    folder = tmp_path / "high"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "a.py").write_text("from pywasm_ref.high import b\nthing = 1\n")
    (folder / "b.py").write_text("from pywasm_ref.high import c\n")
    (folder / "c.py").write_text("from pywasm_ref.high.a import thing\n")
    high = [f"pywasm_ref.high.{letter}" for letter in "cab"]  # whoever begins with `c` or `b` has `thing` when it is asked for
    report = probed(tmp_path, [("low", [], ["pywasm_ref.low"]), ("beside", [], ["pywasm_ref.beside"]), ("high", ["low"], high)])
    assert report["low"] == {"loaded": ["pywasm_ref.beside", "pywasm_ref.low"], "errors": {}}
    assert set(report["high"]["errors"]) == {"pywasm_ref.high.a"}


def test_the_whole_package_imports_without_a_warning() -> None:
    names = [name for unit in UNITS for name in modules_of(unit)]
    command = [sys.executable, "-W", "error", "-c", f"import pywasm_ref, {', '.join(names)}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
