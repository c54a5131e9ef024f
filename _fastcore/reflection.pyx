"""See reflection.pxd. Defined types are made by `validation.types`, so that both engines show the same objects."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.types cimport func_type
from pywasm_ref._fastcore.unit cimport GlobalDef, Limit

from pywasm_ref.syntax.types import (
    EXNREF, EXTERNREF, F32, F64, FUNCREF, I32, I64, V128, FuncType, FuncTypeUse, GlobalType, Limits, MemType, RefType, TableType, TagType,
)
from pywasm_ref.validation.types import expand, functype_deftype

cdef dict VALTYPES = {VT_I32: I32, VT_I64: I64, VT_F32: F32, VT_F64: F64, VT_V128: V128, VT_FUNCREF: FUNCREF, VT_EXTERNREF: EXTERNREF,
                      VT_EXNREF: EXNREF}
cdef dict CODES = {value: key for key, value in VALTYPES.items()}
cdef dict DEFTYPES = {}     # address of a type -> DefType; types live as long as the process


cdef object valtype_of(uint32_t type):
    found = VALTYPES.get(type)
    if found is None:
        raise NotImplementedError(f"value type {type:#x} at the door")
    return found


cdef uint32_t valtype_from(object type) except 0:
    found = CODES.get(type)
    if found is None:
        raise NotImplementedError(f"{type!r} at the door")
    return found


cdef object deftype_of(Type* type):
    found = DEFTYPES.get(<uint64_t>type)
    if found is None:
        types = [valtype_of(type.valtypes[i]) for i in range(type.n_params + type.n_results)]
        found = DEFTYPES[<uint64_t>type] = functype_deftype(FuncType(tuple(types[:type.n_params]), tuple(types[type.n_params:])))
    return found


cdef Type* deftype_from(object type) except NULL:
    """The engine's type for a defined type."""
    comp = expand(type)
    cdef list types = [*comp.params, *comp.results]
    cdef uint32_t* valtypes = <uint32_t*>malloc((len(types) + 1) * 4)
    cdef Type* found
    cdef uint32_t i
    if valtypes == NULL:
        raise MemoryError
    try:
        for i in range(len(types)):
            valtypes[i] = valtype_from(types[i])
        found = func_type(valtypes, len(comp.params), len(comp.results))
    finally:
        free(valtypes)
    if found == NULL:
        raise MemoryError
    return found


cdef object tagtype_of(Type* type):
    return TagType(deftype_of(type))


cdef object functype_of(Type* type):
    return FuncTypeUse(deftype_of(type))


cdef object limits_of(Limit* limit):
    return Limits(limit.min, limit.max if limit.bounded else None)


cdef object tabletype_of(Limit* limit):
    return TableType(I64 if limit.wide else I32, limits_of(limit), valtype_of(limit.type))


cdef object memtype_of(Limit* limit):
    return MemType(I64 if limit.wide else I32, limits_of(limit), bool(limit.shared), limit.page_bits)


cdef object globaltype_of(GlobalDef* definition):
    return GlobalType(definition.mutable, valtype_of(definition.type))
