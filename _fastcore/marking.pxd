"""A collection, step by step: `begin`, the roots, `drain`, `finish`. Who knows the roots is `collector`."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Fn, Heap, HostFn, S, Tab, Thread

cdef void begin(Heap* heap) noexcept nogil
cdef void mark_word(Heap* heap, uint64_t word) noexcept nogil
cdef void mark_fn(Heap* heap, Fn* fn) noexcept nogil
cdef void mark_ctx(Heap* heap, Ctx* ctx) noexcept nogil
cdef void mark_value(Heap* heap, S* slot, uint32_t type) noexcept nogil
cdef void mark_table(Heap* heap, Tab* table) noexcept nogil
cdef void mark_slots(Heap* heap, S* start, S* end) noexcept nogil
cdef void mark_instance(Heap* heap, Ctx* ctx) noexcept nogil
cdef void drain(Heap* heap) noexcept nogil
cdef void abandon(Heap* heap) noexcept nogil
cdef void finish(Heap* heap) noexcept nogil
cdef void set_most_work(uint64_t most) noexcept nogil

cdef inline HostFn* of_host(Fn* fn) noexcept nogil:
    """A function that has no instance: `host_func` made it with room for this. Behind those of a guest stands the next one."""
    return <HostFn*>fn
