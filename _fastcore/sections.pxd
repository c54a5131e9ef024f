"""A binary module, section by section."""

from libc.stdint cimport uint8_t, uint64_t
from pywasm_ref._fastcore.unit cimport Unit

cdef Unit* read_module(const uint8_t* data, uint64_t size, uint64_t features, const uint8_t* lowered, uint64_t n_lowered) noexcept nogil
cdef int meter(Unit* unit) noexcept nogil
cdef void unit_free(Unit* unit) noexcept nogil
