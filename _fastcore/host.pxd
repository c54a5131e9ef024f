"""Calls from a guest to a function of the host."""

from pywasm_ref._fastcore.layout cimport Ctx, Fn, S, W

cdef enum:
    MOST = 16                   # arguments that a call without sequences can have

cdef int call_host(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil
