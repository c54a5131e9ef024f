"""Bodies of the numeric operations, which `pywasm_ref.isa` lists: {a} and {b} are operands, {sa} and {sb} the same, signed."""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.folded import folded, relatives
from _fastcore.generate.model import Operation
from pywasm_ref.isa import OPS

UNARY = ("s", "r")
INTEGER = ("ss", "sr", "rs", "sk", "rk", "ks", "kr")
COMMUTING = ("ss", "sr", "sk", "rk")
FLOAT = ("ss", "sr", "rs", "sk", "rk", "ks", "kr")
LETTERS = {"i32": "i", "i64": "l", "f32": "f", "f64": "d", "v128": "v"}

ZERO = "if {b} == 0: TRAP INTEGER_DIVIDE_BY_ZERO\n"
LEAST = {32: "(-2147483647 - 1)", 64: "(-9223372036854775807LL - 1)"}


def _integers(bits: int) -> dict[str, str]:
    low = bits - 1
    overflow = f"if {{sa}} == {LEAST[bits]} and {{sb}} == -1: TRAP INTEGER_OVERFLOW\n"
    return {
        "clz": f"clz{bits}({{a}})", "ctz": f"ctz{bits}({{a}})",
        "popcnt": "__builtin_popcount({a})" if bits == 32 else "__builtin_popcountll({a})",
        "add": "{a} + {b}", "sub": "{a} - {b}", "mul": "{a} * {b}",
        "div_s": ZERO + overflow + "= {sa} // {sb}", "div_u": ZERO + "= {a} // {b}",
        "rem_s": ZERO + "= 0 if {sb} == -1 else {sa} % {sb}", "rem_u": ZERO + "= {a} % {b}",
        "and": "{a} & {b}", "or": "{a} | {b}", "xor": "{a} ^ {b}",
        "shl": f"{{a}} << ({{b}} & {low})", "shr_u": f"{{a}} >> ({{b}} & {low})", "shr_s": f"{{sa}} >> ({{b}} & {low})",
        "rotl": f"rotl{bits}({{a}}, {{b}})", "rotr": f"rotr{bits}({{a}}, {{b}})",
        "eqz": "{a} == 0", "eq": "{a} == {b}", "ne": "{a} != {b}",
        "lt_s": "{sa} < {sb}", "lt_u": "{a} < {b}", "gt_s": "{sa} > {sb}", "gt_u": "{a} > {b}",
        "le_s": "{sa} <= {sb}", "le_u": "{a} <= {b}", "ge_s": "{sa} >= {sb}", "ge_u": "{a} >= {b}",
        "extend8_s": f"<int{bits}_t><int8_t>{{a}}", "extend16_s": f"<int{bits}_t><int16_t>{{a}}", "extend32_s": "<int64_t><int32_t>{a}",
    }  # fmt: skip


def _floats(bits: int) -> dict[str, str]:
    f = "f" if bits == 32 else ""
    made = {name: f"{c}{f}({{a}})" for name, c in
                (("ceil", "ceil"), ("floor", "floor"), ("trunc", "trunc"), ("nearest", "rint"), ("sqrt", "sqrt"))}  # fmt: skip
    made |= {name: f"{{a}} {c} {{b}}" for name, c in (("add", "+"), ("sub", "-"), ("mul", "*"), ("div", "/"))}
    made |= {name: f"{name}{bits}({{a}}, {{b}})" for name in ("min", "max")}
    return {name: f"canon{bits}({body})" for name, body in made.items()} | {
        "abs": f"fabs{f}({{a}})", "neg": "-{a}", "copysign": f"copysign{f}({{a}}, {{b}})",
        "eq": "{a} == {b}", "ne": "{a} != {b}", "lt": "{a} < {b}", "gt": "{a} > {b}", "le": "{a} <= {b}", "ge": "{a} >= {b}",
    }  # fmt: skip


def _truncations() -> dict[str, str]:
    """Each with the open or closed interval of what can be truncated."""
    low = {("i32", "s", "f32"): ">= -2147483648.0", ("i32", "s", "f64"): "> -2147483649.0",
           ("i64", "s", "f32"): ">= -9223372036854775808.0", ("i64", "s", "f64"): ">= -9223372036854775808.0"}  # fmt: skip
    high = {("i32", "s"): "2147483648.0", ("i32", "u"): "4294967296.0",
            ("i64", "s"): "9223372036854775808.0", ("i64", "u"): "18446744073709551616.0"}  # fmt: skip
    bodies = {}
    for to in ("i32", "i64"):
        for sign in "su":
            c = f"{'u' if sign == 'u' else ''}int{to[1:]}_t"
            for source in ("f32", "f64"):
                below = low.get((to, sign, source), "> -1.0")
                inside = f"d {below} and d < {high[to, sign]}"
                check = f"d = {{a}}\nif d != d: TRAP INVALID_CONVERSION\nif not ({inside}): TRAP INTEGER_OVERFLOW\n"
                bodies[f"{to}.trunc_{source}_{sign}"] = f"{check}= <{c}>d"
                bodies[f"{to}.trunc_sat_{source}_{sign}"] = f"sat_{sign}{to[1:]}({{a}})"
    return bodies


CONVERSIONS = _truncations() | {
    "i32.wrap_i64": "<uint32_t>{a}", "i64.extend_i32_s": "<int64_t>{sa}", "i64.extend_i32_u": "{a}",
    "f32.demote_f64": "canon32(<float>{a})", "f64.promote_f32": "canon64(<double>{a})",
    "i32.reinterpret_f32": "bits32({a})", "i64.reinterpret_f64": "bits64({a})",
    "f32.reinterpret_i32": "float32({a})", "f64.reinterpret_i64": "float64({a})",
    **{f"f{n}.convert_i{m}_{s}": f"<{c}>{'{sa}' if s == 's' else '{a}'}"
       for n, c in ((32, "float"), (64, "double")) for m in (32, 64) for s in "su"},
}  # fmt: skip
BODIES = {
    **{f"i{n}.{name}": body for n in (32, 64) for name, body in _integers(n).items()},
    **{f"f{n}.{name}": body for n in (32, 64) for name, body in _floats(n).items()},
    **CONVERSIONS,
}
COMMUTATIVE = {"add", "mul", "and", "or", "xor", "eq", "ne"}
OPPOSITE = {"eq": "ne", "lt_s": "ge_s", "lt_u": "ge_u", "gt_s": "le_s", "gt_u": "le_u"}
OPPOSITE |= {value: key for key, value in OPPOSITE.items()}


def numeric() -> Iterator[Operation]:
    """The scalar numeric rows of the table, and for each comparison the branches on it."""
    for op in OPS:
        if op.mnemonic not in BODIES or op.immediates:
            continue
        left, right = op.type.split("->")
        operands = "".join(LETTERS[t] for t in left.split())
        result = LETTERS[right.strip()]
        family, name = op.mnemonic.split(".")
        integer = family[0] == "i" and operands[0] in "il"
        kinds = UNARY if len(operands) == 1 else (COMMUTING if name in COMMUTATIVE else INTEGER if integer else FLOAT)
        fused = relatives(op.mnemonic)
        if len(operands) == 2 and result == "i" and (operands != "ii" or name in OPPOSITE):
            fused = {"true": f"br.{op.mnemonic}", "false": f"br.{family}.{OPPOSITE[name]}" if integer else f"br_not.{op.mnemonic}"}
            if integer:
                fused["inverse"] = f"{family}.{OPPOSITE[name]}"
            yield from _branches(op.mnemonic, operands, BODIES[op.mnemonic], integer)
        topic = "integer" if integer else "float"
        yield Operation(op.mnemonic, "value", operands, result, BODIES[op.mnemonic], kinds, name in COMMUTATIVE, topic, fused=fused)
    yield from folded(BODIES)


def _branches(name: str, operands: str, condition: str, integer: bool) -> Iterator[Operation]:
    kinds: tuple[str, ...] = INTEGER if integer else FLOAT
    commutes = name.split(".")[1] in COMMUTATIVE
    if commutes:
        kinds = tuple(k for k in kinds if k not in ("rs", "ks", "kr"))
    taken = "if {condition}:\n    ctx.ticks -= <int16_t>pc[1].h[1]\n    pc = pc[2].t\n    JUMP\n"
    yield Operation(f"br.{name}", "branch", operands, "", taken.replace("{condition}", condition), kinds, commutes, "branch", 3)
    if not integer:
        otherwise = taken.replace("{condition}", f"not ({condition})")
        yield Operation(f"br_not.{name}", "branch", operands, "", otherwise, kinds, commutes, "branch", 3)
