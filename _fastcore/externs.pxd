"""What can be imported and exported, and references, as Python objects: the doors.

A door keeps alive what it stands for: the instance that owns it, or itself when the host made it. While a door is there, the same
thing always has the same one.
"""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport ExnInst, Fn, Mem, S, Tab, TagInst, Type
from pywasm_ref._fastcore.store cimport Room

ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept

cdef class Door:
    cdef Room store
    cdef object owner           # the instance; None when this owns what it stands for
    cdef uint64_t key           # in `store.doors`
    cdef object __weakref__

    cdef int enter(self, Room store, object owner, uint64_t key) except -1

cdef class Func(Door):
    cdef vectorcallfunc vectorcall
    cdef Fn* fn
    cdef object code            # of the host
    cdef bint plain             # it takes and gives Python's values, not bits in sequences

    cdef list invoke(self, args)

cdef class Memory(Door):
    cdef Mem* mem

cdef class Table(Door):
    cdef Tab* tab

cdef class Global(Door):
    cdef S* slots
    cdef uint32_t valtype
    cdef bint mutable

cdef class Ref(Door):
    cdef uint64_t word
    cdef bint external          # it was made external, or the host's: the same word can be either

cdef class Tag(Door):
    cdef TagInst* tag

cdef class Exn(Ref):
    cdef ExnInst* exn

cdef Tag tag_door(Room store, TagInst* tag)
cdef Exn exn_door(Room store, ExnInst* exn)
cdef Exn host_exn(Room store, Tag tag, values)
cdef tuple exn_values(Room store, ExnInst* exn)
cdef object door_at(Room store, uint64_t key)
cdef Func func_door(Room store, Fn* fn)
cdef Func host_func(Room store, Type* type, object code, bint plain)
cdef Mem* mem_new_checked(Room store, uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared) except NULL
cdef int tab_new(Room store, Tab* tab, uint64_t size, uint64_t type_max, bint wide, uint32_t type) except -1
cdef int owned_here(Room store, Door door) except -1
cdef object bits_of(Room store, S* slots, uint32_t type)
cdef int set_bits(Room store, S* slots, uint32_t type, object value) except -1
cdef object value_of(Room store, S* slots, uint32_t type)
cdef int set_value(Room store, S* slots, uint32_t type, object value) except -1
