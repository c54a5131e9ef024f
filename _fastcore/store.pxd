"""What runs: one thread of execution at a time, its value stack and its switches. `objects.Store` adds what a host can do with it."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Ctx, S, Thread, W

cdef enum:
    QUANTUM = 100000        # ticks between two looks at the stop flag
    STACK_SLOTS = 0x20000
    NESTED = 200            # calls of guests from functions of the host, from guests: each takes C stack

cdef class Room:
    cdef S* stack
    cdef S* top                 # where the next call from Python may begin
    cdef S* end
    cdef volatile bint stopped
    cdef object raised          # what a host function raised, on its way through the guest
    cdef unsigned long thread   # that runs it, while depth is not 0
    cdef uint32_t depth
    cdef uint32_t pins          # calls that have prepared the stack and not rested since
    cdef readonly object limits
    cdef uint64_t memory_pages
    cdef uint64_t table_entries
    cdef dict pinned            # by address: what guests may refer to in ways that nobody traces; lives as long as the store
    cdef dict doors             # address -> address of the Python object that stands for what is there (borrowed: doors go by themselves)
    cdef Thread shared          # with all instances
    cdef dict boxes             # address of a box -> the Python object in it
    cdef dict box_of            # id of a Python object -> the address of its box
    cdef object __weakref__

    cdef bint prepare(self) except False
    cdef int rest(self) except -1

cdef int poll(Ctx* ctx, W* pc, S* fp) noexcept nogil
