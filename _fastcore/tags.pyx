"""See tags.pxd."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from pywasm_ref._fastcore.layout cimport TagInst, Type

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static unsigned count_add(unsigned* p, int n) { return (unsigned)_InterlockedExchangeAdd((volatile long*)p, n) + n; }
    #else
    static unsigned count_add(unsigned* p, int n) { return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL); }
    #endif
    """
    uint32_t count_add(uint32_t* p, int n) noexcept nogil


cdef TagInst* tag_new(Type* type) noexcept nogil:
    """A tag that its maker refers to, or NULL when memory is out."""
    cdef TagInst* tag = <TagInst*>malloc(sizeof(TagInst))
    if tag != NULL:
        tag.type = type
        tag.refs = 1
    return tag


cdef TagInst* tag_keep(TagInst* tag) noexcept nogil:
    count_add(&tag.refs, 1)
    return tag


cdef void tag_drop(TagInst* tag) noexcept nogil:
    if tag != NULL and count_add(&tag.refs, -1) == 0:
        free(tag)
