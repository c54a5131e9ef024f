"""See externs.pxd."""

import gc

import cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.memory cimport mem_free, mem_limit, mem_new, mem_unview, mem_view
from pywasm_ref._fastcore.reflection cimport deftype_of, valtype_of
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.tags cimport tag_drop, tag_keep
from pywasm_ref._fastcore.tables_rt cimport tab_free, tab_limit, tab_make

from pywasm_ref.errors import Exhaustion
from pywasm_ref.syntax.types import I32, I64, GlobalType, Limits, MemType, TableType, TagType


cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        unsigned long tp_flags
        PyObject* tp_dict
    unsigned long Py_TPFLAGS_BASETYPE
    int PyDict_SetItemString(object, const char*, object) except -1
    void PyType_Modified(PyTypeObject*)


# Python's collector clears no fields of doors, stores, instances and modules (`no_gc_clear`): their ends ask the store, and tell by `owner`
# whether what they stand for is theirs to free. It breaks circles elsewhere. What these refer to was there before them, so that a circle
# leads through something that came to refer to more: a dictionary, such as `Room.boxes`, a list, or an object of the host; those can be cleared.
@cython.no_gc_clear
cdef class Door:
    """Something that lives in a store."""

    def __init__(self):
        raise TypeError(f"a {type(self).__name__} comes from an instance or a store")

    def __reduce__(self):
        raise TypeError(f"a {type(self).__name__} is in a store of this process: it cannot be copied or pickled")

    cdef int enter(self, Room store, object owner, uint64_t key) except -1:
        self.store = store
        self.owner = owner
        self.key = key
        if store.doors is None:
            store.doors = {}
        store.doors[key] = <uint64_t><PyObject*>self
        return 0

    def __dealloc__(self):
        if self.store is not None and self.store.doors is not None:
            self.store.stirred = True
            self.store.doors.pop(self.key, None)


cdef int seal(list classes) except -1:
    """Python can make no objects of these classes, and derive none from them: what one stands for would be nowhere. C makes them as before."""
    cdef PyTypeObject* type
    for each in classes:
        type = <PyTypeObject*><PyObject*>each
        type.tp_flags &= ~Py_TPFLAGS_BASETYPE
        PyDict_SetItemString(<object>type.tp_dict, b"__new__", staticmethod(refuse))
        PyType_Modified(type)
    return 0


def refuse(cls, *args, **keywords):
    """What stands in the place of `__new__`."""
    raise TypeError(f"a {cls.__name__} comes from an instance or a store")


cdef object door_at(Room store, uint64_t key):
    """The object that stands for what is at an address, or None."""
    found = None if store.doors is None else store.doors.get(key)
    return None if found is None else <object><PyObject*><uint64_t>found


cdef int owned_here(Room store, Door door) except -1:
    """Refuse what lives in another store."""
    if door is None or door.store is not store:
        raise ValueError(f"this {type(door).__name__} belongs to another store")
    return 0


# Memories, tables, globals


cdef bint fits(Quota* quota, uint64_t n) except? False:
    """Is there room for so many, when cycles that nobody reaches are collected?"""
    if not has_room(quota, n) and n <= quota.most:
        gc.collect()
    return has_room(quota, n)


cdef Mem* mem_new_checked(Room store, uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared, Spare* spare=NULL) except NULL:
    """A memory within the limits of its store.

    Fails   Exhaustion
    """
    cdef Mem* memory
    cdef Quota* quota = &store.shared.memory
    if pages > mem_limit(type_max, page_bits, wide, quota.most >> 16) >> page_bits or not fits(quota, pages << page_bits):
        raise Exhaustion(f"memory of {pages} pages is more than the limit of this store")
    memory = mem_new(pages, type_max, page_bits, wide, shared, quota, spare)
    if memory == NULL:
        raise Exhaustion(f"memory of {pages} pages is more than there is")
    return memory


cdef int tab_new(Room store, Tab* tab, uint64_t size, uint64_t type_max, bint wide, uint32_t type) except -1:
    """Fill in a table of nulls within the limits of its store.

    Fails   Exhaustion
    """
    cdef Quota* quota = &store.shared.tables
    if size > tab_limit(type_max, wide, quota.most) or not fits(quota, size):
        raise Exhaustion(f"table of {size} entries is more than the limit of this store")
    if tab_make(tab, size, type_max, wide, quota) < 0:
        raise Exhaustion(f"table of {size} entries is more than there is")
    tab.type = type
    return 0


cdef object limits_of(uint64_t size, uint64_t type_max):
    return Limits(size, None if type_max == ~<uint64_t>0 else type_max)


@cython.no_gc_clear
cdef class Memory(Door):
    """A memory; the buffer protocol gives its bytes without a copy, and a view keeps the bytes that it saw: growth moves the memory."""

    def __dealloc__(self):
        if self.owner is None:
            mem_free(self.mem)

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        cdef uint8_t* base = NULL
        cdef uint64_t size = 0
        cdef View* view = mem_view(self.mem, &base, &size)
        if view == NULL:
            raise MemoryError
        try:
            PyBuffer_FillInfo(buffer, self, base, <Py_ssize_t>size, 0, flags)
        except BaseException:
            mem_unview(self.mem, view)
            raise
        buffer.internal = view

    def __releasebuffer__(self, Py_buffer* buffer):
        mem_unview(self.mem, <View*>buffer.internal)

    @property
    def pages(self):
        return self.mem.size >> self.mem.page_bits

    @property
    def type(self):
        cdef Mem* mem = self.mem
        return MemType(I64 if mem.wide else I32, limits_of(mem.size >> mem.page_bits, mem.type_max), bool(mem.shared), mem.page_bits)


@cython.no_gc_clear
cdef class Table(Door):
    def __dealloc__(self):
        if self.owner is None and self.tab != NULL:
            tab_free(self.tab)
            free(self.tab)

    @property
    def type(self):
        return TableType(I64 if self.tab.wide else I32, limits_of(self.tab.size, self.tab.type_max), valtype_of(self.tab.type))


@cython.no_gc_clear
cdef class Global(Door):
    def __dealloc__(self):
        if self.owner is None:
            free(self.slots)

    @property
    def type(self):
        return GlobalType(self.mutable, valtype_of(self.valtype))


# Tags


@cython.no_gc_clear
cdef class Tag(Door):
    """A tag. It outlives its instance as long as somebody refers to it."""

    def __dealloc__(self):
        tag_drop(self.tag)

    @property
    def type(self):
        return TagType(deftype_of(self.tag.type))


cdef Tag tag_door(Room store, TagInst* tag):
    cdef Tag door
    found = door_at(store, <uint64_t>tag)
    if found is not None:
        return found
    door = Tag.__new__(Tag)
    door.tag = tag_keep(tag)
    door.enter(store, store, <uint64_t>tag)
    return door


# References and exceptions


@cython.no_gc_clear
cdef class Ref(Door):
    """A reference that is neither null nor to a function."""


cdef Ref ref_door(Room store, uint64_t word, bint external):
    cdef uint64_t key = ~word if external else word
    cdef Ref r
    found = door_at(store, key)
    if found is not None:
        return found
    r = Ref.__new__(Ref)
    r.word = word
    r.external = external
    r.enter(store, store, key)
    return r


@cython.no_gc_clear
cdef class Exn(Ref):
    """An exception that left a guest, or that the host made."""


cdef Exn exn_door(Room store, ExnInst* exn):
    cdef Exn door
    found = door_at(store, <uint64_t>exn)
    if found is not None:
        return found
    door = Exn.__new__(Exn)
    door.exn = exn
    door.word = <uint64_t>exn
    door.enter(store, store, <uint64_t>exn)
    return door
