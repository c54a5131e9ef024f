"""Bodies of the operations that are no numeric row: moves, control, variables, tables, memory.

Lines in capitals are the generator's: `JUMP` goes on at `pc` after looking at the ticks, `GOTO` without looking, `REFILL` makes room in
the heap and begins once more, `TRAP X` leaves, and every body that comes to its end goes on behind its own words.
"""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.model import Operation

ACCUMULATORS = {"i": "r0", "l": "r0", "d": "f0", "f": "g0"}
FIELDS = {"i": "u64", "l": "u64", "d": "f64", "f": "f32"}
LEAVE = "fp = nfp\nGOTO\n"
LOOK = """if ctx.bulk < 0:
    if ctx.look(ctx, pc, fp) != 0: RETURN ctx.trap
    mem = ctx.mem0.base
    lim = ctx.mem0.size
"""
LONG = "ctx.bulk -= n{scale}\n" + LOOK
"""Behind an operation on many bytes: it costs a tick like any other, but a loop around it must not go unseen for minutes."""
BYTES = LONG.replace("{scale}", "")
RELOAD = "mem = ctx.mem0.base\nlim = ctx.mem0.size\n"
"""Behind what may have moved memory 0, or came from another one."""


def _stoppable(long: str, short: str) -> str:
    """By a function that looks at the switches on the way, where it takes long; else at once."""
    reload = "".join(f"    {line}\n" for line in RELOAD.splitlines())
    return f"if n > PIECE:\n    status = {long}\n    if status != 0: RETURN status\n{reload}else:\n    {short}\n{BYTES}"


FILLER = "fp[pc[1].h[2]].u32 & 255"
LONG_FILL = _stoppable(f"fill_long(ctx, pc, fp, {{memory}}, i, {FILLER}, n)", f"memset({{target}}, {FILLER}, n)")
LONG_MOVE = _stoppable("copy_long(ctx, pc, fp, {memory}, i, {other}, ea, n)", "memmove({target}, {source}, n)")
PAY = "ctx.ticks -= <int16_t>pc[1].h[1]\n"
"""A branch with fuel may give back what was paid for the instructions that it passes over."""


def structural() -> Iterator[Operation]:
    yield from _moves()
    yield from _control()
    yield from _variables()
    yield from _memory()


def raw(name: str, body: str, length: int, operands: str = "", kinds: tuple[str, ...] = (), topic: str = "control") -> Operation:
    return Operation(name, "raw", operands, "", body, kinds, False, topic, length)


def _moves() -> Iterator[Operation]:
    yield raw("copy", "fp[pc[1].h[1]].u64 = fp[pc[1].h[0]].u64\n", 2)
    yield raw("copy_i", "r0 = fp[pc[1].h[0]].u64\nfp[pc[1].h[1]].u64 = r0\n", 2)
    yield raw("copy_n", "memmove(&fp[pc[1].h[1]], &fp[pc[1].h[0]], pc[1].h[2] * 8)\n", 2)
    yield raw("const32", "fp[pc[1].h[1]].u64 = pc[1].w[1]\n", 2)
    yield raw("const64", "fp[pc[1].h[1]].u64 = pc[2].u\n", 3)
    yield raw("keep_i", "fp[pc[1].h[1]].u64 = r0\n", 2)
    yield raw("keep_d", "fp[pc[1].h[1]].f64 = f0\n", 2)
    yield raw("keep_f", "fp[pc[1].h[1]].f32 = g0\n", 2)
    yield Operation("i32.add_aside", "value", "ii", "p", "<uint32_t>({a} + {b})", ("sk",), False, "control")
    choice = "fp[pc[1].h[1]].u64 = fp[pc[1].h[0]].u64 if {c} != 0 else fp[pc[1].h[2]].u64\n"
    yield raw("select", choice.replace("{c}", "fp[pc[1].h[3]].u32"), 2)
    yield raw("select_r", choice.replace("{c}", "<uint32_t>r0"), 2)
    keeping = "r0 = fp[pc[1].h[0]].u64 if {c} != 0 else fp[pc[1].h[2]].u64\nfp[pc[1].h[1]].u64 = r0\n"
    yield raw("select_i", keeping.replace("{c}", "fp[pc[1].h[3]].u32"), 2)
    yield raw("select_i_r", keeping.replace("{c}", "<uint32_t>r0"), 2)


def _control() -> Iterator[Operation]:
    yield raw("halt", "RETURN 0\n", 1)
    yield raw("unreachable", "TRAP UNREACHABLE\n", 1)
    yield raw("fuel", PAY + "pc = pc + 2\nJUMP\n", 2)
    yield raw("stepped", "park(ctx, mem, lim, r0, f0, g0)\nRETURN STEPPED\n", 1)
    yield raw("br", PAY + "pc = pc[2].t\nJUMP\n", 3)
    taken = "if {condition}:\n    " + PAY + "    pc = pc[2].t\n    JUMP\n"
    yield Operation("br_nz", "branch", "i", "", taken.replace("{condition}", "{a} != 0"), ("s", "r"), False, "branch", 3)
    yield Operation("br_z", "branch", "i", "", taken.replace("{condition}", "{a} == 0"), ("s", "r"), False, "branch", 3)
    yield Operation("br_nz64", "branch", "l", "", taken.replace("{condition}", "{a} != 0"), ("s", "r"), False, "branch", 3)
    yield Operation("br_z64", "branch", "l", "", taken.replace("{condition}", "{a} == 0"), ("s", "r"), False, "branch", 3)
    table = "i = {a}\nn = pc[1].w[1]\nif i > n: i = n\n" + PAY + "pc = pc[2 + i].t\nJUMP\n"
    yield Operation("br_table", "branch", "i", "", table, ("s", "r"), False, "branch", 2)
    paid = "i = {a}\nn = pc[1].w[1]\nif i > n: i = n\nctx.ticks -= <int16_t>pc[3 + 2 * i].h[1]\npc = pc[2 + 2 * i].t\nJUMP\n"
    yield Operation("br_table_paid", "branch", "i", "", paid, ("s", "r"), False, "branch", 2)
    shared = "i = {a}\nn = pc[1].w[1]\nback = pc[2].t\nif i > n: i = n\n" + PAY + "pc = back[i].t\nJUMP\n"
    yield Operation("br_table_shared", "raw", "i", "", shared, ("s", "r"), False, "branch", 3)
    paid = "i = {a}\nn = pc[1].w[1]\nif i > n: i = n\nback = pc[2].t + 2 * i\nctx.ticks -= <int16_t>back[1].h[1]\npc = back[0].t\nJUMP\n"
    yield Operation("br_table_shared_paid", "raw", "i", "", paid, ("s", "r"), False, "branch", 3)
    for n in range(1, 9):
        yield raw(f"enter_{n}", "".join(f"fp[pc[1].h[0] + {i}].u64 = 0\n" for i in range(n)), 2)
    yield raw("enter", "memset(&fp[pc[1].h[0]], 0, pc[1].w[1] * 8)\n", 2)
    leave = "nfp = fp[pc[1].h[1] + 1].p\npc = fp[pc[1].h[1]].w\nfp = nfp\nGOTO\n"
    yield raw("ret", leave, 2)
    for letter, accumulator in ACCUMULATORS.items():
        if letter == "l":
            continue
        value = {"i": "fp[pc[1].h[0]].u64", "d": "fp[pc[1].h[0]].f64", "f": "fp[pc[1].h[0]].f32"}[letter]
        yield raw(f"ret_{letter}", f"{accumulator} = {value}\nfp[0].{FIELDS[letter]} = {accumulator}\n" + leave, 2)
        yield raw(f"ret_{letter}_r", f"fp[0].{FIELDS[letter]} = {accumulator}\n" + leave, 2)
    yield raw("ret_k", "r0 = pc[2].u\nfp[0].u64 = r0\nf0 = pc[2].f\ng0 = pc[2].g[0]\n" + leave, 3)


def _variables() -> Iterator[Operation]:
    there = "(<S*>(<char*>ctx + pc[1].w[1]))[0]"
    for letter, result in (("i", "l"), ("d", "d"), ("f", "f")):  # an i32 stands zero-extended, and is read like an i64
        name = FIELDS[letter]
        yield Operation(f"global_get_{letter}", "load", "", result, f"{there}.{name}", (), False, "control", 2)
        yield Operation(f"global_get_far_{letter}", "load", "", result, f"{there}.p[0].{name}", (), False, "control", 2)
    yield Operation("global_get_p", "load", "", "p", f"{there}.u64", (), False, "control", 2)
    yield Operation("global_get_far_p", "load", "", "p", f"{there}.p[0].u64", (), False, "control", 2)
    yield raw("global_set", f"{there}.u64 = fp[pc[1].h[0]].u64\n", 2)
    yield raw("global_set_far", f"{there}.p[0].u64 = fp[pc[1].h[0]].u64\n", 2)


LOADS = {
    "i32.load": ("i", 4, "load32({m})"), "i64.load": ("l", 8, "load64({m})"),
    "f32.load": ("f", 4, "float32(load32({m}))"), "f64.load": ("d", 8, "float64(load64({m}))"),
    "i32.load8_s": ("i", 1, "<int32_t><int8_t>({m})[0]"), "i32.load8_u": ("i", 1, "({m})[0]"),
    "i32.load16_s": ("i", 2, "<int32_t><int16_t>load16({m})"), "i32.load16_u": ("i", 2, "load16({m})"),
    "i64.load8_s": ("l", 1, "<int64_t><int8_t>({m})[0]"), "i64.load8_u": ("l", 1, "({m})[0]"),
    "i64.load16_s": ("l", 2, "<int64_t><int16_t>load16({m})"), "i64.load16_u": ("l", 2, "load16({m})"),
    "i64.load32_s": ("l", 4, "<int64_t><int32_t>load32({m})"), "i64.load32_u": ("l", 4, "load32({m})"),
}  # fmt: skip
STORES = {
    "i32.store": ("i", 4, "store32({m}, {b})"), "i64.store": ("l", 8, "store64({m}, {b})"),
    "f32.store": ("f", 4, "store32({m}, bits32({b}))"), "f64.store": ("d", 8, "store64({m}, bits64({b}))"),
    "i32.store8": ("i", 1, "({m})[0] = <uint8_t>{b}"), "i32.store16": ("i", 2, "store16({m}, <uint16_t>{b})"),
    "i64.store8": ("l", 1, "({m})[0] = <uint8_t>{b}"), "i64.store16": ("l", 2, "store16({m}, <uint16_t>{b})"),
    "i64.store32": ("l", 4, "store32({m}, <uint32_t>{b})"),
}  # fmt: skip


def _relatives(name: str) -> dict[str, str]:
    return {"wide": f"wide.{name}", "far": f"far.{name}"}


def _memory() -> Iterator[Operation]:
    for name, (letter, size, value) in LOADS.items():
        body = f"ea = {{ea}}\nif ea + {size} > lim: TRAP OUT_OF_BOUNDS_MEMORY\n= " + value.replace("{m}", "mem + ea")
        yield Operation(name, "load", "i", letter, body, ("s", "r", "k"), False, "memory", fused=_relatives(name))
    for name, (letter, size, effect) in STORES.items():
        body = f"ea = {{ea}}\nif ea + {size} > lim: TRAP OUT_OF_BOUNDS_MEMORY\n" + effect.replace("{m}", "(mem + ea)") + "\n"
        kinds = ("ss", "sr", "rs", "sk", "rk", "ks", "kr", "kk") if letter in "il" else ("ss", "sr", "rs", "rr", "ks", "kr")
        yield Operation(name, "store", "i" + letter, "", body, kinds, False, "memory", fused=_relatives(name))
    yield Operation("memory.size", "load", "", "i", "lim >> 16", (), False, "memory", 2)
    grow = "gil_give(ctx.thread)\ni = mem_grow(ctx.mem0, {a})\nmem = ctx.mem0.base\nlim = ctx.mem0.size\n= <uint32_t>i"
    yield Operation("memory.grow", "value", "i", "i", grow, ("s", "r"), False, "memory", 2)
    ends = "n = fp[pc[1].h[3]].u32\ni = fp[pc[1].h[0]].u32\nif n > LONG_COPY: gil_give(ctx.thread)\n"
    bounds = "if i + n > lim: TRAP OUT_OF_BOUNDS_MEMORY\n"
    fill = LONG_FILL.replace("{memory}", "ctx.mem0").replace("{target}", "mem + i")
    yield raw("memory.fill", ends + bounds + fill, 2, topic="memory")
    move = LONG_MOVE.replace("{memory}", "ctx.mem0").replace("{other}", "ctx.mem0")
    move = move.replace("{target}", "mem + i").replace("{source}", "mem + ea")
    copy = "ea = fp[pc[1].h[2]].u32\nif ea + n > lim: TRAP OUT_OF_BOUNDS_MEMORY\n" + move
    yield raw("memory.copy", ends + bounds + copy, 2, topic="memory")
