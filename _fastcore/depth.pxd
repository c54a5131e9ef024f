"""How many calls have not returned: counted only where there could be too many."""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Mark, S, Thread, W

cdef void use_stack(Thread* thread, S* stack, S* end) noexcept nogil
cdef bint is_shallow(Thread* thread, Mark* base) noexcept nogil
cdef W* deepen(Ctx* ctx, W* pc, S* fp, S* nfp, Code* code, W* back) noexcept nogil
cdef void forget_above(Thread* thread, S* fp) noexcept nogil
cdef void marks_free(Thread* thread) noexcept nogil
cdef void forget(Thread* thread) noexcept nogil

cdef inline bint may_begin(Thread* thread, Mark* base, uint64_t halt, S* fp, Code* code) noexcept nogil:
    """May the host call this function? Those that wait for the host are counted if there could be too many."""
    base.word.u = halt
    base.back = NULL
    base.fp = fp
    base.depth = 0
    base.around = thread.suspended
    base.end = thread.shallow
    return fp + code.frame <= base.end or is_shallow(thread, base)

cdef inline void begin_calls(Thread* thread, Mark* base, Ctx* ctx) noexcept nogil:
    base.outer = thread.mark
    thread.mark = base
    ctx.stack_end = base.end

cdef inline void end_calls(Thread* thread, Mark* base) noexcept nogil:
    """The guest has come to an end, whatever it was. Who waits for the host function that called it sees the end of the stack as before."""
    while thread.mark != base:
        forget(thread)
    thread.mark = base.outer
    if thread.suspended != NULL:
        thread.suspended.ctx.stack_end = thread.mark.end
