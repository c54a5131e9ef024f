"""Vector instructions and wide arithmetic: each rule reads its immediates, checks, and lowers when the code is live."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Tr

cdef void r_vector(Tr* tr) noexcept nogil
cdef void r_wide(Tr* tr, uint32_t code) noexcept nogil
