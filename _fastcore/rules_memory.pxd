"""Memory, table and atomic instructions."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.translator cimport Ir, Tr, Val

cdef struct Access:
    # What a memory argument says.
    uint32_t memory
    uint32_t address        # type of its addresses
    uint64_t offset

cdef bint memarg(Tr* tr, uint32_t natural, Access* x) noexcept nogil
cdef uint32_t address_type(Tr* tr, const Access* x) noexcept nogil
cdef Ir* emit_access(Tr* tr, uint32_t op, const Access* x, Val* a, Val* b, uint32_t result) noexcept nogil
cdef void open_window(Tr* tr, const Access* x, Val* a) noexcept nogil
cdef void close_window(Tr* tr) noexcept nogil
cdef void r_memory_size(Tr* tr) noexcept nogil
cdef void r_memory_grow(Tr* tr) noexcept nogil
cdef void r_bulk(Tr* tr, uint32_t code) noexcept nogil
cdef void r_table_get(Tr* tr) noexcept nogil
cdef void r_table_set(Tr* tr) noexcept nogil
cdef void r_atomic(Tr* tr) noexcept nogil
