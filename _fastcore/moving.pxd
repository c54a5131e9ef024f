"""Host functions that mostly move one buffer between guest memory and something else, as `embedding.engine.Moves` says."""

from libc.stdint cimport uint64_t
from pywasm_ref._fastcore.layout cimport Mem, S, Type
from pywasm_ref._fastcore.store cimport Room

cdef class Moving:
    """The code of such a function. `move` does what is plain; everything else is left to the code."""
    cdef object code
    cdef object moves
    cdef dict things
    cdef bint writes
    cdef uint64_t most

    cdef bint move(self, Room store, S* args) except -1
    cdef bint hand(self, door, Mem* memory, target, S* args, uint64_t at, uint64_t n) except -1

cdef object moving(Type* type, object code)
