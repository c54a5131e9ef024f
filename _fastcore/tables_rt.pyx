"""See tables_rt.pxd. A table has room to spare when it has grown, so that growing by one again and again is cheap."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset
from pywasm_ref._fastcore.layout cimport Quota, S, Tab, has_room


cdef uint64_t tab_limit(uint64_t type_max, bint wide, uint64_t quota) noexcept nogil:
    """The entries that a table may have."""
    return min(min(type_max, quota), <uint64_t>1 << 40 if wide else 0xffffffffU)


cdef int tab_make(Tab* table, uint64_t size, uint64_t type_max, bint wide, Quota* quota) noexcept nogil:
    """A table of nulls; -1 when memory is out. That it keeps within `tab_limit` is the caller's to see."""
    table.elems = <S*>calloc(size + 1, sizeof(S))
    if table.elems == NULL:
        return -1
    table.size = table.capacity = size
    table.type_max = type_max
    table.max_size = tab_limit(type_max, wide, quota.most)
    table.wide = wide
    table.quota = quota
    quota.used += size
    return 0


cdef uint64_t tab_grow(Tab* table, uint64_t n, uint64_t ref) noexcept nogil:
    """The old size, or all ones when it cannot grow."""
    cdef uint64_t old = table.size
    cdef uint64_t capacity
    cdef void* grown
    if n > table.max_size - old or not has_room(table.quota, n):
        return ~<uint64_t>0
    if old + n > table.capacity:
        capacity = min(max(old + n, table.capacity * 2), table.max_size)
        grown = realloc(table.elems, (capacity + 1) * sizeof(S))
        if grown == NULL:
            return ~<uint64_t>0
        table.elems = <S*>grown
        table.capacity = capacity
    table.size = old + n
    table.quota.used += n
    tab_fill(table, old, ref, n)
    return old


cdef void tab_fill(Tab* table, uint64_t start, uint64_t ref, uint64_t n) noexcept nogil:
    cdef uint64_t i
    if ref == 0:
        memset(&table.elems[start], 0, n * sizeof(S))
        return
    for i in range(start, start + n):
        table.elems[i].u64 = ref


cdef void tab_free(Tab* table) noexcept nogil:
    free(table.elems)
    if table.quota != NULL:
        table.quota.used -= table.size
        table.quota = NULL
    table.elems = NULL
    table.size = table.capacity = 0
