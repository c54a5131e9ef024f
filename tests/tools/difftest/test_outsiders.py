"""Engines that know nothing of us, and the command line as an engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import WASM_1
from pywasm_ref.tools.difftest.compare import compare
from pywasm_ref.tools.difftest.generate import PROFILES, portable, seeded
from pywasm_ref.tools.difftest.jobs import Call, Job
from pywasm_ref.tools.difftest.peers import Peer, kind, peer


def here(name: str) -> Peer:
    """A peer, if it is installed."""
    try:
        return peer(name)
    except ImportError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", ["node", "pywasm3"])
def test_portable_modules_do_the_same_on_engines_of_others(name: str) -> None:
    other, reference = here(name), peer("reference")
    for seed in range(8):
        job = seeded(seed, portable(PROFILES["1.0"])).job()
        try:
            answers = {"reference": reference.run(job), name: other.run(job)}
        except NotImplementedError:
            continue
        assert not compare(job, answers, {each: kind(each).ability for each in answers})


def test_a_command_line_is_an_engine(tmp_path: Path) -> None:
    source = (
        '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))) (func (export "f") unreachable))'
    )
    job = Job(binary.encode(text.parse(source)), (Call("add", (2, 2**32 - 5)), Call("f", ())), WASM_1)
    name = f"cmd:{sys.executable} -m pywasm_ref run {{file}} --invoke {{name}} {{args}}"
    answer = peer(name).run(job)
    assert [outcome.kind for outcome in answer.calls] == ["returned", "trap"]
    assert answer.calls[0].values == ("i32:0xfffffffd",)


@pytest.mark.parametrize("name", ["node:no-such-node", "cmd:no-such-program {file}", "cmd:"])
def test_a_program_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ImportError, match=r"not installed|no program"):
        peer(name)
