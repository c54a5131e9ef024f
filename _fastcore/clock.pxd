"""Time that goes on and is no date, in nanoseconds."""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #if defined(_WIN32)
    #include <windows.h>
    static inline long long now(void) { return (long long)GetTickCount64() * 1000000; }
    #else
    #include <time.h>
    static inline long long now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000LL + t.tv_nsec; }
    #endif
    """
    int64_t now() nogil
