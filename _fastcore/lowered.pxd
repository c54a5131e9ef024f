"""Code as bytes that mean the same in another process with the same build of this engine."""

from libc.stdint cimport uint8_t, uint64_t
from pywasm_ref._fastcore.unit cimport Unit

cdef bytes dump_codes(Unit* unit)
cdef int load_codes(Unit* unit, const uint8_t* data, uint64_t size) noexcept nogil
