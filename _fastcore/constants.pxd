"""Constant expressions: a value, a global or a function as it is; what is longer, as code without parameters."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.unit cimport Init, Unit

cdef int init_expr(Unit* unit, uint32_t wanted, Init* init) noexcept nogil
cdef int func_index(Unit* unit, uint32_t x) noexcept nogil
