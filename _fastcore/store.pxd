"""What runs: one thread of execution at a time, its value stack and its switches. `objects.Store` adds what a host can do with it."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from pywasm_ref._fastcore.cstack cimport CStack
from pywasm_ref._fastcore.layout cimport Ctx, ExnInst, Held, S, Thread, W

cdef enum:
    BULK = 0x4000000        # bytes that are filled or copied between two looks
    STACK_SLOTS = 0x20000   # at least
    MOST_SLOTS = 0x1000000
    FRAME = 32              # slots that a call has on average, when all that are allowed fit
    NESTED = 200            # calls of guests from functions of the host, from guests, where the C stack is long enough

cdef class Room:
    cdef S* stack
    cdef S* top                 # where the next call from Python may begin
    cdef S* end
    cdef uint64_t slots         # of the stack
    cdef bint deep              # a frame ended behind `shallow` since the store has this stack
    cdef volatile bint stopped
    cdef int64_t quiet          # until then nobody asks for the GIL to look for signals
    cdef object raised          # what a host function raised, on its way through the guest
    cdef CStack* thread         # that uses it, while pins are not 0
    cdef uint32_t depth
    cdef uint32_t pins          # calls that have prepared the stack and not rested since
    cdef readonly object limits
    cdef dict orphans           # by address: what owns functions that guests may refer to, and Python has let go of; None, mostly
    cdef list dropped           # those that nobody refers to any more, until there is a time to let them go
    cdef uint64_t debt          # what their number says should be spent on a collection
    cdef bint owed              # there is something to do when no guest runs: `settle`
    cdef bint lends             # the host made tables or globals that hold functions
    cdef PyObject* dying        # whose end it is that a collection is about, and the references to it that do not count
    cdef Py_ssize_t dying_refs
    cdef dict doors             # once there are any: address -> address of the Python object that stands for what is there (borrowed: doors go by themselves)
    cdef Thread shared          # with all instances
    cdef dict boxes             # once there are any: address of a box -> the Python object in it
    cdef dict box_of            # id of a Python object -> the address of its box
    cdef bint watched           # by Python's collector
    cdef uint32_t busy          # operations that have something in hand which nobody refers to yet
    cdef bint stirred           # something may have become garbage since the last collection that Python's own led to
    cdef bint limited           # guests use fuel
    cdef bint metered           # instances run metered code: guests used fuel once
    cdef object beyond          # fuel that is more than `shared.fuel` holds
    cdef Held* held             # the types of what the host made, once it made something
    cdef set kept               # addresses of what modules hold whose instances are gone, and that something here may have types of
    cdef object __weakref__

    cdef object left(self)
    cdef int limit(self, object fuel) except -1
    cdef int allow_calls(self, uint64_t n) except -1
    cdef bint prepare(self) except False
    cdef int rest(self) except -1
    cdef void leave_stack(self) noexcept
    cdef int settle(self) except -1
    cdef int tidy(self) except -1
    cdef int watch(self) except -1
    cdef int follow(self) except -1
    cdef uint64_t box(self, object value) except 0
    cdef int not_elsewhere(self) except -1
    cdef int not_stopped(self) except -1
    cdef Held* own_types(self) except NULL
    cdef int keep(self, Held* held) except -1
    cdef void wait_on_top(self, ExnInst* exn) noexcept
    cdef void wait_no_more(self, S* slot) noexcept

cdef extern from "Python.h":
    bint PyObject_IS_GC(PyObject*)
    bint PyObject_GC_IsTracked(PyObject*)
    void PyObject_GC_Track(void*)
    void PyObject_GC_UnTrack(void*)

cdef inline void unwatched(PyObject* it) noexcept:
    """Python's collector need not look at what cannot be part of a circle: of a hundred thousand stores that is most of the time it takes."""
    PyObject_GC_UnTrack(it)

cdef inline void watched(PyObject* it) noexcept:
    if not PyObject_GC_IsTracked(it):
        PyObject_GC_Track(it)

cdef bint refers(object it) except *
cdef list holders()
cdef object exhausted(Thread* thread, int status)
cdef int poll(Ctx* ctx, W* pc, S* fp) noexcept nogil
cdef int look(Ctx* ctx, W* pc, S* fp) noexcept nogil
