"""A NaN that an instruction makes is the same on every processor, and on both engines; one that is only moved keeps its bits."""

from __future__ import annotations

from itertools import product

import pytest

import pywasm_ref as wasm
from pywasm_ref.isa import OPS

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)
ENGINES = {"reference": "reference", "fast": native.ENGINE}

BITS = {"f32": "i32", "f64": "i64", "i32": "i32", "i64": "i64"}
NUMBERS = {
    "f32": [
        *(0, 0x8000_0000, 1, 0x3F80_0000, 0xBF80_0000, 0x4049_0FDB, 0x7F7F_FFFF, 0x7F80_0000, 0xFF80_0000),
        *(0x7FC0_0000, 0xFFC0_0000, 0x7FA0_0001, 0xFFA0_0001, 0x7FC1_2345, 0xFFFF_FFFF),
    ],
    "f64": [
        *(0, 1 << 63, 1, 0x3FF0 << 48, 0xBFF0 << 48, 0x4009_21FB_5444_2D18, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0 << 48, 0xFFF0 << 48),
        *(0x7FF8 << 48, 0xFFF8 << 48, 0x7FF4_0000_0000_0001, 0xFFF4_0000_0000_0001, 0x7FF8_0000_0001_2345, 2**64 - 1),
    ],
}
FLOATS = [op for op in OPS if not op.immediates and op.mnemonic[:4] in ("f32.", "f64.") and set(op.type.split()) <= {"f32", "f64", "->"}]


def as_bits(type: str, code: str) -> str:
    return f"({BITS[type]}.reinterpret_{type} {code})"


@pytest.mark.parametrize("mnemonic", [op.mnemonic for op in FLOATS])
def test_both_engines_give_the_same_bits(mnemonic: str) -> None:
    op = next(op for op in FLOATS if op.mnemonic == mnemonic)
    left, right = (side.split() for side in op.type.split("->"))
    floats = [f"({t}.reinterpret_{BITS[t]} (local.get {i}))" for i, t in enumerate(left)]
    locals = [f"(local.get {i + len(left)})" for i in range(len(left))]
    text = f"""(module (memory 1) (func (export "f") {"".join(f"(param {BITS[t]})" for t in left)} (result {BITS[right[0]]} {BITS[right[0]]} i64)
      {"".join(f"(local {t})" for t in left)} {"".join(f"(local.set {i + len(left)} {code})" for i, code in enumerate(floats))}
      {as_bits(right[0], f"({mnemonic} {' '.join(floats)})")}
      {as_bits(right[0], f"({mnemonic} {' '.join(locals)})")}
      ({right[0]}.store (i32.const 0) ({mnemonic} {" ".join(locals)})) (i64.load (i32.const 0))))"""
    reference, fast = (wasm.instantiate(text, engine=ENGINES[engine]).exports.f for engine in ("reference", "fast"))
    for operands in product(*(NUMBERS[t] for t in left)):
        assert fast(*operands) == reference(*operands), list(map(hex, operands))
