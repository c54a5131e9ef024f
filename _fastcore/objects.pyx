"""The engine as the protocols of the embedding see it: a store, and everything that can be done with it."""

from gc import get_referents

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, malloc
from pywasm_ref._fastcore.arrays cimport get_element, put_element
from pywasm_ref._fastcore.externs cimport *
from pywasm_ref._fastcore.fuel cimport meter_context
from pywasm_ref._fastcore.functions cimport *
from pywasm_ref._fastcore.instances cimport Exports, Instance
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.memory cimport mem_grow
from pywasm_ref._fastcore.modules cimport Module
from pywasm_ref._fastcore.moving cimport moving
from pywasm_ref._fastcore.reflection cimport deftype_from, deftype_of, valtype_from
from pywasm_ref._fastcore.store cimport Room, refers
from pywasm_ref._fastcore.tables_rt cimport tab_grow
from pywasm_ref._fastcore.types cimport top_of, unpacked
from pywasm_ref._fastcore.tags cimport tag_drop, tag_new

import pywasm_ref._fastcore.collector
from pywasm_ref._fastcore.functions import REASONS
from pywasm_ref.errors import Exhaustion, Trap as TrapError, TrapReason
from pywasm_ref.syntax.types import I64, AbsHeapType, FuncTypeUse, RefType

globals().update({cls.__name__: cls for cls in (Module, Instance, Func, Memory, Table, Global, Tag, Exn, Ref)})  # cimport gives them no name here
seal([Func, Memory, Table, Global, Tag, Exn, Ref, Door, Exports])
MOST_PAGES = 2**32
MOST_ENTRIES = 2**48
MOST_CALLS = 2**32
NULL_TYPE = RefType(True, AbsHeapType.NONE)
EXTERN_TYPE = RefType(False, AbsHeapType.EXTERN)
ANY_TYPE = RefType(False, AbsHeapType.ANY)
EXN_TYPE = RefType(False, AbsHeapType.EXN)
I31_TYPE = RefType(False, AbsHeapType.I31)


cdef struct Bounds:
    uint64_t memory
    uint64_t calls
    uint64_t tables
    uint64_t heap
    bint plain              # nothing can be made to refer to more from here

cdef tuple KNOWN = (None, None) # the limits whose numbers are in BOUNDS, and the engine: nearly all stores of a program have the same
cdef Bounds BOUNDS


cdef Bounds bounds_of(limits, engine) except *:
    """Limits, which are frozen, as numbers that fit."""
    global KNOWN, BOUNDS
    cdef Bounds found
    if limits is KNOWN[0] and engine is KNOWN[1]:
        return BOUNDS
    found.memory = <uint64_t>min(limits.memory_pages, MOST_PAGES) << 16
    found.calls = min(limits.call_depth, MOST_CALLS)
    found.tables = min(limits.table_entries, MOST_ENTRIES)
    found.heap = min(limits.heap, 0x7fffffffffffffff)
    found.plain = is_plain(limits) and not refers(engine)
    if found.plain:     # else remembering them might keep anything
        BOUNDS = found
        KNOWN = (limits, engine)    # at last: letting go of the others may run anything
    return found


cdef bint is_plain(limits) except *:
    """Are they frozen data, and numbers only? All else may be made to refer to anything."""
    frozen = type(limits).__dict__.get("__dataclass_params__")
    if frozen is None or not frozen.frozen or hasattr(limits, "__dict__"):
        return False
    return not any([refers(value) for value in get_referents(limits) if value is not type(limits)])


cdef class Store(Room):
    """What instances share, with the operations of the specification's embedding interface."""

    cdef readonly object engine

    def __cinit__(self):
        if type(self) is not Store:     # it may have attributes
            self.watch()

    def __init__(self, limits=None, engine=None):
        cdef Bounds bounds
        self.engine = engine
        self.limits = limits
        if limits is not None:
            bounds = bounds_of(limits, engine)
            self.shared.memory.most = bounds.memory
            self.allow_calls(bounds.calls)
            self.shared.tables.most = bounds.tables
            self.shared.heap_most = bounds.heap
            self.use(limits.fuel)
        if refers(engine) if limits is None else not bounds.plain:
            self.watch()

    cdef int use(self, object fuel) except -1:
        """Guests may use so much. From the first time on, instances run metered code."""
        cdef Ctx* ctx = self.shared.first
        cdef Code* codes
        self.not_elsewhere()
        if fuel is not None and not self.limited and self.depth != 0:
            raise RuntimeError("a store without fuel gets none while a guest runs, whose instructions are not counted")
        if fuel is not None and not self.metered:
            while ctx != NULL:
                codes = (<Instance><PyObject*>ctx.owner).module.metered()
                meter_context(ctx, codes)
                ctx = ctx.next
            self.metered = True
        self.limit(fuel)
        return 0

    # Modules

    def module_instantiate(self, Module module not None, externs):
        return Instance.__new__(Instance, module, externs, self)

    # Functions

    def func_alloc(self, type, code):
        cdef Type* t = deftype_from(type, self.own_types())
        return host_func(self, t, moving(t, code), False)

    def func_type(self, Func func not None):
        return deftype_of(func.fn.type)

    def func_invoke(self, Func func not None, args):
        return func.invoke(args)

    # Tables

    def table_alloc(self, type, init):
        cdef Table table = Table.__new__(Table)
        cdef uint64_t i
        cdef S first
        table.tab = <Tab*>calloc(1, sizeof(Tab))
        if table.tab == NULL:
            raise MemoryError
        tab_new(self, table.tab, type.limits.min, most(type.limits), type.addr is I64, valtype_from(type.elem, self.own_types()))
        set_bits(self, &first, table.tab.type, init)
        for i in range(table.tab.size):
            table.tab.elems[i] = first
        self.lends |= top_of(table.tab.type & VT_HEAP) == HT_FUNC
        table.enter(self, None, <uint64_t>table.tab)
        return table

    def table_type(self, Table table not None):
        return table.type

    def table_read(self, Table table not None, i):
        self.not_elsewhere()
        return bits_of(self, entry(table, i), table.tab.type)

    def table_write(self, Table table not None, i, ref):
        self.not_elsewhere()
        self.stirred = True
        set_bits(self, entry(table, i), table.tab.type, ref)

    def table_size(self, Table table not None):
        return table.tab.size

    def table_grow(self, Table table not None, n, init):
        self.not_elsewhere()
        cdef S first
        set_bits(self, &first, table.tab.type, init)
        if n > 0xffffffffffff or tab_grow(table.tab, n, first.u64) == ~<uint64_t>0:
            raise Exhaustion(f"a table of {table.tab.size} entries cannot grow by {n}")

    # Memories

    def mem_alloc(self, type):
        cdef Memory memory = Memory.__new__(Memory)
        memory.mem = mem_new_checked(self, type.limits.min, most(type.limits), type.page_bits, type.addr is I64, type.shared)
        memory.enter(self, None, <uint64_t>memory.mem)
        return memory

    def mem_type(self, Memory memory not None):
        return memory.type

    def mem_read(self, Memory memory not None, i):
        if not memory.mem.shared:
            self.not_elsewhere()
        return byte_at(memory, i)[0]

    def mem_write(self, Memory memory not None, i, byte):
        if not memory.mem.shared:
            self.not_elsewhere()
        byte_at(memory, i)[0] = byte

    def mem_size(self, Memory memory not None):
        return memory.pages

    def mem_grow(self, Memory memory not None, n):
        if not memory.mem.shared:
            self.not_elsewhere()
        if n > 0xffffffffffff or mem_grow(memory.mem, n) == <uint64_t>-1:
            raise Exhaustion(f"a memory of {memory.pages} pages cannot grow by {n}")

    def mem_view(self, Memory memory not None):
        return memoryview(memory)

    # Tags and exceptions

    def tag_alloc(self, type):
        cdef TagInst* tag = tag_new(deftype_from(type.type, self.own_types()))
        if tag == NULL:
            raise MemoryError
        door = tag_door(self, tag)
        tag_drop(tag)
        return door

    def tag_type(self, Tag tag not None):
        return tag.type

    def exn_alloc(self, Tag tag not None, values):
        return host_exn(self, tag, values)

    def exn_tag(self, Exn exn not None):
        return tag_door(self, exn_tag(exn.exn))

    def exn_read(self, Exn exn not None):
        return exn_values(self, exn.exn)

    # Globals

    def global_alloc(self, type, value):
        cdef Global variable = Global.__new__(Global)
        variable.slots = <S*>calloc(2, sizeof(S))
        if variable.slots == NULL:
            raise MemoryError
        variable.valtype = valtype_from(type.type, self.own_types())
        variable.mutable = type.mut
        set_bits(self, variable.slots, variable.valtype, value)
        self.lends |= variable.valtype & VT_REF and top_of(variable.valtype & VT_HEAP) == HT_FUNC
        variable.enter(self, None, <uint64_t>variable.slots)
        return variable

    def global_type(self, Global variable not None):
        return variable.type

    def global_read(self, Global variable not None):
        return bits_of(self, variable.slots, variable.valtype)

    def global_write(self, Global variable not None, value):
        if not variable.mutable:
            raise TypeError("immutable global")
        self.stirred = True
        set_bits(self, variable.slots, variable.valtype, value)

    # References

    def ref_type(self, ref):
        cdef Type* type
        if ref is None:
            return NULL_TYPE
        if isinstance(ref, Func):
            return RefType(False, deftype_of((<Func>ref).fn.type))
        if isinstance(ref, Exn):
            return EXN_TYPE
        if (<Ref?>ref).external:
            return EXTERN_TYPE
        if (<Ref>ref).word & 1:
            return I31_TYPE
        type = (<Type**>(<Ref>ref).word)[0]
        return ANY_TYPE if type == NULL else RefType(False, deftype_of(type))

    def extern_type(self, extern):
        return FuncTypeUse(extern.type) if isinstance(extern, Func) else extern.type

    def host_alloc(self, value):
        self.busy += 1
        try:
            return ref_door(self, self.box(value), True)
        finally:
            self.busy -= 1

    def host_read(self, ref):
        cdef uint64_t word = (<Ref?>ref).word
        if isinstance(ref, Exn) or word & 1 or (<Head*>word).type != NULL:
            raise TypeError("the reference does not stand for an object of the host")
        return <object><PyObject*>(<Box*>word).value

    def i31_alloc(self, value):
        return ref_door(self, <uint64_t>value << 1 | 1, False)

    def i31_read(self, Ref ref not None):
        if not ref.word & 1:
            raise TypeError("the reference is no i31")
        return ref.word >> 1 & 0x7fffffff

    def extern_internalize(self, Ref ref):
        return None if ref is None else ref_door(self, ref.word, False)

    def extern_externalize(self, Ref ref):
        return None if ref is None else ref_door(self, ref.word, True)

    def aggregate_size(self, Ref ref not None):
        cdef Type* type = aggregate_type(ref)
        return type.n_fields if type.kind == HT_STRUCT else (<Array*>ref.word).length

    def aggregate_read(self, Ref ref not None, i):
        cdef S value[2]
        cdef Type* type = aggregate_type(ref)
        cdef uint64_t x = index_of(self, ref, i)
        if type.kind == HT_STRUCT:
            return bits_of(self, <S*>ref.word + type.places[x], unpacked(type.valtypes[x]))
        get_element(<Array*>ref.word, x, value)
        return bits_of(self, value, unpacked(type.valtypes[0]))

    def aggregate_write(self, Ref ref not None, i, value):
        cdef S slots[2]
        cdef Type* type = aggregate_type(ref)
        cdef uint64_t x = index_of(self, ref, i)
        self.stirred = True
        set_bits(self, slots, unpacked(type.valtypes[x if type.kind == HT_STRUCT else 0]), value)
        if type.kind == HT_ARRAY:
            put_element(<Array*>ref.word, x, slots)
        else:
            put_field(<S*>ref.word + type.places[x], type.valtypes[x], slots)

    def observe(self, observer):
        """Refuse: handlers jump to each other and tell nobody."""
        if observer is not None:
            raise NotImplementedError("the fast engine cannot be observed; use the reference engine")

    @property
    def fuel(self):
        return self.left()

    @fuel.setter
    def fuel(self, fuel):
        self.use(fuel)


cdef Type* aggregate_type(Ref ref) except NULL:
    """The type of a structure or array."""
    if isinstance(ref, Exn) or ref.external or ref.word & 1 or (<Head*>ref.word).type == NULL:
        raise TypeError("the reference is no structure or array")
    return (<Head*>ref.word).type


cdef uint64_t index_of(Store store, Ref ref, i) except? 0:
    if not 0 <= i < store.aggregate_size(ref):
        raise IndexError("list index out of range")
    return i


cdef void put_field(S* place, uint32_t storage, const S* value):
    """What is packed holds what is left of the value."""
    place[0].u64 = value[0].u64 & 0xff if storage == VT_I8 else value[0].u64 & 0xffff if storage == VT_I16 else value[0].u64
    if storage == VT_V128:
        place[1].u64 = value[1].u64


cdef uint64_t most(object limits) except? 0:
    return ~<uint64_t>0 if limits.max is None else limits.max


cdef S* entry(Table table, object i) except NULL:
    if not 0 <= i < table.tab.size:
        raise TrapError(TrapReason.OUT_OF_BOUNDS_TABLE)
    return &table.tab.elems[<uint64_t>i]


cdef unsigned char* byte_at(Memory memory, object i) except NULL:
    if not 0 <= i < memory.mem.size:
        raise TrapError(TrapReason.OUT_OF_BOUNDS_MEMORY)
    return &memory.mem.base[<uint64_t>i]
