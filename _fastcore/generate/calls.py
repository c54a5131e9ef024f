"""Bodies of calls of all kinds, of exceptions, and of the instructions about references. The words are those of `structural`."""

from __future__ import annotations

from collections.abc import Iterator

from _fastcore.generate.model import Operation
from _fastcore.generate.structural import RELOAD as MEMORY
from _fastcore.generate.structural import raw


def _inside(lines: str, depth: int = 1) -> str:
    return "".join("    " * depth + f"{line}\n" for line in lines.splitlines())


RELOAD = "r0 = {at}[0].u64\nf0 = {at}[0].f64\ng0 = {at}[0].f32\n"
"""Behind a call, the accumulator of its result's class equals the slot."""

ENTER = """caller = nfp + code.hdr
caller[0].w = back
caller[1].p = fp
fp = nfp
ctx.ticks -= code.cost
pc = code.entry
JUMP
"""
LAND = f"""old = ctx
ctx = ctx.thread.ctx
ctx.ticks = old.ticks
pc = ctx.pc
fp = ctx.fp
{MEMORY}JUMP
"""
"""An exception was caught: go on at its handler."""

CALL = f"""back = pc + {{length}}
if nfp + code.frame > ctx.stack_end:
    back = deepen(ctx, pc, fp, nfp, code, back)
    if back == NULL: TRAP STACK
{ENTER}"""
"""What seems to be the end of the stack may be moved on: see depth.pyx."""
COMMON_CALL = f"""if unlikely(nfp + code.frame > ctx.stack_end): ELSEWHERE {{elsewhere}}
back = pc + {{length}}
{ENTER}"""
HOST = f"""status = ctx.host(ctx, fn, nfp, pc, fp)
if status > 0: RETURN status
if status < 0:
{_inside(LAND)}"""
CALL_FN = f"""if fn.ctx == NULL:
{_inside(HOST + RELOAD.replace("{at}", "nfp") + MEMORY)}    pc = pc + {{length}}
    GOTO
old = ctx
nfp = bridge(ctx, fn, nfp, pc + {{length}}, fp)
if nfp == NULL: TRAP STACK
ctx = fn.ctx
ctx.ticks = old.ticks - fn.code.cost
{MEMORY}fp = nfp
pc = fn.code.entry
JUMP
"""
CALL_ANY = f"""if fn.ctx == ctx:
    code = fn.code
{_inside(CALL)}{CALL_FN}"""

TAIL = """nfp = fp + pc[1].h[0]
back = fp[pc[1].h[2]].w
caller = fp[pc[1].h[2] + 1].p
if fp + code.frame > ctx.thread.stack_end: TRAP STACK
i = 0
n = code.type.param_slots
while i < n:
    fp[i].u64 = nfp[i].u64
    i = i + 1
fp[code.hdr].w = back
fp[code.hdr + 1].p = caller
ctx.ticks -= code.cost
pc = code.entry
JUMP
"""
TAIL_FN = f"""nfp = fp + pc[1].h[0]
if fn.ctx == NULL:
{_inside(HOST)}    memmove(fp, nfp, fn.type.result_slots * 8)
{_inside(RELOAD.replace("{at}", "fp"))}    nfp = fp[pc[1].h[2] + 1].p
    pc = fp[pc[1].h[2]].w
    fp = nfp
{_inside(MEMORY)}    GOTO
old = ctx
nfp = replace(ctx, fn, nfp, fp, pc[1].h[2])
if nfp == NULL: TRAP STACK
ctx = fn.ctx
ctx.ticks = old.ticks - fn.code.cost
{MEMORY}fp = nfp
pc = fn.code.entry
JUMP
"""
TAIL_ANY = f"""if fn.ctx == ctx:
    code = fn.code
{_inside(TAIL)}{TAIL_FN}"""
BEHIND = "(fp + pc[1].h[0])[(<Type*>pc[2].v).param_slots]"
"""What stands behind the arguments of a tail call: an index, or a reference."""

IN_TABLE = """table = ctx.tables[pc[3].u]
i = {index}
if i >= table.size:
    ctx.thread.detail = i
    TRAP UNDEFINED_ELEMENT
fn = table.elems[i].fn
if fn == NULL:
    ctx.thread.detail = i
    TRAP UNINITIALIZED_ELEMENT
if <void*>fn.type != pc[2].v:
    sub = fn.type
    while sub.depth > (<Type*>pc[2].v).depth:
        sub = sub.jump if sub.jump.depth >= (<Type*>pc[2].v).depth else sub.parent
    if <void*>sub != pc[2].v: TRAP INDIRECT_CALL_TYPE_MISMATCH
"""
"""The index is read with 64 bits, whatever the table's addresses: an i32 stands zero-extended. A supertype is found without a call, which
would cost the common path its registers."""
COMMON_IN_TABLE = """table = ctx.tables[pc[3].u]
i = {index}
if unlikely(i >= table.size): ELSEWHERE {elsewhere}
fn = table.elems[i].fn
if unlikely(fn == NULL): ELSEWHERE {elsewhere}
if unlikely(<void*>fn.type != pc[2].v or fn.ctx != ctx): ELSEWHERE {elsewhere}
code = fn.code
"""
"""A function of this instance with exactly the type. All else begins once more in a handler of its own, whose calls would cost this one
registers."""
RESTORE = """nfp = unbridge(fp)
old = ctx
ctx = <Ctx*>fp[-2].v
ctx.ticks = old.ticks
ctx.stack_end = old.stack_end
pc = fp[-4].w
fp = fp[-3].p
"""
LOWER = """mark = ctx.thread.mark
pc = mark.back
ctx.thread.mark = mark.outer
mark.outer = ctx.thread.spare
ctx.thread.spare = mark
ctx.stack_end = ctx.thread.mark.end
GOTO
"""
"""A frame with a mark has returned; the results are in their places."""
NOT_NULL = "if fn == NULL: TRAP NULL_FUNCTION_REFERENCE\n"
ARGUMENTS = "nfp = fp + pc[1].h[0]\n"


def calls() -> Iterator[Operation]:
    yield from _calls()
    yield from _tail_calls()
    yield from _exceptions()
    yield from _references()


def _operation(name: str, body: str, length: int = 3) -> Operation:
    return raw(name, body.replace("{length}", str(length)), length, topic="calls")


def _calls() -> Iterator[Operation]:
    yield _operation("call", "code = pc[2].code\n" + ARGUMENTS + COMMON_CALL.replace("{elsewhere}", "call_deeper"))
    yield _operation("call_deeper", "code = pc[2].code\n" + ARGUMENTS + CALL)
    yield _operation("call_import", "fn = ctx.imports[pc[2].u]\n" + ARGUMENTS + CALL_FN)
    for suffix, index in (("", "fp[pc[1].h[2]].u64"), ("_r", "r0")):
        elsewhere = f"call_elsewhere{suffix}"
        common = COMMON_IN_TABLE.replace("{index}", index) + ARGUMENTS + COMMON_CALL
        yield _operation(f"call_indirect{suffix}", common.replace("{elsewhere}", elsewhere), 4)
        yield _operation(elsewhere, IN_TABLE.replace("{index}", index) + ARGUMENTS + CALL_ANY, 4)
    yield _operation("exhausted", "TRAP STACK\n", 1)
    yield _operation("call_ref", "fn = fp[pc[1].h[2]].fn\n" + NOT_NULL + ARGUMENTS + CALL_ANY)
    yield _operation("lower", LOWER, 1)
    yield _operation("restore", RESTORE + RELOAD.replace("{at}", "nfp") + MEMORY + "GOTO\n", 1)


def _tail_calls() -> Iterator[Operation]:
    yield _operation("return_call", "code = pc[2].code\n" + TAIL)
    yield _operation("return_call_import", "fn = ctx.imports[pc[2].u]\n" + TAIL_FN)
    yield _operation("return_call_indirect", IN_TABLE.replace("{index}", f"{BEHIND}.u64") + TAIL_ANY, 4)
    yield _operation("return_call_ref", f"fn = {BEHIND}.fn\n" + NOT_NULL + TAIL_ANY)


def _exceptions() -> Iterator[Operation]:
    for name, length in (("throw_new", 3), ("throw_again", 2)):
        body = f"ctx.ticks -= pc[1].h[1]\nstatus = {name}(ctx, pc, fp)\nif status > 0: RETURN status\n"
        yield _operation(name, body + LAND, length)


def _references() -> Iterator[Operation]:
    body = "fn = function(ctx, pc[1].w[1])\nif fn == NULL: TRAP MEMORY\nfp[pc[1].h[1]].fn = fn\n"
    yield _operation("ref_func", body, 2)
    yield _operation("ref_as_non_null", "if fp[pc[1].h[0]].u64 == 0: TRAP NULL_REFERENCE\n", 2)
