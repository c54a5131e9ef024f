"""See reader.pxd. The words and places of what is malformed are those of the reference decoder."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, strlen


cdef int fail(Reader* r, int fault, const uint8_t* at, const char* words) noexcept nogil:
    """Keep the first fault; -1, for the caller to return. The reader is at its end from then on, so that every loop stops."""
    cdef size_t size
    if r.fault == FAULT_NONE:
        r.fault = fault
        r.fault_at = at - r.start
        size = strlen(words) + 1
        r.words = <char*>malloc(size)
        if r.words != NULL:
            memcpy(r.words, words, size)
    r.at = r.end
    return -1


cdef void forget_fault(Reader* r) noexcept nogil:
    """Ready to read again."""
    free(r.words)
    r.words = NULL
    r.fault = FAULT_NONE


cdef int unexpected_end(Reader* r) noexcept nogil:
    return fail(r, FAULT_MALFORMED, r.end, b"unexpected end of section or function")


cdef int out_of_memory(Reader* r) noexcept nogil:
    return fail(r, FAULT_MEMORY, r.at, b"out of memory")


cdef uint32_t length(Reader* r) noexcept nogil:
    """A number of things that are still to come, each of at least a byte. The bytes of the number count among them."""
    cdef const uint8_t* at = r.at
    cdef uint32_t n = u32(r)
    if r.fault == FAULT_NONE and n > r.end - at:
        malformed(r, at, b"length out of bounds")
    return 0 if r.fault else n


cdef uint64_t leb_slow(Reader* r, int bits, bint signed_) noexcept nogil:
    """A LEB128 number of so many bits, sign-extended to 64 when it is signed."""
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while True:
        if bits <= 0:
            malformed(r, r.at, b"integer representation too long")
            return 0
        if r.at >= r.end:
            unexpected_end(r)
            return 0
        byte = r.at[0]
        r.at += 1
        if bits < 7 and not spare_bits_agree(byte, bits, signed_):
            malformed(r, r.at - 1, b"integer too large")
            return 0
        value |= <uint64_t>(byte & 0x7f) << shift
        shift += 7
        if not byte & 0x80:
            break
        bits -= 7
    if signed_ and byte & 0x40 and shift < 64:
        value |= ~<uint64_t>0 << shift
    return value


cdef bint spare_bits_agree(uint8_t byte, int used, bint signed_) noexcept nogil:
    """Are the bits of the last byte beyond the number's width zero, or copies of its sign?"""
    cdef uint8_t spare = (byte & 0x7f) >> (used - (1 if signed_ else 0))
    if not signed_:
        return spare == 0
    return spare == 0 or spare == 0x7f >> (used - 1)


cdef bint is_utf8(const uint8_t* p, uint64_t n) noexcept nogil:
    """As the specification has it: shortest form, no surrogates."""
    cdef uint64_t i = 0
    cdef uint32_t code
    cdef int more, k
    while i < n:
        if p[i] < 0x80:
            i += 1
            continue
        more = 1 if 0xc2 <= p[i] <= 0xdf else 2 if 0xe0 <= p[i] <= 0xef else 3 if 0xf0 <= p[i] <= 0xf4 else 0
        if more == 0 or i + more >= n:
            return False
        code = p[i] & (0x3f >> more)
        for k in range(1, more + 1):
            if p[i + k] & 0xc0 != 0x80:
                return False
            code = code << 6 | (p[i + k] & 0x3f)
        if (more == 2 and (code < 0x800 or 0xd800 <= code <= 0xdfff)) or (more == 3 and (code < 0x10000 or code > 0x10ffff)):
            return False
        i += more + 1
    return True
