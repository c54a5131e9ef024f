"""The set of right answers: it holds what the specification leaves open, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pywasm_ref import binary
from pywasm_ref.features import WASM_3
from pywasm_ref.isa import OPS
from pywasm_ref.tools.difftest.allowed import CHOICES, allows
from pywasm_ref.tools.difftest.compare import Ability, compare
from pywasm_ref.tools.difftest.generate import PROFILES, portable, seeded
from pywasm_ref.tools.difftest.generate.nans import FUSED, OPEN
from pywasm_ref.tools.difftest.generate.space import make
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job, Outcome
from pywasm_ref.tools.difftest.peers import peer
from pywasm_ref.tools.difftest.single import around, instruction_of, rows, single

ONE, NAN, OTHER_NAN, PAYLOAD, SIGNALLING = 0x3F80_0000, 0x7FC0_0000, 0xFFC0_0000, 0x7FC0_0001, 0x7FA0_0000
ABOVE, SMALL = 0x3F80_0001, 0x3380_0000
"""1 and the least above it; the half of their distance."""


@pytest.mark.parametrize(
    ("name", "operands", "measure", "answer", "right"),
    [
        ("f32.add", (ONE, NAN), NAN, OTHER_NAN, True),
        ("f32.add", (ONE, NAN), NAN, PAYLOAD, False),
        ("f32.add", (ONE, SIGNALLING), NAN, PAYLOAD, True),
        ("f32.add", (ONE, SIGNALLING), NAN, SIGNALLING, False),
        ("f32.add", (ONE, ONE), 0x4000_0000, NAN, False),
        ("f32.neg", (NAN,), OTHER_NAN, NAN, False),
        ("i32.add", (1, 2), 3, 4, False),
        ("f32x4.add", (NAN << 32, PAYLOAD), NAN << 32 | NAN, PAYLOAD << 32 | NAN, False),
        ("f32x4.add", (NAN << 32, PAYLOAD), NAN << 32 | NAN, NAN << 32 | PAYLOAD, True),
        ("i8x16.relaxed_swizzle", (7, int.from_bytes([16] * 16)), 0, int.from_bytes([7] * 16), True),
        ("i8x16.relaxed_swizzle", (7, int.from_bytes([128] * 16)), 0, 7, False),
        ("i32x4.relaxed_trunc_f32x4_s", (NAN,), 0, 2**31, True),
        ("i32x4.relaxed_trunc_f32x4_s", (ONE,), 1, 2**31, False),
        ("i32x4.relaxed_trunc_f64x2_u_zero", (0xBFF0 << 48,), 0, 2**32 - 1, True),
        ("f32x4.relaxed_min", (0x8000_0000, 0), 0x8000_0000, 0, True),
        ("f32x4.relaxed_min", (NAN, ONE), NAN, ONE, True),
        ("f32x4.relaxed_max", (ONE, 0), ONE, 0, False),
        ("f32x4.relaxed_madd", (ABOVE, ABOVE, 0xBF80_0002), 0, 0x2880_0000, True),
        ("f32x4.relaxed_madd", (ABOVE, ABOVE, 0xBF80_0002), 0, 0x2880_0001, False),
        ("f32x4.relaxed_madd", (0x7DD8_A9DD, 0x4B7F_FFFF, 0xFF80_0000), 0x7FC0_0000, 0xFF80_0000, True),
        ("f32x4.relaxed_madd", (0x7DD8_A9DD, 0x4B7F_FFFF, 0xFF80_0000), 0x7FC0_0000, 0x7F80_0000, False),
        ("i16x8.relaxed_q15mulr_s", (0x8000, 0x8000), 0x7FFF, 0x8000, True),
        ("i16x8.relaxed_laneselect", (0x1234, 0x5678, 0x0080), 0x5678, 0x5634, True),
        ("i32x4.relaxed_laneselect", (0x1234, 0x5678, 0x0080), 0x5678, 0x5634, False),
        ("i16x8.relaxed_dot_i8x16_i7x16_s", (0x0101, 0xFFFF), 0xFFFE, 0x01FE, True),
        ("i16x8.relaxed_dot_i8x16_i7x16_s", (0x0101, 0x0101), 2, 3, False),
    ],
)  # fmt: skip
def test_an_answer_is_right_when_it_is_in_the_set(name: str, operands: tuple[int, ...], measure: int, answer: int, right: bool) -> None:
    assert allows(make(name), operands, measure, answer) is right


def test_every_instruction_that_leaves_a_choice_has_its_set() -> None:
    relaxed = {op.mnemonic for op in OPS if op.feature in WASM_3 and "relaxed" in op.mnemonic}
    assert relaxed == set(CHOICES)
    assert relaxed >= FUSED | {name for name in OPEN if "relaxed" in name}


@pytest.mark.parametrize("profile", [PROFILES["3.0"], portable(PROFILES["3.0"])], ids=["3.0", "portable"])
def test_the_deterministic_answer_is_among_them(profile: object) -> None:
    """Each instruction that leaves a choice, with what the reference engine says itself."""
    assert isinstance(profile, type(PROFILES["3.0"]))
    reference = peer("reference")
    for seed, op in enumerate(rows(profile.features)):
        if op.mnemonic in CHOICES:
            made = single(seed, profile)
            job = made.job()
            answer = reference.run(job)
            assert not compare(job, {"a": answer, "b": answer}, {"a": Ability(), "b": Ability()})
            found = instruction_of(binary.decode(job.data, job.features))
            assert found is not None
            assert (found[0].op, found[1]) == (op, profile.plain_host)


def test_an_instruction_is_known_by_its_function_whatever_is_left_beside_it() -> None:
    module = around(make("i32.store", 0, 0, 0), False)
    left = replace(module, funcs=module.funcs[:1], exports=module.exports[:1], datas=())
    assert instruction_of(left) == instruction_of(module) == (make("i32.store", 0, 0, 0), False)
    assert instruction_of(replace(left, exports=())) is None
    assert instruction_of(replace(left, start=0)) is None
    assert instruction_of(replace(left, exports=module.exports[1:2])) is None
    assert instruction_of(replace(left, datas=(replace(module.datas[0], init=b"x"),))) is None


def test_growth_may_fail_and_what_follows_is_not_compared() -> None:
    job = Job(binary.encode(around(make("memory.grow", 0), False)), (Call("f", (1,)), Call("f", (0,))), WASM_3)
    answer = peer("reference").run(job)
    assert [outcome.values for outcome in answer.calls] == [("i32:0x1",), ("i32:0x2",)]
    refused = Answer(answer.start, [Outcome("returned", "", ("i32:0xffffffff",)), Outcome("returned", "", ("i32:0x1",))])
    wrong = replace(answer, calls=[Outcome("returned", "", ("i32:0x7",)), answer.calls[1]])
    abilities = {"a": Ability(), "b": Ability()}
    assert not compare(job, {"a": answer, "b": refused}, abilities)
    assert [d.where for d in compare(job, {"a": answer, "b": wrong}, abilities)] == ["call 0 f"]


@pytest.mark.parametrize("swapped", [False, True])
def test_growth_beyond_the_maximum_has_to_fail(swapped: bool) -> None:
    job = Job(binary.encode(around(make("memory.grow", 0), False)), (Call("f", (3,)),), WASM_3)
    refused = peer("reference").run(job)
    assert [outcome.values for outcome in refused.calls] == [("i32:0xffffffff",)]
    grown = replace(refused, calls=[Outcome("returned", "", ("i32:0x1",))])
    first, second = (grown, refused) if swapped else (refused, grown)
    found = compare(job, {"a": first, "b": second}, {"a": Ability(), "b": Ability()})
    assert [d.where for d in found] == ["call 0 f"]


def test_an_engine_that_leaves_calls_out_differs() -> None:
    job = seeded(0, PROFILES["1.0"]).job()
    answer = peer("reference").run(job)
    short = replace(answer, calls=answer.calls[:-1])
    for answers in ({"a": answer, "b": short}, {"a": short, "b": answer}):
        assert [d.where for d in compare(job, answers, {"a": Ability(), "b": Ability()})] == ["calls"]
