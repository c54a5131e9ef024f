"""See exceptions.pxd. Entering a block with handlers costs nothing: they are looked up, by the place, when something is thrown."""

from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from pywasm_ref._fastcore.frames cimport Place, outward, stand
from pywasm_ref._fastcore.layout cimport *

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static unsigned count_add(unsigned* p, int n) { return (unsigned)_InterlockedExchangeAdd((volatile long*)p, n) + n; }
    #else
    static unsigned count_add(unsigned* p, int n) { return __atomic_add_fetch(p, n, __ATOMIC_ACQ_REL); }
    #endif
    """
    uint32_t count_add(uint32_t* p, int n) noexcept nogil


# -------------------------------------------------------------------------------------------------- tags and exceptions

cdef TagInst* tag_new(Type* type) noexcept nogil:
    """A tag that its maker refers to, or NULL when memory is out."""
    cdef TagInst* tag = <TagInst*>malloc(sizeof(TagInst))
    if tag != NULL:
        tag.type = type
        tag.refs = 1
    return tag


cdef TagInst* tag_keep(TagInst* tag) noexcept nogil:
    count_add(&tag.refs, 1)
    return tag


cdef void tag_drop(TagInst* tag) noexcept nogil:
    if tag != NULL and count_add(&tag.refs, -1) == 0:
        free(tag)


cdef ExnInst* exn_new(TagInst* tag, const S* values) noexcept nogil:
    """An exception with the values that stand in these slots, or NULL when memory is out."""
    cdef ExnInst* exn = <ExnInst*>malloc(sizeof(ExnInst) + tag.type.param_slots * sizeof(S))
    if exn != NULL:
        exn.next = NULL
        exn.tag = tag_keep(tag)
        exn.pins = 0
        exn.kept = False
        memcpy(exn.values, values, tag.type.param_slots * sizeof(S))
    return exn


cdef void exn_keep(Thread* thread, ExnInst* exn) noexcept nogil:
    """A reference to the exception is made: from now on only a collector knows when it can go."""
    if not exn.kept:
        exn.kept = True
        exn.next = thread.exns
        thread.exns = exn


cdef void exn_free(ExnInst* exn) noexcept nogil:
    tag_drop(exn.tag)
    free(exn)


cdef void exn_unpin(ExnInst* exn) noexcept nogil:
    """A Python object lets go of the exception."""
    exn.pins -= 1
    if exn.pins == 0 and not exn.kept:
        exn_free(exn)


cdef void exns_free(Thread* thread) noexcept nogil:
    """The end of the store: all that were kept go."""
    cdef ExnInst* exn = thread.exns
    cdef ExnInst* next
    while exn != NULL:
        next = exn.next
        exn_free(exn)
        exn = next
    thread.exns = NULL


# ----------------------------------------------------------------------------------------------------------- unwinding

cdef Handler* handler_of(Place* place, ExnInst* exn) noexcept nogil:
    """What catches the exception in the function at this place, or NULL."""
    cdef Code* code = place.code
    cdef uint32_t word = <uint32_t>(place.pc - code.entry)
    cdef uint32_t deepest = 0xffffffffU
    cdef uint32_t i
    cdef Handler* h
    for i in range(code.n_handlers):
        h = &code.handlers[i]
        if word < h.start or word >= h.end or h.depth > deepest:
            continue
        if h.tag == HANDLE_DELEGATE:
            deepest = h.slot
        elif h.tag == HANDLE_ALL or place.ctx.tags[h.tag] == exn.tag:
            return h
    return NULL


cdef void land(Place* place, Handler* h, Thread* thread) noexcept nogil:
    """Give the handler what it wants, and tell the thread where to go on."""
    cdef ExnInst* exn = thread.raised
    cdef S* slot = place.fp + h.slot
    if h.first:
        slot[0].v = <void*>exn if h.keeps else NULL
        slot += 1
    if h.copies:
        memcpy(slot, exn.values, exn.tag.type.param_slots * sizeof(S))
        slot += exn.tag.type.param_slots
    if h.keeps:
        if not h.first:
            slot[0].v = exn
        exn_keep(thread, exn)
    thread.ctx = place.ctx
    thread.ctx.pc = place.code.entry + h.landing
    thread.ctx.fp = place.fp
    drop(thread)


cdef void drop(Thread* thread) noexcept nogil:
    """Nobody shall catch the exception any more."""
    cdef ExnInst* exn = thread.raised
    thread.raised = NULL
    if not exn.kept and exn.pins == 0:
        exn_free(exn)


cdef int unwind(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Bring the exception that is raised to its handler: LANDED. TRAP_EXCEPTION when no frame since the host's call has one."""
    cdef Place place
    cdef Handler* h
    cdef bint inside = stand(&place, ctx, pc, fp)
    while inside:
        ctx.ticks -= place.code.n_handlers >> 4
        if ctx.ticks < 0 and ctx.poll(ctx, pc, fp) != 0:
            drop(ctx.thread)
            return ctx.trap
        h = handler_of(&place, ctx.thread.raised)
        if h != NULL:
            land(&place, h, ctx.thread)
            return LANDED
        inside = outward(&place)
    return trap(ctx, pc, fp, TRAP_EXCEPTION)


cdef int throw_new(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The operation `throw`: values from slot a on, the tag in the third word."""
    cdef ExnInst* exn = exn_new(ctx.tags[pc[2].u], fp + pc[1].h[0])
    if exn == NULL:
        return trap(ctx, pc, fp, TRAP_MEMORY)
    ctx.thread.raised = exn
    return unwind(ctx, pc, fp)


cdef int throw_again(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The operations `throw_ref` and `rethrow`: the exception is in slot a."""
    cdef ExnInst* exn = <ExnInst*>fp[pc[1].h[0]].v
    if exn == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_EXCEPTION_REFERENCE)
    ctx.thread.raised = exn
    return unwind(ctx, pc, fp)
