"""See fuel.pxd.

What is left is the ticks of the context that runs and `Thread.fuel` together; while Python has the word it is all in `Thread.fuel`.
Who enters a stretch (`metering.pyx`) pays for all of it. When that cannot be paid, the sum is below 0, and the operations of the
stretch are run one by one as long as what stands behind them is at least what is missing: that is when the instruction itself is paid.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy
from pywasm_ref._fastcore.dispatch cimport enter_alone, handler_word
from pywasm_ref._fastcore.frames cimport code_at
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.tables cimport H_STEPPED
from pywasm_ref._fastcore.unit cimport Unit

cdef enum:
    STEP = 3                # numbers for each step
    LONGEST = 60            # words of an operation that is run alone


cdef inline int64_t apart() noexcept nogil:
    """Ticks that are taken away while operations run alone, so that each branch that is taken comes to `poll`."""
    return <int64_t>1 << 40


cdef void pause(Ctx* ctx, Pause* was) noexcept nogil:
    """Somebody else may count, and run operations alone, until `proceed`."""
    was.parked = ctx.thread.parked
    was.ticks = ctx.ticks
    if was.parked.copy == NULL:
        ctx.thread.fuel += ctx.ticks
    ctx.ticks = 0
    was.debt = min(ctx.thread.fuel, <int64_t>0)
    ctx.thread.fuel -= was.debt
    ctx.thread.parked.copy = ctx.thread.parked.end = NULL


cdef void proceed(Ctx* ctx, Pause* was) noexcept nogil:
    ctx.thread.parked = was.parked
    ctx.thread.fuel += was.debt
    if was.parked.copy == NULL:
        give_ticks(ctx, False)
    else:
        ctx.ticks = was.ticks


cdef uint32_t find_step(Code* code, W* pc) noexcept nogil:
    """The position of an operation among the steps; how many there are when it is none."""
    cdef uint32_t word = <uint32_t>(pc - code.entry)
    cdef uint32_t low = 0, high = code.n_steps, middle
    while low < high:
        middle = low + (high - low) // 2
        if code.steps[STEP * middle] < word:
            low = middle + 1
        else:
            high = middle
    return low if low < code.n_steps and code.steps[STEP * low] == word else code.n_steps


cdef bint is_alone(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Was that the branch of an operation that is run alone? Then remember where it went."""
    if ctx.ticks > -apart() // 2:
        return False
    ctx.pc = pc
    ctx.trap = LEFT
    return True


cdef int pay(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The stretch at pc cannot be paid, all ticks are collected: run what can be paid of it, until it is left or fuel is out."""
    cdef Code* code = code_at(ctx, pc)
    cdef Parked* parked = &ctx.thread.parked
    cdef uint32_t at, length
    cdef int status
    parked.mem = ctx.mem0.base
    parked.lim = ctx.mem0.size
    at = find_step(code, pc) if code != NULL else 0
    while code != NULL and at + 1 < code.n_steps and <int64_t>code.steps[STEP * at + 1] >= -ctx.thread.fuel:
        pc = code.entry + code.steps[STEP * at]
        length = code.steps[STEP * (at + 1)] - code.steps[STEP * at]
        status = step(ctx, pc, fp, length, code.steps[STEP * at + 2])
        if status > 0:
            return status
        at += 1
        if status == LEFT:
            if ctx.thread.fuel >= 0:
                return MOVED
            at = find_step(code, ctx.pc)
    return trap(ctx, pc, fp, TRAP_FUEL)


cdef int step(Ctx* ctx, W* pc, S* fp, uint32_t length, uint32_t handler) noexcept nogil:
    """Run one operation, from a copy behind which `stepped` stands."""
    cdef W copy[LONGEST + 1]
    cdef Parked* parked = &ctx.thread.parked
    cdef int status
    if length > LONGEST:
        return trap(ctx, pc, fp, TRAP_FUEL)
    memcpy(copy, pc, length * sizeof(W))
    copy[0].u = handler_word(handler)       # not that of several operations in a row
    copy[length].u = handler_word(H_STEPPED)
    ctx.ticks = -apart()
    parked.copy = copy
    parked.end = copy + length
    parked.pc = pc
    status = enter_alone(ctx, copy, fp)
    parked.copy = parked.end = NULL
    ctx.thread.fuel += ctx.ticks + apart()
    ctx.ticks = 0
    if status > 0 and copy <= ctx.pc < copy + length:
        ctx.pc = pc
    return status


cdef void settle(Thread* thread, int status) noexcept nogil:
    """A guest stopped before its end: what was paid for behind the place is given back; when fuel ran out, there is none."""
    cdef Ctx* ctx = thread.ctx
    cdef Code* code
    cdef uint32_t at
    if status == TRAP_FUEL:
        thread.fuel = 0
        return
    code = code_at(ctx, ctx.pc)
    if code != NULL and code.n_steps:
        at = find_step(code, ctx.pc)
        if at < code.n_steps:
            thread.fuel += code.steps[STEP * at + 1]


cdef void meter_context(Ctx* ctx, Code* codes) noexcept nogil:
    """An instance runs metered code from its next call on."""
    cdef Unit* unit = <Unit*>ctx.unit
    cdef uint32_t i
    ctx.codes = codes
    if ctx.fns != NULL:
        for i in range(unit.n_codes):
            ctx.fns[i].code = &codes[i]
