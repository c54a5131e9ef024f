"""When a value of one type can stand where another is expected."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport VT_HEAP, VT_NULL, VT_REF, Type

cdef bint is_subtype(Type* sub, Type* above) noexcept nogil
cdef bint match_heap(uint32_t h1, uint32_t h2) noexcept nogil
cdef bint match_comp(Type* t1, Type* t2) noexcept nogil

cdef inline bint match(uint32_t t1, uint32_t t2) noexcept nogil:
    """Does a value of the first type fit where the second is expected? VT_BOT fits everywhere."""
    if t1 == t2 or t1 == 0:
        return True
    if not t1 & t2 & VT_REF or t1 & VT_NULL & ~t2:
        return False
    return match_heap(t1 & VT_HEAP, t2 & VT_HEAP)

cdef inline bint matches(const uint32_t* t1, const uint32_t* t2, uint32_t n) noexcept nogil:
    cdef uint32_t i
    for i in range(n):
        if not match(t1[i], t2[i]):
            return False
    return True

cdef inline uint32_t difference(uint32_t t1, uint32_t t2) noexcept nogil:
    """What is left of a reference type when a cast to the second has failed: no null any more, if the second takes null."""
    return t1 & ~(t2 & VT_NULL)
