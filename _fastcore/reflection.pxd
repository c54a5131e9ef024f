"""Types at the door: the engine's own, and those of `pywasm_ref.syntax` that Python sees."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Held, Type
from pywasm_ref._fastcore.unit cimport GlobalDef, Limit

cdef object valtype_of(uint32_t type)
cdef uint32_t valtype_from(object type, Held* held) except 0
cdef object deftype_of(Type* type)
cdef Type* deftype_from(object type, Held* held) except NULL
cdef object tagtype_of(Type* type)
cdef object functype_of(Type* type)
cdef object tagtype_of(Type* type)
cdef object tabletype_of(Limit* limit)
cdef object memtype_of(Limit* limit)
cdef object globaltype_of(GlobalDef* definition)
