"""Exceptions: making them, finding who catches them."""

from pywasm_ref._fastcore.layout cimport Ctx, ExnInst, S, TagInst, Thread, W

cdef ExnInst* exn_new(Thread* thread, Ctx* ctx, W* pc, S* fp, TagInst* tag, const S* values, int* status) noexcept nogil
cdef int throw_new(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int throw_again(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int unwind(Ctx* ctx, W* pc, S* fp) noexcept nogil
