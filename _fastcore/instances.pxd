"""Instances: what a module needs to run, and what it exports."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Code, Ctx, Fn, S, Tab
from pywasm_ref._fastcore.modules cimport Module
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.unit cimport Import, Init, Segment

cdef class Instance:
    cdef Ctx* ctx
    cdef readonly Module module
    cdef readonly Room store
    cdef list imported          # doors of what is imported, which is borrowed below
    cdef Tab* own_tables        # those that it defines
    cdef uint32_t n_own_tables
    cdef uint32_t n_own_mems
    cdef object __weakref__

    cdef int link(self) except -1
    cdef int link_one(self, Import* wanted, object extern) except -1
    cdef int evaluate(self, Code* code, S* result) except -1
    cdef int make_tags(self) except -1
    cdef int make_globals(self) except -1
    cdef int make_tables(self) except -1
    cdef int make_memory(self) except -1
    cdef int copy_elements(self) except -1
    cdef int put_elements(self, S* target, Segment* s) except -1
    cdef int put_functions(self, S* target, const uint32_t* indices, uint64_t n) except -1
    cdef int copy_data(self) except -1
    cdef S* global_at(self, uint32_t index)
    cdef S* held(self, uint32_t index)
    cdef Fn* fn(self, uint32_t index) except NULL
    cdef uint64_t value(self, Init* init) except? 0
    cdef object export(self, int kind, uint32_t index)

cdef class Exports:
    cdef Instance instance
