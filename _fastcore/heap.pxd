"""The heap of a store: where structures, arrays, exceptions and boxes live.

Objects do not move. Small ones are cells of a block of 8 KiB, all of one size; a handler takes the next cell from `Heap.bumps` and calls
nobody. What is larger has a block to itself. Blocks are aligned, so an object's block, and there its bit, is found from its address; and all
of them are in a set, so that any word can be asked whether it is an object (`object_at`), whatever it is.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Block, Box, Ctx, Heap, S, Thread, W

cdef enum:
    BLOCK = 8192            # bytes from one block to the next
    FIRST = 176             # where cells begin: behind the header
    MAX_CELL = 2656
    LARGE = 255             # `Block.kind`
    LEAST = 0x100000        # bytes handed out before a collection is worth it
    COUNTED = 64            # from so many fields or elements on, an object counts by these

ctypedef void (*collect_t)(Thread* thread, Ctx* ctx, W* pc, S* fp) noexcept nogil

cdef void set_collector(collect_t collect) noexcept nogil
cdef void collect(Thread* thread) noexcept nogil
cdef void set_stress(bint stress) noexcept nogil
cdef Heap* no_heap() noexcept nogil
cdef int heap_open(Thread* thread) noexcept nogil
cdef void heap_close(Heap* heap) noexcept nogil
cdef uint32_t kind_of(uint64_t bytes) noexcept nogil
cdef int ready(Thread* thread, Ctx* ctx, W* pc, S* fp, uint32_t kind) noexcept nogil
cdef int refill(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil
cdef int make_room(Ctx* ctx, W* pc, S* fp, uint32_t kind) noexcept nogil
cdef void* object_new(Thread* thread, Ctx* ctx, W* pc, S* fp, uint64_t bytes, uint64_t n, bint told, int* status) noexcept nogil
cdef Box* box_new(Thread* thread, void* value, int* status) noexcept nogil
cdef void box_free(Box* box) noexcept nogil
cdef Block* object_at(Heap* heap, uint64_t word, uint32_t* cell) noexcept nogil
cdef void retire(Heap* heap) noexcept nogil
cdef void block_drop(Heap* heap, Block* block) noexcept nogil
cdef void block_spare(Heap* heap, Block* block) noexcept nogil

cdef inline Block* block_of(uint64_t word) noexcept nogil:
    return <Block*>(word & ~<uint64_t>(BLOCK - 1))

cdef inline uint32_t cell_of(Block* block, uint64_t word) noexcept nogil:
    """The number of the cell that begins there."""
    return <uint32_t>((word - <uint64_t>block - FIRST) * block.reciprocal >> 32)
