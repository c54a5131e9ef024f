"""Numbers between slots and Python's objects, without the words for what is wrong: those are the embedding's."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.layout cimport S, Type

cdef extern from *:
    """
    static PyObject* owned(PyObject* object) { return object; }
    """
    object owned(PyObject*)     # a new reference becomes Cython's; NULL is the exception that is set

cdef bint numbers_only(Type* type) noexcept
cdef bint take(S* slot, uint32_t valtype, PyObject* value) noexcept
cdef PyObject* give(S* slot, uint32_t valtype) noexcept
cdef PyObject* give_several(S* slot, const uint32_t* valtypes, Py_ssize_t n) noexcept
