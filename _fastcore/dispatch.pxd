"""Which of the two backends runs: handlers that jump to each other, or one loop."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Code, S, W, handler_t

cdef uint64_t handler_word(uint32_t number) noexcept nogil
cdef uint32_t last_joined() noexcept nogil
cdef int enter(Ctx* ctx, W* entry, S* fp) noexcept nogil
cdef int enter_alone(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int tick(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil
cdef int beyond(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil
