"""What the embedding's face of a function is made of: it keeps the parts, and does the common calls."""

from pywasm_ref._fastcore.functions cimport Func, vectorcallfunc

cdef class Called:
    cdef vectorcallfunc vectorcall
    cdef Func func
    cdef bint quick             # numbers only, and a guest's
    cdef public object owner
    cdef public object name
    cdef public object _signature
    cdef object __weakref__
