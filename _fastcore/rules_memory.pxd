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
cdef bint elem_index(Tr* tr, uint32_t x) noexcept nogil
cdef Ir* raw(Tr* tr, uint32_t op, Val* values, uint32_t n, uint64_t extra) noexcept nogil
cdef bint take(Tr* tr, Val* values, const uint32_t* types, uint32_t n) noexcept nogil
cdef bint three(Tr* tr, Val* values, uint32_t a, uint32_t b, uint32_t c) noexcept nogil
cdef bint two(Tr* tr, Val* values, uint32_t a, uint32_t b) noexcept nogil
cdef void result_in_slot(Tr* tr, Ir* ir, uint32_t type) noexcept nogil
cdef void give(Tr* tr, uint32_t type) noexcept nogil
cdef void r_memory_size(Tr* tr) noexcept nogil
cdef void r_memory_grow(Tr* tr) noexcept nogil
cdef void r_bulk(Tr* tr, uint32_t code) noexcept nogil
cdef void r_table_get(Tr* tr) noexcept nogil
cdef void r_table_set(Tr* tr) noexcept nogil
cdef void r_atomic(Tr* tr) noexcept nogil
