"""See bridges.pxd.

    args[0..m)  arguments, and later results; m slots of them at most
    args[m..]   return pc | the caller's fp | the caller's context | m, number of results
    then        the callee's frame, whose return address is the `restore` operation
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memmove
from pywasm_ref._fastcore.layout cimport Code, Ctx, Fn, S, Type, W

cdef W RESTORE


cdef void set_restore(void* handler) noexcept nogil:
    RESTORE.v = handler


cdef S* bridge(Ctx* ctx, Fn* fn, S* args, W* back, S* fp) noexcept nogil:
    """The callee's fp, or NULL when the stack is too short."""
    cdef Type* type = fn.type
    cdef Code* code = fn.code
    cdef uint64_t m = max(type.param_slots, type.result_slots)
    cdef S* callee = args + m + 4
    if callee + code.frame > ctx.stack_end:
        return NULL
    args[m].w = back
    args[m + 1].p = fp
    args[m + 2].v = ctx
    args[m + 3].u64 = m << 32 | type.result_slots
    memcpy(callee, args, type.param_slots * sizeof(S))
    callee[code.hdr].w = &RESTORE
    callee[code.hdr + 1].p = callee
    return callee


cdef S* unbridge(S* fp) noexcept nogil:
    """Brings the results to where the caller looks for them, and says where that is."""
    cdef uint64_t sizes = fp[-1].u64
    cdef S* args = fp - 4 - (sizes >> 32)
    memmove(args, fp, (sizes & 0xffffffffU) * sizeof(S))
    return args
