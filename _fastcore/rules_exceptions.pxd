"""Throwing and catching, as in 3.0 and in the legacy proposal."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport Handler
from pywasm_ref._fastcore.translator cimport Tr

cdef enum:
    OPCODE_TRY = 0x06
    OPCODE_CATCH = 0x07
    OPCODE_CATCH_ALL = 0x19
    OPCODE_TRY_TABLE = 0x1F

cdef Handler* add_handler(Tr* tr, uint32_t start, uint32_t tag, uint32_t slot) noexcept nogil
cdef void end_try_table(Tr* tr) noexcept nogil
cdef void end_catch(Tr* tr) noexcept nogil
cdef void r_throw(Tr* tr) noexcept nogil
cdef void r_throw_ref(Tr* tr) noexcept nogil
cdef void r_try_table(Tr* tr) noexcept nogil
cdef void r_try(Tr* tr) noexcept nogil
cdef void r_catch(Tr* tr) noexcept nogil
cdef void r_catch_all(Tr* tr) noexcept nogil
cdef void r_delegate(Tr* tr) noexcept nogil
cdef void r_rethrow(Tr* tr) noexcept nogil
