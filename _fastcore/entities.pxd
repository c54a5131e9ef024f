"""Parts of sections: names, limits, and the types of what is imported or defined."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Type
from pywasm_ref._fastcore.unit cimport GlobalDef, Limit, Name, Unit

cdef int read_name(Unit* unit, Name* name) noexcept nogil
cdef int read_table_type(Unit* unit, Limit* l) noexcept nogil
cdef int read_mem_type(Unit* unit, Limit* l) noexcept nogil
cdef int read_global_type(Unit* unit, GlobalDef* g) noexcept nogil
cdef Type* read_tag_type(Unit* unit) noexcept nogil
cdef bint has_tags(Unit* unit) noexcept nogil
cdef int require(Unit* unit, uint64_t feature, const char* words) noexcept nogil
