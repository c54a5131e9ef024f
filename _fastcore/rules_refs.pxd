"""References that are no objects of the collector, and calls through them and in tail position."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Tr, Val

cdef void give_back(Tr* tr, Val* v, uint32_t type) noexcept nogil
cdef void at_home(Tr* tr, Val* v) noexcept nogil
cdef void r_ref_null(Tr* tr) noexcept nogil
cdef void r_ref_is_null(Tr* tr) noexcept nogil
cdef void r_ref_func(Tr* tr) noexcept nogil
cdef void r_ref_as_non_null(Tr* tr) noexcept nogil
cdef void r_br_on_null(Tr* tr) noexcept nogil
cdef void r_br_on_non_null(Tr* tr) noexcept nogil
cdef void r_call_ref(Tr* tr) noexcept nogil
cdef void r_return_call(Tr* tr) noexcept nogil
cdef void r_return_call_indirect(Tr* tr) noexcept nogil
cdef void r_return_call_ref(Tr* tr) noexcept nogil
