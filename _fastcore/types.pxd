"""Defined types, one object for equal ones, and what follows from a type alone."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Group, Held, Type, VT_I8, VT_I16, VT_I32, VT_NULL, VT_REF

cdef enum:
    # Words that spell a type of a group: GROUP_HEAD of them, then a value type for each parameter and result, or for each field.
    # The head: kind | final << 8 | number of supertypes (2 for more) << 16, heap type of the supertype, parameters or fields, results.
    GROUP_HEAD = 4
    GROUP_SELF = 0x10000000     # a heap type: the position in the group follows
    GROUP_MUT = 0x80000000U     # a field that may be written
    MAX_TYPES = 0x0fffff00      # of a group, and of the process

ctypedef int (*forgetting)(Group* group, list gone) except -1

cdef Held* held_new() noexcept nogil
cdef void held_drop(Held* held) noexcept nogil
cdef bint hold(Held* held, Group* group) noexcept nogil
cdef void forget_by(forgetting function) noexcept
cdef Group* intern_group(Held* held, const uint32_t* words, uint64_t n_words, uint32_t n_types) noexcept nogil
cdef Type* body_type(Held* held, Type* type) noexcept nogil
cdef Type* block_result(Held* held, uint32_t valtype) noexcept nogil
cdef Type* type_of(uint32_t heap) noexcept nogil
cdef uint32_t top_of(uint32_t heap) noexcept nogil

cdef inline bint defaultable(uint32_t t) noexcept nogil:
    """Has it a default value? All have but references that cannot be null."""
    return not t & VT_REF or t & VT_NULL

cdef inline uint32_t unpacked(uint32_t t) noexcept nogil:
    """The value type that a field of this storage type is read as."""
    return VT_I32 if t == VT_I8 or t == VT_I16 else t
