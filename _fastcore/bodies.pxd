"""Function bodies: the algorithm of the specification's validation appendix, lowering as it goes."""

from pywasm_ref._fastcore.translator cimport Tr
from pywasm_ref._fastcore.layout cimport Code
from pywasm_ref._fastcore.unit cimport Unit

cdef int translate(Tr* tr, Unit* unit, Code* code) noexcept nogil
cdef int translate_expr(Tr* tr, Unit* unit, Code* code) noexcept nogil
cdef void tr_free(Tr* tr) noexcept nogil
