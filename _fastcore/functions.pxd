"""Functions as Python objects: calling them, and values on their way through the door."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t
from pywasm_ref._fastcore.externs cimport Door, Exn, Tag
from pywasm_ref._fastcore.layout cimport Ctx, ExnInst, Fn, S, Type
from pywasm_ref._fastcore.store cimport Room

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        void* tp_call

ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept

cdef class Func(Door):
    cdef vectorcallfunc vectorcall
    cdef Fn* fn
    cdef object code            # of the host
    cdef object function        # the Python function behind that code, where a call can go to it directly; else None
    cdef bint plain             # it takes and gives Python's values, not bits in sequences

    cdef list invoke(self, args)

cdef void give_vectorcall(PyTypeObject* type, Py_ssize_t offset)
cdef Func func_door(Room store, Fn* fn)
cdef Func host_func(Room store, Type* type, object code, bint plain)
cdef int run(Room store, Ctx* ctx, Fn* fn, S* fp) except -1
cdef object bits_of(Room store, S* slots, uint32_t type)
cdef int set_bits(Room store, S* slots, uint32_t type, object value) except -1
cdef object value_of(Room store, S* slots, uint32_t type)
cdef int set_value(Room store, S* slots, uint32_t type, object value) except -1
cdef Exn host_exn(Room store, Tag tag, values)
cdef tuple exn_values(Room store, ExnInst* exn)
