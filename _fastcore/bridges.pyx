"""See bridges.pxd.

    args[0..m)  arguments, and later results; m slots of them at most
    args[m..]   return pc | the caller's fp | the caller's context | m, number of results
    then        the callee's frame, whose return address is the `restore` operation
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport malloc
from libc.string cimport memcpy, memmove
from pywasm_ref._fastcore.depth cimport deepen
from pywasm_ref._fastcore.frames cimport restore_word, restores
from pywasm_ref._fastcore.layout cimport Code, Ctx, Fn, S, Type, W
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.unit cimport Unit

cdef PyThread_type_lock LOCK = lock_new()


cdef S* bridge(Ctx* ctx, Fn* fn, S* args, W* back, S* fp) noexcept nogil:
    """The callee's fp, or NULL when the stack is too short."""
    cdef S* callee = args + max(fn.type.param_slots, fn.type.result_slots) + 4
    cdef W* restore = restore_word()
    if callee + fn.code.frame > ctx.stack_end:
        restore = deepen(ctx, back - 1, fp, callee, fn.code, restore)
        if restore == NULL:
            return NULL
    return build(ctx, fn, args, back, fp, restore)


cdef S* build(Ctx* ctx, Fn* fn, S* args, W* back, S* fp, W* restore) noexcept nogil:
    cdef Type* type = fn.type
    cdef Code* code = fn.code
    cdef uint64_t m = max(type.param_slots, type.result_slots)
    cdef S* callee = args + m + 4
    args[m].w = back
    args[m + 1].p = fp
    args[m + 2].v = ctx
    args[m + 3].u64 = m << 32 | type.result_slots
    memcpy(callee, args, type.param_slots * sizeof(S))
    callee[code.hdr].w = restore
    callee[code.hdr + 1].p = callee
    fn.ctx.thread = ctx.thread
    fn.ctx.stack_end = ctx.stack_end
    return callee


cdef S* unbridge(S* fp) noexcept nogil:
    """Brings the results to where the caller looks for them, and says where that is."""
    cdef uint64_t sizes = fp[-1].u64
    cdef S* args = fp - 4 - (sizes >> 32)
    memmove(args, fp, (sizes & 0xffffffffU) * sizeof(S))
    return args


cdef S* replace(Ctx* ctx, Fn* fn, S* args, S* fp, uint32_t hdr) noexcept nogil:
    """A function of another instance takes the place of the one that runs at fp. Its fp, or NULL when the stack is too short.

    The frame below it must bring the caller's context back: when the running function was itself called from elsewhere, one does.
    """
    cdef Code* code = fn.code
    cdef W* back = fp[hdr].w
    cdef S* caller = fp[hdr + 1].p
    cdef uint64_t m = max(fn.type.param_slots, fn.type.result_slots)
    if fp + m + 4 + code.frame > ctx.thread.stack_end:
        return NULL
    memmove(fp, args, fn.type.param_slots * sizeof(S))
    if not restores(back):
        return build(ctx, fn, fp, back, caller, restore_word())
    fp[code.hdr].w = back
    fp[code.hdr + 1].p = fp
    fn.ctx.thread = ctx.thread
    fn.ctx.stack_end = ctx.stack_end
    return fp


cdef Fn* function(Ctx* ctx, uint32_t index) noexcept nogil:
    """The function instance with this index, or NULL when memory is out."""
    cdef Unit* unit = <Unit*>ctx.unit
    cdef Fn* fns
    if index < unit.imported_funcs:
        return ctx.imports[index]
    fns = functions(ctx)
    return &fns[index - unit.imported_funcs] if fns != NULL else NULL


cdef Fn* functions(Ctx* ctx) noexcept nogil:
    """Those of the module, which are made when the first is wanted, or NULL when memory is out."""
    PyThread_acquire_lock(LOCK, 1)
    if ctx.fns == NULL:
        ctx.fns = functions_new(ctx, <Unit*>ctx.unit)
    PyThread_release_lock(LOCK)
    return ctx.fns


cdef Fn* functions_new(Ctx* ctx, Unit* unit) noexcept nogil:
    """There may be very many, so that nothing is read here but what stands close together."""
    cdef Fn* fns = <Fn*>malloc((<uint64_t>unit.n_codes + 1) * sizeof(Fn))
    cdef Type** types = unit.funcs + unit.imported_funcs
    cdef Code* codes = ctx.codes
    cdef uint32_t n = unit.n_codes
    cdef uint32_t i
    if fns != NULL:
        for i in range(n):
            fns[i].code = &codes[i]
            fns[i].ctx = ctx
            fns[i].type = types[i]
            fns[i].door = NULL
    return fns
