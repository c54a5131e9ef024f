"""See bulk.pxd. What a look finds may run Python, which may let memories grow, and so move; they never become smaller."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memmove, memset
from pywasm_ref._fastcore.layout cimport Ctx, Mem, S, W


cdef int fill_long(Ctx* ctx, W* pc, S* fp, Mem* memory, uint64_t at, uint8_t value, uint64_t n) noexcept nogil:
    """Fill n bytes, all of them inside. What is not 0 is the reason to stop."""
    cdef uint64_t size
    while n != 0:
        size = min(n, <uint64_t>PIECE)
        memset(memory.base + at, value, size)
        at += size
        n -= size
        if n != 0 and ctx.look(ctx, pc, fp) != 0:
            return ctx.trap
    return 0


cdef int copy_long(Ctx* ctx, W* pc, S* fp, Mem* target, uint64_t to, Mem* source, uint64_t at, uint64_t n) noexcept nogil:
    """The same for copying. Where bytes go up in one memory, the last ones go first, so that none is written before it was read."""
    cdef bint upwards = target == source and to > at
    cdef uint64_t done = 0
    cdef uint64_t size, offset
    while done < n:
        size = min(n - done, <uint64_t>PIECE)
        offset = n - done - size if upwards else done
        memmove(target.base + to + offset, source.base + at + offset, size)
        done += size
        if done < n and ctx.look(ctx, pc, fp) != 0:
            return ctx.trap
    return 0
