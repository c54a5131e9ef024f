"""See marking.pxd. No recursion: what is reached and not looked into waits in `Heap.work`. When there is no memory for that list, what has
no place on it stays marked, and the marked objects are looked through again until nothing new is found."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memset
from pywasm_ref._fastcore.heap cimport BLOCK, COUNTED, FIRST, LEAST, block_drop, block_of, block_spare, cell_of, object_at, retire
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.numerics cimport __builtin_popcountll
from pywasm_ref._fastcore.tags cimport tag_drop
from pywasm_ref._fastcore.types cimport top_of
from pywasm_ref._fastcore.unit cimport Unit, global_offset
from pywasm_ref._fastcore.watching cimport WATCHING, forbid

cdef uint64_t MOST_WORK = ~<uint64_t>0


cdef void set_most_work(uint64_t most) noexcept nogil:
    """As if memory were out when so many wait."""
    global MOST_WORK
    MOST_WORK = most


# ---------------------------------------------------------------------------------------------- the beginning

cdef void begin(Heap* heap) noexcept nogil:
    """Note which cells are in use, and that none has been reached."""
    cdef uint32_t kind
    cdef Block* block
    retire(heap)
    heap.epoch += 1
    heap.collections += 1
    heap.n_work = 0
    heap.overflow = False
    heap.gray = NULL
    for kind in range(KINDS):
        block = heap.first[kind]
        while block != NULL:
            note_in_use(block)
            block = block.next
    block = heap.large
    while block != NULL:
        block.alloc[0] = 1
        block.mark[0] = 0
        block = block.next


cdef void note_in_use(Block* block) noexcept nogil:
    """What the last collection reached, and what was handed out since: all cells before the cursor."""
    cdef uint32_t i
    cdef uint32_t whole = block.cursor >> 6
    for i in range(8):
        block.alloc[i] = block.mark[i]
        if i < whole:
            block.alloc[i] = ~<uint64_t>0
        elif i == whole:
            block.alloc[i] |= (<uint64_t>1 << (block.cursor & 63)) - 1
        block.mark[i] = 0


# ---------------------------------------------------------------------------------------------- what is reached

cdef void push(Heap* heap, uint64_t word) noexcept nogil:
    cdef uint64_t room
    cdef void* grown
    if heap.n_work == heap.cap_work or heap.n_work >= MOST_WORK:
        room = heap.cap_work * 2 if heap.cap_work else 256
        grown = realloc(heap.work, room * sizeof(uint64_t)) if heap.n_work < MOST_WORK else NULL
        if grown == NULL:
            heap.overflow = True
            return
        heap.work = <uint64_t*>grown
        heap.cap_work = room
    heap.work[heap.n_work] = word
    heap.n_work += 1


cdef inline void reach(Heap* heap, Block* block, uint32_t cell, uint64_t word) noexcept nogil:
    cdef uint64_t bit = <uint64_t>1 << (cell & 63)
    if not block.mark[cell >> 6] & bit:
        block.mark[cell >> 6] |= bit
        push(heap, word)


cdef void mark_word(Heap* heap, uint64_t word) noexcept nogil:
    """A reference to something in the heap, null, or an i31."""
    cdef Block* block = block_of(word)
    if word != 0 and not word & 1:
        reach(heap, block, cell_of(block, word), word)


cdef void mark_ctx(Heap* heap, Ctx* ctx) noexcept nogil:
    if ctx.epoch != heap.epoch:
        ctx.epoch = heap.epoch
        ctx.gray = heap.gray
        heap.gray = ctx


cdef void mark_fn(Heap* heap, Fn* fn) noexcept nogil:
    if fn == NULL:
        return
    if fn.ctx == NULL:
        of_host(fn).epoch = heap.epoch
    else:
        mark_ctx(heap, fn.ctx)


cdef void mark_value(Heap* heap, S* slot, uint32_t type) noexcept nogil:
    if not type & VT_REF:
        return
    if top_of(type & VT_HEAP) != HT_FUNC:
        mark_word(heap, slot.u64)
    elif heap.funcs:
        mark_fn(heap, slot.fn)


cdef void mark_run(Heap* heap, S* slots, uint64_t n, bint funcs) noexcept nogil:
    cdef uint64_t i
    if not funcs:
        for i in range(n):
            mark_word(heap, slots[i].u64)
    elif heap.funcs:
        for i in range(n):
            mark_fn(heap, slots[i].fn)


cdef void mark_table(Heap* heap, Tab* table) noexcept nogil:
    if table != NULL and table.elems != NULL:
        mark_run(heap, table.elems, table.size, top_of(table.type & VT_HEAP) == HT_FUNC)


cdef void mark_slots(Heap* heap, S* start, S* end) noexcept nogil:
    """Words that may be anything."""
    cdef uint32_t cell
    cdef Block* block
    while start < end:
        if start.u64 != 0 and not start.u64 & 7:
            block = object_at(heap, start.u64, &cell)
            if block != NULL:
                reach(heap, block, cell, start.u64)
        start += 1


cdef void mark_instance(Heap* heap, Ctx* ctx) noexcept nogil:
    """What its globals, tables and segments refer to. It may be in the making."""
    cdef Unit* unit = <Unit*>ctx.unit
    cdef uint32_t i
    for i in range(unit.imported_globals, unit.n_globals):
        if unit.globals[i].type & VT_REF:
            mark_value(heap, <S*>(<char*>ctx + global_offset(unit, i)), unit.globals[i].type)
    if ctx.tables != NULL:
        for i in range(unit.imported_tables, unit.n_tables):
            mark_table(heap, ctx.tables[i])
    if ctx.elems != NULL:
        for i in range(unit.n_elems):
            if ctx.elems[i].at != NULL:
                mark_run(heap, <S*>ctx.elems[i].at, ctx.elems[i].size, top_of(unit.elems[i].type & VT_HEAP) == HT_FUNC)


# ---------------------------------------------------------------------------------------------- looking into objects

cdef void look_into(Heap* heap, uint64_t word) noexcept nogil:
    cdef Head* head = <Head*>word
    if head.tag & 1:
        look_into_exception(heap, <ExnInst*>head)
    elif head.type == NULL:
        return
    elif head.type.kind == HT_STRUCT:
        look_into_struct(heap, <S*>head, head.type)
    else:
        look_into_array(heap, <Array*>head, head.type)


cdef void look_into_struct(Heap* heap, S* slots, Type* type) noexcept nogil:
    cdef uint32_t i, place
    for i in range(type.n_traced):
        place = type.traced[i]
        if not place & TRACED_FUNC:
            mark_word(heap, slots[place].u64)
        elif heap.funcs:
            mark_fn(heap, slots[place & ~<uint32_t>TRACED_FUNC].fn)


cdef void look_into_array(Heap* heap, Array* array, Type* type) noexcept nogil:
    if type.holds:
        mark_run(heap, <S*>array.elems, array.length, type.holds == HOLDS_FUNCS)


cdef void look_into_exception(Heap* heap, ExnInst* exn) noexcept nogil:
    cdef Type* type = exn_tag(exn).type
    cdef S* slot = exn.values
    cdef uint32_t i
    for i in range(type.n_params):
        mark_value(heap, slot, type.valtypes[i])
        slot += slots_of(type.valtypes[i])


cdef void drain(Heap* heap) noexcept nogil:
    while heap.n_work != 0 or heap.overflow:
        while heap.n_work != 0:
            heap.n_work -= 1
            look_into(heap, heap.work[heap.n_work])
        if heap.overflow:
            heap.overflow = False
            look_again(heap)


cdef void look_again(Heap* heap) noexcept nogil:
    """Some that are marked have not been looked into: look into all of them."""
    cdef Block* block
    cdef uint32_t kind, i
    for kind in range(KINDS):
        block = heap.first[kind]
        while block != NULL:
            for i in range(block.n_cells):
                if block.mark[i >> 6] >> (i & 63) & 1:
                    look_again_at(heap, <uint64_t>block + FIRST + i * block.size)
            block = block.next
    block = heap.large
    while block != NULL:
        if block.mark[0]:
            look_again_at(heap, <uint64_t>block + FIRST)
        block = block.next


cdef void look_again_at(Heap* heap, uint64_t word) noexcept nogil:
    """With what can be found from there while the list has room."""
    look_into(heap, word)
    while heap.n_work != 0:
        heap.n_work -= 1
        look_into(heap, heap.work[heap.n_work])


# ---------------------------------------------------------------------------------------------- the end

cdef void finish(Heap* heap) noexcept nogil:
    """All that was not reached is free. What is nearly nothing is not looked for again before much has been handed out."""
    cdef uint32_t kind
    heap.units = heap.bytes = 0
    for kind in range(KINDS):
        sweep(heap, kind)
    sweep_large(heap)
    heap.threshold = max(<uint64_t>LEAST, heap.bytes)
    heap.bytes = 0


cdef void abandon(Heap* heap) noexcept nogil:
    """As if everything had been reached."""
    cdef uint32_t kind, i
    cdef Block* block
    for kind in range(KINDS):
        block = heap.first[kind]
        while block != NULL:
            for i in range(8):
                block.mark[i] = block.alloc[i]
            block = block.next
    block = heap.large
    while block != NULL:
        block.mark[0] = 1
        block = block.next
    finish(heap)


cdef void sweep(Heap* heap, uint32_t kind) noexcept nogil:
    """Count what is left of each block, and let go of those that are empty."""
    cdef Block* block = heap.first[kind]
    cdef Block* next
    cdef Block** link = &heap.first[kind]
    cdef uint64_t live, i
    while block != NULL:
        next = block.next
        if kind >= SIZES:
            tell_ends(heap, block)
        live = 0
        for i in range(8):
            live += __builtin_popcountll(block.mark[i])
        block.cursor = 0
        forbid_free(block)
        if live:
            if block.size >= COUNTED:
                count_surplus(heap, block)
            heap.units += live if kind != BOXES else 0
            heap.bytes += live * block.size
            link[0] = block
            link = &block.next
        else:
            block_spare(heap, block)
        block = next
    link[0] = NULL
    heap.at[kind] = heap.first[kind]


cdef void forbid_free(Block* block) noexcept nogil:
    """A cell that was in use and is not reached is nobody's from here on."""
    cdef uint32_t i
    if not WATCHING:
        return
    for i in range(block.n_cells):
        if block.alloc[i >> 6] & ~block.mark[i >> 6] & <uint64_t>1 << (i & 63):
            forbid(<char*>block + FIRST + i * block.size, block.size)


cdef void count_surplus(Heap* heap, Block* block) noexcept nogil:
    """Arrays of many narrow elements fit into a cell and count by these."""
    cdef uint32_t i
    cdef Head* head
    for i in range(block.n_cells):
        head = <Head*>(<char*>block + FIRST + i * block.size)
        if block.mark[i >> 6] >> (i & 63) & 1 and head.type != NULL:
            heap.units += surplus_of(head)


cdef uint64_t surplus_of(Head* head) noexcept nogil:
    cdef uint64_t n
    if head.tag & 1:
        n = exn_tag(<ExnInst*>head).type.n_params
    else:
        n = head.type.n_fields if head.type.kind == HT_STRUCT else (<Array*>head).length
    return n - 1 if n >= COUNTED else 0


cdef void tell_ends(Heap* heap, Block* block) noexcept nogil:
    """An exception lets go of its tag. A box waits for somebody who may talk to Python, and is in use until then."""
    cdef uint32_t i
    cdef uint64_t bit
    cdef Box* box
    for i in range(block.n_cells):
        bit = <uint64_t>1 << (i & 63)
        if not block.alloc[i >> 6] & ~block.mark[i >> 6] & bit:
            continue
        box = <Box*>(<char*>block + FIRST + i * block.size)
        if box.head.tag & 1:
            tag_drop(exn_tag(<ExnInst*>box))
        elif box.head.type == NULL:
            block.mark[i >> 6] |= bit
            if not box.dead:
                box.dead = True
                box.next = heap.dead
                heap.dead = box


cdef void sweep_large(Heap* heap) noexcept nogil:
    cdef Block* block = heap.large
    cdef Block* next
    cdef Block** link = &heap.large
    cdef Head* head
    while block != NULL:
        next = block.next
        head = <Head*>(<char*>block + FIRST)
        if block.mark[0]:
            heap.units += block.units
            heap.bytes += block.size
            link[0] = block
            link = &block.next
        else:
            if head.tag & 1:
                tag_drop(exn_tag(<ExnInst*>head))
            block_drop(heap, block)
        block = next
    link[0] = NULL
