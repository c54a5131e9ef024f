"""See store.pxd."""

import cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from pywasm_ref._fastcore.exceptions cimport exns_free
from pywasm_ref._fastcore.layout cimport *

cdef extern from "pythread.h":
    unsigned long PyThread_get_thread_ident()


@cython.no_gc_clear
cdef class Room:
    """One thread of execution: the value stack, the stop flag, and what a host function raised."""

    def __cinit__(self, *args, **keywords):
        self.pinned = {}
        self.doors = {}
        self.boxes = {}
        self.box_of = {}
        self.memory_pages = 65536
        self.table_entries = 10000000

    def __dealloc__(self):
        exns_free(&self.shared)
        for box in self.box_of.values() if self.box_of is not None else ():
            free(<void*><uint64_t>box)
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
