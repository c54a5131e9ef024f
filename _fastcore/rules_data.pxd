"""The instructions of one family: each rule reads its immediates, checks, and lowers when the code is live."""

from pywasm_ref._fastcore.translator cimport Tr

cdef void r_drop(Tr* tr) noexcept nogil
cdef void r_select(Tr* tr) noexcept nogil
cdef void r_select_t(Tr* tr) noexcept nogil
cdef void r_local_get(Tr* tr) noexcept nogil
cdef void r_local_set(Tr* tr) noexcept nogil
cdef void r_local_tee(Tr* tr) noexcept nogil
cdef void r_global_get(Tr* tr) noexcept nogil
cdef void r_global_set(Tr* tr) noexcept nogil
cdef void r_prefixed(Tr* tr) noexcept nogil
cdef void r_i32_const(Tr* tr) noexcept nogil
cdef void r_i64_const(Tr* tr) noexcept nogil
cdef void r_f32_const(Tr* tr) noexcept nogil
cdef void r_f64_const(Tr* tr) noexcept nogil
cdef void r_row(Tr* tr) noexcept nogil
