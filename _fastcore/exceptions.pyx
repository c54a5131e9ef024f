"""See exceptions.pxd. Entering a block with handlers costs nothing: they are looked up, by the place, when something is thrown."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from pywasm_ref._fastcore.depth cimport forget_above
from pywasm_ref._fastcore.frames cimport Place, outward, stand
from pywasm_ref._fastcore.heap cimport object_new
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.tags cimport tag_keep

# ------------------------------------------------------------------------------------------------------------- making

cdef ExnInst* exn_new(Thread* thread, Ctx* ctx, W* pc, S* fp, TagInst* tag, const S* values, int* status) noexcept nogil:
    """An exception with the values that stand in these slots; NULL and the reason why there is none."""
    cdef uint64_t size = sizeof(Head) + tag.type.param_slots * sizeof(S)
    cdef ExnInst* exn = <ExnInst*>object_new(thread, ctx, pc, fp, size, tag.type.n_params, True, status)
    if exn != NULL:
        exn.head.tag = <uint64_t>tag_keep(tag) | 1
        memcpy(exn.values, values, tag.type.param_slots * sizeof(S))
    return exn


# ----------------------------------------------------------------------------------------------------------- unwinding

cdef enum:
    BUSY = 1000000          # handlers that are asked between two looks at the stop flag


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
        elif h.tag == HANDLE_ALL or place.ctx.tags[h.tag] == exn_tag(exn):
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
        memcpy(slot, exn.values, exn_tag(exn).type.param_slots * sizeof(S))
        slot += exn_tag(exn).type.param_slots
    if h.keeps and not h.first:
        slot[0].v = exn
    thread.ctx = place.ctx
    thread.ctx.pc = place.code.entry + h.landing
    thread.ctx.fp = place.fp
    thread.raised = NULL
    forget_above(thread, place.fp)
    place.ctx.stack_end = thread.mark.end


cdef int unwind(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Bring the exception that is raised to its handler: LANDED. TRAP_EXCEPTION when no frame since the host's call has one."""
    cdef Place place
    cdef Handler* h
    cdef uint64_t work = 0
    cdef bint inside = stand(&place, ctx, pc, fp)
    while inside:
        work += place.code.n_handlers
        if work > BUSY:
            work = 0
            if ctx.look(ctx, pc, fp) != 0:
                ctx.thread.raised = NULL
                return ctx.trap
        h = handler_of(&place, ctx.thread.raised)
        if h != NULL:
            land(&place, h, ctx.thread)
            return LANDED
        inside = outward(&place)
    return trap(ctx, pc, fp, TRAP_EXCEPTION)


cdef int throw_new(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The operation `throw`: values from slot a on, the tag in the third word."""
    cdef int status = 0
    cdef ExnInst* exn = exn_new(ctx.thread, ctx, pc, fp, ctx.tags[pc[2].u], fp + pc[1].h[0], &status)
    if exn == NULL:
        return trap(ctx, pc, fp, status)
    ctx.thread.raised = exn
    return unwind(ctx, pc, fp)


cdef int throw_again(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The operations `throw_ref` and `rethrow`: the exception is in slot a."""
    cdef ExnInst* exn = <ExnInst*>fp[pc[1].h[0]].v
    if exn == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_EXCEPTION_REFERENCE)
    ctx.thread.raised = exn
    return unwind(ctx, pc, fp)
