"""See functions.pxd."""

import cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_REFCNT
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from pywasm_ref._fastcore.backtrace cimport note_frames
from pywasm_ref._fastcore.cstack cimport is_low, own_cstack
from pywasm_ref._fastcore.depth cimport begin_calls, end_calls, may_begin
from pywasm_ref._fastcore.dispatch cimport enter
from pywasm_ref._fastcore.exceptions cimport exn_new
from pywasm_ref._fastcore.externs cimport *
from pywasm_ref._fastcore.frames cimport end_of_frame, halt_word
from pywasm_ref._fastcore.fuel cimport give_ticks, settle, take_ticks, unlimited
from pywasm_ref._fastcore.gil cimport gil_take
from pywasm_ref._fastcore.host cimport MOST
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match_heap
from pywasm_ref._fastcore.orphans cimport adopt, adopt_again, note_leak, reconsider
from pywasm_ref._fastcore.reflection cimport deftype_of
from pywasm_ref._fastcore.store cimport NESTED, Room, exhausted
from pywasm_ref._fastcore.types cimport top_of
from pywasm_ref._fastcore.values cimport numbers_only

from pywasm_ref.errors import Exhaustion, Interrupted, Trap as TrapError, TrapReason, WasmError, WasmException

REASONS = list(TrapReason)
OTHERS = {TRAP_STACK: (Exhaustion, "call stack exhausted"), TRAP_FUEL: (Exhaustion, "fuel exhausted"), TRAP_INTERRUPTED: (Interrupted, "interrupted"),
          TRAP_MEMORY: (Exhaustion, "out of memory")}

cdef uint64_t HALT = halt_word()     # the backend was chosen when `dispatch` was imported above

cdef extern from "structmember.h":
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    void* PyVectorcall_Call
    void PyType_Modified(PyTypeObject*)
    Py_ssize_t PyVectorcall_NARGS(size_t)
    void Py_INCREF(PyObject*)

cdef extern from "Python.h":
    void PyErr_SetObject(object, object)


# Functions


@cython.no_gc_clear     # see Door: with its owner cleared, this would free what is the owner's
cdef class Func(Door):
    """A function. Calling it with Python's values costs a vectorcall and no Python frame."""

    def __del__(self):
        cdef Py_ssize_t refs = Py_REFCNT(self)
        if self.owner is None:
            self.finalized = True
            if self.leaky and adopt(self.store, self, <uint64_t>self.fn, False):
                reconsider(self.store, self, refs)
        elif self.fn.ctx.orphan:
            owner = self.owner
            reconsider(self.store, owner, 2)        # this door's reference, and the local one

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
            return call_host_directly(self, args)
        slot = fp = begin(store, type)
        try:
            for i in range(type.n_params):
                set_bits(store, slot, type.valtypes[i], args[i])
                slot += slots_of(type.valtypes[i])
            run(store, self.fn.ctx, self.fn, fp)
            results = []
            slot = fp
            for i in range(type.n_params, type.n_params + type.n_results):
                results.append(bits_of(store, slot, type.valtypes[i]))
                slot += slots_of(type.valtypes[i])
        finally:
            store.top = fp
            store.rest()
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
    slot = fp = begin(store, type)
    try:
        for i in range(type.n_params):
            set_value(store, slot, type.valtypes[i], <object>args[i])
            slot += slots_of(type.valtypes[i])
        run(store, f.fn.ctx, f.fn, fp)
        result = None
        if type.n_results == 1:
            result = value_of(store, fp, type.valtypes[type.n_params])
        elif type.n_results:
            result = results_at(store, fp, type)
    finally:
        store.top = fp
        store.rest()
    return result


cdef S* begin(Room store, Type* type) except NULL:
    """Where the arguments of a call go, and its results. Making them can run Python, which may call guests: above those slots."""
    cdef S* fp
    store.prepare()
    fp = store.top
    if fp + max(type.param_slots, type.result_slots) > store.end:
        store.rest()
        raise Exhaustion("call stack exhausted")
    store.top = fp + max(type.param_slots, type.result_slots)
    return fp


cdef tuple results_at(Room store, S* slot, Type* type):
    cdef uint32_t i
    results = []
    for i in range(type.n_params, type.n_params + type.n_results):
        results.append(value_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    return tuple(results)


cdef object call_host_func(Func f, PyObject* const* args, Py_ssize_t n):
    if not f.plain:
        raise TypeError("this function of the host takes bits; call it through its store")
    f.store.not_stopped()
    return (<object>f.code)(*[<object>args[i] for i in range(n)])


cdef list call_host_directly(Func f, args):
    """A function of the host that Python calls through the store: with bits, and without a guest between."""
    if is_low(own_cstack()):
        raise Exhaustion("call stack exhausted")
    f.store.not_stopped()
    results = f.code(args)
    if len(results) != f.fn.type.n_results:
        raise TypeError(f"host function {f.code!r} gave {len(results)} results, its type says {f.fn.type.n_results}")
    return list(results)


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
    f.fn = <Fn*>calloc(1, sizeof(HostFn))
    if f.fn == NULL:
        raise MemoryError
    f.fn.type = type
    f.fn.door = <void*><PyObject*>f
    f.code = code
    if type.n_params <= MOST and numbers_only(type):
        f.function = getattr(code, "python_function", None)
    f.plain = plain
    f.vectorcall = call_func
    f.enter(store, None, <uint64_t>f.fn)
    return f


# Running


cdef int run(Room store, Ctx* ctx, Fn* fn, S* fp) except -1:
    """Run a function of a guest whose arguments stand at fp; its results replace them."""
    cdef Code* code = fn.code
    cdef Thread* thread = &store.shared
    cdef void* away = thread.away   # of a call further out, which may have let go of the GIL
    cdef S* top = store.top
    cdef Mark base
    cdef int status
    if fp + code.frame > store.end or store.depth >= NESTED or is_low(store.thread) or not may_begin(thread, &base, HALT, fp, code):
        raise Exhaustion("call stack exhausted")
    store.not_stopped()
    fp[code.hdr].w = &base.word
    fp[code.hdr + 1].p = fp
    if ctx.finalized:
        adopt_again(ctx)
    if not store.limited:
        thread.fuel = unlimited()
    thread.fuel -= code.cost
    give_ticks(ctx, False)
    store.top = fp + code.frame
    store.deep |= store.top > thread.shallow
    store.depth += 1
    thread.away = NULL
    begin_calls(thread, &base, ctx)
    status = enter(ctx, code.entry, fp)
    gil_take(thread)
    thread.away = away
    take_ticks(thread.ctx if status else ctx)
    store.depth -= 1
    try:
        if status != 0:
            settle(thread, status)
            raise failure(store, status)
    finally:
        end_calls(thread, &base)
        store.top = top
    return 0


cdef object failure(Room store, int status):
    """The exception for a reason to stop, with the place of the instruction and the calls that led there: they stay until they are told."""
    cdef Ctx* ctx = store.shared.ctx
    cdef W* pc = ctx.pc
    cdef S* fp = ctx.fp
    store.top = end_of_frame(ctx, pc, fp)
    if status == TRAP_HOST:
        error = store.raised
        store.raised = None
        if isinstance(error, RecursionError) and store.depth > 0:
            error = Exhaustion("call stack exhausted")
    elif status == TRAP_EXCEPTION:
        error = lift(store)
    elif status == TRAP_HEAP:
        error = exhausted(&store.shared, status)
    elif status in OTHERS:
        kind, words = OTHERS[status]
        error = kind(words)
    elif status == TRAP_UNINITIALIZED_ELEMENT or status == TRAP_UNDEFINED_ELEMENT:
        error = TrapError(REASONS[status - 1], str(store.shared.detail))
    else:
        error = TrapError(REASONS[status - 1])
    if isinstance(error, WasmError):
        note_frames(error, ctx, pc, fp)
    return error


# Exceptions


cdef Exn host_exn(Room store, Tag tag, values):
    """An exception with values that are exact to the bit."""
    cdef Type* type = tag.tag.type
    cdef S* slots
    cdef S* slot
    cdef ExnInst* exn
    cdef uint32_t i
    cdef int status
    owned_here(store, tag)
    store.not_elsewhere()
    if len(values) != type.n_params:
        raise TypeError(f"the exception has {type.n_params} values, not {len(values)}")
    slot = slots = <S*>calloc(type.param_slots + 1, sizeof(S))
    if slots == NULL:
        raise MemoryError
    store.busy += 1
    try:
        for i in range(type.n_params):
            set_bits(store, slot, type.valtypes[i], values[i])
            slot += slots_of(type.valtypes[i])
        exn = exn_new(&store.shared, NULL, NULL, NULL, tag.tag, slots, &status)
        if exn == NULL:
            raise exhausted(&store.shared, status)
        return exn_door(store, exn)
    finally:
        store.busy -= 1
        free(slots)


cdef tuple exn_values(Room store, ExnInst* exn):
    cdef Type* type = exn_tag(exn).type
    cdef S* slot = exn.values
    cdef uint32_t i
    found = []
    for i in range(type.n_params):
        found.append(bits_of(store, slot, type.valtypes[i]))
        slot += slots_of(type.valtypes[i])
    return tuple(found)


cdef object lift(Room store):
    """What Python sees of the exception that nobody caught."""
    cdef ExnInst* exn = store.shared.raised
    cdef S* slot = store.top
    cdef Exn door
    store.wait_on_top(exn)
    store.shared.raised = NULL
    door = exn_door(store, exn)
    store.wait_no_more(slot)
    return WasmException(tag_door(store, exn_tag(door.exn)), exn_values(store, door.exn), door)


# Values, exact to the bit


cdef object bits_of(Room store, S* slots, uint32_t type):
    if type == VT_I32 or type == VT_F32:
        return slots.u32
    if type == VT_I64 or type == VT_F64:
        return slots.u64
    cdef uint32_t top
    if type == VT_V128:
        return <object>slots[0].u64 | <object>slots[1].u64 << 64
    if slots.u64 == 0:
        return None
    top = top_of(type & VT_HEAP)
    if top == HT_FUNC:
        return func_door(store, slots.fn)
    if top == HT_EXN:
        return exn_door(store, <ExnInst*>slots.v)
    return ref_door(store, slots.u64, top == HT_EXTERN)


cdef int set_bits(Room store, S* slots, uint32_t type, object value) except -1:
    if type == VT_I32 or type == VT_F32:
        slots.u64 = <uint32_t>value
    elif type == VT_I64 or type == VT_F64:
        slots.u64 = value
    elif type == VT_V128:
        slots[0].u64 = value & 0xffffffffffffffff
        slots[1].u64 = value >> 64
    elif value is None:
        if not type & VT_NULL:
            raise TypeError("null is no value of a reference type without null")
        slots.u64 = 0
    else:
        owned_here(store, value)
        if not match_heap(set_reference(slots, top_of(type & VT_HEAP), value), type & VT_HEAP):
            raise TypeError("the reference does not have the type that is wanted")
    return 0


cdef uint32_t set_reference(S* slots, uint32_t top, object value) except? 0:
    """A reference of the hierarchy below `top`; its own heap type. Handlers believe types, so that a wrong one must not come in."""
    cdef Ref ref
    if top == HT_FUNC:
        slots.fn = (<Func?>value).fn
        note_leak(slots.fn)
        return slots.fn.type.heap
    if top == HT_EXN:
        slots.v = (<Exn?>value).exn
        return HT_EXN
    ref = <Ref?>value
    if isinstance(ref, Exn) or ref.external != (top == HT_EXTERN):
        raise TypeError("the reference is of another hierarchy")
    slots.u64 = ref.word
    if ref.external:
        return HT_EXTERN
    if ref.word & 1:
        return HT_I31
    return HT_ANY if (<Head*>ref.word).type == NULL else (<Head*>ref.word).type.heap


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
    if type == VT_V128:
        return (<char*>slots)[:16]
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
    elif type == VT_V128:
        set_vector(slots, value)
    else:
        raise TypeError("values of this type do not cross the border yet")
    return 0


cdef int set_vector(S* slots, object value) except -1:
    """The 16 bytes of anything that has the buffer protocol."""
    cdef bytes data
    try:
        data = memoryview(value).tobytes()
    except TypeError:
        raise TypeError(f"16 bytes are expected for v128, not {type(value).__name__}") from None
    if len(data) != 16:
        raise ValueError(f"16 bytes are expected for v128, not {len(data)}")
    memcpy(slots, <const char*>data, 16)
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
