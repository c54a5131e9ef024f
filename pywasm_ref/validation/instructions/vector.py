"""Vector instructions: the table says their types; lane indices have bounds.

Spec    valid/instructions.html#vector-instructions
"""

from __future__ import annotations

from functools import cache

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Op
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.memory import access
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import fixed

VECTOR_BYTES = 16

types(form.VConst, "Instr_ok/vconst")(fixed)
types(form.VVUnop, "Instr_ok/vvunop")(fixed)
types(form.VVBinop, "Instr_ok/vvbinop")(fixed)
types(form.VVTernop, "Instr_ok/vvternop")(fixed)
types(form.VVTestop, "Instr_ok/vvtestop")(fixed)
types(form.VUnop, "Instr_ok/vunop")(fixed)
types(form.VBinop, "Instr_ok/vbinop")(fixed)
types(form.VTernop, "Instr_ok/vternop")(fixed)
types(form.VTestop, "Instr_ok/vtestop")(fixed)
types(form.VRelop, "Instr_ok/vrelop")(fixed)
types(form.VShiftop, "Instr_ok/vshiftop")(fixed)
types(form.VBitmask, "Instr_ok/vbitmask")(fixed)
types(form.VSwizzlop, "Instr_ok/vswizzlop")(fixed)
types(form.VSplat, "Instr_ok/vsplat")(fixed)
types(form.VExtUnop, "Instr_ok/vextunop")(fixed)
types(form.VExtBinop, "Instr_ok/vextbinop")(fixed)
types(form.VExtTernop, "Instr_ok/vextternop")(fixed)
types(form.VNarrow, "Instr_ok/vnarrow")(fixed)
types(form.VCvtop, "Instr_ok/vcvtop")(fixed)


@types(form.VShuffle, "Instr_ok/vshuffle")
def vshuffle(c: Checker, i: form.VShuffle) -> None:
    """The lanes of both operands are counted through."""
    for lane in i.lanes:
        require_lane(lane, 2 * VECTOR_BYTES)
    fixed(c, i)


@types(form.VExtractLane, "Instr_ok/vextract_lane")
def vextract_lane(c: Checker, i: form.VExtractLane) -> None:
    require_lane(i.lane, lanes(i.op))
    fixed(c, i)


@types(form.VReplaceLane, "Instr_ok/vreplace_lane")
def vreplace_lane(c: Checker, i: form.VReplaceLane) -> None:
    require_lane(i.lane, lanes(i.op))
    fixed(c, i)


@types(form.VLoadLane, "Instr_ok/vload_lane")
def vload_lane(c: Checker, i: form.VLoadLane) -> None:
    access(c, i)
    require_lane(i.lane, VECTOR_BYTES // i.op.access)


@types(form.VStoreLane, "Instr_ok/vstore_lane")
def vstore_lane(c: Checker, i: form.VStoreLane) -> None:
    access(c, i)
    require_lane(i.lane, VECTOR_BYTES // i.op.access)


@cache
def lanes(op: Op) -> int:
    """How many lanes the shape in an instruction's name has."""
    shape, _, _ = op.mnemonic.partition(".")
    return int(shape.partition("x")[2])


def require_lane(lane: int, count: int) -> None:
    """Fails   Invalid  "invalid lane index" """
    if lane >= count:
        raise Invalid(f"invalid lane index {lane}: there are {count} lanes")
