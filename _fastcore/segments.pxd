"""What an instance keeps of its segments, and images of data that many instances begin with."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, Mem, Spare
from pywasm_ref._fastcore.unit cimport Unit

cdef int segments_new(Ctx* ctx, Unit* unit) noexcept nogil
cdef void segments_free(Ctx* ctx, Unit* unit) noexcept nogil
cdef int images_map(Ctx* ctx, Unit* unit) noexcept nogil
cdef Spare* image_spare(Unit* unit, uint32_t memory) noexcept nogil
cdef void image_keep(Unit* unit, uint32_t index, Mem* memory) noexcept nogil
cdef void images_free(Unit* unit) noexcept nogil
