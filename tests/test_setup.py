"""Installing where there is no C compiler: a pure package and one line about it, or one clear error where the native engine is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("setuptools", reason="pip brings setuptools for itself alone")

ROOT = Path(__file__).parent.parent


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the build of a copy without a compiler."""
    shutil.copy(ROOT / "setup.py", folder)
    shutil.copytree(ROOT / "_fastcore", folder / "_fastcore")
    (folder / "pywasm_ref").mkdir()
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext"],
        cwd=folder,
        env=os.environ | {"CC": "/nowhere/cc"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_compiler_one_line_says_that_the_package_is_pure(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="0")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("pywasm-ref: ")] == [
        "pywasm-ref: building without the native engine, the reference engine needs no compiler (there is no C compiler '/nowhere/cc')"
    ]
    assert not (tmp_path / "build" / "fastcore").exists()


def test_without_a_compiler_a_required_native_engine_is_one_clear_error(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="1")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        "pywasm-ref: PYWASM_REQUIRE_FAST=1, but the native engine cannot be built: there is no C compiler '/nowhere/cc'"
    )


def test_a_pure_package_can_be_asked_for(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="0", PYWASM_PURE="1")
    assert done.returncode == 0, done.stderr
    assert "PYWASM_PURE=1 asks for that" in done.stdout
    assert not (tmp_path / "build").exists()
