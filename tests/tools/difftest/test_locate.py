"""Where two engines part is said by the opcode."""

from __future__ import annotations

import sys

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import WASM_3
from pywasm_ref.tools.difftest.crew import Crew
from pywasm_ref.tools.difftest.generate import PROFILES, Generated, seeded
from pywasm_ref.tools.difftest.jobs import Call
from pywasm_ref.tools.difftest.locate import parting, probed
from pywasm_ref.validation import validate

LOOP = """(module (memory 1) (func (export "f") (param i32) (result i64) (local i64)
  (loop (local.set 1 (i64.shr_u (i64.add (local.get 1) (i64.const 0x100000000)) (i64.extend_i32_u (local.get 0))))
    (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 40))))
  (local.get 1)))"""
EDGE = '(module (memory 1) (func (export "f") (param i32) (result i32) (nop) (i32.load (i32.add (local.get 0) (i32.const 65532)))))'


@pytest.mark.parametrize(
    ("fault", "source", "argument", "said"),
    [
        ("shift_mask", LOOP, 20, "they differ in the result of i64.shr_u (opcode 6 of function 0)."),
        ("off_by_one", EDGE, 0, "reference:off_by_one ends behind i32.load (opcode 4 of function 0), reference goes on."),
    ],
)
def test_the_first_instruction_that_differs_is_found(fault: str, source: str, argument: int, said: str) -> None:
    faulty = f"reference:{fault}"
    crew = Crew(("reference", faulty), {faulty: (sys.executable, "-m", "tests.tools.difftest.faults")})
    try:
        made = Generated(text.parse(source), (Call("f", (argument,)),), WASM_3, True)
        assert parting(made, crew, "reference", faulty).endswith(said)
        assert not parting(made, crew, "reference", "reference")
    finally:
        crew.close()


@pytest.mark.parametrize("release", PROFILES)
def test_probes_leave_modules_valid(release: str) -> None:
    for seed in range(8):
        made = seeded(seed, PROFILES[release])
        module, places = probed(made.module)
        validate(binary.decode(binary.encode(module), made.features), made.features)
        assert len(places) > made.size()
