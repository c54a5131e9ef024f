"""See dispatch.pxd. At import, 1,000 operations are run threaded; if the C stack grew with them, the loop is used instead."""

import os

from libc.stdint cimport intptr_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from pywasm_ref._fastcore.frames cimport set_words
from pywasm_ref._fastcore.handlers cimport fill_all
from pywasm_ref._fastcore.layout cimport MOVED, TRAP_OUT_OF_BOUNDS_MEMORY, Ctx, Parked, S, W, handler_t, trap
from pywasm_ref._fastcore.loop cimport loop
from pywasm_ref._fastcore.loop_rest cimport LAST_JOINED
from pywasm_ref._fastcore.memory cimport mem_empty
from pywasm_ref._fastcore.tables cimport HANDLERS, H_COPY

cdef handler_t TABLE[HANDLERS]
cdef bint THREADED = False
cdef intptr_t DEPTH = 0


cdef uint64_t handler_word(uint32_t number) noexcept nogil:
    """What stands in the first word of an operation: an address, or its number for the loop."""
    return <uint64_t>TABLE[number] if THREADED else number


cdef uint32_t last_joined() noexcept nogil:
    """The number of the last superinstruction that there is. The loop has the most useful ones only, which stand first: it is one function,
    and takes long to build."""
    return HANDLERS if THREADED else LAST_JOINED


cdef int enter(Ctx* ctx, W* entry, S* fp) noexcept nogil:
    """Run until the frame at fp returns. What is not 0 is a reason of `layout.Trap`."""
    cdef int status
    if ctx.ticks < 0:
        status = ctx.poll(ctx, entry, fp)
        if status > 0:
            return ctx.trap
        if status == MOVED:
            entry = ctx.pc
    if THREADED:
        return (<handler_t>entry.v)(entry, fp, ctx.mem0.base, ctx.mem0.size, 0, ctx, 0.0, 0.0)
    return loop(entry, fp, ctx.mem0.base, ctx.mem0.size, 0, ctx, 0.0, 0.0)


cdef int enter_alone(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Run one operation, behind which `stepped` stands, with the registers that are parked."""
    cdef Parked* was = &ctx.thread.parked
    if THREADED:
        return (<handler_t>pc.v)(pc, fp, was.mem, was.lim, was.r0, ctx, was.f0, was.g0)
    return loop(pc, fp, was.mem, was.lim, was.r0, ctx, was.f0, was.g0)


cdef int tick(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil:
    """The slow end of a branch or call: reached through the context, since a compiler would inline and so spoil its caller.

    A memory may have moved when it is back, for what Python does about a signal can let it grow.
    """
    cdef int status = ctx.poll(ctx, pc, fp)
    if status > 0:
        return ctx.trap
    if status == MOVED:
        pc = ctx.pc
    return (<handler_t>pc.v)(pc, fp, ctx.mem0.base, ctx.mem0.size, r0, ctx, f0, g0)


cdef int beyond(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil:
    """The slow end of an access that is out of bounds: another thread may have made memory 0 longer, then once more."""
    if ctx.mem0.size > lim and mem == ctx.mem0.base:
        return (<handler_t>pc.v)(pc, fp, mem, ctx.mem0.size, r0, ctx, f0, g0)
    return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_MEMORY)


cdef int probe(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil:
    """A last handler that looks how deep the C stack is."""
    global DEPTH
    cdef int here
    DEPTH = <intptr_t>&here
    return 0


cdef bint tail_calls_are_jumps() noexcept nogil:
    cdef W code[2001]
    cdef S frame[2]
    cdef intptr_t shallow
    cdef int i
    code[0].v = <void*>probe
    (<handler_t>code[0].v)(code, frame, NULL, 0, 0, NULL, 0.0, 0.0)
    shallow = DEPTH
    for i in range(1000):
        code[2 * i].v = <void*>TABLE[H_COPY]
        code[2 * i + 1].u = 0
    code[2000].v = <void*>probe
    frame[0].u64 = 0
    (<handler_t>code[0].v)(code, frame, NULL, 0, 0, NULL, 0.0, 0.0)
    return -1024 < DEPTH - shallow < 1024


def start() -> str:
    """Choose a backend; PYWASM_FASTCORE_DISPATCH=loop asks for the portable one."""
    global THREADED
    memset(TABLE, 0, sizeof(TABLE))
    fill_all(TABLE)
    THREADED = tail_calls_are_jumps() and os.environ.get("PYWASM_FASTCORE_DISPATCH") != "loop"
    set_words(handler_word)
    return "threaded" if THREADED else "loop"


DISPATCH = start()
