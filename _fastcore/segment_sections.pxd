"""Element and data segments."""

from pywasm_ref._fastcore.unit cimport Unit

cdef int elem_section(Unit* unit) noexcept nogil
cdef int elem_types(Unit* unit) noexcept nogil
cdef int data_section(Unit* unit) noexcept nogil
