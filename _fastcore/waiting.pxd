"""Threads that wait for each other at an address of a shared memory."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Mem, S, W

cdef int wait_at(Ctx* ctx, Mem* memory, uint64_t ea, int size, uint64_t expected, int64_t timeout, W* pc, S* fp) noexcept nogil
cdef uint32_t notify_at(Mem* memory, uint64_t ea, uint32_t count) noexcept nogil
