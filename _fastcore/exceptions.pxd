"""Exceptions: making them, finding who catches them. Tags are counted, since exceptions may outlive the instance of their tag."""

from pywasm_ref._fastcore.layout cimport Ctx, ExnInst, S, TagInst, Thread, Type, W

cdef TagInst* tag_new(Type* type) noexcept nogil
cdef TagInst* tag_keep(TagInst* tag) noexcept nogil
cdef void tag_drop(TagInst* tag) noexcept nogil
cdef ExnInst* exn_new(TagInst* tag, const S* values) noexcept nogil
cdef void exn_keep(Thread* thread, ExnInst* exn) noexcept nogil
cdef void exn_unpin(ExnInst* exn) noexcept nogil
cdef void exns_free(Thread* thread) noexcept nogil
cdef int throw_new(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int throw_again(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef void drop(Thread* thread) noexcept nogil
cdef int unwind(Ctx* ctx, W* pc, S* fp) noexcept nogil
