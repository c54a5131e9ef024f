"""See valtypes.pxd. While a module is only skimmed, every index is as good as another."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.types cimport GROUP_SELF
from pywasm_ref._fastcore.unit cimport Unit

cdef enum:
    FIRST_HEAP = 0x69
    LAST_HEAP = 0x74
    REF_NULL = 0x63
    REF = 0x64

cdef uint8_t HEAPS[12]
cdef uint64_t HEAP_FEATURES[12]
HEAPS[:] = [HT_EXN, HT_ARRAY, HT_STRUCT, HT_I31, HT_EQ, HT_ANY, HT_EXTERN, HT_FUNC, HT_NONE, HT_NOEXTERN, HT_NOFUNC, HT_NOEXN]
HEAP_FEATURES[:] = [F_EXCEPTIONS, F_GC, F_GC, F_GC, F_GC, F_GC, F_REFERENCE_TYPES, F_MVP, F_GC, F_GC, F_GC, F_EXCEPTIONS]


cdef int refuse(Unit* unit, const char* format, uint64_t x) noexcept nogil:
    """Invalid at the entry or instruction that is being read; the words may have one %llu. -1, for the caller to return."""
    cdef char words[160]
    snprintf(words, sizeof(words), format, <unsigned long long>x)
    return invalid(&unit.r, unit.at, words)


cdef Type* type_at(Unit* unit, uint32_t x) noexcept nogil:
    """The defined type at an index, or NULL and a fault."""
    if x < unit.n_types:
        return unit.types[x]
    refuse(unit, b"unknown type %llu", x)
    return NULL


cdef Type* func_type_at(Unit* unit, uint32_t x) noexcept nogil:
    cdef Type* type = type_at(unit, x)
    if type != NULL and type.kind != HT_FUNC:
        refuse(unit, b"non-function type %llu", x)
        return NULL
    return type


cdef bint abstract(Unit* unit, uint8_t byte) noexcept nogil:
    """Is it the code of an abstract heap type that is on?"""
    return FIRST_HEAP <= byte <= LAST_HEAP and unit.features & HEAP_FEATURES[byte - FIRST_HEAP] != 0


cdef uint32_t read_heap_type(Unit* unit) noexcept nogil:
    """HT_ANY and a fault when it is none. A type of the group that is being defined is GROUP_SELF and its position."""
    cdef Reader* r = &unit.r
    cdef const uint8_t* at = r.at
    cdef int64_t x
    if at < r.end and abstract(unit, at[0]):
        r.at += 1
        return HEAPS[at[0] - FIRST_HEAP]
    x = s33(r)
    if r.fault:
        return HT_ANY
    if x < 0 or not unit.features & F_FUNCTION_REFERENCES:
        malformed(r, at, b"malformed heap type")
        return HT_ANY
    if unit.skim:
        return HT_ANY
    if x < unit.n_types:
        return unit.types[x].heap
    if x < unit.group_end:
        return GROUP_SELF | <uint32_t>(x - unit.n_types)
    refuse(unit, b"unknown type %llu", x)
    return HT_ANY


cdef uint8_t type_byte(Reader* r) noexcept nogil:
    """Types are negative numbers in LEB128, of one byte."""
    cdef uint8_t byte = u8(r)
    if byte >= 0x80:
        malformed(r, r.at, b"integer representation too long")
    return byte


cdef uint32_t long_ref_type(Unit* unit, uint8_t byte, const uint8_t* at) noexcept nogil:
    """The two forms with a heap type of their own."""
    cdef uint32_t heap
    if (byte != REF and byte != REF_NULL) or not unit.features & F_FUNCTION_REFERENCES:
        malformed(&unit.r, at, b"malformed reference type")
        return VT_FUNCREF
    heap = read_heap_type(unit)
    return VT_REF | heap | (VT_NULL if byte == REF_NULL else 0)


cdef int gate(Unit* unit, uint32_t type) noexcept nogil:
    """-1 and a fault for a reference to functions where tables only may have one, or one without null in a release that has none."""
    if unit.skim or unit.r.fault:
        return 0
    if type & VT_HEAP == HT_FUNC and not on(unit, F_REFERENCE_TYPES):
        return refuse(unit, b"a reference type needs the feature reference-types, which is off", 0)
    if not type & VT_NULL and not on(unit, F_FUNCTION_REFERENCES):
        return refuse(unit, b"a reference type without null needs the feature function-references, which is off", 0)
    return 0


cdef uint32_t read_ref_type(Unit* unit) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    cdef uint8_t byte = type_byte(&unit.r)
    if unit.r.fault:
        return VT_FUNCREF
    if abstract(unit, byte):
        return VT_REF | VT_NULL | HEAPS[byte - FIRST_HEAP]
    return long_ref_type(unit, byte, at)


cdef uint32_t read_value_type(Unit* unit) noexcept nogil:
    """VT_I32 or a reference, and a fault, when it is none."""
    cdef const uint8_t* at = unit.r.at
    cdef uint8_t byte = type_byte(&unit.r)
    cdef uint32_t type
    if 0x7c <= byte <= 0x7f:
        return 0x80 - byte
    if unit.r.fault:
        return VT_I32
    if byte == 0x7b and unit.features & F_SIMD:
        return VT_V128
    if unit.features & F_REFERENCE_TYPES and abstract(unit, byte):
        return VT_REF | VT_NULL | HEAPS[byte - FIRST_HEAP]
    type = long_ref_type(unit, byte, at)
    gate(unit, type)
    return type


cdef uint32_t read_storage_type(Unit* unit) noexcept nogil:
    if unit.r.at < unit.r.end and (unit.r.at[0] == 0x78 or unit.r.at[0] == 0x77):
        return VT_I8 if u8(&unit.r) == 0x78 else VT_I16
    return read_value_type(unit)
