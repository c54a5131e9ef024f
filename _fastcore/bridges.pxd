"""Calls into another instance: a frame between the two that brings the caller's context back."""

from pywasm_ref._fastcore.layout cimport Ctx, Fn, S, W

cdef S* bridge(Ctx* ctx, Fn* fn, S* args, W* back, S* fp) noexcept nogil
cdef S* unbridge(S* fp) noexcept nogil
cdef void set_restore(void* handler) noexcept nogil
