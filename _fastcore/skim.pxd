"""Decodes a module without understanding it: whatever is malformed anywhere counts before anything that is invalid."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.shapes cimport Shape
from pywasm_ref._fastcore.unit cimport Unit

cdef enum:
    FUNC_SECTION = 3
    CODE_SECTION = 10
    DATA_SECTION = 11
    DATA_COUNT_SECTION = 12
    TAG_SECTION = 13

cdef const Shape* skim_instruction(Unit* unit, uint32_t* index) noexcept nogil
cdef int skim_expr(Unit* unit, bint constant) noexcept nogil
cdef int skim_body(Unit* unit) noexcept nogil
cdef int skim_section(Unit* unit, int section) noexcept nogil
cdef void declare_func(Unit* unit, uint32_t x) noexcept nogil
