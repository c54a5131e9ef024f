"""Instructions that ask what a reference is, or change what it counts as."""

from pywasm_ref._fastcore.translator cimport Tr

cdef void r_ref_eq(Tr* tr) noexcept nogil
cdef void r_ref_test(Tr* tr) noexcept nogil
cdef void r_ref_test_null(Tr* tr) noexcept nogil
cdef void r_ref_cast(Tr* tr) noexcept nogil
cdef void r_ref_cast_null(Tr* tr) noexcept nogil
cdef void r_br_on_cast(Tr* tr) noexcept nogil
cdef void r_br_on_cast_fail(Tr* tr) noexcept nogil
cdef void r_any_convert_extern(Tr* tr) noexcept nogil
cdef void r_extern_convert_any(Tr* tr) noexcept nogil
cdef void r_ref_i31(Tr* tr) noexcept nogil
cdef void r_i31_get_s(Tr* tr) noexcept nogil
cdef void r_i31_get_u(Tr* tr) noexcept nogil
