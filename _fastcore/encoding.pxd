"""From the operations of a block to words: labels, what fuel needs to know, and superinstructions."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.translator cimport Ir, Tr

cdef void set_enter(Ir* ir, uint32_t start, uint32_t n) noexcept nogil
cdef uint32_t new_label(Tr* tr) noexcept nogil
cdef void end_block(Tr* tr) noexcept nogil
cdef void bind(Tr* tr, uint32_t label) noexcept nogil
cdef void new_stretch(Tr* tr) noexcept nogil
cdef void emit_fuel(Tr* tr) noexcept nogil
