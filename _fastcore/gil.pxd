"""The GIL while guest code runs. A call keeps it at first, since giving it back and taking it again costs as much as the whole call.

It is given back where a guest may take long: at the first look at the switches (`fuel.QUANTUM` ticks after the call, sooner than Python
itself would let another thread on), before a long copy, and before sleep. A host call takes it again, and keeps it until the next
of these. All of it is done by the thread that runs the store.
"""

from pywasm_ref._fastcore.layout cimport Thread

cdef extern from "Python.h" nogil:
    void* PyEval_SaveThread()
    void PyEval_RestoreThread(void*)

cdef enum:
    LONG_COPY = 0x4000           # bytes of a copy that is worth it

cdef inline void gil_give(Thread* thread) noexcept nogil:
    if thread.away == NULL:
        thread.away = PyEval_SaveThread()

cdef inline void gil_take(Thread* thread) noexcept nogil:
    cdef void* state = thread.away
    if state != NULL:
        thread.away = NULL
        PyEval_RestoreThread(state)
