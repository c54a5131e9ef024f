"""Tables of references at run time."""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Quota, Tab

cdef int tab_make(Tab* table, uint64_t size, uint64_t type_max, bint wide, Quota* quota) noexcept nogil
cdef uint64_t tab_limit(uint64_t type_max, bint wide, uint64_t quota) noexcept nogil
cdef uint64_t tab_grow(Tab* table, uint64_t n, uint64_t ref) noexcept nogil
cdef void tab_fill(Tab* table, uint64_t start, uint64_t ref, uint64_t n) noexcept nogil
cdef void tab_free(Tab* table) noexcept nogil
