"""Linear memories: zero until touched, growing without a copy where the system allows, and safe to look at from Python."""

from libc.stdint cimport uint8_t, uint64_t
from pywasm_ref._fastcore.layout cimport Mem, Quota, Spare, View

cdef Mem* mem_new(uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared, Quota* quota, Spare* spare) noexcept nogil
cdef uint64_t mem_limit(uint64_t type_max, int page_bits, bint wide, uint64_t quota) noexcept nogil
cdef void mem_free(Mem* memory) noexcept nogil
cdef void mem_keep(Mem* memory, Spare* spare) noexcept nogil
cdef void spare_free(Spare* spare) noexcept nogil
cdef uint64_t mem_grow(Mem* memory, uint64_t pages) noexcept nogil
cdef Mem* mem_empty() noexcept nogil
cdef View* mem_view(Mem* memory, uint8_t** base, uint64_t* size) noexcept nogil
cdef void mem_unview(Mem* memory, View* view) noexcept nogil
cdef bint mem_own_mapping(Mem* memory) noexcept nogil

cdef enum:
    # `Mem.place`: slots of class k have k + 1
    NOWHERE = 0                     # none yet
    IMAGED = 254                    # a mapping of its own, with an image over a part of it
    MAPPED = 255

cdef inline bint outside(uint64_t start, uint64_t n, uint64_t size) noexcept nogil:
    """Is there a part of `n` things from `start` on that is not among the first `size`?"""
    return n > size or start > size - n
