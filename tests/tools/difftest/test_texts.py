"""Texts through two parsers: what one of them takes and the other does not is a finding, or a known deviation."""

from __future__ import annotations

import pytest

from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_3
from pywasm_ref.script.run import Runner, run_script
from pywasm_ref.source import Source
from pywasm_ref.tools.difftest.compare import compare
from pywasm_ref.tools.difftest.deviations import reason
from pywasm_ref.tools.difftest.generate import PROFILES
from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome
from pywasm_ref.tools.difftest.peers import Peer, kind, peer
from pywasm_ref.tools.difftest.wast import script
from pywasm_ref.tools.difftest.work import words

MUTANTS = 150


def job(source: str) -> Job:
    return Job(b"", (), WASM_3, instantiate=False, text=source)


@pytest.fixture
def wasmtime() -> Peer:
    try:
        return peer("wasmtime")
    except ImportError as missing:
        pytest.skip(str(missing))


def unexplained(asked: Job, answers: dict[str, Answer]) -> list[str]:
    found = compare(asked, answers, {name: kind(name).ability for name in answers})
    return [f"{difference}: {asked.text}" for difference in found if not reason(asked, difference, answers[difference.second])]


def test_mutated_texts_are_taken_alike(wasmtime: Peer) -> None:
    reference, taken = peer("reference"), 0
    for seed in range(MUTANTS):
        asked = words(seed, PROFILES["3.0"])
        answers = {"reference": reference.run(asked), "wasmtime": wasmtime.run(asked)}
        taken += answers["reference"].start.kind == "returned"
        assert not unexplained(asked, answers), seed
    assert MUTANTS // 8 < taken < MUTANTS // 2


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('(module (import "a" "b\u202e" (func)))', "may confuse"),
        (" ;; nothing", "without anything"),
        ("(module (func end))", "no module"),
        ('(module (import "a" (func)))', "no module"),
        ("(module (func) (start +0))", "a sign before"),
        ("(module (memory +1 +2) (func (drop (i32.load +0 (i32.const 0)))))", "a sign before"),
        ("(module (type (func (param i32))) (func (type 0) (param)))", "an empty (param)"),
    ],
)
def test_a_known_deviation_is_told_by_what_it_does(wasmtime: Peer, source: str, words: str) -> None:
    answers = {"reference": peer("reference").run(job(source)), "wasmtime": wasmtime.run(job(source))}
    (found,) = compare(job(source), answers, {name: kind(name).ability for name in answers})
    assert words in reason(job(source), found, answers["wasmtime"])


def test_what_nobody_knows_is_not_explained() -> None:
    """The sign is a deviation; that there is another module, too, is none."""
    source = "(module (func) (func) (start +0))"
    first = peer("reference").run(job(source))
    answers = {"reference": first, "wasmtime": Answer(Outcome("returned"), state={"module": "another", "validation": "accepted"})}
    assert unexplained(job(source), answers)
    answers["wasmtime"] = peer("reference").run(job("(module (func) (func) (start 0))"))
    assert not unexplained(job(source), answers)


def test_the_meaning_is_compared_and_names_are_none() -> None:
    reference = peer("reference")
    same = [reference.run(job(source)).state for source in ("(module (func $a) (func (call $a)))", "(module (func) (func call 0))")]
    assert same[0] == same[1]
    assert same[0] != reference.run(job("(module (func) (func call 1))")).state
    assert reference.run(job("(module (func (i32.const 0)))")).state["validation"] == "refused"


@pytest.mark.parametrize("source", ['(module (func (export "\\u{1F600}\\"\\e9")))', "(module (func $\xe9))", "(func"])
def test_a_text_can_be_written_as_a_script(source: str) -> None:
    asked = job(source)
    told = script(asked, peer("reference").run(asked), ["a story"])
    assert not run_script(Source("find", told), Runner(selection.engine("reference"), WASM_3)).failures
