"""Calls into another instance: a frame between the two that brings the caller's context back."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport Ctx, Fn, S, W

cdef S* bridge(Ctx* ctx, Fn* fn, S* args, W* back, S* fp) noexcept nogil
cdef S* unbridge(S* fp) noexcept nogil
cdef S* replace(Ctx* ctx, Fn* fn, S* args, S* fp, uint32_t hdr) noexcept nogil
cdef Fn* function(Ctx* ctx, uint32_t index) noexcept nogil
cdef Fn* functions(Ctx* ctx) noexcept nogil
