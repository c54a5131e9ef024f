"""Every numeric and vector instruction agrees bit for bit with an engine that nobody here wrote."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pywasm_ref.errors import Trap
from pywasm_ref.isa import OPS
from pywasm_ref.numerics import F32, F64, Floats
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Op
from tests.numerics.operands import scalar_rows, vector_rows

if os.environ.get("CI") != "true":  # there, nothing may go unseen: without the oracle the import below fails
    pytest.importorskip("wasmtime", reason="wasmtime, the oracle, is not installed")

from tests.numerics.oracle import Case, Oracle

if TYPE_CHECKING:
    from tests.numerics.oracle import Row

FLOATS = {"f32": F32, "f64": F64}
MOVES_BITS = ("abs", "neg", "copysign", "reinterpret", "pmin", "pmax", "splat", "lane")
"""In the names of instructions that yield a float but compute none: they keep the payload of a NaN."""

OTHER_CHOICE = ("relaxed_madd", "relaxed_nmadd", "relaxed_dot_i8x16_i7x16_add_s")
"""wasmtime rounds once after multiplying and adding, and does not saturate between the sums: allowed, but not the choice made here."""


def signature(op: Op) -> tuple[tuple[str, ...], tuple[str, ...]]:
    operands, results = op.type.split("->")
    return tuple(operands.split()), tuple(results.split())


def computes(op: Op) -> Floats | None:
    """The kind of float that the instruction computes: that of its result, or of the lanes of its result."""
    if op.form is form.VRelop or any(word in op.mnemonic for word in MOVES_BITS):
        return None
    _, results = signature(op)
    return FLOATS.get(op.mnemonic[:3] if results == ("v128",) else results[0])


def at_lane(function: Callable[..., int], lane: int, v: int, *x: int) -> int:
    return function(v, lane, *x)


def cases(op: Op) -> Iterator[Case]:
    """The instruction with every lane that it can name, or with some shuffles."""
    assert op.primitive is not None
    operands, results = signature(op)
    match op.immediates:
        case ():
            yield Case(op.mnemonic, operands, results, op.primitive, computes(op))
        case ("laneidx",):
            for lane in range(int(op.mnemonic.split(".")[0].partition("x")[2])):
                yield Case(f"{op.mnemonic} {lane}", operands, results, partial(at_lane, op.primitive, lane), None)
        case _:
            rng = random.Random(op.mnemonic)
            for _ in range(4):
                lanes = tuple(rng.randrange(32) for _ in range(16))
                yield Case(f"{op.mnemonic} {' '.join(map(str, lanes))}", operands, results, partial(op.primitive, lanes), None)


COMPUTING = [op for op in OPS if op.primitive is not None and not op.access and not op.mnemonic.endswith(OTHER_CHOICE)]
SCALAR = [case for op in COMPUTING if "v128" not in op.type for case in cases(op)]
VECTOR = [case for op in COMPUTING if "v128" in op.type for case in cases(op)]


def scalar_rows_of(case: Case) -> list[Row]:
    return scalar_rows(case.operands, seed=case.instruction)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle([*SCALAR, *VECTOR])


def agree(floats: Floats, ours: int, theirs: int, operands: list[tuple[Floats, int]]) -> bool:
    """Whether the other result is ours, or both are NaNs, theirs one that the specification allows and ours the canonical one.

    Spec    exec/numerics.html#aux-nans
    """
    if not floats.is_nan(theirs):
        return ours == theirs
    if any(kind.is_nan(z) and not kind.is_canonical_nan(z) for kind, z in operands):
        return ours == floats.canonical_nan and floats.is_arithmetic_nan(theirs)
    return ours == floats.canonical_nan and floats.is_canonical_nan(theirs)


def scalars_agree(case: Case, row: Row, ours: Row, theirs: Row) -> bool:
    if case.computes is None:
        return ours == theirs
    return agree(case.computes, ours[0], theirs[0], [(FLOATS[t], z) for t, z in zip(case.operands, row, strict=True) if t in FLOATS])


def test_the_oracle_is_asked_about_all_scalar_instructions_and_enough_operands() -> None:
    numeric = [case for case in SCALAR if len(case.results) == 1]
    assert len(numeric) == 136
    assert sum(len(scalar_rows_of(case)) for case in numeric) >= 40_000


@pytest.mark.parametrize("case", SCALAR, ids=str)
def test_a_scalar_instruction_agrees_bit_for_bit_traps_included(case: Case, oracle: Oracle) -> None:
    results: dict[Row, Row] = {}
    for row in scalar_rows_of(case):
        try:
            results[row] = case.ours(row)
        except Trap as trap:
            assert oracle.trap(case, row) is trap.reason, row
    theirs = oracle.results(case, list(results))
    assert not [
        (row, ours, other) for (row, ours), other in zip(results.items(), theirs, strict=True) if not scalars_agree(case, row, ours, other)
    ]


def vectors_agree(case: Case, ours: int, theirs: int) -> bool:
    """As for scalars, lane by lane; which lanes of the operands were NaNs is left aside."""
    floats = case.computes
    if floats is None:
        return ours == theirs
    shifts = range(0, 128, floats.width)
    mask = (1 << floats.width) - 1
    return all(agree(floats, ours >> k & mask, theirs >> k & mask, [(floats, floats.magnitude)]) for k in shifts)


@pytest.mark.parametrize("case", VECTOR, ids=str)
def test_a_vector_instruction_agrees_bit_for_bit(case: Case, oracle: Oracle) -> None:
    name, _, rest = case.instruction.partition(".")
    shape = next((s for s in ("i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2") if s in rest), name)
    rows = vector_rows(case.operands, shape, seed=case.instruction)
    theirs = oracle.results(case, rows)
    assert not [(row, other) for row, (other,) in zip(rows, theirs, strict=True) if not vectors_agree(case, case.ours(row)[0], other)]
