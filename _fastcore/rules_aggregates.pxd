"""Structures, arrays and i31."""

from pywasm_ref._fastcore.translator cimport Tr

cdef void r_aggregate(Tr* tr) noexcept nogil
