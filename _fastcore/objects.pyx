"""The objects that Python sees: modules, instances, functions, memories. What owns what stands in README.md."""

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from pywasm_ref._fastcore.dispatch cimport beyond, enter, halt_word, tick
from pywasm_ref._fastcore.bridges cimport function
from pywasm_ref._fastcore.exceptions cimport exns_free
from pywasm_ref._fastcore.frames cimport Place, offset_of, stand
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.memory cimport mem_empty, mem_free, mem_limit, mem_new, mem_unview, mem_view, outside
from pywasm_ref._fastcore.reader cimport FAULT_INVALID, FAULT_MALFORMED, FAULT_NONE
from pywasm_ref._fastcore.sections cimport read_module, unit_free
from pywasm_ref._fastcore.unit cimport *

from pywasm_ref.errors import Exhaustion, Interrupted, Invalid, Malformed, Trap as TrapError, TrapReason, Unlinkable

REASONS = list(TrapReason)
OTHERS = {TRAP_STACK: (Exhaustion, "call stack exhausted"), TRAP_FUEL: (Exhaustion, "all fuel consumed"), TRAP_INTERRUPTED: (Interrupted, "interrupted"),
          TRAP_MEMORY: (Exhaustion, "out of memory")}

cdef enum:
    QUANTUM = 100000        # ticks between two looks at the stop flag
    STACK_SLOTS = 0x20000
    MEMORY_PAGES = 65536
    TABLE_ENTRIES = 10000000

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident()

cdef extern from "structmember.h":
    ctypedef struct PyTypeObject:
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
        void* tp_call
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    void* PyVectorcall_Call
    void PyType_Modified(PyTypeObject*)
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*) noexcept
    Py_ssize_t PyVectorcall_NARGS(size_t)
    void Py_INCREF(PyObject*)


cdef class Store:
    """One thread of execution: the value stack, the stop flag, and what a host function raised."""

    cdef S* stack
    cdef S* top                 # where the next call from Python may begin
    cdef S* end
    cdef volatile bint stopped
    cdef object raised
    cdef unsigned long thread   # that runs it, while depth is not 0
    cdef uint32_t depth
    cdef Thread shared          # with all instances

    def __cinit__(self):
        self.raised = None

    def __dealloc__(self):
        exns_free(&self.shared)
        free(self.stack)

    cdef bint prepare(self) except False:
        """The stack is made when it is first needed. A store runs in one thread at a time: the GIL is free meanwhile."""
        if self.depth != 0 and self.thread != PyThread_get_thread_ident():
            raise RuntimeError("the store is running in another thread")
        if self.stack == NULL:
            self.stack = self.top = <S*>calloc(STACK_SLOTS, sizeof(S))
            if self.stack == NULL:
                raise MemoryError
            self.end = self.stack + STACK_SLOTS
        return True

    def interrupt(self):
        """Stop the guests of this store at once, from any thread."""
        self.stopped = True

    def resume(self):
        self.stopped = False


cdef int poll(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The ticks are used up: look whether to go on."""
    ctx.ticks = QUANTUM
    with gil:
        return poll_store(ctx, <Store><PyObject*>ctx.store, pc, fp)


cdef int poll_store(Ctx* ctx, Store store, W* pc, S* fp) noexcept:
    if store.stopped:
        return trap(ctx, pc, fp, TRAP_INTERRUPTED)
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    return 0


cdef int call_host(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept nogil:
    """A function of the host; its results replace its arguments."""
    with gil:
        return call_python(ctx, fn, args, pc, fp)


cdef int call_python(Ctx* ctx, Fn* fn, S* args, W* pc, S* fp) noexcept:
    cdef Store store = <Store><PyObject*>ctx.store
    cdef Type* type = fn.type
    cdef S* top = store.top
    cdef uint32_t i
    if args + max(type.param_slots, type.result_slots) > store.end:
        return trap(ctx, pc, fp, TRAP_STACK)
    store.top = args + max(type.param_slots, type.result_slots)
    try:
        result = (<object><PyObject*>fn.host)(*[value_of(&args[i], type.valtypes[i]) for i in range(type.n_params)])
        if type.n_results == 1:
            set_value(args, type.valtypes[type.n_params], result)
        elif type.n_results:
            result = tuple(result)
            if len(result) != type.n_results:
                raise TypeError(f"a host function must return {type.n_results} values, not {len(result)}")
            for i in range(type.n_results):
                set_value(&args[i], type.valtypes[type.n_params + i], result[i])
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    finally:
        store.top = top
    return 0


cdef object value_of(S* slot, uint32_t type):
    if type == VT_I32:
        return slot.s32
    if type == VT_I64:
        return slot.s64
    if type == VT_F64:
        return slot.f64
    if type == VT_F32:
        return slot.f32
    raise TypeError("values of this type do not cross the border yet")


cdef int set_value(S* slot, uint32_t type, object value) except -1:
    if type == VT_I32:
        if type_is_int(value) and -0x80000000 <= value <= 0xffffffff:
            slot.u64 = <uint32_t>(<int64_t>value)
            return 0
        raise wrong_integer(value, 32)
    if type == VT_I64:
        if type_is_int(value) and -0x8000000000000000 <= value <= 0xffffffffffffffff:
            slot.u64 = value & 0xffffffffffffffff
            return 0
        raise wrong_integer(value, 64)
    if type == VT_F64:
        slot.f64 = value
    elif type == VT_F32:
        slot.u64 = 0
        slot.f32 = <float><double>value
    else:
        raise TypeError("values of this type do not cross the border yet")
    return 0


cdef bint type_is_int(object value):
    return isinstance(value, int)


cdef object wrong_integer(object value, int bits):
    if isinstance(value, int):
        return ValueError(f"{value} does not fit in {bits} bits")
    return TypeError(f"an i{bits} is an int, not {type(value).__name__}")


cdef class Module:
    """A module that was read and validated: its code, shared by all instances."""

    cdef Unit* unit
    cdef bytes data
    cdef readonly list exports

    def __cinit__(self, bytes data not None):
        cdef const uint8_t* start = data
        cdef uint64_t size = len(data)
        self.data = data
        with nogil:
            self.unit = read_module(start, size)
        if self.unit == NULL:
            raise MemoryError
        self.refuse()
        self.exports = [(name_of(&self.unit.exports[i].name), self.unit.exports[i].kind, self.unit.exports[i].index)
                        for i in range(self.unit.n_exports)]
        if len({name for name, _, _ in self.exports}) != len(self.exports):
            raise Invalid("duplicate export name")

    cdef int refuse(self) except -1:
        cdef int fault = self.unit.r.fault
        if fault == FAULT_NONE:
            return 0
        words = self.unit.r.words.decode() if self.unit.r.words != NULL else ""
        if fault == FAULT_MALFORMED:
            raise Malformed(words, self.unit.r.fault_at)
        if fault == FAULT_INVALID:
            raise Invalid(words, self.unit.r.fault_at)
        raise NotImplementedError(f"{words} @{self.unit.r.fault_at:#x}")

    def __dealloc__(self):
        unit_free(self.unit)

    def words(self, uint32_t index):
        """The code words of a defined function, for tests and for whoever debugs the translator."""
        if index >= self.unit.n_codes:
            raise IndexError(index)
        return [self.unit.codes[index].entry[i].u for i in range(self.unit.codes[index].n_words)]


cdef object name_of(Name* n):
    return n.at[:n.size].decode()


cdef class Func:
    """An exported function. Calling it costs a vectorcall and no Python frame."""

    cdef vectorcallfunc vectorcall
    cdef Fn* fn
    cdef object owner           # the Instance; keeps fn alive
    cdef Store store

    def __init__(self):
        raise TypeError("functions come from instances")

    def invoke(self, args):
        """Exact to the bit: integers are unsigned, floats are their bit patterns. A list of results."""
        cdef Type* type = self.fn.type
        cdef S* fp
        cdef uint32_t i
        if len(args) != type.n_params:
            raise TypeError(f"the function takes {type.n_params} arguments, not {len(args)}")
        self.store.prepare()
        fp = self.store.top
        if fp + max(type.param_slots, type.result_slots) > self.store.end:
            raise Exhaustion("call stack exhausted")
        for i in range(type.n_params):
            fp[i].u64 = args[i]
        run(self, fp)
        return [fp[i].u64 if type.valtypes[type.n_params + i] in (VT_I64, VT_F64) else fp[i].u32 for i in range(type.n_results)]


cdef PyObject* call_func(PyObject* callable, PyObject* const* args, size_t flags, PyObject* names) noexcept:
    cdef PyObject* result
    try:
        if names != NULL:
            raise TypeError("a WebAssembly function takes no keyword arguments")
        value = invoke(<Func><object>callable, args, PyVectorcall_NARGS(flags))
        result = <PyObject*>value
        Py_INCREF(result)
        return result
    except BaseException as error:
        set_error(error)
        return NULL


cdef extern from "Python.h":
    void PyErr_SetObject(object, object)


cdef void set_error(object error) noexcept:
    PyErr_SetObject(type(error), error)


cdef object invoke(Func f, PyObject* const* args, Py_ssize_t n):
    cdef Type* type = f.fn.type
    cdef Store store = f.store
    cdef S* fp
    cdef uint32_t i
    if n != type.n_params:
        raise TypeError(f"the function takes {type.n_params} arguments, not {n}")
    store.prepare()
    fp = store.top
    if fp + type.param_slots > store.end:
        raise Exhaustion("call stack exhausted")
    for i in range(type.n_params):
        set_value(&fp[i], type.valtypes[i], <object>args[i])
    run(f, fp)
    if type.n_results == 1:
        return value_of(fp, type.valtypes[type.n_params])
    if type.n_results == 0:
        return None
    return tuple([value_of(&fp[i], type.valtypes[type.n_params + i]) for i in range(type.n_results)])


cdef int run(Func f, S* fp) except -1:
    """Run a function whose arguments stand at fp; its results replace them."""
    cdef Store store = f.store
    cdef Ctx* ctx = f.fn.ctx
    cdef Code* code = f.fn.code
    cdef int status
    if fp + code.frame > store.end:
        raise Exhaustion("call stack exhausted")
    fp[code.hdr].w = halt_word()
    fp[code.hdr + 1].p = fp
    ctx.stack_end = store.end
    ctx.thread = &store.shared
    if ctx.ticks <= 0 or store.stopped:
        ctx.ticks = 0 if store.stopped else QUANTUM
    store.top = fp + code.frame
    store.thread = PyThread_get_thread_ident()
    store.depth += 1
    with nogil:
        status = enter(ctx, code.entry, fp)
    store.depth -= 1
    store.top = fp
    if status != 0:
        raise failure(f, status)
    return 0


cdef object failure(Func f, int status):
    """The exception for a reason to stop, with the place of the instruction."""
    cdef Ctx* ctx
    cdef Place here
    if status == TRAP_HOST:
        error = f.store.raised
        f.store.raised = None
        return error
    if status in OTHERS:
        kind, words = OTHERS[status]
        return kind(words)
    error = TrapError(REASONS[status - 1])
    ctx = f.store.shared.ctx
    if stand(&here, ctx, ctx.pc, ctx.fp):
        error.at = offset_of(&here)
    return error


cdef class Memory:
    """A memory; the buffer protocol gives its bytes without a copy. When the memory grows meanwhile it moves, and the view keeps the old bytes."""

    cdef Mem* mem
    cdef object owner

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


cdef class Instance:
    """An instance: its context, and what it owns."""

    cdef Ctx* ctx
    cdef readonly Module module
    cdef readonly Store store
    cdef uint32_t n_tables
    cdef list imported          # Python objects that are borrowed below
    cdef Fn* host               # imported functions
    cdef Tab* tables

    def __cinit__(self, Module module not None, imports=(), Store store=None):
        cdef Unit* unit = module.unit
        self.module = module
        self.store = Store() if store is None else store
        self.imported = list(imports)
        self.ctx = <Ctx*>calloc(1, CTX_SIZE + 8 * <uint64_t>unit.n_globals)
        self.host = <Fn*>calloc(unit.imported_funcs + 1, sizeof(Fn))
        if self.ctx == NULL or self.host == NULL:
            raise MemoryError
        self.ctx.mem0 = mem_empty()
        self.ctx.poll = poll
        self.ctx.tick = tick
        self.ctx.beyond = beyond
        self.ctx.host = call_host
        self.ctx.store = <void*><PyObject*>self.store
        self.ctx.owner = <void*><PyObject*>self
        self.ctx.unit = unit
        self.ctx.thread = &self.store.shared
        self.link()
        self.make_globals()
        self.make_tables()
        self.make_memory()
        if unit.has_start:
            self.func(unit.start)()

    cdef int link(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        if len(self.imported) != unit.n_imports or unit.n_imports != unit.imported_funcs:
            raise Unlinkable("unknown import")
        self.ctx.imports = <Fn**>calloc(unit.imported_funcs + 1, sizeof(Fn*))
        if self.ctx.imports == NULL:
            raise MemoryError
        for i in range(unit.imported_funcs):
            self.ctx.imports[i] = &self.host[i]
            self.host[i].type = unit.funcs[i]
            if isinstance(self.imported[i], Func):
                self.ctx.imports[i] = (<Func>self.imported[i]).fn
                if self.ctx.imports[i].type != unit.funcs[i]:
                    raise Unlinkable("incompatible import type")
            else:
                self.host[i].host = <void*><PyObject*>self.imported[i]
        return 0

    cdef uint64_t value(self, Init* init) except? 0:
        if init.kind == INIT_CONST:
            return init.bits
        if init.kind == INIT_GLOBAL:
            return self.globals()[init.bits].u64
        return <uint64_t>self.fn(<uint32_t>init.bits)

    cdef S* globals(self):
        return <S*>(<char*>self.ctx + CTX_SIZE)

    cdef Fn* fn(self, uint32_t index) except NULL:
        """The function instance; all of the defined ones are made when the first is wanted."""
        cdef Fn* fn = function(self.ctx, index)
        if fn == NULL:
            raise MemoryError
        return fn

    cdef int make_globals(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        for i in range(unit.imported_globals, unit.n_globals):
            self.globals()[i].u64 = self.value(&unit.inits[i - unit.imported_globals])
        return 0

    cdef int make_tables(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i, k
        cdef Segment* s
        cdef Tab* table
        cdef uint64_t offset
        self.tables = <Tab*>calloc(unit.n_tables + 1, sizeof(Tab))
        self.ctx.tables = <Tab**>calloc(unit.n_tables + 1, sizeof(Tab*))
        if self.tables == NULL or self.ctx.tables == NULL:
            raise MemoryError
        self.n_tables = unit.n_tables
        for i in range(unit.n_tables):
            table = self.ctx.tables[i] = &self.tables[i]
            if unit.tables[i].min > 10000000:
                raise Exhaustion("table is too large")
            table.elems = <S*>calloc(unit.tables[i].min + 1, sizeof(S))
            if table.elems == NULL:
                raise MemoryError
            table.size = unit.tables[i].min
            table.max_size = unit.tables[i].max
        for i in range(unit.n_elems):
            s = &unit.elems[i]
            table = &self.tables[s.target]
            offset = self.value(&s.offset)
            if offset + s.size > table.size:
                raise TrapError(TrapReason.OUT_OF_BOUNDS_TABLE)
            for k in range(s.size):
                table.elems[offset + k].u64 = self.value(&s.items[k])
        return 0

    cdef int make_memory(self) except -1:
        cdef Unit* unit = self.module.unit
        cdef uint32_t i
        cdef Limit* l
        cdef Segment* s
        cdef Mem* memory
        cdef uint64_t offset
        self.ctx.mems = &self.ctx.mem0
        if unit.n_mems > 1:
            self.ctx.mems = <Mem**>calloc(unit.n_mems, sizeof(Mem*))
            if self.ctx.mems == NULL:
                raise MemoryError
        for i in range(unit.n_mems):
            l = &unit.mems[i]
            if l.min > mem_limit(l.max, l.page_bits, l.wide, MEMORY_PAGES) >> l.page_bits:
                raise Exhaustion(f"memory of {l.min} pages is more than the limit of this store")
            memory = mem_new(l.min, l.max, l.page_bits, l.wide, l.shared, MEMORY_PAGES)
            if memory == NULL:
                raise Exhaustion(f"memory of {l.min} pages is more than there is")
            self.ctx.mems[i] = memory
        if unit.n_mems:
            self.ctx.mem0 = self.ctx.mems[0]
        for i in range(unit.n_datas):
            s = &unit.datas[i]
            if s.mode != SEGMENT_ACTIVE:
                continue
            offset = self.value(&s.offset)
            memory = self.ctx.mems[s.target]
            if outside(offset, s.size, memory.size):
                raise TrapError(TrapReason.OUT_OF_BOUNDS_MEMORY)
            memcpy(memory.base + offset, s.bytes, s.size)
        return 0

    @property
    def exports(self):
        """Made when asked for: an instance does not hold its functions, they hold it, and so it is freed at once."""
        return {name: self.export(kind, index) for name, kind, index in self.module.exports}

    cdef object export(self, int kind, uint32_t index):
        if kind == EXTERN_FUNC:
            return self.func(index)
        if kind == EXTERN_MEM:
            return self.memory(index)
        return None

    cdef object memory(self, uint32_t index):
        cdef Memory memory = Memory.__new__(Memory)
        memory.mem = self.ctx.mems[index]
        memory.owner = self
        return memory

    cdef object func(self, uint32_t index):
        cdef Func f
        cdef Fn* fn = self.fn(index)
        if fn.ctx == NULL:
            return <object><PyObject*>fn.host
        f = Func.__new__(Func)
        f.vectorcall = call_func
        f.fn = fn
        f.owner = self
        f.store = self.store
        return f

    def __dealloc__(self):
        cdef uint32_t i
        if self.ctx != NULL:
            if self.ctx.mems == NULL or self.ctx.mems == &self.ctx.mem0:
                mem_free(self.ctx.mem0)
            else:
                for i in range(self.module.unit.n_mems):
                    mem_free(self.ctx.mems[i])
                free(self.ctx.mems)
            free(self.ctx.imports)
            free(self.ctx.tables)
            free(self.ctx.fns)
            free(self.ctx)
        if self.tables != NULL:
            for i in range(self.n_tables):
                free(self.tables[i].elems)
        free(self.tables)
        free(self.host)


cdef void give_vectorcall(PyTypeObject* type, Py_ssize_t offset):
    type.tp_vectorcall_offset = offset
    type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    type.tp_call = PyVectorcall_Call
    PyType_Modified(type)


cdef Func PROBE = Func.__new__(Func)
give_vectorcall(<PyTypeObject*><PyObject*>Func, <char*>&PROBE.vectorcall - <char*><PyObject*>PROBE)
