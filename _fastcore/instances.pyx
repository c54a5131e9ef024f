"""See instances.pxd."""

import cython
from collections.abc import Mapping

from cpython.object cimport PyObject
from cpython.ref cimport Py_REFCNT
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from pywasm_ref._fastcore.bridges cimport function, functions
from pywasm_ref._fastcore.dispatch cimport beyond, tick
from pywasm_ref._fastcore.externs cimport Door, Global, Memory, Table, Tag, door_at, mem_new_checked, owned_here, tab_new, tag_door
from pywasm_ref._fastcore.functions cimport Func, func_door, host_func, run
from pywasm_ref._fastcore.heap cimport make_room, refill
from pywasm_ref._fastcore.host cimport call_host
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport is_subtype, match
from pywasm_ref._fastcore.memory cimport mem_empty, mem_free, outside
from pywasm_ref._fastcore.modules cimport Module, name_of
from pywasm_ref._fastcore.orphans cimport adopt, adopt_again, enlist, leaks, note_leak, reconsider, strike
from pywasm_ref._fastcore.segments cimport image_keep, image_spare, images_map, segments_free, segments_new
from pywasm_ref._fastcore.store cimport BULK, Room, look, poll, unwatched
from pywasm_ref._fastcore.tables_rt cimport tab_fill, tab_free
from pywasm_ref._fastcore.tags cimport tag_drop, tag_keep, tag_new
from pywasm_ref._fastcore.unit cimport *

from pywasm_ref.errors import Exhaustion, Trap as TrapError, TrapReason, Unlinkable

cdef list NOTHING = []      # imported, by all that import nothing: one object less for the garbage collector


@cython.no_gc_clear
cdef class Instance:
    """An instance: its context, and what it owns. Doors refer to it and never the other way round, so that it is freed at once."""

    def __cinit__(self, Module module not None, imports=(), Room store=None):
        cdef Unit* unit = module.unit
        module.check()
        self.module = module
        self.imported = list(imports) if imports else NOTHING
        self.store = store_for(self.imported) if store is None else store
        self.store.not_elsewhere()
        self.store.not_stopped()
        self.ctx = ctx_new(unit)
        self.ctx.mem0 = mem_empty()
        self.ctx.poll = poll
        self.ctx.look = look
        self.ctx.bulk = BULK
        self.ctx.tick = tick
        self.ctx.beyond = beyond
        self.ctx.thread = &self.store.shared
        self.ctx.host = call_host
        self.ctx.unit = unit
        self.ctx.store = <void*><PyObject*>self.store
        self.ctx.owner = <void*><PyObject*>self
        self.ctx.refill = refill
        self.ctx.make_room = make_room
        self.ctx.leaky = leaks(unit)
        self.ctx.codes = module.metered() if self.store.metered else unit.codes
        enlist(self.store, self.ctx)
        self.link()
        self.make_tags()
        if segments_new(self.ctx, unit) < 0:
            raise MemoryError
        self.make_globals()
        self.make_memory()
        self.make_tables()
        self.copy_elements()
        self.copy_data()
        if unit.has_start:
            start(self, unit.start)
        if self.imported is NOTHING and not self.store.watched and module.plain and type(self) is Instance:
            unwatched(<PyObject*>self)

    cdef int link(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        if len(self.imported) != unit.n_imports:
            raise Unlinkable(f"unknown import: {len(self.imported)} given, {unit.n_imports} wanted")
        for i in range(unit.n_imports):
            if unit.imports[i].kind == EXTERN_FUNC and not isinstance(self.imported[i], Door):
                self.imported[i] = host_func(self.store, unit.funcs[unit.imports[i].index], self.imported[i], True)
            self.link_one(&unit.imports[i], self.imported[i])
        return 0

    cdef int link_one(self, Import* wanted, object extern) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t index = wanted.index
        if not (isinstance(extern, Memory) and (<Memory>extern).mem.shared):    # that is what threads in stores of their own have in common
            owned_here(self.store, <Door?>extern)
        if not fits(unit, wanted, extern):
            raise Unlinkable(f'incompatible import type for "{name_of(&wanted.module)}" "{name_of(&wanted.name)}"')
        if wanted.kind == EXTERN_FUNC:
            self.ctx.imports[index] = (<Func>extern).fn
            if index < unit.n_declared and unit.declared[index]:
                note_leak((<Func>extern).fn)
            elif (<Func>extern).fn.ctx != NULL and (<Func>extern).fn.ctx.finalized:
                adopt_again((<Func>extern).fn.ctx)
        elif wanted.kind == EXTERN_TABLE:
            self.ctx.tables[index] = (<Table>extern).tab
        elif wanted.kind == EXTERN_MEM:
            self.ctx.mems[index] = (<Memory>extern).mem
        elif wanted.kind == EXTERN_GLOBAL:
            self.global_at(index).p = (<Global>extern).slots
        else:
            self.ctx.tags[index] = tag_keep((<Tag>extern).tag)
        return 0

    cdef int make_tags(self) except -1:
        cdef uint32_t i
        for i in range(self.module.unit.imported_tags, self.module.unit.n_tags):
            self.ctx.tags[i] = tag_new(self.module.unit.tags[i])
            if self.ctx.tags[i] == NULL:
                raise MemoryError
        return 0

    cdef S* global_at(self, uint32_t index):
        """Where a global of the module stands; one that is imported has a pointer there."""
        return <S*>(<char*>self.ctx + global_offset(self.module.unit, index))

    cdef S* held(self, uint32_t index):
        """The slots of a global's value."""
        cdef S* slot = self.global_at(index)
        return slot.p if index < self.module.unit.imported_globals else slot

    cdef uint64_t value(self, Init* init) except? 0:
        cdef S result
        if init.kind == INIT_CONST:
            return init.bits
        if init.kind == INIT_GLOBAL:
            return self.held(<uint32_t>init.bits).u64
        if init.kind == INIT_FUNC:
            return <uint64_t>self.fn(<uint32_t>init.bits)
        self.evaluate(<Code*>init.bits, &result)
        return result.u64

    cdef int evaluate(self, Code* code, S* result) except -1:
        """Run a constant expression that is code."""
        cdef Fn fn
        cdef bint owed
        cdef S* shallow
        fn.code = code
        fn.ctx = self.ctx
        fn.type = code.type
        self.store.prepare()
        shallow = self.store.shared.shallow
        self.store.shared.shallow = self.store.shared.stack_end     # it is no call, and makes none
        try:
            run(self.store, self.ctx, &fn, self.store.top)
            result[0] = self.store.top[0]
        finally:
            self.store.shared.shallow = shallow
            owed = self.store.owed
            self.store.owed = False         # a collection would not see the result
            self.store.rest()
            self.store.owed = self.store.owed or owed
        return 0

    cdef Fn* fn(self, uint32_t index) except NULL:
        """The function instance; all of the defined ones are made when the first is wanted."""
        cdef Fn* fn = function(self.ctx, index)
        if fn == NULL:
            raise MemoryError
        return fn

    cdef int make_globals(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Init* init
        cdef S* slot
        for i in range(unit.imported_globals, unit.n_globals):
            init = &unit.inits[i - unit.imported_globals]
            slot = self.global_at(i)
            slot.u64 = self.value(init)
            if unit.globals[i].type == VT_V128:
                slot[1].u64 = self.held(<uint32_t>init.bits)[1].u64 if init.kind == INIT_GLOBAL else init.high
        return 0

    cdef int make_memory(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Limit* l
        cdef Mem* memory
        for i in range(unit.imported_mems, unit.n_mems):
            l = &unit.mems[i]
            memory = mem_new_checked(self.store, l.min, l.max, l.page_bits, l.wide, l.shared, image_spare(unit, i))
            self.ctx.mems[i] = memory
            self.n_own_mems += 1
        if unit.n_mems:
            self.ctx.mem0 = self.ctx.mems[0]
        return 0

    cdef int make_tables(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Tab* table
        cdef uint32_t n = unit.n_tables - unit.imported_tables
        if n == 0:
            return 0
        self.own_tables = <Tab*>calloc(n, sizeof(Tab))
        if self.own_tables == NULL:
            raise MemoryError
        for i in range(unit.imported_tables, unit.n_tables):
            table = self.ctx.tables[i] = &self.own_tables[i - unit.imported_tables]
            tab_new(self.store, table, unit.tables[i].min, unit.tables[i].max, unit.tables[i].wide, unit.tables[i].type)
            self.n_own_tables += 1
            if unit.tables[i].has_init:
                tab_fill(table, 0, self.value(&unit.tables[i].init), table.size)
        return 0

    cdef int copy_elements(self) except -1:
        """Active segments go into their tables, passive ones wait for who names them."""
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Segment* s
        cdef Tab* table
        cdef uint64_t offset
        for i in range(unit.n_elems):
            s = &unit.elems[i]
            if s.mode == SEGMENT_PASSIVE:
                self.ctx.elems[i].at = calloc(s.size + 1, sizeof(S))
                if self.ctx.elems[i].at == NULL:
                    raise MemoryError
                self.ctx.elems[i].size = s.size         # from now on a collection sees what is put there
                self.put_elements(<S*>self.ctx.elems[i].at, s)
            elif s.mode == SEGMENT_ACTIVE:
                table = self.ctx.tables[s.target]
                offset = self.value(&s.offset)
                if outside(offset, s.size, table.size):
                    raise misfit(self.module, TrapReason.OUT_OF_BOUNDS_TABLE, s)
                self.put_elements(table.elems + offset, s)
        return 0

    cdef int put_elements(self, S* target, Segment* s) except -1:
        """References into a table or a passive segment."""
        cdef uint64_t imported = self.module.unit.imported_funcs
        cdef uint64_t k
        if s.funcs != NULL:
            return self.put_functions(target, s.funcs, s.size)
        for k in range(s.size):
            if s.items[k].kind == INIT_FUNC and s.items[k].bits >= imported and self.ctx.fns != NULL:
                target[k].fn = &self.ctx.fns[s.items[k].bits - imported]
            else:
                target[k].u64 = self.value(&s.items[k])
        return 0

    cdef int put_functions(self, S* target, const uint32_t* indices, uint64_t n) except -1:
        """Nearly all of them are functions of the module itself, and there may be many."""
        cdef uint32_t imported = self.module.unit.imported_funcs
        cdef Fn** imports = self.ctx.imports
        cdef Fn* fns
        cdef uint64_t k
        if n == 0:
            return 0
        fns = functions(self.ctx)
        if fns == NULL:
            raise MemoryError
        for k in range(n):
            target[k].fn = &fns[indices[k] - imported] if indices[k] >= imported else imports[indices[k]]
        return 0

    cdef int copy_data(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Segment* s
        cdef Mem* memory
        cdef uint64_t offset
        cdef int mapped = images_map(self.ctx, unit)
        if mapped < 0:
            raise Exhaustion("memory for data is more than there is")
        if mapped and self.ctx.datas == NULL:
            return 0
        for i in range(unit.n_datas):
            s = &unit.datas[i]
            if s.mode != SEGMENT_ACTIVE:
                continue
            if not mapped:
                offset = self.value(&s.offset)
                memory = self.ctx.mems[s.target]
                if outside(offset, s.size, memory.size):
                    raise misfit(self.module, TrapReason.OUT_OF_BOUNDS_MEMORY, s)
                memcpy(memory.base + offset, s.bytes, s.size)
            if self.ctx.datas != NULL:
                self.ctx.datas[i].size = 0
        return 0

    @property
    def exports(self):
        cdef Exports exports = Exports.__new__(Exports)
        exports.instance = self
        return exports

    cdef object export(self, int kind, uint32_t index):
        if kind == EXTERN_FUNC:
            return func_door(self.store, self.fn(index))
        if kind == EXTERN_TABLE:
            return table_door(self, index)
        if kind == EXTERN_MEM:
            return memory_door(self, index)
        if kind == EXTERN_TAG:
            return tag_door(self.store, self.ctx.tags[index])
        return global_door(self, index)

    def __del__(self):
        if self.ctx != NULL:
            self.ctx.finalized = True
            if self.ctx.leaky and not self.ctx.orphan:
                outlive(self)

    def __dealloc__(self):
        cdef uint32_t i
        if self.ctx != NULL:
            strike(self.store, self.ctx)
            for i in range(self.module.unit.imported_mems, self.module.unit.imported_mems + self.n_own_mems):
                image_keep(self.module.unit, i, self.ctx.mems[i])
                mem_free(self.ctx.mems[i])
            for i in range(self.module.unit.n_tags):
                tag_drop(self.ctx.tags[i])
            segments_free(self.ctx, self.module.unit)
            free(self.ctx.fns)
            free(self.ctx)
        for i in range(self.n_own_tables):
            tab_free(&self.own_tables[i])
        free(self.own_tables)
        if self.ctx != NULL and leaves_types(self.module.unit, self.store):
            self.store.keep(self.module.unit.held)


cdef bint leaves_types(Unit* unit, Room store) noexcept:
    """May something in the store have a type of the module without having the module? An object of the heap, a tag, or a function of the
    host that was imported by its type."""
    return store.shared.heap != NULL or unit.n_tags != 0 or unit.imported_funcs != 0


cdef object misfit(Module module, object reason, Segment* s):
    """The trap of a segment that does not fit, at the place of the segment."""
    error = TrapError(reason)
    error.at = module.shown_at(s.at)
    error.source = module.source
    return error


cdef Ctx* ctx_new(Unit* unit) except NULL:
    """A context, its globals, and its lists of what can be named, all in one piece."""
    cdef uint64_t globals_end = global_offset(unit, unit.n_globals) + 16
    cdef uint64_t n = <uint64_t>unit.imported_funcs + unit.n_tables + unit.n_tags + unit.n_mems
    cdef Ctx* ctx = <Ctx*>calloc(1, globals_end + n * sizeof(void*))
    if ctx == NULL:
        raise MemoryError
    ctx.imports = <Fn**>(<char*>ctx + globals_end)
    ctx.tables = <Tab**>(ctx.imports + unit.imported_funcs)
    ctx.tags = <TagInst**>(ctx.tables + unit.n_tables)
    ctx.mems = &ctx.mem0 if unit.n_mems < 2 else <Mem**>(ctx.tags + unit.n_tags)
    return ctx


cdef Room store_for(list imported):
    """The store that imports come from, or a new one."""
    for extern in imported:
        if isinstance(extern, Door):
            return (<Door>extern).store
    return Room()


cdef int start(Instance self, uint32_t index) except -1:
    cdef Func f = func_door(self.store, self.fn(index))
    f.invoke(())
    return 0


cdef int outlive(Instance self) except -1:
    """Python lets go of an instance whose functions others may refer to."""
    cdef Room store = self.store
    cdef Py_ssize_t refs = Py_REFCNT(self)
    if not adopt(store, self, <uint64_t>self.ctx, True):
        return 0
    self.ctx.orphan = True
    return reconsider(store, self, refs)


# Doors of what an instance exports


cdef object table_door(Instance self, uint32_t index):
    cdef Table table
    found = door_at(self.store, <uint64_t>self.ctx.tables[index])
    if found is not None:
        return found
    table = Table.__new__(Table)
    table.tab = self.ctx.tables[index]
    table.enter(self.store, self, <uint64_t>table.tab)
    return table


cdef object memory_door(Instance self, uint32_t index):
    cdef Memory memory
    found = door_at(self.store, <uint64_t>self.ctx.mems[index])
    if found is not None:
        return found
    memory = Memory.__new__(Memory)
    memory.mem = self.ctx.mems[index]
    memory.enter(self.store, self, <uint64_t>memory.mem)
    return memory


cdef object global_door(Instance self, uint32_t index):
    cdef GlobalDef* definition = &self.module.unit.globals[index]
    cdef S* slots = self.global_at(index)
    cdef Global variable
    if index < self.module.unit.imported_globals:
        slots = slots.p
    found = door_at(self.store, <uint64_t>slots)
    if found is not None:
        return found
    variable = Global.__new__(Global)
    variable.slots = slots
    variable.valtype = definition.type
    variable.mutable = definition.mutable
    variable.enter(self.store, self, <uint64_t>slots)
    return variable


# Imports


cdef bint fits(Unit* unit, Import* wanted, object extern):
    """Does what is given match what the module says?"""
    if wanted.kind == EXTERN_FUNC:
        return isinstance(extern, Func) and is_subtype((<Func>extern).fn.type, unit.funcs[wanted.index])
    if wanted.kind == EXTERN_TABLE:
        return isinstance(extern, Table) and fits_table(&unit.tables[wanted.index], <Table>extern)
    if wanted.kind == EXTERN_MEM:
        return isinstance(extern, Memory) and fits_memory(&unit.mems[wanted.index], (<Memory>extern).mem)
    if wanted.kind == EXTERN_TAG:
        return isinstance(extern, Tag) and (<Tag>extern).tag.type == unit.tags[wanted.index]
    return isinstance(extern, Global) and fits_global(&unit.globals[wanted.index], <Global>extern)


cdef bint fits_limit(Limit* limit, uint64_t size, uint64_t max, bint wide):
    return size >= limit.min and (not limit.bounded or max <= limit.max) and bool(limit.wide) == wide


cdef bint fits_memory(Limit* limit, Mem* mem):
    if bool(limit.shared) != bool(mem.shared) or limit.page_bits != mem.page_bits:
        return False
    return fits_limit(limit, mem.size >> mem.page_bits, mem.type_max, bool(mem.wide))


cdef bint fits_table(Limit* limit, Table table):
    return limit.type == table.tab.type and fits_limit(limit, table.tab.size, table.tab.type_max, bool(table.tab.wide))


cdef bint fits_global(GlobalDef* wanted, Global given):
    if bool(wanted.mutable) != given.mutable:
        return False
    return wanted.type == given.valtype or (not given.mutable and match(given.valtype, wanted.type))


cdef class Exports:
    """The exports of an instance by name, in the order of the module. Each look-up finds or makes the door."""

    def __init__(self):
        raise TypeError("exports come from an instance")

    def __getitem__(self, name):
        kind, index = self.instance.module.names_of_exports[name]
        return self.instance.export(kind, index)

    def get(self, name, default=None):
        found = self.instance.module.names_of_exports.get(name)
        return default if found is None else self.instance.export(found[0], found[1])

    def __iter__(self):
        return iter(self.instance.module.names_of_exports)

    def __len__(self):
        return len(self.instance.module.names_of_exports)

    def __contains__(self, name):
        return name in self.instance.module.names_of_exports

    def keys(self):
        return self.instance.module.names_of_exports.keys()

    def values(self):
        return [self[name] for name in self]

    def items(self):
        return [(name, self[name]) for name in self]


Mapping.register(Exports)
