"""See store.pxd."""

import cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from pywasm_ref._fastcore.dispatch cimport enter, halt_word
from pywasm_ref._fastcore.exceptions cimport exns_free
from pywasm_ref._fastcore.backtrace cimport note_frames
from pywasm_ref._fastcore.layout cimport *

from pywasm_ref.errors import Exhaustion, Interrupted, Trap as TrapError, TrapReason, WasmError

REASONS = list(TrapReason)
OTHERS = {TRAP_STACK: (Exhaustion, "call stack exhausted"), TRAP_FUEL: (Exhaustion, "fuel exhausted"), TRAP_INTERRUPTED: (Interrupted, "interrupted"),
          TRAP_MEMORY: (Exhaustion, "out of memory")}

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident()


@cython.no_gc_clear
cdef class Room:
    """One thread of execution: the value stack, the stop flag, and what a host function raised."""

    def __cinit__(self, *args, **keywords):
        self.pinned = {}
        self.doors = {}
        self.boxes = {}
        self.memory_pages = 65536
        self.table_entries = 10000000

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
        return poll_store(ctx, <Room><PyObject*>ctx.store, pc, fp)


cdef int poll_store(Ctx* ctx, Room store, W* pc, S* fp) noexcept:
    if store.stopped:
        return trap(ctx, pc, fp, TRAP_INTERRUPTED)
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    return 0


cdef int run(Room store, Ctx* ctx, Fn* fn, S* fp) except -1:
    """Run a function of a guest whose arguments stand at fp; its results replace them."""
    cdef Code* code = fn.code
    cdef int status
    if fp + code.frame > store.end:
        raise Exhaustion("call stack exhausted")
    fp[code.hdr].w = halt_word()
    fp[code.hdr + 1].p = fp
    ctx.stack_end = store.end
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
        raise failure(store, status)
    return 0


cdef lifter LIFT = NULL


cdef void set_lifter(lifter lift):
    """Say who makes a Python object of the exception that is raised; what values look like is known above."""
    global LIFT
    LIFT = lift


cdef object failure(Room store, int status):
    """The exception for a reason to stop, with the place of the instruction and the calls that led there."""
    if status == TRAP_HOST:
        error = store.raised
        store.raised = None
    elif status == TRAP_EXCEPTION:
        error = LIFT(store)
    elif status in OTHERS:
        kind, words = OTHERS[status]
        error = kind(words)
    else:
        error = TrapError(REASONS[status - 1])
    if isinstance(error, WasmError):
        note_frames(error, store.shared.ctx)
    return error
