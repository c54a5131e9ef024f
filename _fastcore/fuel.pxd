"""Fuel: paid for a stretch of code at a time, and exact to the instruction at its end."""

from libc.stdint cimport int64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Parked, S, Thread, W

cdef enum:
    QUANTUM = 100000        # ticks between two looks at the stop flag

cdef inline int64_t unlimited() noexcept nogil:
    """What a store begins each call with that has no limit."""
    return <int64_t>1 << 60

cdef inline void give_ticks(Ctx* ctx, bint stopped) noexcept nogil:
    """Give the context that is going to run its ticks, which are below 0 when it is to poll at once."""
    cdef Thread* thread = ctx.thread
    ctx.ticks = -1 if stopped else min(thread.fuel, <int64_t>QUANTUM)
    thread.fuel -= ctx.ticks

cdef inline void take_ticks(Ctx* ctx) noexcept nogil:
    """Take back the ticks of the context that ran."""
    ctx.thread.fuel += ctx.ticks
    ctx.ticks = 0

cdef struct Pause:
    # A context that waits while Python has the word, which may run guests.
    Parked parked
    int64_t ticks           # of an operation that is run alone
    int64_t debt            # what is missing for the stretch that is entered

cdef void pause(Ctx* ctx, Pause* was) noexcept nogil
cdef void proceed(Ctx* ctx, Pause* was) noexcept nogil
cdef int pay(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef bint is_alone(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef void settle(Thread* thread, int status) noexcept nogil
cdef void meter_context(Ctx* ctx, Code* codes) noexcept nogil
