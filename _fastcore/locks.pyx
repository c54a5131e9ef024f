"""See locks.pxd."""

cdef extern from "pythread.h" nogil:
    PyThread_type_lock PyThread_allocate_lock()

cdef extern from *:
    """
    #if defined(_WIN32)
    static int at_fork(void (*before)(void), void (*after)(void)) { (void)before; (void)after; return 0; }  /* processes do not fork there */
    #else
    #include <pthread.h>
    static int at_fork(void (*before)(void), void (*after)(void)) { return pthread_atfork(before, after, after); }
    #endif
    """
    int at_fork(void (*before)() noexcept nogil, void (*after)() noexcept nogil) noexcept

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


cdef void hold_all() noexcept nogil:
    """In the order in which they are taken otherwise."""
    cdef int i
    for i in range(N_LOCKS):
        PyThread_acquire_lock(LOCKS[N_LOCKS - 1 - i], 1)


cdef void release_all() noexcept nogil:
    cdef int i
    for i in range(N_LOCKS):
        PyThread_release_lock(LOCKS[i])


# By the system and not by `os.register_at_fork`: what is registered there runs some time after the fork. Until then others may have the GIL
# (Python 3.12 gives it away for a warning), and would wait with it for a lock of the thread that waits for the GIL.
if at_fork(hold_all, release_all) != 0:
    raise MemoryError
