"""Lowering with fuel: how many instructions stand between two places of the code. See fuel.pxd for how they are paid."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport W
from pywasm_ref._fastcore.translator cimport Tr

cdef bint begin_stretches(Tr* tr) noexcept nogil
cdef void count(Tr* tr) noexcept nogil
cdef void pay_at_landings(Tr* tr) noexcept nogil
cdef int price(Tr* tr, W* words) noexcept nogil
