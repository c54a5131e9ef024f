"""Does the sanitized run see what it is for? Small programs with known faults, run as its steps are."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sanitize

FAULTS = """
#include <stdlib.h>
volatile int sink;
int beyond(int n) { char* p = malloc(n); sink = p[n]; free(p); return 0; }
int shifted(int n) { return 1 << n; }
int harmless(int n) { return n; }
"""
CALL = "import ctypes, sys; getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])(int(sys.argv[3]))"
HIDDEN = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]], check=False)"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("the sanitized build is made by gcc on Linux")
    folder = tmp_path_factory.mktemp("faults")
    source, built = folder / "faults.c", folder / "faults.so"
    source.write_text(FAULTS)
    done = subprocess.run(["gcc", "-shared", "-fPIC", *sanitize.FLAGS["PYWASM_FASTCORE_FLAGS"].split(), source, "-o", built], check=False)
    if done.returncode:
        pytest.skip("gcc has no sanitizers here")
    return built


def tried(library: Path, *arguments: str, program: str = CALL, inner: tuple[str, ...] = ()) -> bool:
    command = ("-c", program, *inner, str(library), *arguments)
    return sanitize.run("a test", "no engine", command, sanitize.environment(library.parent), library.parent)


def test_what_is_right_is_found_clean(library: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert tried(library, "harmless", "3")
    assert "sanitize: a test (no engine): nothing found in" in capfd.readouterr().out


@pytest.mark.parametrize(("fault", "words"), [("beyond", "heap-buffer-overflow"), ("shifted", "AddressSanitizer: ILL")])
def test_a_fault_fails_the_step_and_is_shown(library: Path, capfd: pytest.CaptureFixture[str], fault: str, words: str) -> None:
    assert not tried(library, fault, "77")
    assert words in capfd.readouterr().out


@pytest.mark.parametrize("fault", ["beyond", "shifted"])
def test_a_fault_in_a_process_whose_end_nobody_looks_at_fails_the_step_too(library: Path, fault: str) -> None:
    assert not tried(library, fault, "77", program=HIDDEN, inner=(CALL,))


def test_a_command_that_fails_without_a_report_fails_the_step(library: Path) -> None:
    assert not tried(library, program="raise SystemExit(3)")
