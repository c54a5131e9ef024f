"""The type section: recursive groups, read, closed and interned."""

from pywasm_ref._fastcore.unit cimport Unit

cdef int type_section(Unit* unit) noexcept nogil
