"""Linear memories: address space from the system, zero until touched, growing without a copy."""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Mem

cdef enum:
    PAGE_BITS = 16

cdef Mem* mem_new(uint64_t pages, uint64_t max_pages) noexcept nogil
cdef void mem_free(Mem* memory) noexcept nogil
cdef uint64_t mem_grow(Mem* memory, uint64_t pages) noexcept nogil
cdef Mem* mem_empty() noexcept nogil
