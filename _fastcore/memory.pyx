"""See memory.pxd.

A small memory is a slot of a slab: one large mapping for all slots of a size, so that a hundred thousand memories need neither as many
mappings as Linux allows nor any room before they are touched. A larger one has a mapping of its own with some headroom. A shared
one reserves its maximum at once, for its base may never move. What is given back reads as zeros when it is used again.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy
from pywasm_ref._fastcore.layout cimport has_room
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.pages cimport HEADROOM, slab_new, slot_clear, slot_use, space_free, space_grow, space_new
from pywasm_ref._fastcore.watching cimport WATCHING, forbid, permit

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define size_publish(P, N) (*(volatile unsigned long long*)(P) = (N))
    #else
    #define size_publish(P, N) __atomic_store_n((P), (N), __ATOMIC_SEQ_CST)
    #endif
    """
    void size_publish(uint64_t* p, uint64_t n) noexcept nogil

cdef enum:
    UNIT = 4096                     # what is copied at once, or left alone because it is zero
    LEAST = 0x10000                 # bytes of the smallest slots
    CLASSES = 5                     # of slots, each twice as large as the one before
    SLAB = 0x10000000               # bytes of address space that are mapped at once for slots
    WATCHED = 0x100000              # bytes behind a memory that AddressSanitizer watches, at most

cdef struct Slots:
    uint8_t* fresh                  # slots from here to `end` were never used
    uint8_t* end
    uint8_t** free                  # those that were given back
    uint64_t n_free
    uint64_t capacity

cdef uint64_t MARGIN = LEAST if WATCHING else 0     # so much more space has each memory, that there be something to watch
cdef Slots SLOTS[CLASSES]
cdef PyThread_type_lock LOCK = lock_new()
cdef uint8_t ZEROS[UNIT]
cdef Mem EMPTY
EMPTY.base = <uint8_t*>&EMPTY
EMPTY.page_bits = 16


cdef Mem* mem_empty() noexcept nogil:
    """The memory of an instance that has none: every access is out of bounds."""
    return &EMPTY


# ---------------------------------------------------------------------------------------------- address space

cdef uint8_t* slot_take(int k) noexcept nogil:
    """A slot of zeros of class k, or NULL. Under the lock."""
    cdef Slots* slots = &SLOTS[k]
    cdef uint64_t size = <uint64_t>LEAST << k
    cdef uint8_t* slot
    if slots.n_free != 0:
        slots.n_free -= 1
        slot = slots.free[slots.n_free]
    else:
        if slots.fresh == slots.end:
            slots.fresh = <uint8_t*>slab_new(SLAB)
            slots.end = slots.fresh + SLAB if slots.fresh != NULL else NULL
            if slots.fresh == NULL:
                return NULL
        slot = slots.fresh
        slots.fresh += size
    return slot if slot_use(slot, size) else NULL


cdef void slot_give(int k, uint8_t* slot) noexcept nogil:
    """A slot comes back. One that cannot be cleared or noted is lost, which costs address space only."""
    cdef Slots* slots = &SLOTS[k]
    cdef uint64_t capacity
    cdef void* grown
    if not slot_clear(slot, <uint64_t>LEAST << k):
        return
    if slots.n_free == slots.capacity:
        capacity = slots.capacity * 2 if slots.capacity else 64
        grown = realloc(slots.free, capacity * sizeof(uint8_t*))
        if grown == NULL:
            return
        slots.free = <uint8_t**>grown
        slots.capacity = capacity
    slots.free[slots.n_free] = slot
    slots.n_free += 1


cdef bint space_take(Mem* memory, uint64_t size, uint64_t hope) noexcept nogil:
    """Address space of zeros for `size` bytes, and if it can be for `hope`. Under the lock."""
    cdef int k
    memory.base = NULL
    for k in range(CLASSES):
        if size <= <uint64_t>LEAST << k and hope <= <uint64_t>LEAST << (CLASSES - 1):
            memory.base = slot_take(k)
            memory.reserved = <uint64_t>LEAST << k
            memory.place = <uint8_t>(k + 1)
            break
    if memory.base == NULL:
        memory.place = MAPPED
        memory.reserved = (max(size, hope if HEADROOM else 0) + LEAST - 1) & ~<uint64_t>(LEAST - 1)
        memory.base = <uint8_t*>space_new(memory.reserved)
    if memory.base == NULL and hope > size:
        memory.reserved = (size + LEAST - 1) & ~<uint64_t>(LEAST - 1)
        memory.base = <uint8_t*>space_new(memory.reserved)
    return memory.base != NULL


cdef void space_give(uint8_t* base, uint64_t reserved, uint8_t place) noexcept nogil:
    """Under the lock."""
    permit(base, reserved)
    if place >= IMAGED:
        space_free(base, reserved)
    elif place != NOWHERE:
        slot_give(place - 1, base)


cdef void watch(Mem* memory, uint64_t size) noexcept nogil:
    """Tell AddressSanitizer that a memory has so many bytes. Its space may have more."""
    if memory.place != NOWHERE:
        permit(memory.base, size)
        forbid(memory.base + size, min(memory.reserved - size, <uint64_t>WATCHED))


cdef uint64_t headroom(uint64_t size, uint64_t most) noexcept nogil:
    """How much space a memory of a size gets that does not fit into a slot."""
    if size <= <uint64_t>LEAST << (CLASSES - 1):
        return size
    return (min(size * 2, most) + LEAST - 1) & ~<uint64_t>(LEAST - 1)


# ---------------------------------------------------------------------------------------------- memories

cdef uint64_t mem_limit(uint64_t type_max, int page_bits, bint wide, uint64_t quota) noexcept nogil:
    """The bytes that a memory may have. The quota counts pages of 64 KiB."""
    cdef uint64_t limit = min(quota, <uint64_t>0x100000000ULL) << 16
    if not wide and limit > <uint64_t>0x100000000ULL:
        limit = <uint64_t>0x100000000ULL
    limit >>= page_bits
    if not wide and page_bits == 0 and limit > 0xffffffffU:
        limit = 0xffffffffU
    return min(limit, type_max) << page_bits


cdef Mem* mem_new(uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared, Quota* quota, Spare* spare) noexcept nogil:
    """A memory of zeros, or NULL where the system has no space for it. That it keeps within its limits is the caller's to see.

    With a spare, it may be IMAGED from the beginning, and then holds what the image says.
    """
    cdef Mem* memory = <Mem*>calloc(1, sizeof(Mem))
    cdef bint found = True
    if memory == NULL:
        return NULL
    memory.type_max = type_max
    memory.max_size = mem_limit(type_max, page_bits, wide, quota.most >> 16)
    memory.quota = quota
    memory.page_bits = <uint8_t>page_bits
    memory.wide = wide
    memory.shared = shared
    memory.size = pages << page_bits
    memory.base = <uint8_t*>&EMPTY
    PyThread_acquire_lock(LOCK, 1)
    if shared and memory.max_size != 0:
        found = space_take(memory, memory.max_size + MARGIN, memory.max_size + MARGIN)
    elif memory.size != 0:
        found = spare_take(memory, spare) or space_take(memory, memory.size + MARGIN, headroom(memory.size, memory.max_size) + MARGIN)
    if found:
        watch(memory, memory.size)
        quota.used += memory.size
    PyThread_release_lock(LOCK)
    if not found:
        free(memory)
        return NULL
    return memory


cdef bint spare_take(Mem* memory, Spare* spare) noexcept nogil:
    """Under the lock."""
    if spare == NULL or spare.base == NULL or memory.size + MARGIN > spare.reserved:
        return False
    memory.base = spare.base
    memory.reserved = spare.reserved
    memory.place = IMAGED
    spare.base = NULL
    return True


cdef void mem_keep(Mem* memory, Spare* spare) noexcept nogil:
    """Before the end of a memory: if its image is where it was put, its space is kept, as if nobody had ever written to it."""
    PyThread_acquire_lock(LOCK, 1)
    if memory.place == IMAGED and memory.view == NULL and spare.base == NULL and slot_clear(memory.base, memory.reserved):
        permit(memory.base, memory.reserved)
        spare.base = memory.base
        spare.reserved = memory.reserved
        memory.place = NOWHERE
    PyThread_release_lock(LOCK)


cdef void spare_free(Spare* spare) noexcept nogil:
    if spare.base != NULL:
        space_free(spare.base, spare.reserved)
        spare.base = NULL


cdef void mem_free(Mem* memory) noexcept nogil:
    """The end of a memory; the bytes last as long as Python looks at them."""
    if memory == NULL or memory == &EMPTY:
        return
    PyThread_acquire_lock(LOCK, 1)
    memory.quota.used -= memory.size
    leave(memory)
    PyThread_release_lock(LOCK)
    free(memory)


cdef void leave(Mem* memory) noexcept nogil:
    """Let go of the present address space, or leave it to the view. Under the lock."""
    if memory.view == NULL:
        space_give(memory.base, memory.reserved, memory.place)
    else:
        memory.view.left = True
        memory.view = NULL


cdef uint64_t mem_grow(Mem* memory, uint64_t pages) noexcept nogil:
    """The old size in pages, or all ones when it cannot grow. The base may have moved."""
    cdef uint64_t old
    PyThread_acquire_lock(LOCK, 1)
    old = memory.size
    if pages > (memory.max_size - old) >> memory.page_bits or (pages and not has_room(memory.quota, pages << memory.page_bits)):
        old = ~<uint64_t>0
    elif pages != 0:
        if extend(memory, old + (pages << memory.page_bits)):
            memory.quota.used += pages << memory.page_bits
            watch(memory, old + (pages << memory.page_bits))
            size_publish(&memory.size, old + (pages << memory.page_bits))
        else:
            old = ~<uint64_t>0
    PyThread_release_lock(LOCK)
    return old if old == ~<uint64_t>0 else old >> memory.page_bits


cdef bint extend(Mem* memory, uint64_t size) noexcept nogil:
    """Address space for a larger size. While Python looks at the bytes they stay where they are, and the memory moves. Under the lock."""
    cdef uint64_t hope = headroom(size, memory.max_size) + MARGIN
    cdef void* base
    cdef Mem moved
    if memory.shared or (size + MARGIN <= memory.reserved and memory.view == NULL):
        return True
    if memory.place == MAPPED and memory.view == NULL:
        permit(memory.base, memory.reserved)
        base = space_grow(memory.base, memory.reserved, hope)
        if base != NULL:
            memory.base = <uint8_t*>base
            memory.reserved = hope
            return True
    if not space_take(&moved, size + MARGIN, hope):
        return False
    copy_touched(moved.base, memory.base, memory.size)
    leave(memory)
    memory.base = moved.base
    memory.reserved = moved.reserved
    memory.place = moved.place
    return True


cdef void copy_touched(uint8_t* target, const uint8_t* source, uint64_t n) noexcept nogil:
    """Copy into zeros, without touching what stays zero."""
    cdef uint64_t i = 0
    cdef uint64_t part
    while i < n:
        part = min(n - i, <uint64_t>UNIT)
        if memcmp(source + i, ZEROS, part) != 0:
            memcpy(target + i, source + i, part)
        i += part


cdef bint mem_own_mapping(Mem* memory) noexcept nogil:
    """Move a memory that nobody has used yet out of its slab, so that something else can be mapped over its bytes."""
    cdef Mem moved
    cdef bint done = memory.place == MAPPED
    PyThread_acquire_lock(LOCK, 1)
    if not done and memory.view == NULL and not memory.shared:
        moved.reserved = ((memory.size + LEAST - 1) & ~<uint64_t>(LEAST - 1)) + MARGIN
        moved.base = <uint8_t*>space_new(moved.reserved)
        if moved.base != NULL:
            space_give(memory.base, memory.reserved, memory.place)
            memory.base = moved.base
            memory.reserved = moved.reserved
            memory.place = MAPPED
            watch(memory, memory.size)
            done = True
    PyThread_release_lock(LOCK)
    return done


# ---------------------------------------------------------------------------------------------- what Python looks at

cdef View* mem_view(Mem* memory, uint8_t** base, uint64_t* size) noexcept nogil:
    """The bytes as they are now, which stay where they are until `mem_unview`; NULL when memory is out."""
    cdef View* view
    PyThread_acquire_lock(LOCK, 1)
    view = memory.view
    if view == NULL:
        view = <View*>calloc(1, sizeof(View))
        if view != NULL:
            view.base = memory.base
            view.reserved = memory.reserved
            view.place = memory.place
            memory.view = view
    if view != NULL:
        view.count += 1
        base[0] = memory.base
        size[0] = memory.size
    PyThread_release_lock(LOCK)
    return view


cdef void mem_unview(Mem* memory, View* view) noexcept nogil:
    PyThread_acquire_lock(LOCK, 1)
    view.count -= 1
    if view.count == 0:
        if view.left:
            space_give(view.base, view.reserved, view.place)
        else:
            memory.view = NULL
        free(view)
    PyThread_release_lock(LOCK)
