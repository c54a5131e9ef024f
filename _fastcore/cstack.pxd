"""How much is left of the C stack of the thread that runs. Guests take none for calls of each other, but host and guest that call each
other do, and how long a stack is differs: a thread may have 8 MiB, or 256 KiB."""

from libc.stdint cimport uint64_t

cdef struct CStack:
    # One for each thread; so its address tells threads apart, too.
    char* end               # the last byte of the stack
    uint64_t margin         # bytes before it in which no call begins

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    #define cstack_here() ((char*)_AddressOfReturnAddress())
    #else
    #define cstack_here() ((char*)__builtin_frame_address(0))
    #endif
    """
    char* cstack_here() noexcept nogil

cdef CStack* own_cstack() noexcept nogil

cdef inline bint is_low(CStack* stack) noexcept nogil:
    """Are we in the margin? Where somebody runs Python on a stack of their own, we are outside of what is known, and do not say so."""
    return <uint64_t>(cstack_here() - stack.end) < stack.margin
