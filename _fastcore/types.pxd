"""Function types, one object for equal ones. (Recursive types join here: a `Type` is what `type ==` compares.)"""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport Type

cdef Type* func_type(const uint32_t* valtypes, uint32_t n_params, uint32_t n_results) noexcept nogil
