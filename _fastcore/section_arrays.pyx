"""See section_arrays.pxd. `least` is the number of bytes that an entry has at least; reading stops before there are more than fit."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.unit cimport Unit


cdef void* array_for(Unit* unit, uint64_t before, uint64_t n, uint64_t size, uint32_t least) noexcept nogil:
    cdef uint64_t fit = <uint64_t>(unit.r.end - unit.r.at) // least
    cdef void* array = calloc(before + min(n, fit) + 1, size)
    if array == NULL:
        out_of_memory(&unit.r)
    return array


cdef uint32_t vector(Unit* unit, void** array, uint32_t before, uint64_t size, uint32_t least) noexcept nogil:
    """Read a length and make room for it behind `before` elements that are to be there already."""
    cdef uint32_t n = length(&unit.r)
    if unit.r.fault:
        return 0
    array[0] = array_for(unit, before, n, size, least)
    return n if array[0] != NULL else 0


cdef int room(Unit* unit, void** array, uint64_t n, uint64_t size, uint32_t least) noexcept nogil:
    array[0] = array_for(unit, 0, n, size, least)
    return 0 if array[0] != NULL else -1


cdef int more(Unit* unit, void** array, uint32_t before, uint64_t size, uint32_t least, uint32_t* count) noexcept nogil:
    """A longer array with what imports put there."""
    cdef void* new = NULL
    count[0] = vector(unit, &new, before, size, least)
    if unit.r.fault:
        free(new)
        return -1
    if before:
        memcpy(new, array[0], before * size)
    free(array[0])
    array[0] = new
    return 0
