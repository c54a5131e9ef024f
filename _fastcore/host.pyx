"""See host.pxd."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.exceptions cimport unwind
from pywasm_ref._fastcore.externs cimport Exn, Tag, owned_here
from pywasm_ref._fastcore.functions cimport Func, bits_of, host_exn, set_bits, set_value, value_of
from pywasm_ref._fastcore.fuel cimport give_ticks, take_ticks
from pywasm_ref._fastcore.gil cimport gil_take
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.moving cimport Moving
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.values cimport give, owned, take

from pywasm_ref.errors import WasmException

cdef extern from "Python.h":
    PyObject* PyObject_Vectorcall(PyObject*, PyObject* const*, size_t, PyObject*)
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    bint PyTuple_CheckExact(PyObject*)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    PyObject* Py_None
    void Py_DECREF(PyObject*)

ctypedef int (*host_t)(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil


cdef int call_host(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil:
    """A function of the host; its results replace its arguments. The GIL is kept afterwards, see gil.pxd."""
    gil_take(ctx.thread)
    return (<host_t><void*>call_python)(ctx, fn, args, pc, fp)  # Cython would ask for the GIL, which is here


cdef int call_python(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept:
    cdef Room store = <Room><PyObject*>ctx.store
    cdef Func f = <Func><PyObject*>fn.door
    cdef Type* type = fn.type
    cdef S* top = store.top
    cdef Suspended here
    if args + max(type.param_slots, type.result_slots) > store.end:
        return trap(ctx, pc, fp, TRAP_STACK)
    store.top = args + max(type.param_slots, type.result_slots)
    here.ctx = ctx
    here.pc = pc
    here.fp = fp
    here.calls = True
    here.outer = store.shared.suspended
    store.shared.suspended = &here
    take_ticks(ctx)
    try:
        if store.owed:
            store.tidy()
        if not (isinstance(f.code, Moving) and (<Moving>f.code).move(store, args)):
            call_function(store, f, type, args)
    except WasmException as error:
        return throw(store, error, ctx, pc, fp)
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    finally:
        store.top = top
        store.shared.suspended = here.outer
        give_ticks(ctx, store.stopped)
    return trap(ctx, pc, fp, TRAP_INTERRUPTED) if store.stopped else 0


cdef int throw(Room store, object error, Ctx* ctx, W* pc, S* fp) noexcept:
    """An exception of the guest that a host function raised. When no guest catches it, the same Python object goes on. A guest that was
    stopped meanwhile catches nothing."""
    cdef Exn exn
    cdef int status
    if store.stopped:
        return trap(ctx, pc, fp, TRAP_INTERRUPTED)
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


# Three ways to call


cdef int call_function(Room store, Func f, Type* type, S* args) except -1:
    if f.function is not None:
        return call_with_numbers(store, f, type, args)
    if f.plain:
        return call_with_values(store, f, type, args)
    return call_with_bits(store, f, type, args)


cdef int call_with_numbers(Room store, Func f, Type* type, S* args) except -1:
    """A Python function is called directly; its code, which is the embedding's, is asked only about what is not plain."""
    cdef PyObject* given[MOST + 1]
    cdef object result
    cdef S* slot = args
    cdef uint32_t i = 0
    given[0] = NULL             # PY_VECTORCALL_ARGUMENTS_OFFSET: the callee may put something there
    while i < type.n_params:
        given[i + 1] = give(slot, type.valtypes[i])
        if given[i + 1] == NULL:
            break
        slot += slots_of(type.valtypes[i])
        i += 1
    try:
        result = owned(called(f, given, i, i == type.n_params))
    except WasmException as error:
        raise f.code.exception(error) from error
    if not plain_results(type, args, <PyObject*>result):
        put_bits(store, type, args, f.code.results(result))
    return 0


cdef PyObject* called(Func f, PyObject** given, uint32_t n, bint complete) noexcept:
    """The result, or NULL with an error; the arguments are let go of."""
    cdef PyObject* result = NULL
    cdef uint32_t i
    if complete:
        result = PyObject_Vectorcall(<PyObject*>f.function, given + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)
    for i in range(1, n + 1):
        Py_DECREF(given[i])
    return result


cdef bint plain_results(Type* type, S* args, PyObject* result) noexcept:
    """Put the results where the guest expects them, if all of them are plain."""
    cdef const uint32_t* valtypes = type.valtypes + type.n_params
    cdef uint32_t i
    if type.n_results == 0:
        return result == Py_None
    if type.n_results == 1:
        return take(args, valtypes[0], result)
    if not PyTuple_CheckExact(result) or PyTuple_GET_SIZE(result) != type.n_results:
        return False
    for i in range(type.n_results):
        if not take(args, valtypes[i], PyTuple_GET_ITEM(result, i)):
            return False
        args += slots_of(valtypes[i])
    return True


cdef int call_with_bits(Room store, Func f, Type* type, S* args) except -1:
    cdef uint32_t i
    cdef S* slot = args
    given = []
    for i in range(type.n_params):
        given.append(bits_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    return put_bits(store, type, args, (<object>f.code)(given))


cdef int put_bits(Room store, Type* type, S* args, results) except -1:
    cdef uint32_t i
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
