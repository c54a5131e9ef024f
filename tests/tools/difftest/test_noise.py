"""Modules that Binaryen makes of noise, where it is at hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.cli import main
from pywasm_ref.features import Feature
from pywasm_ref.tools.difftest import noise
from pywasm_ref.tools.difftest.generate import PROFILES, portable
from pywasm_ref.tools.difftest.noise import HANG_LIMIT, NoBinaryen, command, module_of_noise
from pywasm_ref.tools.difftest.peers import peer
from pywasm_ref.tools.difftest.work import job_of

MODULE = f'(module (func (export "{HANG_LIMIT}")) (func (export "f") (param i32 externref)) (func (export "g") (param (ref func))))'


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    noise.program.cache_clear()
    yield
    noise.program.cache_clear()


@pytest.fixture
def binaryen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that makes the same module of all noise, and fails for some."""
    made = tmp_path / "made.wasm"
    made.write_bytes(binary.encode(text.parse(MODULE)))
    folder = tmp_path / "node_modules" / ".bin"
    folder.mkdir(parents=True)
    program = folder / "wasm-opt"
    program.write_text(f"#!{sys.executable}\nimport shutil, sys\nshutil.copy({str(made)!r}, sys.argv[-1])\n")
    program.chmod(0o755)
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    monkeypatch.setenv("PATH", "/nowhere")
    return program


def test_it_is_found_in_the_folders_above_and_each_call_begins_anew(binaryen: Path) -> None:
    job = job_of("noise", 5, PROFILES["3.0"], "")
    assert [(call.name, call.args) for call in job.calls] == [(HANG_LIMIT, ()), ("f", (0, None)), (HANG_LIMIT, ()), ("f", (3, None))]
    assert job.fuel


def test_one_that_fails_makes_no_module(binaryen: Path) -> None:
    binaryen.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    assert module_of_noise(1, PROFILES["3.0"]) == b""
    assert not job_of("noise", 1, PROFILES["3.0"], "").instantiate


@pytest.mark.parametrize("release", PROFILES)
def test_features_are_those_of_the_release(binaryen: Path, release: str) -> None:
    words = command(PROFILES[release], "a", "b")
    assert ("--enable-gc" in words) == (release == "3.0")
    assert ("--translate-to-exnref" in words) == (release == "3.0")
    assert "--denan" not in words
    plain = command(portable(PROFILES[release]), "a", "b")
    assert "--denan" in plain
    assert "--enable-relaxed-simd" not in plain


def test_every_feature_of_a_release_has_its_flag() -> None:
    """References to functions come with collected ones."""
    assert set(noise.FLAGS) == PROFILES["3.0"].features - {Feature.MVP, Feature.FUNCTION_REFERENCES}


def test_without_it_there_is_one_line_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["diff", "--engines", "reference,reference:again", "--work", "noise"]) == 2
    error = capsys.readouterr().err
    assert "npm install binaryen" in error
    assert len(error.splitlines()) == 1


def test_the_real_one_makes_valid_modules() -> None:
    try:
        noise.program()
    except NoBinaryen as missing:
        pytest.skip(str(missing))
    for release in PROFILES:
        job = job_of("noise", 0, PROFILES[release], "")
        assert peer("reference").run(job).start.kind not in ("malformed", "invalid")
