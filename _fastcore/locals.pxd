"""The locals of a function. What translation asks about each, stands in entries: the first locals have theirs from the beginning, of others
a run of one type is noted, and an entry made when code names one. So a function costs what it is long, whatever it declares."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Tr

cdef bint declare_locals(Tr* tr) noexcept nogil
cdef bint local_entry(Tr* tr, uint32_t* x) noexcept nogil
cdef void forget_locals(Tr* tr) noexcept nogil
