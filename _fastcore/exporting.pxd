"""The export section."""

from pywasm_ref._fastcore.unit cimport Unit

cdef int export_section(Unit* unit) noexcept nogil
