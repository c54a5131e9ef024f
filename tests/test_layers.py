"""The floors: every module imports alone, and loads nothing that stands above it or beside it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pywasm_ref"

# Runs in a fresh interpreter. The package's own __init__ would load modules in an order that works, so an empty package with the same path
# stands in for it. Before each module all of its unit is forgotten again; lower floors stay, for they know nothing of it.
PROBE = """
import importlib, json, sys, traceback, types

path, unit, *names = sys.argv[1:]
stand_in = sys.modules["pywasm_ref"] = types.ModuleType("pywasm_ref")
stand_in.__path__ = [path]
report = {}
for name in names:
    for other in [other for other in sys.modules if other == unit or other.startswith(unit + ".")]:
        del sys.modules[other]
    try:
        importlib.import_module(name)
        report[name] = {"loaded": sorted(other for other in sys.modules if other.startswith("pywasm_ref."))}
    except Exception:
        report[name] = {"error": traceback.format_exc(limit=-3)}
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


@pytest.mark.parametrize("unit", UNITS)
def test_every_module_imports_alone_and_loads_only_lower_floors(unit: str) -> None:
    names = modules_of(unit)
    assert names, f"pywasm_ref/{unit} is named in the import contract and does not exist"
    command = [sys.executable, "-c", PROBE, str(PACKAGE), f"pywasm_ref.{unit}", *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert not [f"{name}\n{entry['error']}" for name, entry in report.items() if "error" in entry]
    strays = {name: sorted(other for other in entry["loaded"] if other.split(".")[1] not in below(unit)) for name, entry in report.items()}
    assert not {name: others for name, others in strays.items() if others}


def test_the_whole_package_imports_without_a_warning() -> None:
    names = [name for unit in UNITS for name in modules_of(unit)]
    command = [sys.executable, "-W", "error", "-c", f"import pywasm_ref, {', '.join(names)}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
