"""Vector instructions: what they compute is in the table's rows, as functions of `numerics/`.

Spec    exec/instructions.html#vector-instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.instructions.memory import OUT_OF_BOUNDS, PACK, UNPACK, load_case, store_case
from pywasm_ref.execution.rules import Computing, reduces
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine


@reduces(form.VConst)
def vconst(z: Machine, i: form.VConst) -> None:
    """A constant is a value already.

    Spec    exec/instructions.html#exec-vconst
    """
    z.values.append(i.value)


# One operand. The rules of some forms foresee that there is no result, and so a trap; no vector operator is like that.


@reduces(form.VVUnop, "Step_pure/vvunop")
def vvunop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vvunop"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VUnop, "Step_pure/vunop-val")
def vunop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vunop"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VVTestop, "Step_pure/vvtestop")
def vvtestop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vvtestop"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VTestop, "Step_pure/vtestop")
def vtestop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vtestop"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VBitmask, "Step_pure/vbitmask")
def vbitmask(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vbitmask"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VSplat, "Step_pure/vsplat")
def vsplat(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vsplat"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VExtUnop, "Step_pure/vextunop")
def vextunop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vextunop"""
    z.values[-1] = i.op.primitive(z.values[-1])


@reduces(form.VCvtop, "Step_pure/vcvtop")
def vcvtop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vcvtop"""
    z.values[-1] = i.op.primitive(z.values[-1])


# Two operands


@reduces(form.VVBinop, "Step_pure/vvbinop")
def vvbinop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vvbinop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VBinop, "Step_pure/vbinop-val")
def vbinop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vbinop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VRelop, "Step_pure/vrelop")
def vrelop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vrelop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VShiftop, "Step_pure/vshiftop")
def vshiftop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vshiftop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VSwizzlop, "Step_pure/vswizzlop")
def vswizzlop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vswizzlop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VShuffle, "Step_pure/vshuffle")
def vshuffle(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vshuffle"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(i.lanes, z.values[-1], second)


@reduces(form.VNarrow, "Step_pure/vnarrow")
def vnarrow(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vnarrow"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


@reduces(form.VExtBinop, "Step_pure/vextbinop")
def vextbinop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vextbinop"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], second)


# Three operands


@reduces(form.VVTernop, "Step_pure/vvternop")
def vvternop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vvternop"""
    z.values[-3:] = (i.op.primitive(*z.values[-3:]),)


@reduces(form.VTernop, "Step_pure/vternop-val")
def vternop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vternop"""
    z.values[-3:] = (i.op.primitive(*z.values[-3:]),)


@reduces(form.VExtTernop, "Step_pure/vextternop")
def vextternop(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vextternop"""
    z.values[-3:] = (i.op.primitive(*z.values[-3:]),)


# Lanes


def _extract_case(z: Machine, i: form.VExtractLane) -> bool:
    return i.op.mnemonic.startswith(("i8x16", "i16x8"))


@reduces(form.VExtractLane, "Step_pure/vextract_lane-num", "Step_pure/vextract_lane-pack", case=_extract_case)
def vextract_lane(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vextract_lane"""
    z.values[-1] = i.op.primitive(z.values[-1], i.lane)


@reduces(form.VReplaceLane, "Step_pure/vreplace_lane")
def vreplace_lane(z: Machine, i: Computing) -> None:
    """Spec    exec/instructions.html#exec-vreplace_lane"""
    second = z.values.pop()
    z.values[-1] = i.op.primitive(z.values[-1], i.lane, second)


# Memory


def read(z: Machine, i: form.Access, address: int) -> int:
    """The bytes at an address as one integer.

    Traps   "out of bounds memory access"
    """
    try:
        c: int = UNPACK[i.op.access](z.module.mems[i.memory].data, address + i.offset)[0]
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None
    return c


def write(z: Machine, i: form.Access, address: int, c: int) -> None:
    """Write an integer as the bytes at an address.

    Traps   "out of bounds memory access"
    """
    try:
        PACK[i.op.access](z.module.mems[i.memory].data, address + i.offset, c)
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None


@reduces(form.VLoad, "Step_read/vload-val", "Step_read/vload-oob", case=load_case)
def vload(z: Machine, i: form.VLoad) -> None:
    """Traps   "out of bounds memory access"

    Spec    exec/instructions.html#exec-vload-val
    """
    z.values[-1] = read(z, i, z.values[-1])


@reduces(form.VLoadPack, "Step_read/vload-pack-val", "Step_read/vload-pack-oob", case=load_case)
def vload_pack(z: Machine, i: Computing) -> None:
    """Load narrow lanes and extend them.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-vload-pack
    """
    z.values[-1] = i.op.primitive(read(z, i, z.values[-1]))


@reduces(form.VLoadSplat, "Step_read/vload-splat-val", "Step_read/vload-splat-oob", case=load_case)
def vload_splat(z: Machine, i: Computing) -> None:
    """Load one lane for all.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-vload-splat
    """
    z.values[-1] = i.op.primitive(read(z, i, z.values[-1]))


@reduces(form.VLoadZero, "Step_read/vload-zero-val", "Step_read/vload-zero-oob", case=load_case)
def vload_zero(z: Machine, i: form.VLoadZero) -> None:
    """Load the lowest lane, the others being zero.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-vload-zero
    """
    z.values[-1] = read(z, i, z.values[-1])


@reduces(form.VLoadLane, "Step_read/vload_lane-val", "Step_read/vload_lane-oob", case=store_case)
def vload_lane(z: Machine, i: Computing) -> None:
    """Load one lane of a vector.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-vload_lane
    """
    vector = z.values.pop()
    z.values[-1] = i.op.primitive(vector, i.lane, read(z, i, z.values[-1]))


@reduces(form.VStore, "Step/vstore-val", "Step/vstore-oob", case=store_case)
def vstore(z: Machine, i: form.VStore) -> None:
    """Traps   "out of bounds memory access"

    Spec    exec/instructions.html#exec-vstore
    """
    vector = z.values.pop()
    write(z, i, z.values.pop(), vector)


@reduces(form.VStoreLane, "Step/vstore_lane-val", "Step/vstore_lane-oob", case=store_case)
def vstore_lane(z: Machine, i: Computing) -> None:
    """Store one lane of a vector.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-vstore_lane
    """
    vector = z.values.pop()
    write(z, i, z.values.pop(), i.op.primitive(vector, i.lane))
