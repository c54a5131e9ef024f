"""Linear memories: zero until touched, growing without a copy where the system allows, and safe to look at from Python."""

from libc.stdint cimport uint8_t, uint64_t
from pywasm_ref._fastcore.layout cimport Mem, Quota, View

cdef Mem* mem_new(uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared, Quota* quota) noexcept nogil
cdef uint64_t mem_limit(uint64_t type_max, int page_bits, bint wide, uint64_t quota) noexcept nogil
cdef void mem_free(Mem* memory) noexcept nogil
cdef uint64_t mem_grow(Mem* memory, uint64_t pages) noexcept nogil
cdef Mem* mem_empty() noexcept nogil
cdef View* mem_view(Mem* memory, uint8_t** base, uint64_t* size) noexcept nogil
cdef void mem_unview(Mem* memory, View* view) noexcept nogil
cdef bint mem_own_mapping(Mem* memory) noexcept nogil

cdef inline bint outside(uint64_t start, uint64_t n, uint64_t size) noexcept nogil:
    """Is there a part of `n` things from `start` on that is not among the first `size`?"""
    return n > size or start > size - n
