"""See cstack.pxd. What a thread's stack is costs a system call or two to find out, and is kept with the thread."""

from libc.stdint cimport uint64_t

cdef extern from *:
    """
    #if defined(_WIN32)
    #ifndef WIN32_LEAN_AND_MEAN
    #define WIN32_LEAN_AND_MEAN
    #endif
    #include <windows.h>
    static size_t cstack_find(char** end) {
        ULONG_PTR low, high;
        GetCurrentThreadStackLimits(&low, &high);
        *end = (char*)low;
        return (size_t)(high - low);
    }
    #elif defined(__APPLE__)
    #include <pthread.h>
    static size_t cstack_find(char** end) {
        size_t size = pthread_get_stacksize_np(pthread_self());
        *end = (char*)pthread_get_stackaddr_np(pthread_self()) - size;
        return size;
    }
    #elif defined(__linux__)
    #include <pthread.h>
    static size_t cstack_find(char** end) {
        pthread_attr_t attr;
        void* low = NULL;
        size_t size = 0;
        if (pthread_getattr_np(pthread_self(), &attr) != 0) return 0;
        if (pthread_attr_getstack(&attr, &low, &size) != 0) size = 0;
        pthread_attr_destroy(&attr);
        *end = (char*)low;
        return size;
    }
    #else
    static size_t cstack_find(char** end) { (void)end; return 0; }
    #endif
    #if defined(_MSC_VER)
    static __declspec(thread) unsigned long long OWN_CSTACK[2];
    #else
    #if defined(__GLIBC__)   /* which keeps room for a few such variables of libraries that come later, found without a call */
    __attribute__((tls_model("initial-exec")))
    #endif
    static __thread unsigned long long OWN_CSTACK[2];
    #endif
    """
    size_t cstack_find(char** end) noexcept nogil
    uint64_t* OWN_CSTACK

cdef enum:
    MARGIN = 0x10000        # what a host function, and Python behind it, may take; of a short stack a quarter
    BLIND = 0x20000         # how much is used, from where the thread was first seen, where nobody says how long its stack is
    UNKNOWN = 0x1000000


cdef CStack* own_cstack() noexcept nogil:
    """That of the thread that asks."""
    cdef CStack* own = <CStack*>OWN_CSTACK
    if own.margin == 0:
        measure(own)
    return own


cdef void measure(CStack* own) noexcept nogil:
    cdef uint64_t size = cstack_find(&own.end)
    if size == 0:
        own.end = cstack_here() - UNKNOWN
        own.margin = UNKNOWN - BLIND
    else:
        own.margin = min(<uint64_t>MARGIN, size // 4)
