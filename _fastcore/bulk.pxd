"""Filling and copying so many bytes of memories that a guest must be stoppable on the way: piece by piece, with a look between two of them."""

from libc.stdint cimport uint8_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Mem, S, W

cdef enum:
    PIECE = 0x1000000           # bytes that are written in some milliseconds

cdef int fill_long(Ctx* ctx, W* pc, S* fp, Mem* memory, uint64_t at, uint8_t value, uint64_t n) noexcept nogil
cdef int copy_long(Ctx* ctx, W* pc, S* fp, Mem* target, uint64_t to, Mem* source, uint64_t at, uint64_t n) noexcept nogil
