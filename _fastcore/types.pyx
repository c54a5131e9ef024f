"""See types.pxd. Types live as long as the process: there are few, and code compares them by address."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy
from pywasm_ref._fastcore.layout cimport Type, slots_of

cdef extern from "pythread.h" nogil:
    ctypedef void* PyThread_type_lock
    PyThread_type_lock PyThread_allocate_lock()
    int PyThread_acquire_lock(PyThread_type_lock, int)
    void PyThread_release_lock(PyThread_type_lock)

cdef enum:
    BUCKETS = 4096

cdef Type* TYPES[BUCKETS]
cdef PyThread_type_lock LOCK = PyThread_allocate_lock()


cdef Type* func_type(const uint32_t* valtypes, uint32_t n_params, uint32_t n_results) noexcept nogil:
    """The type with these parameters and results, or NULL when memory is out."""
    cdef uint64_t hash = n_params * <uint64_t>0x9e3779b97f4a7c15ULL
    cdef uint32_t i
    cdef Type* type
    for i in range(n_params + n_results):
        hash = (hash ^ valtypes[i]) * <uint64_t>0x100000001b3ULL
    hash ^= hash >> 29
    PyThread_acquire_lock(LOCK, 1)
    type = TYPES[hash % BUCKETS]
    while type != NULL and not same(type, hash, valtypes, n_params, n_results):
        type = type.next
    if type == NULL:
        type = new_type(valtypes, n_params, n_results)
        if type != NULL:
            type.hash = hash
            type.next = TYPES[hash % BUCKETS]
            TYPES[hash % BUCKETS] = type
    PyThread_release_lock(LOCK)
    return type


cdef bint same(Type* type, uint64_t hash, const uint32_t* valtypes, uint32_t n_params, uint32_t n_results) noexcept nogil:
    if type.hash != hash or type.n_params != n_params or type.n_results != n_results:
        return False
    return memcmp(type.valtypes, valtypes, (<uint64_t>n_params + n_results) * 4) == 0


cdef Type* new_type(const uint32_t* valtypes, uint32_t n_params, uint32_t n_results) noexcept nogil:
    cdef Type* type = <Type*>calloc(1, sizeof(Type))
    cdef uint64_t n = <uint64_t>n_params + n_results
    cdef uint64_t i
    if type == NULL:
        return NULL
    type.valtypes = <uint32_t*>malloc((n + 1) * 4)
    if type.valtypes == NULL:
        free(type)
        return NULL
    memcpy(type.valtypes, valtypes, n * 4)
    type.n_params = n_params
    type.n_results = n_results
    for i in range(n):
        if i < n_params:
            type.param_slots += slots_of(valtypes[i])
        else:
            type.result_slots += slots_of(valtypes[i])
    return type
