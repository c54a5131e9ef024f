"""Instructions are counted when they are executed, and every one of a release is."""

from __future__ import annotations

import pytest

from pywasm_ref import binary, text
from pywasm_ref.embedding import selection
from pywasm_ref.features import WASM_3
from pywasm_ref.isa import OPS
from pywasm_ref.tools.difftest import opcodes
from pywasm_ref.tools.difftest.generate import PROFILES, seeded
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job, Outcome
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.difftest.opcodes import NAMES, TRIES, Executed, Watch, possible, used
from pywasm_ref.tools.difftest.peers import peer

MODULE = """(module (memory 0) (global i64 (i64.const 3))
  (func (export "f") (result i32)
    (block (br 0) (drop (i32.mul (i32.const 1) (i32.const 2))))
    (if (i32.eqz (i32.const 0)) (then (nop)) (else (unreachable)))
    (drop (select (f32.const 1) (f32.const 2) (i32.const 0)))
    (i32.load (i32.const 0))
    (drop (f64.const 1))))"""
EXECUTED = [
    "block", "br", "drop", "f32.const", "i32.const", "i32.eqz", "i32.load", "i64.const", "if", "nop", "select (0x1b)"
]  # fmt: skip


def test_an_instruction_counts_when_it_is_begun() -> None:
    """What a branch or a trap leaves out does not; what traps does, and so do constants."""
    job = Job(binary.encode(text.parse(MODULE)), (Call("f", ()),), WASM_3, watched=True)
    answer = peer("reference").run(job)
    assert answer.executed == EXECUTED
    assert [str(outcome) for outcome in answer.calls] == ["trap out of bounds memory access"]
    assert used(text.parse(MODULE)) - set(EXECUTED) == {"i32.mul", "f64.const", "unreachable"}


def test_there_are_as_many_names_as_instructions() -> None:
    assert len(set(NAMES.values())) == len(OPS)
    assert len(possible(WASM_3)) == 497


def test_a_module_is_watched_for_what_nobody_has_seen_and_not_for_ever() -> None:
    watch, module = Watch(), text.parse(MODULE)
    assert watch.wants(module)
    watch.add(EXECUTED)
    assert [watch.wants(module) for _ in range(TRIES)] == [True] * (TRIES - 1) + [False]
    watch.add(used(module))
    assert not Watch().wants(text.parse("(module)"))


def test_an_engine_that_does_something_else_when_it_is_watched_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opcodes, "observe", lambda *_, **__: Answer(Outcome("trap", "unreachable")))
    answer = opcodes.watched(selection.engine("reference"), Job(b""), Answer(Outcome("returned")))
    assert str(answer.start) == "crash it does something else when it is watched"


@pytest.mark.parametrize("release", PROFILES)
def test_every_instruction_of_a_release_is_executed(release: str) -> None:
    """Some hundred modules are enough, the watch beginning anew with every hundred of them."""
    engine, missing = selection.engine("reference"), set(possible(PROFILES[release].features))
    watch = Watch()
    for seed in range(500):
        watch = watch if seed % 100 else Watch()
        made = seeded(seed, PROFILES[release])
        if watch.wants(made.module):
            observer = Executed()
            observe(engine, made.job(), observer=observer)
            watch.add(NAMES[op] for op in observer.rows)
        missing -= watch.seen
        if not missing:
            break
    assert not missing
