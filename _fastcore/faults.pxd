"""Why a module was refused, as an exception."""

from pywasm_ref._fastcore.unit cimport Unit

cdef object fault_error(Unit* unit, names)
