"""Bodies of what touches other memories than the first with 32-bit addresses, of atomic accesses, and of tables.

An i32 stands zero-extended in its slot and in r0, so that one body serves both address types: it reads 64 bits. The operations named
`far` have the memory's index in their fourth word and the offset in the third; those named `wide` are for memory 0 with 64-bit
addresses and offsets below 2**32, and use `mem` and `lim` like the common ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.model import Operation
from _fastcore.generate.structural import BYTES, LONG, LONG_FILL, LONG_MOVE, RELOAD

LOAD_KINDS = ("s", "r")
STORE_KINDS = {"i": ("ss", "sr", "rs"), "l": ("ss", "sr", "rs"), "f": ("ss", "sr", "rs", "rr"), "d": ("ss", "sr", "rs", "rr")}
FAR = "memory = ctx.mems[pc[3].u]\n"
FAR_ADDRESS = f"""{FAR}ea = {{a}}
i = memory.size
if ea > i or pc[2].u > i or ea + pc[2].u + {{size}} > i: TRAP OUT_OF_BOUNDS_MEMORY
ea = ea + pc[2].u
"""
WIDE_ADDRESS = """i = {a}
if i > lim: TRAP OUT_OF_BOUNDS_MEMORY
ea = i + pc[1].w[1]
if ea + {size} > lim: TRAP OUT_OF_BOUNDS_MEMORY
"""
ATOMIC_ADDRESS = f"""{FAR}ea = {{a}}
i = ea + pc[2].u
if i & {{mask}} != 0: TRAP UNALIGNED_ATOMIC
if i < ea or outside(i, {{size}}, memory_size(memory)): TRAP OUT_OF_BOUNDS_MEMORY
"""
MEMORY, TABLE = "OUT_OF_BOUNDS_MEMORY", "OUT_OF_BOUNDS_TABLE"
SLOTS = LONG.replace("{scale}", " * 8")
READ_RANGE = "i = fp[pc[1].h[0]].u64\nn = fp[pc[1].h[3]].u64\nif n > LONG_COPY: gil_give(ctx.thread)\n"


def accesses(loads: dict[str, tuple[str, int, str]], stores: dict[str, tuple[str, int, str]]) -> Iterator[Operation]:
    """All of it; the rows of common loads and stores tell what is read and written."""
    for name, (letter, size, value) in loads.items():
        yield from _load(name, letter, size, value)
    for name, (letter, size, effect) in stores.items():
        yield from _store(name, letter, size, effect)
    yield from _windows()
    yield from _whole_memories()
    yield from _atomics()
    yield from _tables()


def _load(name: str, letter: str, size: int, value: str) -> Iterator[Operation]:
    wide = WIDE_ADDRESS.replace("{size}", str(size)) + "= " + value.replace("{m}", "mem + ea")
    yield Operation(f"wide.{name}", "load", "l", letter, wide, LOAD_KINDS, False, "wide", 2)
    far = FAR_ADDRESS.replace("{size}", str(size)) + "= " + value.replace("{m}", "memory.base + ea")
    yield Operation(f"far.{name}", "value", "l", letter, far, LOAD_KINDS, False, "far", 4)


def _store(name: str, letter: str, size: int, effect: str) -> Iterator[Operation]:
    wide = WIDE_ADDRESS.replace("{size}", str(size)) + effect.replace("{m}", "(mem + ea)") + "\n"
    yield Operation(f"wide.{name}", "store", "l" + letter, "", wide, STORE_KINDS[letter], False, "wide", 2)
    far = FAR_ADDRESS.replace("{size}", str(size)) + effect.replace("{m}", "(memory.base + ea)") + "\n"
    yield Operation(f"far.{name}", "value", "l" + letter, "", far, STORE_KINDS[letter], False, "far", 4)


def _raw(name: str, body: str, topic: str, length: int = 3) -> Operation:
    return Operation(name, "raw", "", "", body, (), False, topic, length)


def _windows() -> Iterator[Operation]:
    """For accesses that have no far form: mem and lim become a window on what is behind the address, where the access is at 0."""
    body = FAR + "ea = {a}\ni = memory.size\nif ea >= i or pc[2].u >= i or ea + pc[2].u >= i: TRAP OUT_OF_BOUNDS_MEMORY\n"
    body += "mem = memory.base + ea + pc[2].u\nlim = i - ea - pc[2].u\n"
    yield Operation("window", "value", "l", "", body, LOAD_KINDS, False, "far", 4)
    yield _raw("home", RELOAD, "far", 2)


def _whole_memories() -> Iterator[Operation]:
    size = "memory = ctx.mems[pc[1].w[1]]\n= memory_size(memory) >> memory.page_bits"
    yield Operation("far.memory.size", "load", "", "l", size, (), False, "far", 2)
    for name, letter in (("far.memory.grow", "i"), ("far.memory.grow64", "l")):
        grow = f"{FAR}gil_give(ctx.thread)\ni = mem_grow(memory, {{a}})\n{RELOAD}= i"
        yield Operation(name, "value", "l", letter, grow, LOAD_KINDS, False, "far", 4)
    fill = f"memory = ctx.mems[pc[2].u]\n{READ_RANGE}{_inside('i', 'n', 'memory_size(memory)')}"
    fill += LONG_FILL.replace("{memory}", "memory").replace("{target}", "memory.base + i")
    yield _raw("far.memory.fill", fill, "far")
    copy = f"memory = ctx.mems[pc[2].w[0]]\nsource = ctx.mems[pc[2].w[1]]\n{READ_RANGE}ea = fp[pc[1].h[2]].u64\n"
    copy += _inside("i", "n", "memory_size(memory)") + _inside("ea", "n", "memory_size(source)")
    copy += LONG_MOVE.replace("{memory}", "memory").replace("{other}", "source")
    yield _raw("far.memory.copy", copy.replace("{target}", "memory.base + i").replace("{source}", "source.base + ea"), "far")
    init = f"memory = ctx.mems[pc[2].w[0]]\nseg = &ctx.datas[pc[2].w[1]]\n{READ_RANGE}ea = fp[pc[1].h[2]].u64\n"
    init += _inside("i", "n", "memory_size(memory)") + _inside("ea", "n", "seg.size")
    yield _raw("memory.init", init + "memmove(memory.base + i, <uint8_t*>seg.at + ea, n)\n" + BYTES, "far")
    yield _raw("data.drop", "ctx.datas[pc[1].w[1]].size = 0\n", "far", 2)


def _inside(start: str, n: str, size: str, reason: str = MEMORY) -> str:
    return f"if outside({start}, {n}, {size}): TRAP {reason}\n"


def _atomics() -> Iterator[Operation]:
    """One operation for each width: what is narrower than the value is zero-extended, so i32 and i64 need not differ."""
    for size in (1, 2, 4, 8):
        bits = 8 * size
        address = ATOMIC_ADDRESS.replace("{mask}", str(size - 1)).replace("{size}", str(size))
        place = f"<uint{bits}_t*>(memory.base + i)"
        cast = f"<uint{bits}_t>"
        load = f"{address}= atomic_load{bits}({place})"
        yield Operation(f"atomic.load.{size}", "value", "l", "l", load, LOAD_KINDS, False, "atomic", 4)
        store = f"{address}atomic_store{bits}({place}, {cast}{{b}})\n"
        yield Operation(f"atomic.store.{size}", "value", "ll", "", store, ("ss", "sr", "rs"), False, "atomic", 4)
        for name in ("add", "sub", "and", "or", "xor", "xchg"):
            rmw = f"{address}= atomic_{name}{bits}({place}, {cast}{{b}})"
            yield Operation(f"atomic.{name}.{size}", "value", "ll", "l", rmw, ("ss", "sr", "rs"), False, "atomic", 4)
        swap = address.replace("{a}", "fp[pc[1].h[0]].u64")
        expected = "fp[pc[1].h[2]].u64"
        narrow = "" if size == 8 else f" if ea <= {(1 << bits) - 1}U else atomic_load{bits}({place})"
        swap += f"ea = {expected}\nfp[pc[1].h[1]].u64 = atomic_cas{bits}({place}, {cast}ea, {cast}fp[pc[1].h[3]].u64){narrow}\n"
        yield _raw(f"atomic.cmpxchg.{size}", swap, "atomic", 4)
    for size in (4, 8):
        address = ATOMIC_ADDRESS.replace("{mask}", str(size - 1)).replace("{size}", str(size)).replace("{a}", "fp[pc[1].h[0]].u64")
        wait = address + "if memory.shared == 0: TRAP EXPECTED_SHARED_MEMORY\n"
        wait += f"status = wait_at(ctx, memory, i, {size}, fp[pc[1].h[2]].u64, fp[pc[1].h[3]].s64, pc, fp)\n"
        wait += f"if status < 0: RETURN ctx.trap\n{RELOAD}fp[pc[1].h[1]].u64 = status\n"
        yield _raw(f"atomic.wait.{size}", wait, "atomic", 4)
    notify = ATOMIC_ADDRESS.replace("{mask}", "3").replace("{size}", "4").replace("{a}", "fp[pc[1].h[0]].u64")
    notify += "fp[pc[1].h[1]].u64 = notify_at(memory, i, fp[pc[1].h[2]].u32)\n"
    yield _raw("atomic.notify", notify, "atomic", 4)
    yield _raw("atomic.fence", "atomic_fence()\n", "atomic", 2)


def _tables() -> Iterator[Operation]:
    table = "table = ctx.tables[pc[2].w[0]]\n"
    one = f"{table}i = fp[pc[1].h[0]].u64\nif i >= table.size: TRAP {TABLE}\n"
    yield _raw("table.get", one + "fp[pc[1].h[1]].u64 = table.elems[i].u64\n", "table")
    yield _raw("table.set", one + "table.elems[i].u64 = fp[pc[1].h[2]].u64\n", "table")
    size = "table = ctx.tables[pc[1].w[1]]\n= table.size"
    yield Operation("table.size", "load", "", "l", size, (), False, "table", 2)
    grow = f"{table}i = tab_grow(table, fp[pc[1].h[2]].u64, fp[pc[1].h[0]].u64)\nfp[pc[1].h[1]].u64 = i if table.wide else <uint32_t>i\n"
    yield _raw("table.grow", grow, "table")
    fill = f"{table}{READ_RANGE}{_inside('i', 'n', 'table.size', TABLE)}tab_fill(table, i, fp[pc[1].h[2]].u64, n)\n{SLOTS}"
    yield _raw("table.fill", fill, "table")
    copy = f"{table}other = ctx.tables[pc[2].w[1]]\n{READ_RANGE}ea = fp[pc[1].h[2]].u64\n"
    copy += _inside("i", "n", "table.size", TABLE) + _inside("ea", "n", "other.size", TABLE)
    yield _raw("table.copy", copy + "memmove(&table.elems[i], &other.elems[ea], n * sizeof(S))\n" + SLOTS, "table")
    init = f"{table}seg = &ctx.elems[pc[2].w[1]]\n{READ_RANGE}ea = fp[pc[1].h[2]].u64\n"
    init += _inside("i", "n", "table.size", TABLE) + _inside("ea", "n", "seg.size", TABLE)
    yield _raw("table.init", init + "if n != 0: memmove(&table.elems[i], &(<S*>seg.at)[ea], n * sizeof(S))\n" + SLOTS, "table")
    yield _raw("elem.drop", "ctx.elems[pc[1].w[1]].size = 0\n", "table", 2)
