"""Reading hostile bytes: every read is checked, and the first thing that is wrong is kept with its place."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum Fault:
    FAULT_NONE
    FAULT_MALFORMED
    FAULT_INVALID
    FAULT_MEMORY
    FAULT_UNSUPPORTED
    FAULT_LIMIT                 # it would take too long, or too much memory

cdef struct Reader:
    const uint8_t* start
    const uint8_t* at
    const uint8_t* end
    int fault
    uint64_t fault_at           # byte offset in the module
    char* words                 # the message, or NULL when there was no memory for it

cdef int fail(Reader* r, int fault, const uint8_t* at, const char* words) noexcept nogil
cdef int unexpected_end(Reader* r) noexcept nogil
cdef int out_of_memory(Reader* r) noexcept nogil
cdef uint32_t length(Reader* r) noexcept nogil
cdef void forget_fault(Reader* r) noexcept nogil
cdef uint64_t leb_slow(Reader* r, int bits, bint signed_) noexcept nogil
cdef bint is_utf8(const uint8_t* p, uint64_t n) noexcept nogil

cdef inline int malformed(Reader* r, const uint8_t* at, const char* words) noexcept nogil:
    return fail(r, FAULT_MALFORMED, at, words)

cdef inline int invalid(Reader* r, const uint8_t* at, const char* words) noexcept nogil:
    return fail(r, FAULT_INVALID, at, words)

cdef inline uint8_t u8(Reader* r) noexcept nogil:
    """A byte; 0 and a fault at the end."""
    if r.at >= r.end:
        unexpected_end(r)
        return 0
    r.at += 1
    return r.at[-1]

cdef inline uint32_t u32(Reader* r) noexcept nogil:
    if r.at < r.end and r.at[0] < 0x80:
        r.at += 1
        return r.at[-1]
    return <uint32_t>leb_slow(r, 32, False)

cdef inline uint64_t u64(Reader* r) noexcept nogil:
    if r.at < r.end and r.at[0] < 0x80:
        r.at += 1
        return r.at[-1]
    return leb_slow(r, 64, False)

cdef inline int32_t s32(Reader* r) noexcept nogil:
    return <int32_t><int64_t>leb_slow(r, 32, True)

cdef inline int64_t s33(Reader* r) noexcept nogil:
    return <int64_t>leb_slow(r, 33, True)

cdef inline int64_t s64(Reader* r) noexcept nogil:
    return <int64_t>leb_slow(r, 64, True)
