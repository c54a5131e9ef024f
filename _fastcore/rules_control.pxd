"""The instructions of one family: each rule reads its immediates, checks, and lowers when the code is live."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Type
from pywasm_ref._fastcore.translator cimport Ctrl, Tr, Val

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

cdef Type* block_type(Tr* tr) noexcept nogil
cdef Type* indirect_type(Tr* tr, uint32_t* table) noexcept nogil
cdef Ctrl* label_of(Tr* tr, uint32_t l) noexcept nogil
cdef const uint32_t* label_types(Ctrl* c, uint32_t* n) noexcept nogil
cdef void leave_block(Tr* tr) noexcept nogil
cdef void end_of_block(Tr* tr) noexcept nogil
cdef void move_values(Tr* tr, uint32_t source, uint32_t target, uint32_t end) noexcept nogil
cdef void emit_jump(Tr* tr, uint32_t label) noexcept nogil
cdef void emit_call(Tr* tr, Type* type, uint32_t op, uint64_t extra, Val* index, uint32_t table) noexcept nogil
cdef void branch_if(Tr* tr, Ctrl* c, uint32_t n, Val* cond, bint sense) noexcept nogil
cdef void push_ctrl(Tr* tr, uint8_t opcode, Type* type) noexcept nogil
cdef void emit_return(Tr* tr) noexcept nogil
