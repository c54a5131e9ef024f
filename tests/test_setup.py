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


WORDS = "pywasm-ref: building without the native engine, the reference engine needs no compiler (there is no C compiler '/nowhere/cc')"


def copied(folder: Path) -> None:
    shutil.copy(ROOT / "setup.py", folder)
    shutil.copytree(ROOT / "_fastcore", folder / "_fastcore")
    (folder / "pywasm_ref").mkdir()


def build(folder: Path, command: str = "build_ext", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the build of a copy without a compiler."""
    copied(folder)
    return subprocess.run(
        [sys.executable, "setup.py", "-q", command],
        cwd=folder,
        env=os.environ | {"CC": "/nowhere/cc"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,  # without the terminal of whoever runs the tests
    )


def test_without_a_compiler_one_line_says_that_the_package_is_pure(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="0")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("pywasm-ref: ")] == [WORDS]
    assert not (tmp_path / "build" / "fastcore").exists()


def test_without_a_compiler_a_required_native_engine_is_one_clear_error(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="1")
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        "pywasm-ref: PYWASM_REQUIRE_FAST=1, but the native engine cannot be built: there is no C compiler '/nowhere/cc'"
    )


SILENT = """
import sys
import setup
from setuptools import Distribution, Extension

class Silent:
    compiler_type = "unix"
    compiler_so = ["sh", "-c", 'case "$*" in *crossjumping*) exit 1;; esac', "compiler"]  # as clang does not know that flag

built = setup.BuildExtension(Distribution({"ext_modules": [Extension("one", ["one.c"])]}))
built.finalize_options()
built.compiler = Silent()
built.build_extension = lambda _: None
built.build_extensions()
print(built.extensions)
"""
PICKY = SILENT.replace("lambda _: None", "lambda extension: print(extension.extra_compile_args)")


@pytest.mark.parametrize("required", ["0", "1"])
def test_a_compiler_that_makes_nothing_and_does_not_say_so_is_no_compiler(tmp_path: Path, required: str) -> None:
    copied(tmp_path)
    environment = os.environ | {"PYWASM_REQUIRE_FAST": required}
    command = [sys.executable, "-c", SILENT]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False, start_new_session=True
    )
    words = "the compiler did not fail, and did not make one"
    if required == "1":
        assert done.stderr.splitlines()[-1].endswith(f"the native engine cannot be built: {words}")
    else:
        assert done.stdout.splitlines()[-2:] == [f"{WORDS.partition('(')[0]}({words})", "[]"]


def test_a_compiler_is_given_the_flags_that_it_takes(tmp_path: Path) -> None:
    copied(tmp_path)
    environment = os.environ | {"PYWASM_REQUIRE_FAST": "0"}
    done = subprocess.run([sys.executable, "-c", PICKY], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "['-fno-gcse']"


def test_a_pure_package_can_be_asked_for(tmp_path: Path) -> None:
    done = build(tmp_path, PYWASM_REQUIRE_FAST="0", PYWASM_PURE="1")
    assert done.returncode == 0, done.stderr
    assert "PYWASM_PURE=1 asks for that" in done.stdout
    assert not (tmp_path / "build").exists()


def test_what_is_asked_before_the_build_says_nothing(tmp_path: Path) -> None:
    done = build(tmp_path, "egg_info", PYWASM_REQUIRE_FAST="0")
    assert done.returncode == 0, done.stderr
    assert WORDS not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no terminals of this kind")
def test_whoever_sits_at_a_terminal_reads_the_line_though_pip_keeps_the_output_of_builds(tmp_path: Path) -> None:
    import pty

    copied(tmp_path)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        command = [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.run([sys.executable, 'setup.py', 'build_ext'], capture_output=True)",
        ]
        os.execve(sys.executable, command, os.environ | {"CC": "/nowhere/cc", "PYWASM_REQUIRE_FAST": "0"})
    shown = b""
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:
        pass  # the end of the other side
    os.close(terminal)
    os.waitpid(process, 0)
    assert shown.decode().split("\r\n") == ["", WORDS, ""]
