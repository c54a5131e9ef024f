"""See matching.pxd."""

from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.types cimport type_of

cdef uint32_t ABOVE[13]
ABOVE[:] = [
    1 << HT_FUNC, 1 << HT_EXTERN, 1 << HT_ANY, 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_I31 | 1 << HT_EQ | 1 << HT_ANY, 1 << HT_STRUCT | 1 << HT_EQ | 1 << HT_ANY, 1 << HT_ARRAY | 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_NONE | 1 << HT_I31 | 1 << HT_STRUCT | 1 << HT_ARRAY | 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_NOFUNC | 1 << HT_FUNC, 1 << HT_EXN, 1 << HT_NOEXN | 1 << HT_EXN, 1 << HT_NOEXTERN | 1 << HT_EXTERN,
    0xffff,
]
# Each abstract heap type with all that it matches, itself included.


cdef bint is_subtype(Type* sub, Type* above) noexcept nogil:
    """Is the second the first, or one of its declared supertypes at any distance?"""
    while sub.depth > above.depth:
        sub = sub.jump if sub.jump.depth >= above.depth else sub.parent
    return sub == above


cdef bint match_heap(uint32_t h1, uint32_t h2) noexcept nogil:
    if h1 == h2:
        return True
    if h1 >= HT_DEFINED:
        if h2 >= HT_DEFINED:
            return is_subtype(type_of(h1), type_of(h2))
        return ABOVE[type_of(h1).kind] >> h2 & 1
    if h2 >= HT_DEFINED:
        return h1 == HT_BOT or h1 == (HT_NOFUNC if type_of(h2).kind == HT_FUNC else HT_NONE)
    return ABOVE[h1] >> h2 & 1


cdef bint match_field(Type* t1, Type* t2, uint32_t i) noexcept nogil:
    """A field that can be written has to match both ways."""
    cdef uint32_t v1 = t1.valtypes[i]
    cdef uint32_t v2 = t2.valtypes[i]
    if t1.muts[i] != t2.muts[i] or not match(v1, v2):
        return False
    return not t1.muts[i] or match(v2, v1)


cdef bint match_comp(Type* t1, Type* t2) noexcept nogil:
    """Does the structure of the first type, whatever its supertypes are, fit where that of the second is expected?"""
    cdef uint32_t i
    if t1.kind != t2.kind:
        return False
    if t1.kind == HT_FUNC:
        if t1.n_params != t2.n_params or t1.n_results != t2.n_results:
            return False
        return (matches(t2.valtypes, t1.valtypes, t1.n_params)
                and matches(t1.valtypes + t1.n_params, t2.valtypes + t1.n_params, t1.n_results))
    if t1.n_fields < t2.n_fields:
        return False
    for i in range(t2.n_fields):
        if not match_field(t1, t2, i):
            return False
    return True
