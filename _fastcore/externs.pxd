"""What can be imported and exported, and references, as Python objects: the doors.

A door keeps alive what it stands for: the instance that owns it, or itself when the host made it. While a door is there, the same
thing always has the same one.
"""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport ExnInst, Mem, S, Spare, Tab, TagInst
from pywasm_ref._fastcore.store cimport Room

cdef class Door:
    cdef Room store
    cdef object owner           # the instance; None when this owns what it stands for
    cdef uint64_t key           # in `store.doors`
    cdef bint leaky             # of a function of the host: guests may refer to it, see orphans.pxd
    cdef bint finalized         # of a function of the host: Python has told it of its end once, and will not again
    cdef object __weakref__

    cdef int enter(self, Room store, object owner, uint64_t key) except -1

cdef class Memory(Door):
    cdef Mem* mem

cdef class Table(Door):
    cdef Tab* tab

cdef class Global(Door):
    cdef S* slots
    cdef uint32_t valtype
    cdef bint mutable

cdef class Tag(Door):
    cdef TagInst* tag

cdef class Ref(Door):
    cdef uint64_t word
    cdef bint external          # it was made external, or the host's: the same word can be either

cdef class Exn(Ref):
    cdef ExnInst* exn

cdef int seal(list classes) except -1
cdef object door_at(Room store, uint64_t key)
cdef Mem* mem_new_checked(Room store, uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared, Spare* spare=*) except NULL
cdef int tab_new(Room store, Tab* tab, uint64_t size, uint64_t type_max, bint wide, uint32_t type) except -1
cdef Tag tag_door(Room store, TagInst* tag)
cdef Exn exn_door(Room store, ExnInst* exn)
cdef Ref ref_door(Room store, uint64_t word, bint external)
cdef int owned_here(Room store, Door door) except -1
