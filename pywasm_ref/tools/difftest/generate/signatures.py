"""The type column of the instruction table, read: which instructions have a fixed type, and which."""

from __future__ import annotations

import re
from typing import NamedTuple

from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Op
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType, RefType, ValType

_NAMED: dict[str, ValType] = {
    "i32": I32,
    "i64": I64,
    "f32": F32,
    "f64": F64,
    "v128": V128,
    "eqref": RefType(True, AbsHeapType.EQ),
    "i31ref": RefType(True, AbsHeapType.I31),
    "(ref i31)": RefType(False, AbsHeapType.I31),
    "(ref null array)": RefType(True, AbsHeapType.ARRAY),
}
_IMMEDIATES = {"laneidx", "laneidx*16", "i32", "i64", "f32", "f64", "v128"}


class Signature(NamedTuple):
    params: list[ValType]
    results: list[ValType]


def _read(op: Op) -> Signature | None:
    """The type of a row, if it names nothing that depends on the module."""
    sides = [re.findall(r"\([^)]*\)|\S+", side) for side in op.type.split("->")]
    if not set(op.immediates) <= _IMMEDIATES or not all(word in _NAMED for side in sides for word in side):
        return None
    return Signature(*([_NAMED[word] for word in side] for side in sides))


SIGNATURES: dict[Op, Signature] = {op: signature for op in OPS if (signature := _read(op)) is not None}


def fixed(op: Op) -> bool:
    return op in SIGNATURES
