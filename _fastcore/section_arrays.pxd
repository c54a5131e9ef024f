"""Arrays for the entries of a section: never larger than the bytes that are left can fill, whatever their number claims."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.unit cimport Unit

cdef uint32_t vector(Unit* unit, void** array, uint32_t before, uint64_t size, uint32_t least) noexcept nogil
cdef int room(Unit* unit, void** array, uint64_t n, uint64_t size, uint32_t least) noexcept nogil
cdef int more(Unit* unit, void** array, uint32_t before, uint64_t size, uint32_t least, uint32_t* count) noexcept nogil
