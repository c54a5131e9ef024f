"""See heap.pxd. Which cells are free is known from the bits of the last collection, and no list is made of them: sweeping reads the bits, and
looks only at exceptions, boxes and what may be an array of many elements."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.numerics cimport ctz64
from pywasm_ref._fastcore.tags cimport tag_drop
from pywasm_ref._fastcore.watching cimport forbid, permit

cdef extern from *:
    """
    #include <stddef.h>
    #if defined(_WIN32)
    #include <malloc.h>
    static void* block_alloc(size_t n) { return _aligned_malloc(n, 8192); }
    static void block_free(void* p) { _aligned_free(p); }
    #else
    #include <stdlib.h>
    static void* block_alloc(size_t n) { void* p; return posix_memalign(&p, 8192, n) == 0 ? p : NULL; }
    static void block_free(void* p) { free(p); }
    #endif
    """
    void* block_alloc(size_t n) noexcept nogil
    void block_free(void* p) noexcept nogil

cdef enum:
    USED = BLOCK - 16           # of a block: the allocator's own words fit between two of them
    MOST_SPARE = 128            # blocks

cdef uint32_t CELLS[SIZES]
CELLS[:] = [16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 440, 496, 568, 664, 792, 992, 1328, 1592, 1992, 2656]
cdef uint8_t KIND_OF[333]       # by the size in words
cdef Heap EMPTY                 # what an instance has before its store has a heap: nothing fits in
cdef collect_t COLLECT = NULL
cdef bint STRESS = False
cdef Type GONE                  # of a box that nobody may look at


cdef void set_kinds() noexcept nogil:
    cdef uint32_t i, kind = 0
    for i in range(333):
        if i * 8 > CELLS[kind]:
            kind += 1
        KIND_OF[i] = kind


set_kinds()
memset(&EMPTY, 0, sizeof(Heap))
memset(&GONE, 0, sizeof(Type))
GONE.kind = HT_STRUCT


cdef void set_collector(collect_t collect) noexcept nogil:
    """Who knows the roots is above this module."""
    global COLLECT
    COLLECT = collect


cdef void collect(Thread* thread) noexcept nogil:
    """When no guest runs, or one waits for a function of the host."""
    if thread.heap != NULL or heap_open(thread) == 0:
        COLLECT(thread, NULL, NULL, NULL)


cdef void set_stress(bint stress) noexcept nogil:
    """Collect before every allocation."""
    global STRESS
    STRESS = stress


cdef Heap* no_heap() noexcept nogil:
    return &EMPTY


cdef int heap_open(Thread* thread) noexcept nogil:
    """The store gets its heap; -1 when memory is out."""
    thread.heap = <Heap*>calloc(1, sizeof(Heap))
    if thread.heap == NULL:
        return -1
    thread.heap.most = thread.heap_most
    thread.heap.threshold = LEAST
    with gil:                       # or else another thread could let go of an instance meanwhile
        tell_of_heap(thread)
    return 0


cdef void tell_of_heap(Thread* thread) noexcept:
    cdef Ctx* ctx = thread.first
    while ctx != NULL:
        ctx.heap = thread.heap
        ctx = ctx.next


cdef void heap_close(Heap* heap) noexcept nogil:
    """All blocks go, and what exceptions hold on to."""
    cdef Block* block
    cdef uint32_t kind, i
    cdef uint64_t at
    cdef Head* head
    if heap == NULL:
        return
    retire(heap)
    for kind in range(SIZES, KINDS):
        block = heap.first[kind]
        while block != NULL:
            for i in range(block.n_cells):
                head = <Head*>(<char*>block + FIRST + i * block.size)
                if (i < block.cursor or block.mark[i >> 6] >> (i & 63) & 1) and head.tag & 1:
                    tag_drop(<TagInst*>(head.tag & ~<uint64_t>1))
            block = block.next
    block = heap.large
    while block != NULL:
        head = <Head*>(<char*>block + FIRST)
        if head.tag & 1:
            tag_drop(<TagInst*>(head.tag & ~<uint64_t>1))
        block = block.next
    for at in range(heap.set_size):
        if heap.set[at] != NULL:
            block_free(heap.set[at])
    free(heap.set)
    free(heap.work)
    free(heap)


# ---------------------------------------------------------------------------------------------- the set of blocks

cdef uint64_t place(Heap* heap, Block* block) noexcept nogil:
    return (<uint64_t>block // BLOCK * <uint64_t>0x9e3779b97f4a7c15ULL >> 20) & (heap.set_size - 1)


cdef bint grow_set(Heap* heap) noexcept nogil:
    cdef Block** old = heap.set
    cdef uint64_t size = heap.set_size
    cdef uint64_t wanted = size * 2 if size else 16
    cdef uint64_t i
    cdef Block** grown = <Block**>calloc(wanted, sizeof(Block*))
    if grown == NULL:
        return False
    heap.set = grown
    heap.set_size = wanted
    heap.n_set = 0
    for i in range(size):
        if old[i] != NULL:
            put(heap, old[i])
    free(old)
    return True


cdef void put(Heap* heap, Block* block) noexcept nogil:
    cdef uint64_t i = place(heap, block)
    while heap.set[i] != NULL:
        i = (i + 1) & (heap.set_size - 1)
    heap.set[i] = block
    heap.n_set += 1


cdef void take_out(Heap* heap, Block* block) noexcept nogil:
    """What stands behind, and could not stand nearer to its place because of this one, moves up."""
    cdef uint64_t mask = heap.set_size - 1
    cdef uint64_t i = place(heap, block), j, home
    while heap.set[i] != block:
        i = (i + 1) & mask
    heap.set[i] = NULL
    heap.n_set -= 1
    j = (i + 1) & mask
    while heap.set[j] != NULL:
        home = place(heap, heap.set[j])
        if (j - home) & mask >= (j - i) & mask:
            heap.set[i] = heap.set[j]
            heap.set[j] = NULL
            i = j
        j = (j + 1) & mask


cdef Block* object_at(Heap* heap, uint64_t word, uint32_t* cell) noexcept nogil:
    """The block of the object that begins at this address, and its cell; NULL for any other word, whatever it is."""
    cdef Block* block = block_of(word)
    cdef uint64_t i, offset = word & (BLOCK - 1)
    if heap.n_set == 0 or offset < FIRST or word < BLOCK:
        return NULL
    i = place(heap, block)
    while heap.set[i] != block:
        if heap.set[i] == NULL:
            return NULL
        i = (i + 1) & (heap.set_size - 1)
    if block.n_cells == 0 or (block.kind == LARGE and offset != FIRST):
        return NULL
    cell[0] = cell_of(block, word)
    if cell[0] >= block.n_cells or offset - FIRST != cell[0] * block.size or not block.alloc[cell[0] >> 6] >> (cell[0] & 63) & 1:
        return NULL
    return block


# ---------------------------------------------------------------------------------------------- blocks

cdef Block* block_new(Heap* heap, uint32_t kind) noexcept nogil:
    """A block of free cells, the last of its kind; NULL when memory is out."""
    cdef Block* block = heap.spare
    if block != NULL:
        heap.spare = block.next
        heap.n_spare -= 1
    else:
        if 2 * heap.n_set >= heap.set_size and not grow_set(heap):
            return NULL
        block = <Block*>block_alloc(USED)
        if block == NULL:
            return NULL
        put(heap, block)
    memset(block, 0, sizeof(Block))
    block.heap = heap
    block.kind = kind
    block.size = sizeof(Box) if kind == BOXES else CELLS[kind % SIZES]
    block.n_cells = <uint32_t>((USED - FIRST) // block.size)
    block.reciprocal = <uint32_t>(((<uint64_t>1 << 32) + block.size - 1) // block.size)
    forbid(<char*>block + FIRST, USED - FIRST)
    if heap.at[kind] == NULL:
        heap.first[kind] = block
    else:
        heap.at[kind].next = block
    heap.at[kind] = block
    return block


cdef void block_drop(Heap* heap, Block* block) noexcept nogil:
    take_out(heap, block)
    block_free(block)


cdef void block_spare(Heap* heap, Block* block) noexcept nogil:
    """A block without content, which nobody lists any more, waits for the next kind that needs one; there are never many."""
    if heap.n_spare >= MOST_SPARE:
        block_drop(heap, block)
        return
    block.n_cells = 0
    block.next = heap.spare
    heap.spare = block
    heap.n_spare += 1


cdef Block* large_new(Heap* heap, uint64_t bytes, uint64_t units) noexcept nogil:
    cdef Block* block
    if bytes > <uint64_t>1 << 48 or (2 * heap.n_set >= heap.set_size and not grow_set(heap)):
        return NULL
    block = <Block*>block_alloc(FIRST + bytes)
    if block == NULL:
        return NULL
    put(heap, block)
    memset(block, 0, sizeof(Block))
    block.heap = heap
    block.kind = LARGE
    block.size = bytes
    block.units = units
    block.n_cells = 1
    block.next = heap.large
    heap.large = block
    return block


# ---------------------------------------------------------------------------------------------- free cells

cdef uint32_t next_bit(const uint64_t* bits, uint32_t i, uint32_t n, uint64_t flip) noexcept nogil:
    """The first bit from i on that is set, or with all of `flip` that is not; n when there is none."""
    cdef uint64_t word
    while i < n:
        word = (bits[i >> 6] ^ flip) >> (i & 63)
        if word:
            return min(i + <uint32_t>ctz64(word), n)
        i = (i | 63) + 1
    return n


cdef bint next_run(Heap* heap, Block* block, uint32_t kind) noexcept nogil:
    """Free cells of a block that are beside each other become those that handlers take from."""
    cdef uint32_t start = next_bit(block.mark, block.cursor, block.n_cells, ~<uint64_t>0)
    cdef uint32_t end = next_bit(block.mark, start, block.n_cells, 0)
    cdef uint64_t room = heap.most - heap.units if heap.units < heap.most else 1
    if start == block.n_cells:
        block.cursor = start
        return False
    if STRESS:
        end = start + 1
    if kind != BOXES:
        end = <uint32_t>min(<uint64_t>end, start + room)
        heap.units += end - start
    block.cursor = end
    heap.bytes += (end - start) * block.size
    heap.bumps[kind].at = <char*>block + FIRST + start * block.size
    heap.bumps[kind].end = <char*>block + FIRST + end * block.size
    permit(heap.bumps[kind].at, (end - start) * block.size)
    return True


cdef bint next_cells(Heap* heap, uint32_t kind) noexcept nogil:
    """The same for all blocks of a kind that have not been looked through since the last collection."""
    while heap.at[kind] != NULL:
        if next_run(heap, heap.at[kind], kind):
            return True
        if heap.at[kind].next == NULL:
            return False
        heap.at[kind] = heap.at[kind].next
    return False


cdef void retire(Heap* heap) noexcept nogil:
    """Cells that nobody took are free again."""
    cdef uint32_t kind
    cdef Bump* bump
    cdef Block* block
    for kind in range(KINDS):
        bump = &heap.bumps[kind]
        if bump.at != bump.end:
            block = heap.at[kind]
            block.cursor = cell_of(block, <uint64_t>bump.at)
            heap.units -= <uint64_t>(bump.end - bump.at) // block.size if kind != BOXES else 0
            forbid(bump.at, bump.end - bump.at)
        bump.at = bump.end = NULL


# ---------------------------------------------------------------------------------------------- allocation

cdef uint32_t kind_of(uint64_t bytes) noexcept nogil:
    """The class of cells for an object of at most MAX_CELL bytes."""
    return KIND_OF[(bytes + 7) // 8]


cdef int admit(Heap* heap, Thread* thread, Ctx* ctx, W* pc, S* fp, uint64_t units, uint64_t bytes) noexcept nogil:
    """May so much more be in the heap? Otherwise TRAP_HEAP. A heap that a collection leaves nearly full is full: else there would be one
    for each new object."""
    if heap.units + units > heap.most:
        retire(heap)
        if heap.units + units > heap.most:
            if units <= heap.most:
                COLLECT(thread, ctx, pc, fp)
            if heap.units + units > heap.most - heap.most // 16:
                heap.wanted = units
                return TRAP_HEAP
    elif heap.bytes + bytes > heap.threshold or STRESS:
        COLLECT(thread, ctx, pc, fp)
    return 0


cdef int ready(Thread* thread, Ctx* ctx, W* pc, S* fp, uint32_t kind) noexcept nogil:
    """Have a cell of this kind to take; else the reason why not. May collect: what is not in a root is lost."""
    cdef Heap* heap
    cdef int status
    if thread.heap == NULL and heap_open(thread) < 0:
        return TRAP_MEMORY
    heap = thread.heap
    if heap.bumps[kind].at != heap.bumps[kind].end:
        return 0
    status = admit(heap, thread, ctx, pc, fp, kind != BOXES, 0)
    if status != 0 or next_cells(heap, kind):
        return status
    if block_new(heap, kind) == NULL:
        COLLECT(thread, ctx, pc, fp)
        if not next_cells(heap, kind) and block_new(heap, kind) == NULL:
            return TRAP_MEMORY
        if heap.bumps[kind].at != heap.bumps[kind].end:
            return 0
    next_run(heap, heap.at[kind], kind)
    return 0


cdef int make_room(Ctx* ctx, W* pc, S* fp, uint32_t kind) noexcept nogil:
    """The slow end of an allocation in code: there is a cell to take then, or it traps."""
    cdef int status = ready(ctx.thread, ctx, pc, fp, kind)
    return trap(ctx, pc, fp, status) if status != 0 else 0


cdef int refill(W* pc, S* fp, uint8_t* mem, uint64_t lim, uint64_t r0, Ctx* ctx, double f0, float g0) noexcept nogil:
    """Where threaded code goes then. An operation that comes here has the kind of its cell in its fourth word."""
    if make_room(ctx, pc, fp, pc[3].w[0]) != 0:
        return ctx.trap
    return (<handler_t>pc.v)(pc, fp, mem, lim, r0, ctx, f0, g0)


cdef void* object_new(Thread* thread, Ctx* ctx, W* pc, S* fp, uint64_t bytes, uint64_t n, bint told, int* status) noexcept nogil:
    """Room for an object with n fields or elements, whose content is anything; NULL and the reason. `told`: its end is of interest."""
    cdef Heap* heap
    cdef uint64_t units = n if n >= COUNTED else 1
    cdef uint32_t kind
    cdef Block* block
    cdef void* cell
    if thread.heap == NULL and heap_open(thread) < 0:
        status[0] = TRAP_MEMORY
        return NULL
    heap = thread.heap
    if bytes > MAX_CELL:
        status[0] = admit(heap, thread, ctx, pc, fp, units, bytes)
        if status[0] != 0:
            return NULL
        block = large_new(heap, bytes, units)
        if block == NULL:
            COLLECT(thread, ctx, pc, fp)
            block = large_new(heap, bytes, units)
        if block == NULL:
            status[0] = TRAP_MEMORY
            return NULL
        heap.units += units
        heap.bytes += bytes
        return <char*>block + FIRST
    kind = kind_of(bytes) + (SIZES if told else 0)
    status[0] = admit(heap, thread, ctx, pc, fp, units, 0) if units > 1 else 0
    if status[0] == 0:
        status[0] = ready(thread, ctx, pc, fp, kind)
    if status[0] != 0:
        return NULL
    cell = heap.bumps[kind].at
    heap.bumps[kind].at += heap.at[kind].size
    heap.units += units - 1
    return cell


cdef Box* box_new(Thread* thread, void* value, int* status) noexcept nogil:
    cdef Box* box
    cdef Heap* heap
    status[0] = ready(thread, NULL, NULL, NULL, BOXES)
    if status[0] != 0:
        return NULL
    heap = thread.heap
    box = <Box*>heap.bumps[BOXES].at
    heap.bumps[BOXES].at += sizeof(Box)
    box.head.type = NULL
    box.value = value
    box.next = NULL
    box.dead = False
    return box


cdef void box_free(Box* box) noexcept nogil:
    """Nobody refers to it: its cell is free."""
    cdef Block* block = block_of(<uint64_t>box)
    cdef uint32_t cell = cell_of(block, <uint64_t>box)
    block.mark[cell >> 6] &= ~(<uint64_t>1 << (cell & 63))
    box.head.type = &GONE
