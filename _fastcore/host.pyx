"""See host.pxd."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.exceptions cimport unwind
from pywasm_ref._fastcore.externs cimport Exn, Tag, owned_here
from pywasm_ref._fastcore.functions cimport Func, bits_of, host_exn, set_bits, set_value, value_of
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.store cimport Room

from pywasm_ref.errors import WasmException


cdef int call_host(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil:
    """A function of the host; its results replace its arguments."""
    with gil:
        return call_python(ctx, fn, args, pc, fp)


cdef int call_python(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept:
    cdef Room store = <Room><PyObject*>ctx.store
    cdef Func f = <Func><PyObject*>fn.host
    cdef Type* type = fn.type
    cdef S* top = store.top
    cdef Suspended here
    if args + max(type.param_slots, type.result_slots) > store.end:
        return trap(ctx, pc, fp, TRAP_STACK)
    store.top = args + max(type.param_slots, type.result_slots)
    here.ctx = ctx
    here.outer = store.shared.suspended
    store.shared.suspended = &here
    try:
        if store.owed:
            store.tidy()
        if f.plain:
            call_with_values(store, f, type, args)
        else:
            call_with_bits(store, f, type, args)
    except WasmException as error:
        return throw(store, error, ctx, pc, fp)
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    finally:
        store.top = top
        store.shared.suspended = here.outer
    return 0


cdef int throw(Room store, object error, Ctx* ctx, W* pc, S* fp) noexcept:
    """An exception of the guest that a host function raised. When no guest catches it, the same Python object goes on."""
    cdef Exn exn
    cdef int status
    try:
        exn = error.exn if isinstance(error.exn, Exn) else host_exn(store, <Tag?>error.tag, error.values)
        owned_here(store, exn)
    except BaseException as unfit:
        store.raised = unfit
        return trap(ctx, pc, fp, TRAP_HOST)
    store.shared.raised = exn.exn
    status = unwind(ctx, pc, fp)
    if status == TRAP_EXCEPTION:
        store.shared.raised = NULL
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    return status


cdef int call_with_bits(Room store, Func f, Type* type, S* args) except -1:
    cdef uint32_t i
    cdef S* slot = args
    given = []
    for i in range(type.n_params):
        given.append(bits_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    results = (<object>f.code)(given)
    checked(len(results), type.n_results)
    for i in range(type.n_results):
        set_bits(store, args, type.valtypes[type.n_params + i], results[i])
        args += slots_of(type.valtypes[type.n_params + i])
    return 0


cdef int call_with_values(Room store, Func f, Type* type, S* args) except -1:
    cdef uint32_t i
    cdef S* slot = args
    given = []
    for i in range(type.n_params):
        given.append(value_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    result = (<object>f.code)(*given)
    if type.n_results == 1:
        set_value(store, args, type.valtypes[type.n_params], result)
    elif type.n_results:
        result = tuple(result)
        checked(len(result), type.n_results)
        for i in range(type.n_results):
            set_value(store, args, type.valtypes[type.n_params + i], result[i])
            args += slots_of(type.valtypes[type.n_params + i])
    return 0


cdef int checked(Py_ssize_t n, uint32_t wanted) except -1:
    if n != wanted:
        raise TypeError(f"a host function must return {wanted} values, not {n}")
    return 0
