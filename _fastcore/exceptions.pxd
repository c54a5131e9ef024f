"""Exceptions: making them, finding who catches them. Tags are counted, since exceptions may outlive the instance of their tag."""

from pywasm_ref._fastcore.layout cimport Ctx, Exn, S, Tag, Thread, Type, W

cdef Tag* tag_new(Type* type) noexcept nogil
cdef Tag* tag_keep(Tag* tag) noexcept nogil
cdef void tag_drop(Tag* tag) noexcept nogil
cdef Exn* exn_new(Tag* tag, const S* values) noexcept nogil
cdef void exn_keep(Thread* thread, Exn* exn) noexcept nogil
cdef void exn_unpin(Exn* exn) noexcept nogil
cdef void exns_free(Thread* thread) noexcept nogil
cdef int throw_new(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int throw_again(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int unwind(Ctx* ctx, W* pc, S* fp) noexcept nogil
