"""See frames.pxd. A module's functions are sorted by address when the first of them is looked for."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.tables cimport H_HALT, H_LOWER, H_RESTORE, H_RETURN_CALL_IMPORT, H_RETURN_CALL_INDIRECT, H_RETURN_CALL_REF

cdef PyThread_type_lock LOCK = lock_new()
cdef uint64_t HALT
cdef uint64_t LOWER
cdef W RESTORE
cdef uint64_t[3] TAIL_CALLS     # that a function of the host may be the callee of


cdef void set_words(uint64_t (*word)(uint32_t) noexcept nogil) noexcept nogil:
    """Take the handlers of the operations that stand in no function, and of those that are looked for in functions."""
    global HALT, LOWER
    HALT = word(H_HALT)
    LOWER = word(H_LOWER)
    RESTORE.u = word(H_RESTORE)
    TAIL_CALLS[0] = word(H_RETURN_CALL_IMPORT)
    TAIL_CALLS[1] = word(H_RETURN_CALL_INDIRECT)
    TAIL_CALLS[2] = word(H_RETURN_CALL_REF)


cdef uint64_t halt_word() noexcept nogil:
    """What stands at the return address of a frame that the host called."""
    return HALT


cdef uint64_t lower_word() noexcept nogil:
    """What stands at the return address of another frame that has a mark."""
    return LOWER


cdef W* restore_word() noexcept nogil:
    """The return address of a function that was called from another instance; see bridges.pxd."""
    return &RESTORE


cdef bint restores(W* back) noexcept nogil:
    """Does a frame with this return address go back to another instance?"""
    while back.u == LOWER:
        back = (<Mark*>back).back
    return back == &RESTORE


cdef bint is_tail_call(W* pc) noexcept nogil:
    return pc.u == TAIL_CALLS[0] or pc.u == TAIL_CALLS[1] or pc.u == TAIL_CALLS[2]


cdef int earlier(const void* a, const void* b) noexcept nogil:
    cdef W* x = (<Code**>a)[0].entry
    cdef W* y = (<Code**>b)[0].entry
    return -1 if x < y else x > y


cdef Code** in_order(Code* codes, uint32_t n, Code*** kept) noexcept nogil:
    """The functions by address; NULL when memory is out. Threads that share the module may ask at once."""
    cdef Code** order
    cdef uint32_t i
    PyThread_acquire_lock(LOCK, 1)
    if kept[0] == NULL:
        order = <Code**>malloc((<uint64_t>n + 1) * sizeof(Code*))
        if order != NULL:
            for i in range(n):
                order[i] = &codes[i]
            qsort(order, n, sizeof(Code*), earlier)
            kept[0] = order
    order = kept[0]
    PyThread_release_lock(LOCK)
    return order


cdef bint holds(Code* code, W* pc) noexcept nogil:
    return code.entry <= pc < code.entry + code.n_words


cdef Code* code_at(Ctx* ctx, W* pc) noexcept nogil:
    """The function of an instance. Frames that are older than the store's first fuel run what is not metered."""
    cdef Unit* unit = <Unit*>ctx.unit
    cdef Code* code = NULL
    if ctx.codes == unit.metered:
        code = find(unit.metered, unit.n_codes, &unit.metered_order, pc)
    return find(unit.codes, unit.n_codes, &unit.order, pc) if code == NULL else code


cdef Code* find(Code* codes, uint32_t n, Code*** kept, W* pc) noexcept nogil:
    cdef Code** order = in_order(codes, n, kept)
    cdef uint32_t low = 0, high = n, middle
    if order == NULL:
        for low in range(n):
            if holds(&codes[low], pc):
                return &codes[low]
        return NULL
    while low < high:
        middle = low + (high - low) // 2
        if order[middle].entry <= pc:
            low = middle + 1
        else:
            high = middle
    return order[low - 1] if low and holds(order[low - 1], pc) else NULL


cdef bint stand(Place* place, Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Take a place; False when no function is there. An operation that is run alone counts where it was copied from."""
    place.code = place.mark = NULL
    return stand_again(place, ctx, pc, fp)


cdef bint stand_again(Place* place, Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The same with a guess: who called is often the same function."""
    if ctx.thread.parked.copy <= pc < ctx.thread.parked.end:
        pc = ctx.thread.parked.pc
    if place.code == NULL or not holds(place.code, pc):
        place.code = code_at(ctx, pc)
    place.ctx = ctx
    place.pc = pc
    place.fp = fp
    return place.code != NULL


cdef S* end_of_frame(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Where a call from the host may put its frame while the function at this place is not done; the end of the stack if it is unknown."""
    cdef Place place
    return fp + place.code.frame if stand(&place, ctx, pc, fp) else ctx.thread.stack_end


cdef bint outward(Place* place) noexcept nogil:
    """Go to the call that made this frame; False when the host did."""
    cdef Ctx* ctx = place.ctx
    cdef S* fp = place.fp
    cdef W* back = fp[place.code.hdr].w
    fp = fp[place.code.hdr + 1].p
    place.mark = NULL
    while back.u == LOWER or back == &RESTORE:
        if back == &RESTORE:
            back = fp[-4].w
            ctx = <Ctx*>fp[-2].v
            fp = fp[-3].p
        else:
            if place.mark == NULL:
                place.mark = <Mark*>back
            back = (<Mark*>back).back
    if back.u == HALT:
        if place.mark == NULL:
            place.mark = <Mark*>back
        return False
    return stand_again(place, ctx, back - 1, fp)


cdef uint32_t offset_of(Place* place) noexcept nogil:
    """The byte offset in the module of the instruction; 0 when nobody noted it."""
    cdef Code* code = place.code
    cdef uint32_t word = <uint32_t>(place.pc - code.entry)
    cdef uint32_t low = 0, high = code.n_places, middle
    while low < high:
        middle = low + (high - low) // 2
        if code.places[2 * middle] <= word:
            low = middle + 1
        else:
            high = middle
    return code.places[2 * low - 1] if low else 0
