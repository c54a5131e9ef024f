"""See calls.pxd.

The embedding derives a class from `Called` and its own `Func`. A call by vectorcall converts numbers from the arguments to the value
stack and back, with no Python code and no sequence between. Whatever is not plain, a reference, a wrong argument, a host function, goes to
`super().__call__`, which is the embedding's way for every engine, and has all the words for errors.
"""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.functions cimport Func, PyTypeObject, give_vectorcall, run, vectorcallfunc
from pywasm_ref._fastcore.layout cimport Ctx, Fn, S, Type, slots_of
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.values cimport give, give_several, numbers_only, owned, take

from pywasm_ref.errors import WasmException

cdef extern from "Python.h":
    Py_ssize_t PyVectorcall_NARGS(size_t)
    PyTypeObject* Py_TYPE(PyObject*)
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    PyObject* Py_None
    PyObject* Py_NewRef(PyObject*)

ctypedef int (*Runner)(Room, Ctx*, Fn*, S*) noexcept    # as `run`, whose -1 the caller looks at


cdef class Called:
    """The parts of a function's face: `_raw`, which is the engine's function, `owner`, `name` and `_signature`."""

    def __cinit__(self):
        cdef PyTypeObject* cls = Py_TYPE(<PyObject*>self)
        self.vectorcall = <vectorcallfunc><void*>call
        if not cls.tp_flags & Py_TPFLAGS_HAVE_VECTORCALL:  # a class written in Python does not always inherit it
            give_vectorcall(cls, <char*>&self.vectorcall - <char*><PyObject*>self)

    @property
    def _raw(self):
        return self.func

    @_raw.setter
    def _raw(self, Func func not None):
        self.func = func
        self.quick = func.fn.ctx != NULL and numbers_only(func.fn.type)

    def __call__(self, *args, **keywords):
        return super(Called, self).__call__(*args, **keywords)


cdef object call(object callable, PyObject* const* args, size_t flags, PyObject* names):
    """What stands in `vectorcall`. `try` costs as much as a short call: so what is called here says by its result that an exception is set."""
    cdef Called self = <Called>callable
    cdef Py_ssize_t n = PyVectorcall_NARGS(flags)
    cdef Func f = self.func
    cdef Room store
    cdef S* fp
    cdef PyObject* value = NULL
    if not self.quick or names != NULL or n != f.fn.type.n_params:
        return call_generally(self, args, n, names)
    store = f.store
    store.prepare()
    if not put_arguments(store, f.fn.type, args):
        store.rest()
        return call_generally(self, args, n, names)
    fp = store.top
    if (<Runner>run)(store, f.fn.ctx, f.fn, fp) == 0:
        store.top = fp + f.fn.type.result_slots     # making a tuple can begin a collection, which can run anything
        value = result(fp, f.fn.type)
    if value == NULL:
        return fail(self, store, fp)
    store.top = fp
    found = owned(value)
    store.rest()
    return found


cdef object fail(Called self, Room store, S* top):
    """The call has ended with the exception that is set."""
    cdef object thrown      # raised when the engine's is no longer handled: what a host function raised keeps its context
    try:
        raised()
    except WasmException as error:
        thrown = self._lifted(error)
    finally:
        store.top = top
        store.rest()
    raise thrown


cdef int raised() except -1:
    """Say that there is an exception, which is set."""
    return -1


cdef object call_generally(Called self, PyObject* const* args, Py_ssize_t n, PyObject* names):
    given = tuple([<object>args[i] for i in range(n)])
    keywords = {} if names == NULL else {name: <object>args[n + i] for i, name in enumerate(<tuple>names)}
    return self.__call__(*given, **keywords)


cdef bint put_arguments(Room store, Type* type, PyObject* const* args) noexcept:
    """Put them where values end; false when one of them is not plain, or the stack ends here."""
    cdef S* slot = store.top
    cdef uint32_t i
    if slot + max(type.param_slots, type.result_slots) > store.end:
        return False
    for i in range(type.n_params):
        if not take(slot, type.valtypes[i], args[i]):
            return False
        slot += slots_of(type.valtypes[i])
    return True


cdef PyObject* result(S* fp, Type* type) noexcept:
    """A new reference, or NULL with an exception."""
    if type.n_results == 0:
        return Py_NewRef(Py_None)
    if type.n_results == 1:
        return give(fp, type.valtypes[type.n_params])
    return give_several(fp, type.valtypes + type.n_params, type.n_results)
