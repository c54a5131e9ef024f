"""Arrays: making them, and what is done with many elements at once. Operations call these with their own words; what is not 0 is a trap."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Array, Ctx, S, Thread, Type, W

cdef int array_new(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_new_fixed(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_new_data(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_new_elem(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_fill(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_copy(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_init_data(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int array_init_elem(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int struct_new(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef void put_element(Array* array, uint64_t i, const S* value) noexcept nogil
cdef void get_element(Array* array, uint64_t i, S* value) noexcept nogil
