"""What every rule does with the abstract stack: take, give and compare types."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Tr, Val

cdef void mismatch(Tr* tr) noexcept nogil
cdef Val pop(Tr* tr, uint32_t wanted) noexcept nogil
cdef void push_types(Tr* tr, const uint32_t* types, uint32_t n, int kind) noexcept nogil
cdef void check_top(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil
cdef void set_unreachable(Tr* tr) noexcept nogil
cdef uint32_t value_type(Tr* tr) noexcept nogil
