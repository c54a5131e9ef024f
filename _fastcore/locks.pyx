"""See locks.pxd."""

import os

cdef extern from "pythread.h" nogil:
    PyThread_type_lock PyThread_allocate_lock()

cdef enum:
    MOST = 16

cdef PyThread_type_lock LOCKS[MOST]
cdef int N_LOCKS = 0


cdef PyThread_type_lock lock_new() noexcept:
    """A lock of a module, made when that is loaded. Who has it takes only locks of modules that are below, and so were made earlier."""
    global N_LOCKS
    cdef PyThread_type_lock lock = PyThread_allocate_lock()
    if lock != NULL and N_LOCKS < MOST:
        LOCKS[N_LOCKS] = lock
        N_LOCKS += 1
    return lock


def hold_all():
    """In the order in which they are taken otherwise. The GIL is kept: who has a lock does not wait for it, but who waits for a lock may
    have it, and would keep this thread from going on with all locks in its hands."""
    cdef int i
    for i in range(N_LOCKS):
        PyThread_acquire_lock(LOCKS[N_LOCKS - 1 - i], 1)


def release_all():
    cdef int i
    for i in range(N_LOCKS):
        PyThread_release_lock(LOCKS[i])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=hold_all, after_in_parent=release_all, after_in_child=release_all)
