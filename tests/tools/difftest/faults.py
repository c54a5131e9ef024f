"""Ten faults to plant in a copy of the reference engine: `python -m tests.tools.difftest.faults NAME:FAULT` is that copy as a child of the lab."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution import rules
from pywasm_ref.execution.instructions import reference
from pywasm_ref.isa import OPS
from pywasm_ref.numerics import F32, F64, I32, I64
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import AbsHeapType, RefType
from pywasm_ref.tools.difftest import worker

ROWS = {op.mnemonic: op for op in OPS}


def replace(mnemonic: str, primitive: Callable[..., int]) -> None:
    """Have an instruction compute something else."""
    object.__setattr__(ROWS[mnemonic], "primitive", primitive)


def wrong_rounding() -> None:
    """Halves go up, not to the even neighbour."""
    half = F64.from_float(0.5)
    replace("f64.nearest", lambda x: F64.floor(F64.add(x, half)))


def missing_wrap() -> None:
    """Five bits more than there are."""
    replace("i32.rotl", lambda a, n: (a << (n & 31)) & 0x1F_FFFF_FFFF | a >> (32 - (n & 31)))


def off_by_one() -> None:
    """The last byte of a memory is out of bounds."""
    proper = rules.REDUCE[form.Load]

    def load(z: Any, i: Any) -> None:
        if z.values[-1] + i.offset + i.op.access >= len(z.module.mems[i.memory].data):
            raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
        proper(z, i)

    rules.REDUCE[form.Load] = load


def wrong_subtyping() -> None:
    """Arrays are structures."""
    proper = reference.ref_ok

    def ref_ok(ref: Any, t: Any, types: Any) -> bool:
        also = t.heap is AbsHeapType.STRUCT and proper(ref, RefType(False, AbsHeapType.ARRAY), types)
        return proper(ref, t, types) or also

    vars(reference)["ref_ok"] = ref_ok


def lost_minus_zero() -> None:
    """A product is never -0."""
    replace("f32.mul", lambda a, b: 0 if (c := F32.mul(a, b)) == F32.sign else c)


def wrong_trap() -> None:
    """The largest quotient is a division by zero."""

    def div_s(a: int, b: int) -> int:
        if (a, b) == (2**31, 2**32 - 1):
            raise Trap(TrapReason.INTEGER_DIVIDE_BY_ZERO)
        return I32.div_s(a, b)

    replace("i32.div_s", div_s)


def nan_payload() -> None:
    """The sign of a NaN is taken for no matter."""
    replace("f32.copysign", lambda a, b: a if F32.is_nan(a) else F32.copysign(a, b))


def shift_mask() -> None:
    """One bit of the distance is lost."""
    replace("i64.shr_u", lambda a, n: I64.shr_u(a, n & 31))


def sign_extension() -> None:
    """Zeros in front of what was negative."""
    replace("i64.load16_s", lambda c: c)


def dropped_write() -> None:
    """Bytes at odd addresses are not written."""
    proper = rules.REDUCE[form.StorePack]

    def store(z: Any, i: Any) -> None:
        if i.op.access == 1 and z.values[-2] % 2:
            del z.values[-2:]
        else:
            proper(z, i)

    rules.REDUCE[form.StorePack] = store


FAULTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        wrong_rounding,
        missing_wrap,
        off_by_one,
        wrong_subtyping,
        lost_minus_zero,
        wrong_trap,
        nan_payload,
        shift_mask,
        sign_extension,
        dropped_write,
    )
}

if __name__ == "__main__":
    name, _, fault = sys.argv[1].partition(":")
    FAULTS[fault]()
    raise SystemExit(worker.main([name, *sys.argv[2:]]))
