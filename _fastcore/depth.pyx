"""See depth.pxd.

A call looks at one thing, whether its frame ends before `ctx.stack_end`. Each frame begins at least two slots behind the one that called
it, and has two slots at least. So behind a frame at fp, of which is known that it is the d-th, a call too many needs more than
`2 * (limit - d) + 2` slots: if the stack seems to end there, it cannot go unnoticed. Who meets this end counts the frames (`deepen`), and
moves it on to where it has to be for a frame further in.

It must come back when that frame returns, since smaller frames may then be put in its place. Such a frame has a `Mark`: its return address
is the operation `lower`. So neither calls nor returns cost anything, and frames are counted from the innermost mark only. Marks are one for
each frame at most, and stand in order; the first frame of a call from the host has the mark `base`, and no operation.
A frame that takes another's place by a tail call inherits its return address, and so its mark.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from pywasm_ref._fastcore.frames cimport Place, is_tail_call, lower_word, outward, stand
from pywasm_ref._fastcore.layout cimport Code, Ctx, Mark, S, Suspended, Thread, W


cdef void use_stack(Thread* thread, S* stack, S* end) noexcept nogil:
    thread.stack_end = end
    thread.shallow = stack + min(2 * thread.call_depth, <uint64_t>(end - stack))


cdef S* safe_end(Thread* thread, S* fp, uint64_t depth) noexcept nogil:
    """Frames behind the one at fp, which is as deep as this, are not too deep if they end before here."""
    cdef uint64_t left = thread.call_depth - depth if depth < thread.call_depth else 0
    return fp + min(2 * left + 2, <uint64_t>(thread.stack_end - fp))


# From the host


cdef bint is_shallow(Thread* thread, Mark* base) noexcept nogil:
    """Whether so many calls may be open, this one from the host included."""
    return depth_of(thread, base) <= thread.call_depth


# Counting


cdef uint64_t depth_of(Thread* thread, Mark* mark) noexcept nogil:
    if mark.depth == 0:
        mark.depth = waiting(thread, mark.around) + 1
        mark.end = safe_end(thread, mark.fp, mark.depth)
    return mark.depth


cdef uint64_t waiting(Thread* thread, Suspended* guest) noexcept nogil:
    """How many calls wait for the host. Who called it by a tail call is not there any more."""
    if guest == NULL:
        return 0
    return count(thread, guest.ctx, guest.pc, guest.fp) - (guest.calls and is_tail_call(guest.pc))


cdef uint64_t count(Thread* thread, Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """How deep the frame is. Where it is far from a mark one is set: not in the frame itself, which may return and be called again soon."""
    cdef Place place
    cdef uint64_t n = 0, depth
    cdef bint inside = stand(&place, ctx, pc, fp)
    while inside:
        inside = outward(&place)
        if place.mark != NULL:
            break
        n += 1
    if place.mark == NULL:
        return thread.call_depth
    depth = depth_of(thread, place.mark) + n
    if n >= 8:
        set_mark_outward(thread, ctx, pc, fp, n // 4, depth, place.mark)
    return depth


cdef void set_mark_outward(Thread* thread, Ctx* ctx, W* pc, S* fp, uint64_t n, uint64_t depth, Mark* found) noexcept nogil:
    """Mark the frame that is n calls further out than one of known depth, and inside the one that `found` belongs to."""
    cdef Place place
    cdef uint64_t i
    cdef Mark** link = &thread.mark
    stand(&place, ctx, pc, fp)
    for i in range(n):
        outward(&place)
    while link[0] != found:
        link = &link[0].outer
    set_mark(thread, link, place.fp, place.code, depth - n)


# Marks


cdef W* deepen(Ctx* ctx, W* pc, S* fp, S* nfp, Code* code, W* back) noexcept nogil:
    """The instruction at pc calls a function whose frame, at nfp, ends behind what seems to be the end of the stack.

    The callee's return address: `back`, or a mark. NULL when there is no room for it, or for another call.
    """
    cdef Thread* thread = ctx.thread
    cdef S* wanted = nfp + code.frame
    cdef uint64_t depth
    cdef Place place
    cdef Mark* mark
    if wanted > thread.stack_end:
        return NULL
    depth = count(thread, ctx, pc, fp)
    if depth >= thread.call_depth:
        return NULL
    if wanted > thread.mark.end and thread.mark.fp != fp and stand(&place, ctx, pc, fp):
        set_mark(thread, &thread.mark, fp, place.code, depth)
    if wanted > thread.mark.end:
        mark = new_mark(thread, &thread.mark, nfp, depth + 1)
        if mark == NULL:
            return NULL
        mark.back = back
        back = &mark.word
    ctx.stack_end = thread.mark.end
    return back


cdef void set_mark(Thread* thread, Mark** link, S* fp, Code* code, uint64_t depth) noexcept nogil:
    """Mark a frame that exists. When memory is out it stays as it is, and will be counted again."""
    cdef Mark* mark = new_mark(thread, link, fp, depth)
    if mark != NULL:
        mark.back = fp[code.hdr].w
        fp[code.hdr].w = &mark.word


cdef Mark* new_mark(Thread* thread, Mark** link, S* fp, uint64_t depth) noexcept nogil:
    cdef Mark* mark = thread.spare
    if mark != NULL:
        thread.spare = mark.outer
    else:
        mark = <Mark*>malloc(sizeof(Mark))
        if mark == NULL:
            return NULL
    mark.word.u = lower_word()
    mark.fp = fp
    mark.end = safe_end(thread, fp, depth)
    mark.depth = depth
    mark.around = NULL
    mark.outer = link[0]
    link[0] = mark
    return mark


cdef void forget(Thread* thread) noexcept nogil:
    cdef Mark* mark = thread.mark
    thread.mark = mark.outer
    mark.outer = thread.spare
    thread.spare = mark


cdef void forget_above(Thread* thread, S* fp) noexcept nogil:
    """The frames that an exception has left are gone, and the one at fp runs."""
    while thread.mark.fp > fp:
        forget(thread)


cdef void marks_free(Thread* thread) noexcept nogil:
    cdef Mark* mark
    while thread.spare != NULL:
        mark = thread.spare
        thread.spare = mark.outer
        free(mark)
