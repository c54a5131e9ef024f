"""Instructions whose type stands in the table: the signature column is their check."""

from __future__ import annotations

import re

from pywasm_ref.syntax.instructions import Instr, Op
from pywasm_ref.syntax.types import ANYREF, EXTERNREF, F32, F64, I32, I64, V128, AbsHeapType, NumType, RefType, ValType
from pywasm_ref.validation.context import Checker

Signature = tuple[list[ValType], list[ValType]]

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
    "(ref null extern)": EXTERNREF,
    "(ref null any)": ANYREF,
}


class Signatures(dict[Op, Signature]):
    """The parsed type column of each row, read when first asked for; `at` is the given address type."""

    def __init__(self, at: NumType) -> None:
        super().__init__()
        self.names: dict[str, ValType] = {**_NAMED, "at": at}

    def __missing__(self, op: Op) -> Signature:
        params, results = op.type.split("->")
        done = self[op] = (self.parse(params), self.parse(results))
        return done

    def parse(self, words: str) -> list[ValType]:
        return [self.names[word] for word in re.findall(r"\([^)]*\)|\S+", words)]


SIGNATURES = {I32: Signatures(I32), I64: Signatures(I64)}
_FIXED = SIGNATURES[I32]


def fixed(c: Checker, i: Instr) -> None:
    """Any instruction whose type does not depend on its immediates or the context."""
    apply(c, _FIXED[i.op])


def apply(c: Checker, signature: Signature) -> None:
    """Take the parameters of a signature from the stack, and leave its results.

    Fails   Invalid  "type mismatch"
    """
    params, results = signature
    vals = c.vals
    bottom = len(vals) - len(params)
    if bottom >= c.height and vals[bottom:] == params:
        vals[bottom:] = results
    else:
        c.pop_vals(params)
        vals.extend(results)
