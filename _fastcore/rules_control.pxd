"""The instructions of one family: each rule reads its immediates, checks, and lowers when the code is live."""

from libc.stdint cimport uint8_t
from pywasm_ref._fastcore.layout cimport Type
from pywasm_ref._fastcore.translator cimport Tr

cdef void r_block(Tr* tr) noexcept nogil
cdef void r_loop(Tr* tr) noexcept nogil
cdef void r_if(Tr* tr) noexcept nogil
cdef void r_else(Tr* tr) noexcept nogil
cdef void r_end(Tr* tr) noexcept nogil
cdef void r_br(Tr* tr) noexcept nogil
cdef void r_br_if(Tr* tr) noexcept nogil
cdef void r_br_table(Tr* tr) noexcept nogil
cdef void r_return(Tr* tr) noexcept nogil
cdef void r_unreachable(Tr* tr) noexcept nogil
cdef void r_nop(Tr* tr) noexcept nogil
cdef void r_call(Tr* tr) noexcept nogil
cdef void r_call_indirect(Tr* tr) noexcept nogil
cdef void push_ctrl(Tr* tr, uint8_t opcode, Type* type) noexcept nogil
cdef void emit_return(Tr* tr) noexcept nogil
