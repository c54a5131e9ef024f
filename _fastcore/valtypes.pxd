"""Types as they stand in a binary, read and closed: indices become the types that they name."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Type
from pywasm_ref._fastcore.unit cimport Unit

cdef Type* type_at(Unit* unit, uint32_t x) noexcept nogil
cdef Type* func_type_at(Unit* unit, uint32_t x) noexcept nogil
cdef uint32_t read_heap_type(Unit* unit) noexcept nogil
cdef int gate(Unit* unit, uint32_t type) noexcept nogil
cdef uint32_t read_ref_type(Unit* unit) noexcept nogil
cdef uint32_t read_value_type(Unit* unit) noexcept nogil
cdef uint32_t read_storage_type(Unit* unit) noexcept nogil
cdef int refuse(Unit* unit, const char* format, uint64_t x) noexcept nogil

cdef inline bint on(Unit* unit, uint64_t feature) noexcept nogil:
    return unit.features & feature != 0
