"""The name section, read when somebody asks."""

from pywasm_ref._fastcore.unit cimport Unit

cdef dict read_names(Unit* unit)
