"""Vectors and wide arithmetic: what each instruction does with one lane, in C, and the operations around it.

In a lane's expression `X`, `Y` and `Z` are lanes of the operands at place `i`; `S` before them reads a lane as signed, `F` as a
number, `H` as one of half the width and `D` as one of twice the width (`SHX[i + 8]`). `W` is the width, and `s` a scalar operand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from _fastcore.generate.model import Operation
from _fastcore.generate.numeric import LETTERS
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Op

PREFIX = 0xFD
C_TYPES = {"v128": "V128", "i32": "uint32_t", "i64": "uint64_t", "f32": "float", "f64": "double"}
BOUNDS = "ea = {ea}\nif ea + {size} > lim: TRAP OUT_OF_BOUNDS_MEMORY\n"

INTEGER = {
    "abs": "SX < 0 ? -X : X", "neg": "-X", "add": "X + Y", "sub": "X - Y", "mul": "X * Y",
    "eq": "-(X == Y)", "ne": "-(X != Y)", "shl": "X << (s & (W - 1))", "shr_s": "SX >> (s & (W - 1))", "shr_u": "X >> (s & (W - 1))",
    **{f"{name}_{sign}": f"{x} {c} {y} ? {x} : {y}" for name, c in (("min", "<"), ("max", ">"))
       for sign, x, y in (("s", "SX", "SY"), ("u", "X", "Y"))},
    **{f"{name}_{sign}": f"-({x} {c} {y})" for name, c in (("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">="))
       for sign, x, y in (("s", "SX", "SY"), ("u", "X", "Y"))},
    **{f"{name}_sat_{sign}": f"sat_{sign}W({x} {c} {y})" for name, c in (("add", "+"), ("sub", "-"))
       for sign, x, y in (("s", "SX", "SY"), ("u", "X", "Y"))},
    "avgr_u": "(X + Y + 1) >> 1", "popcnt": "ones8(X)", "splat": "s", "replace_lane": "(uint32_t)i == k ? (LANE)s : X",
    "q15mulr_sat_s": "sat_s16((SX * SY + 0x4000) >> 15)", "relaxed_q15mulr_s": "sat_s16((SX * SY + 0x4000) >> 15)",
    "swizzle": "Y < 16 ? X[Y & 15] : 0", "relaxed_swizzle": "Y < 16 ? X[Y & 15] : 0",
    "relaxed_laneselect": "(X & Z) | (Y & ~Z)",
    "dot_i16x8_s": "(uint32_t)(SHX[2 * i] * SHY[2 * i]) + (uint32_t)(SHX[2 * i + 1] * SHY[2 * i + 1])",
    "relaxed_dot_i8x16_i7x16_s": "sat_s16(SHX[2 * i] * SHY[2 * i] + SHX[2 * i + 1] * SHY[2 * i + 1])",
}  # fmt: skip
FLOAT = {
    "abs": "X & ~SIGN", "neg": "X ^ SIGN", "sqrt": "canonW(sqrtF(FX))",
    "ceil": "ceilW(FX)", "floor": "floorW(FX)", "trunc": "truncW(FX)", "nearest": "nearestW(FX)",
    "add": "canonW(FX + FY)", "sub": "canonW(FX - FY)", "mul": "canonW(FX * FY)", "div": "canonW(FX / FY)",
    "min": "leastW(FX, FY)", "max": "mostW(FX, FY)", "pmin": "FY < FX ? Y : X", "pmax": "FX < FY ? Y : X",
    "relaxed_min": "leastW(FX, FY)", "relaxed_max": "mostW(FX, FY)",
    "relaxed_madd": "canonW(FX * FY + FZ)", "relaxed_nmadd": "canonW(FZ - FX * FY)",
    **{name: f"-(LANE)(FX {c} FY)" for name, c in
       (("eq", "=="), ("ne", "!="), ("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">="))},
    "convert_i32x4_s": "bits_of_f32((float)x.i32[i])", "convert_i32x4_u": "bits_of_f32((float)x.u32[i])",
    "convert_low_i32x4_s": "bits_of_f64((double)x.i32[i])", "convert_low_i32x4_u": "bits_of_f64((double)x.u32[i])",
    "promote_low_f32x4": "canon64((double)x.f32[i])", "splat": "bits_of_fW(s)",
    "replace_lane": "(LANE)i == k ? bits_of_fW(s) : X",
}  # fmt: skip
BITS = {"not": "~X", "and": "X & Y", "andnot": "X & ~Y", "or": "X | Y", "xor": "X ^ Y", "bitselect": "(X & Z) | (Y & ~Z)"}
SOURCES = (("f32x4", "", "FX"), ("f64x2", "_zero", "x.f64[i]"))
WHOLE = {f"{name}{shape}_{sign}{zero}": f"whole_{sign}32({source})"
         for name in ("trunc_sat_", "relaxed_trunc_") for shape, zero, source in SOURCES for sign in "su"}  # fmt: skip


def _widening(width: int) -> dict[str, str]:
    """The instructions of a shape that read lanes of half its width."""
    count, half = 128 // width, f"i{width // 2}x{256 // width}"
    found = {}
    for sign, prefix in (("s", "S"), ("u", "")):
        for place, at in (("low", "i"), ("high", f"i + {count}")):
            x, y = f"{prefix}HX[{at}]", f"{prefix}HY[{at}]"
            found[f"extend_{place}_{half}_{sign}"] = x
            found[f"extmul_{place}_{half}_{sign}"] = f"({'S' if prefix else ''}LANE){x} * {y}"
        found[f"extadd_pairwise_{half}_{sign}"] = f"{prefix}HX[2 * i] + {prefix}HX[2 * i + 1]"
    return found


def _c(expression: str, width: int) -> str:
    """An expression for lanes of a width, in C."""

    def lane(match: re.Match[str]) -> str:
        kind, size, name, place = match.groups()
        bits = width // 2 if size == "H" else width * 2 if size == "D" else width
        return f"{name.lower()}.{ {'S': 'i', 'F': 'f', None: 'u'}[kind] }{bits}{place or '[i]'}"

    text = expression.replace("SLANE", f"int{width}_t").replace("LANE", f"uint{width}_t")
    text = text.replace("sqrtF", "sqrtf" if width == 32 else "sqrt").replace("SIGN", f"((uint{width}_t)1 << {width - 1})")
    for _ in range(2):  # a lane may be the place of another
        text = re.sub(r"\b([SF])?([HD])?([XYZ])\b(\[[^][]*\])?", lane, text)
    return re.sub(r"(?<=[a-z_])W\b|\bW\b", str(width), text)


def _parameters(op: Op) -> str:
    left = op.type.split("->")[0].split()
    vectors = iter("xyz")
    named = [f"{C_TYPES[t]} {next(vectors) if t == 'v128' else 's'}" for t in left]
    return ", ".join([*named, "uint32_t k"] if op.mnemonic.endswith("replace_lane") else named)


def _function(op: Op) -> str:
    """The C function of an instruction, named like it."""
    shape, name = op.mnemonic.split(".")
    function, parameters = op.mnemonic.replace(".", "_"), _parameters(op)
    width = 64 if shape == "v128" else int(shape[1 : shape.index("x")])
    count, field = 128 // width, f"u{width}"
    if name in ("all_true", "any_true"):
        start, join = ("1", "&=") if name == "all_true" else ("0", "|=")
        return f"OVER_ALL({function}, {count}, {start}, {join}, x.{field}[i] != 0)"
    if name == "bitmask":
        return f"OVER_ALL({function}, {count}, 0, |=, (uint32_t)(x.{field}[i] >> {width - 1}) << i)"
    if name.startswith("narrow_"):
        low, high = (_c(f"sat_{name[-1]}W(SD{x})", width) for x in "XY")
        return f"HALVES({function}, ({parameters}), {field}, {count // 2}, {low}, {high})"
    if name.endswith("_zero"):
        low = WHOLE.get(name, "canon32((float)x.f64[i])")
        return f"HALVES({function}, ({parameters}), u32, 2, {low}, 0)"
    if name == "relaxed_dot_i8x16_i7x16_add_s":
        pair = "x.i16[2 * i] + x.i16[2 * i + 1]"
        body = "return pairs_and(i16x8_relaxed_dot_i8x16_i7x16_s(x, y), z);"
        return f"LANES(pairs_and, (V128 x, V128 y), u32, 4, {pair} + y.u32[i])\nstatic inline V128 {function}({parameters}) {{ {body} }}"
    table = BITS if shape == "v128" else FLOAT if shape[0] == "f" else INTEGER | WHOLE | (_widening(width) if width > 8 else {})
    return f"LANES({function}, ({parameters}), {field}, {count}, {_c(table[name], width)})"


def vector_ops() -> Iterator[Op]:
    """The rows behind 0xFD."""
    for op in OPS:
        if isinstance(op.code, tuple) and op.code[0] == PREFIX:
            yield op


def vector_opcode(op: Op) -> int:
    """The number behind the prefix."""
    return op.code[1] if isinstance(op.code, tuple) else 0


def _has_function(op: Op) -> bool:
    return not op.immediates or op.mnemonic.endswith("replace_lane")


def header() -> str:
    """A .pxd with the C functions of all instructions that are functions of vectors and scalars."""
    code, declarations = [], []
    for op in vector_ops():
        if _has_function(op):
            code += _function(op).split("\n")
            result = C_TYPES[op.type.split("->")[1].strip()]
            declarations.append(f"    {result} {op.mnemonic.replace('.', '_')}({_parameters(op)}) noexcept nogil\n")
    text = "".join(f"    {line}\n" for line in code)
    return HEADER.format(text=text, declarations="".join(declarations))


HEADER = '''# Generated by _fastcore/generate; do not edit.
"""One C function for each instruction that is a function of vectors and scalars."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.vectors cimport V128

cdef extern from *:
    """
    #ifndef PYWASM_VECTOR_LANES
    #define PYWASM_VECTOR_LANES
{text}    #endif
    """
{declarations}'''


# ---------------------------------------------------------------------------------------------------------------------------


def vector() -> Iterator[Operation]:
    yield from _moves()
    for op in vector_ops():
        yield from MAKERS.get(op.immediates, _pure)(op)
    yield from _wide()


def _raw(name: str, body: str, length: int = 2) -> Operation:
    return Operation(name, "raw", "", "", body, (), False, "vector", length)


SLOT_A, SLOT_B, SLOT_X = ("v128_at(&fp[pc[1].h[0]])", "v128_at(&fp[pc[1].h[2]])", "v128_at(&fp[pc[1].h[3]])")
PUT = "v128_put(&fp[pc[1].h[1]], {e})\n"


def _moves() -> Iterator[Operation]:
    yield _raw("copy_v", PUT.format(e=SLOT_A))
    yield _raw("const_v", PUT.format(e="v128_at(&pc[2])"), 4)
    chosen = PUT.format(e="v128_at(&fp[pc[1].h[0]] if {c} != 0 else &fp[pc[1].h[2]])")
    yield _raw("select_v", chosen.replace("{c}", "fp[pc[1].h[3]].u32"))
    yield _raw("select_v_r", chosen.replace("{c}", "<uint32_t>r0"))
    there = "<S*>(<char*>ctx + pc[1].w[1])"
    yield Operation("global_get_v", "load", "", "v", f"= v128_at({there})", (), False, "vector", 2)
    yield Operation("global_get_far_v", "load", "", "v", f"= v128_at(({there})[0].p)", (), False, "vector", 2)
    yield _raw("global_set_v", f"v128_put({there}, {SLOT_A})\n")
    yield _raw("global_set_far_v", f"v128_put(({there})[0].p, {SLOT_A})\n")
    leave = "nfp = fp[pc[1].h[1] + 1].p\npc = fp[pc[1].h[1]].w\nfp = nfp\nGOTO\n"
    yield _raw("ret_v", f"v128_put(&fp[0], {SLOT_A})\n" + leave)


def _pure(op: Op) -> Iterator[Operation]:
    """No immediates: the function of the same name."""
    left, right = (side.split() for side in op.type.split("->"))
    function = op.mnemonic.replace(".", "_")
    if len(left) == 3:
        yield _raw(op.mnemonic, PUT.format(e=f"{function}({SLOT_A}, {SLOT_B}, {SLOT_X})"))
        return
    operands = "".join(LETTERS[t] for t in left)
    kinds = {"v": ("s",), "vv": ("ss",), "vi": ("ss", "sr", "sk")}.get(operands, ("s", "r"))
    arguments = ", ".join(("{a}", "{b}")[: len(left)])
    yield Operation(op.mnemonic, "value", operands, LETTERS[right[0]], f"= {function}({arguments})", kinds, False, "vector")


def _lane(op: Op) -> Iterator[Operation]:
    """The number of the lane is in h3."""
    left, right = (side.split() for side in op.type.split("->"))
    shape = op.mnemonic.split(".")[0]
    width = int(shape[1 : shape.index("x")])
    if "replace" in op.mnemonic:
        body = f"= {op.mnemonic.replace('.', '_')}({{a}}, {{b}}, pc[1].h[3])"
        yield Operation(op.mnemonic, "value", "v" + LETTERS[left[1]], "v", body, ("ss", "sr"), False, "vector")
        return
    field = ("f" if shape[0] == "f" else "i" if op.mnemonic.endswith("_s") else "u") + str(width)
    c = {"f32": "float", "f64": "double"}.get(field, f"{'' if field[0] == 'i' else 'u'}int{width}_t")
    body = f"= <int32_t>(<{c}*>&fp[pc[1].h[0]])[pc[1].h[3]]" if field[0] == "i" else f"= (<{c}*>&fp[pc[1].h[0]])[pc[1].h[3]]"
    yield Operation(op.mnemonic, "value", "v", LETTERS[right[0]], body, ("s",), False, "vector")


def _memory(op: Op) -> Iterator[Operation]:
    name = op.mnemonic.split(".")[1]
    bounds = BOUNDS.replace("{size}", str(op.access))
    if name == "store":
        yield Operation(op.mnemonic, "store", "iv", "", f"{bounds}v128_put(mem + ea, {{b}})\n", ("ss", "rs"), False, "vector")
        return
    yield Operation(op.mnemonic, "load", "i", "v", f"{bounds}= {_loaded(name)}", ("s", "r"), False, "vector")


def _loaded(name: str) -> str:
    """What a load makes of the bytes at mem + ea."""
    if name == "load":
        return "v128_at(mem + ea)"
    if extended := re.fullmatch(r"load(\d+)x(\d)_([su])", name):
        width, count = int(extended[1]), int(extended[2])
        return f"i{2 * width}x{count}_extend_low_i{width}x{2 * count}_{extended[3]}(v128_of(load64(mem + ea), 0))"
    width = int(re.findall(r"\d+", name)[0])
    value = "mem[ea]" if width == 8 else f"load{width}(mem + ea)"
    return f"v128_of({value}, 0)" if name.endswith("_zero") else f"i{width}x{128 // width}_splat({value})"


def _memory_lane(op: Op) -> Iterator[Operation]:
    """Address, vector and lane in h0, h2 and h3; the offset has a word of its own."""
    width = 8 * op.access
    bounds = BOUNDS.replace("{size}", str(op.access)).replace("{ea}", "<uint64_t>fp[pc[1].h[0]].u32 + pc[2].u")
    if "load" in op.mnemonic:
        value = "mem[ea]" if width == 8 else f"load{width}(mem + ea)"
        effect = PUT.format(e=f"i{width}x{128 // width}_replace_lane({SLOT_B}, {value}, pc[1].h[3])")
    else:
        lane = f"(<uint{width}_t*>&fp[pc[1].h[2]])[pc[1].h[3]]"
        effect = f"mem[ea] = {lane}\n" if width == 8 else f"store{width}(mem + ea, {lane})\n"
    yield _raw(op.mnemonic, bounds + effect, 3)


def _constant(op: Op) -> Iterator[Operation]:
    """Constants are values of the abstract stack, and `const_v` writes them."""
    yield from ()


def _shuffle(op: Op) -> Iterator[Operation]:
    """Whole lanes of 64 and 32 bits are moved as such."""
    yield _raw(op.mnemonic, PUT.format(e=f"shuffled({SLOT_A}, {SLOT_B}, <uint8_t*>&pc[2])"), 4)
    yield _raw(op.mnemonic + "32", PUT.format(e=f"shuffled32({SLOT_A}, {SLOT_B}, <uint8_t*>&pc[2])"), 4)
    yield _raw(op.mnemonic + "64", PUT.format(e=f"shuffled64({SLOT_A}, {SLOT_B}, <uint8_t*>&pc[2])"), 4)


MAKERS = {
    ("laneidx",): _lane, ("memarg",): _memory, ("memarg", "laneidx"): _memory_lane, ("v128",): _constant, ("laneidx*16",): _shuffle,
}  # fmt: skip


def _wide() -> Iterator[Operation]:
    """Two results, in neighbouring slots. The fourth operand's slot has a word of its own."""
    a, b, x, y = "fp[pc[1].h[0]].u64", "fp[pc[1].h[2]].u64", "fp[pc[1].h[3]].u64", "fp[pc[2].u].u64"
    both = PUT.format(e="v128_of(i, n)")
    yield _raw("i64.add128", f"i = {a} + {x}\nn = {b} + {y} + (i < {x})\n{both}", 3)
    yield _raw("i64.sub128", f"n = {b} - {y} - ({a} < {x})\ni = {a} - {x}\n{both}", 3)
    for sign in "su":
        yield _raw(f"i64.mul_wide_{sign}", PUT.format(e=f"v128_of({a} * {b}, high_{sign}({a}, {b}))"))
