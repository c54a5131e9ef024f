"""Messages about types, put together in a buffer."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.unit cimport Unit

cdef struct Words:
    uint32_t n
    char text[2048]

cdef Words begin_words() noexcept nogil
cdef void put(Words* w, const char* text) noexcept nogil
cdef void put_number(Words* w, uint64_t x) noexcept nogil
cdef void put_type(Words* w, Unit* unit, uint32_t t) noexcept nogil
cdef void put_types(Words* w, Unit* unit, const uint32_t* types, uint32_t n) noexcept nogil
