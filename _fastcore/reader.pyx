"""See reader.pxd."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport strncpy


cdef int fail(Reader* r, int fault, const uint8_t* at, const char* words) noexcept nogil:
    """Keep the first fault; -1, for the caller to return. The reader is at its end from then on, so that every loop stops."""
    if r.fault == FAULT_NONE:
        r.fault = fault
        r.fault_at = at - r.start
        strncpy(r.words, words, sizeof(r.words) - 1)
        r.words[sizeof(r.words) - 1] = 0
    r.at = r.end
    return -1


cdef uint64_t leb_slow(Reader* r, int bits, bint signed_) noexcept nogil:
    """A LEB128 number of so many bits, sign-extended to 64 when it is signed."""
    cdef const uint8_t* start = r.at
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while True:
        if r.at >= r.end:
            malformed(r, r.at, b"unexpected end")
            return 0
        byte = r.at[0]
        r.at += 1
        value |= <uint64_t>(byte & 0x7f) << shift
        if shift + 7 >= bits:
            if byte & 0x80:
                malformed(r, start, b"integer representation too long")
                return 0
            if shift + 7 > bits and not spare_bits_agree(byte, bits - shift, signed_):
                malformed(r, start, b"integer too large")
                return 0
            break
        shift += 7
        if not byte & 0x80:
            shift -= 7
            break
    if signed_ and byte & 0x40 and shift + 7 < 64:
        value |= ~<uint64_t>0 << (shift + 7)
    return value


cdef bint spare_bits_agree(uint8_t byte, int used, bint signed_) noexcept nogil:
    """Are the bits of the last byte beyond the number's width zero, or copies of its sign?"""
    cdef uint8_t spare = (byte & 0x7f) >> (used - (1 if signed_ else 0))
    if not signed_:
        return spare == 0
    return spare == 0 or spare == 0x7f >> (used - 1)


cdef int utf8(Reader* r, const uint8_t* p, uint64_t n) noexcept nogil:
    """0 when the bytes are UTF-8 as the specification has it: shortest form, no surrogates."""
    cdef uint64_t i = 0
    cdef uint32_t code
    cdef int more, k
    while i < n:
        if p[i] < 0x80:
            i += 1
            continue
        more = 1 if 0xc2 <= p[i] <= 0xdf else 2 if 0xe0 <= p[i] <= 0xef else 3 if 0xf0 <= p[i] <= 0xf4 else 0
        if more == 0 or i + more >= n:
            return malformed(r, p, b"malformed UTF-8 encoding")
        code = p[i] & (0x3f >> more)
        for k in range(1, more + 1):
            if p[i + k] & 0xc0 != 0x80:
                return malformed(r, p, b"malformed UTF-8 encoding")
            code = code << 6 | (p[i + k] & 0x3f)
        if (more == 2 and (code < 0x800 or 0xd800 <= code <= 0xdfff)) or (more == 3 and (code < 0x10000 or code > 0x10ffff)):
            return malformed(r, p, b"malformed UTF-8 encoding")
        i += more + 1
    return 0
