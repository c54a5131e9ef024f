"""See externs.pxd."""

import cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from pywasm_ref._fastcore.exceptions cimport exn_keep, exn_new, exn_unpin, tag_drop, tag_keep
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.memory cimport mem_free, mem_limit, mem_new, mem_unview, mem_view
from pywasm_ref._fastcore.reflection cimport deftype_of, valtype_of
from pywasm_ref._fastcore.store cimport Room, run, set_lifter

from pywasm_ref.errors import Exhaustion, WasmException
from pywasm_ref.syntax.types import I32, I64, GlobalType, Limits, MemType, TableType, TagType

cdef extern from "structmember.h":
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        void* tp_call
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    void* PyVectorcall_Call
    void PyType_Modified(PyTypeObject*)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    void Py_INCREF(PyObject*)

cdef extern from "Python.h":
    void PyErr_SetObject(object, object)


@cython.no_gc_clear
cdef class Door:
    """Something that lives in a store."""

    cdef int enter(self, Room store, object owner, uint64_t key) except -1:
        self.store = store
        self.owner = owner
        self.key = key
        store.doors[key] = <uint64_t><PyObject*>self
        return 0

    def __dealloc__(self):
        if self.store is not None and self.store.doors is not None:
            self.store.doors.pop(self.key, None)


cdef object door_at(Room store, uint64_t key):
    """The object that stands for what is at an address, or None."""
    found = store.doors.get(key)
    return None if found is None else <object><PyObject*><uint64_t>found


# Functions


@cython.no_gc_clear
cdef class Func(Door):
    """A function. Calling it with Python's values costs a vectorcall and no Python frame."""

    def __init__(self):
        raise TypeError("functions come from instances and stores")

    def __dealloc__(self):
        if self.owner is None:
            free(self.fn)
        else:
            self.fn.door = NULL

    @property
    def type(self):
        return deftype_of(self.fn.type)

    cdef list invoke(self, args):
        """Exact to the bit: integers are unsigned, floats are their bit patterns. A list of results."""
        cdef Type* type = self.fn.type
        cdef Room store = self.store
        cdef S* fp
        cdef S* slot
        cdef uint32_t i
        if len(args) != type.n_params:
            raise TypeError(f"the function takes {type.n_params} arguments, not {len(args)}")
        if self.fn.ctx == NULL:
            return list((<object>self.code)(args))
        store.prepare()
        slot = fp = store.top
        if fp + max(type.param_slots, type.result_slots) > store.end:
            raise Exhaustion("call stack exhausted")
        for i in range(type.n_params):
            set_bits(store, slot, type.valtypes[i], args[i])
            slot += slots_of(type.valtypes[i])
        run(store, self.fn.ctx, self.fn, fp)
        results = []
        for i in range(type.n_params, type.n_params + type.n_results):
            results.append(bits_of(store, fp, type.valtypes[i]))
            fp += slots_of(type.valtypes[i])
        return results


cdef PyObject* call_func(PyObject* callable, PyObject* const* args, size_t flags, PyObject* names) noexcept:
    cdef PyObject* result
    try:
        if names != NULL:
            raise TypeError("a WebAssembly function takes no keyword arguments")
        value = call(<Func><object>callable, args, PyVectorcall_NARGS(flags))
        result = <PyObject*>value
        Py_INCREF(result)
        return result
    except BaseException as error:
        PyErr_SetObject(type(error), error)
        return NULL


cdef object call(Func f, PyObject* const* args, Py_ssize_t n):
    """A call with Python's values."""
    cdef Type* type = f.fn.type
    cdef Room store = f.store
    cdef S* fp
    cdef S* slot
    cdef uint32_t i
    if n != type.n_params:
        raise TypeError(f"the function takes {type.n_params} arguments, not {n}")
    if f.fn.ctx == NULL:
        return call_host_func(f, args, n)
    store.prepare()
    slot = fp = store.top
    if fp + max(type.param_slots, type.result_slots) > store.end:
        raise Exhaustion("call stack exhausted")
    for i in range(type.n_params):
        set_value(store, slot, type.valtypes[i], <object>args[i])
        slot += slots_of(type.valtypes[i])
    run(store, f.fn.ctx, f.fn, fp)
    if type.n_results == 1:
        return value_of(store, fp, type.valtypes[type.n_params])
    if type.n_results == 0:
        return None
    results = []
    for i in range(type.n_params, type.n_params + type.n_results):
        results.append(value_of(store, fp, type.valtypes[i]))
        fp += slots_of(type.valtypes[i])
    return tuple(results)


cdef object call_host_func(Func f, PyObject* const* args, Py_ssize_t n):
    if not f.plain:
        raise TypeError("this function of the host takes bits; call it through its store")
    return (<object>f.code)(*[<object>args[i] for i in range(n)])


cdef Func func_door(Room store, Fn* fn):
    """The door of a function instance."""
    cdef Func f
    if fn.door != NULL:
        return <Func><PyObject*>fn.door
    f = Func.__new__(Func)
    f.fn = fn
    f.vectorcall = call_func
    fn.door = <void*><PyObject*>f
    f.enter(store, <object><PyObject*>fn.ctx.owner, <uint64_t>fn)
    return f


cdef Func host_func(Room store, Type* type, object code, bint plain):
    cdef Func f = Func.__new__(Func)
    f.fn = <Fn*>calloc(1, sizeof(Fn))
    if f.fn == NULL:
        raise MemoryError
    f.fn.type = type
    f.fn.host = <void*><PyObject*>f
    f.fn.door = f.fn.host
    f.code = code
    f.plain = plain
    f.vectorcall = call_func
    f.enter(store, None, <uint64_t>f.fn)
    return f


# The others


cdef Mem* mem_new_checked(Room store, uint64_t pages, uint64_t type_max, int page_bits, bint wide, bint shared) except NULL:
    """A memory within the limits of its store.

    Fails   Exhaustion
    """
    cdef Mem* memory
    if pages > mem_limit(type_max, page_bits, wide, store.memory_pages) >> page_bits:
        raise Exhaustion(f"memory of {pages} pages is more than the limit of this store")
    memory = mem_new(pages, type_max, page_bits, wide, shared, store.memory_pages)
    if memory == NULL:
        raise Exhaustion(f"memory of {pages} pages is more than there is")
    return memory


cdef int tab_new(Room store, Tab* tab, uint64_t size, uint64_t type_max, bint wide, uint32_t type) except -1:
    """Fill in a table of nulls within the limits of its store.

    Fails   Exhaustion
    """
    tab.max_size = min(type_max, store.table_entries)
    if size > tab.max_size:
        raise Exhaustion(f"table of {size} entries is more than the limit of this store")
    tab.elems = <S*>calloc(size + 1, sizeof(S))
    if tab.elems == NULL:
        raise Exhaustion(f"table of {size} entries is more than there is")
    tab.size = tab.capacity = size
    tab.type_max = type_max
    tab.type = type
    tab.wide = wide
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
            free(self.tab.elems)
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


@cython.no_gc_clear
cdef class Ref(Door):
    """A reference that is neither null nor to a function."""


# Exceptions


@cython.no_gc_clear
cdef class Tag(Door):
    """A tag. It outlives its instance as long as somebody refers to it."""

    def __dealloc__(self):
        tag_drop(self.tag)

    @property
    def type(self):
        return TagType(deftype_of(self.tag.type))


@cython.no_gc_clear
cdef class Exn(Ref):
    """An exception that left a guest, or that the host made."""

    def __dealloc__(self):
        if self.exn != NULL:
            exn_unpin(self.exn)


cdef Tag tag_door(Room store, TagInst* tag):
    cdef Tag door
    found = door_at(store, <uint64_t>tag)
    if found is not None:
        return found
    door = Tag.__new__(Tag)
    door.tag = tag_keep(tag)
    door.enter(store, None, <uint64_t>tag)
    return door


cdef Exn exn_door(Room store, ExnInst* exn):
    cdef Exn door
    found = door_at(store, <uint64_t>exn)
    if found is not None:
        return found
    door = Exn.__new__(Exn)
    door.exn = exn
    door.word = <uint64_t>exn
    exn.pins += 1
    door.enter(store, None, <uint64_t>exn)
    return door


cdef Exn host_exn(Room store, Tag tag, values):
    """An exception with values that are exact to the bit."""
    cdef Type* type = tag.tag.type
    cdef S* slots
    cdef S* slot
    cdef ExnInst* exn
    cdef uint32_t i
    owned_here(store, tag)
    if len(values) != type.n_params:
        raise TypeError(f"the tag takes {type.n_params} values, not {len(values)}")
    slot = slots = <S*>calloc(type.param_slots + 1, sizeof(S))
    if slots == NULL:
        raise MemoryError
    try:
        for i in range(type.n_params):
            set_bits(store, slot, type.valtypes[i], values[i])
            slot += slots_of(type.valtypes[i])
        exn = exn_new(tag.tag, slots)
    finally:
        free(slots)
    if exn == NULL:
        raise MemoryError
    return exn_door(store, exn)


cdef tuple exn_values(Room store, ExnInst* exn):
    cdef Type* type = exn.tag.type
    cdef S* slot = exn.values
    cdef uint32_t i
    values = []
    for i in range(type.n_params):
        values.append(bits_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    return tuple(values)


cdef object lift(Room store):
    """What Python sees of the exception that nobody caught."""
    cdef Exn door = exn_door(store, store.shared.raised)
    store.shared.raised = NULL
    return WasmException(tag_door(store, door.exn.tag), exn_values(store, door.exn), door)


set_lifter(lift)


# Values, exact to the bit


cdef object bits_of(Room store, S* slots, uint32_t type):
    if type == VT_I32 or type == VT_F32:
        return slots.u32
    if type == VT_I64 or type == VT_F64:
        return slots.u64
    if type == VT_V128:
        return <object>slots[0].u64 | <object>slots[1].u64 << 64
    if slots.u64 == 0:
        return None
    if is_func(type):
        return func_door(store, slots.fn)
    if is_exn(type):
        return exn_door(store, <ExnInst*>slots.v)
    return ref_door(store, slots.u64, is_extern(type))


cdef int set_bits(Room store, S* slots, uint32_t type, object value) except -1:
    cdef Func f
    cdef Ref r
    if type == VT_I32 or type == VT_F32:
        slots.u64 = <uint32_t>value
    elif type == VT_I64 or type == VT_F64:
        slots.u64 = value
    elif type == VT_V128:
        slots[0].u64 = value & 0xffffffffffffffff
        slots[1].u64 = value >> 64
    elif value is None:
        slots.u64 = 0
    elif is_func(type):
        f = value
        owned_here(store, f)
        slots.fn = f.fn
        store.pinned[f.key] = f
    else:
        r = value
        owned_here(store, r)
        slots.u64 = r.word
        if is_exn(type):
            exn_keep(&store.shared, (<Exn?>r).exn)
    return 0


cdef int owned_here(Room store, Door door) except -1:
    """Refuse what lives in another store."""
    if door.store is not store:
        raise ValueError(f"this {type(door).__name__} belongs to another store")
    return 0


cdef bint is_func(uint32_t type):
    return type & 0xffff == HT_FUNC


cdef bint is_exn(uint32_t type):
    return type & VT_HEAP == HT_EXN or type & VT_HEAP == HT_NOEXN


cdef bint is_extern(uint32_t type):
    return type & 0xffff == HT_EXTERN


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


# Values as Python has them


cdef object value_of(Room store, S* slots, uint32_t type):
    if type == VT_I32:
        return slots.s32
    if type == VT_I64:
        return slots.s64
    if type == VT_F64:
        return slots.f64
    if type == VT_F32:
        return slots.f32
    raise TypeError("values of this type do not cross the border yet")


cdef int set_value(Room store, S* slots, uint32_t type, object value) except -1:
    if type == VT_I32:
        if isinstance(value, int) and -0x80000000 <= value <= 0xffffffff:
            slots.u64 = <uint32_t>(<int64_t>value)
            return 0
        raise wrong_integer(value, 32)
    if type == VT_I64:
        if isinstance(value, int) and -0x8000000000000000 <= value <= 0xffffffffffffffff:
            slots.u64 = value & 0xffffffffffffffff
            return 0
        raise wrong_integer(value, 64)
    if type == VT_F64:
        slots.f64 = value
    elif type == VT_F32:
        slots.u64 = 0
        slots.f32 = <float><double>value
    else:
        raise TypeError("values of this type do not cross the border yet")
    return 0


cdef object wrong_integer(object value, int bits):
    if isinstance(value, int):
        return ValueError(f"{value} does not fit in {bits} bits")
    return TypeError(f"an i{bits} is an int, not {type(value).__name__}")


cdef void give_vectorcall(PyTypeObject* type, Py_ssize_t offset):
    type.tp_vectorcall_offset = offset
    type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    type.tp_call = PyVectorcall_Call
    PyType_Modified(type)


cdef Func PROBE = Func.__new__(Func)
give_vectorcall(<PyTypeObject*><PyObject*>Func, <char*>&PROBE.vectorcall - <char*><PyObject*>PROBE)
