"""How many calls have not returned: counted only where there could be too many."""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Mark, S, Thread, W

cdef void use_stack(Thread* thread, S* stack, S* end) noexcept nogil
cdef bint may_begin(Thread* thread, Mark* base, S* fp, Code* code) noexcept nogil
cdef void begin_calls(Thread* thread, Mark* base, Ctx* ctx) noexcept nogil
cdef void end_calls(Thread* thread, Mark* base) noexcept nogil
cdef W* deepen(Ctx* ctx, W* pc, S* fp, S* nfp, Code* code, W* back) noexcept nogil
cdef void forget_above(Thread* thread, S* fp) noexcept nogil
cdef void marks_free(Thread* thread) noexcept nogil
