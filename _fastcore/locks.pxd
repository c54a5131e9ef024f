"""Locks that are held for a moment, in C only: whoever has one waits for nobody, and least of all for the GIL.

A process that forks has all of them meanwhile, so that the child finds what they guard as it should be, and can take them.
"""

cdef extern from "pythread.h" nogil:
    ctypedef void* PyThread_type_lock
    int PyThread_acquire_lock(PyThread_type_lock, int)
    void PyThread_release_lock(PyThread_type_lock)

cdef PyThread_type_lock lock_new() noexcept
