"""See values.pxd. What goes in is an exact int, float or bytes that fits; subclasses, objects with `__index__`, NaNs for an f32 and all
that is wrong are left to the embedding. What comes out are the same objects that it would make."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy
from pywasm_ref._fastcore.layout cimport VT_F32, VT_F64, VT_I32, VT_I64, VT_V128, S, Type, slots_of

cdef extern from "Python.h":
    bint PyLong_CheckExact(PyObject*)
    bint PyFloat_CheckExact(PyObject*)
    bint PyBytes_CheckExact(PyObject*)
    long long PyLong_AsLongLongAndOverflow(PyObject*, int*)
    unsigned long long PyLong_AsUnsignedLongLong "PyLong_AsUnsignedLongLong" (PyObject*) noexcept
    double PyLong_AsDouble "PyLong_AsDouble" (PyObject*) noexcept
    double PyFloat_AS_DOUBLE(PyObject*)
    Py_ssize_t PyBytes_GET_SIZE(PyObject*)
    char* PyBytes_AS_STRING(PyObject*)
    PyObject* PyLong_FromLong(long)
    PyObject* PyLong_FromLongLong(long long)
    PyObject* PyFloat_FromDouble(double)
    PyObject* PyBytes_FromStringAndSize(char*, Py_ssize_t)
    PyObject* PyTuple_New(Py_ssize_t)
    void PyTuple_SET_ITEM(PyObject*, Py_ssize_t, PyObject*)
    PyObject* PyErr_Occurred()
    void PyErr_Clear()
    void Py_DECREF(PyObject*)

cdef enum:
    F32_INFINITY = 0x7f800000
    F32_PAYLOAD = 0x007fffff

cdef uint64_t F64_INFINITY = 0x7ff0000000000000U
cdef int64_t EXACT = 0x20000000000000   # ints up to here are floats without rounding
cdef int64_t I32_LEAST = -0x80000000    # of C: a comparison with such a literal would make Python's ints of both sides
cdef int64_t I32_MOST = 0xffffffff


cdef bint numbers_only(Type* type) noexcept:
    """Whether nothing of a function type is a reference."""
    cdef uint32_t i
    for i in range(type.n_params + type.n_results):
        if type.valtypes[i] > VT_V128:
            return False
    return True


# To slots


cdef bint take(S* slot, uint32_t valtype, PyObject* value) noexcept:
    """Put a value there; false, and no error, when somebody else has to look at it."""
    cdef int overflow = 0
    cdef int64_t number
    if valtype == VT_I32:
        if not PyLong_CheckExact(value):
            return False
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        slot.u64 = <uint32_t>number
        return overflow == 0 and I32_LEAST <= number <= I32_MOST
    if valtype == VT_I64:
        if not PyLong_CheckExact(value):
            return False
        slot.s64 = PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0 or (overflow > 0 and take_large(slot, value))
    if valtype == VT_F64:
        return take_f64(slot, value)
    if valtype == VT_F32:
        return take_f32(slot, value)
    if valtype != VT_V128 or not PyBytes_CheckExact(value) or PyBytes_GET_SIZE(value) != 16:
        return False
    memcpy(slot, PyBytes_AS_STRING(value), 16)
    return True


cdef bint take_large(S* slot, PyObject* value) noexcept:
    """The upper half of what an i64 may be without a sign."""
    slot.u64 = PyLong_AsUnsignedLongLong(value)
    return fits(slot.u64 == ~<uint64_t>0)


cdef bint fits(bint doubtful) noexcept:
    """Whether a conversion went well; its result tells when that is in doubt."""
    if doubtful and PyErr_Occurred() != NULL:
        PyErr_Clear()
        return False
    return True


cdef bint take_f64(S* slot, PyObject* value) noexcept:
    if PyFloat_CheckExact(value):
        slot.f64 = PyFloat_AS_DOUBLE(value)
        return True
    if not PyLong_CheckExact(value):
        return False
    slot.f64 = PyLong_AsDouble(value)
    return fits(slot.f64 == -1.0)


cdef bint take_f32(S* slot, PyObject* value) noexcept:
    """Rounded once, to infinity past the largest. A NaN would lose its payload, a large int would be rounded twice."""
    cdef double number
    cdef int overflow = 0
    cdef int64_t whole
    if PyFloat_CheckExact(value):
        number = PyFloat_AS_DOUBLE(value)
        if number != number:
            return False
    elif PyLong_CheckExact(value):
        whole = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow or not -EXACT <= whole <= EXACT:
            return False
        number = <double>whole
    else:
        return False
    slot.u64 = 0
    slot.f32 = <float>number
    return True


# From slots


cdef PyObject* give(S* slot, uint32_t valtype) noexcept:
    """A new reference, or NULL with an error."""
    if valtype == VT_I32:
        return PyLong_FromLong(slot.s32)
    if valtype == VT_I64:
        return PyLong_FromLongLong(slot.s64)
    if valtype == VT_F64:
        return PyFloat_FromDouble(slot.f64)
    if valtype == VT_F32:
        return give_f32(slot.u32)
    return PyBytes_FromStringAndSize(<char*>slot, 16)


cdef PyObject* give_f32(uint32_t bits) noexcept:
    """A NaN keeps sign and payload, which a conversion by the processor would make quiet."""
    cdef S wide
    cdef S narrow
    narrow.u64 = bits
    if bits & 0x7fffffff > F32_INFINITY:
        wide.u64 = <uint64_t>(bits & 0x80000000U) << 32 | F64_INFINITY | <uint64_t>(bits & F32_PAYLOAD) << 29
        return PyFloat_FromDouble(wide.f64)
    return PyFloat_FromDouble(narrow.f32)


cdef PyObject* give_several(S* slot, const uint32_t* valtypes, Py_ssize_t n) noexcept:
    """A tuple of results, or NULL with an error."""
    cdef PyObject* found = PyTuple_New(n)
    cdef PyObject* value
    cdef Py_ssize_t i
    if found == NULL:
        return NULL
    for i in range(n):
        value = give(slot, valtypes[i])
        if value == NULL:
            Py_DECREF(found)
            return NULL
        PyTuple_SET_ITEM(found, i, value)
        slot += slots_of(valtypes[i])
    return found
