"""The numeric operations that are no single C operator."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef extern from "math.h" nogil:
    double fabs(double) noexcept
    float fabsf(float) noexcept
    double ceil(double) noexcept
    float ceilf(float) noexcept
    double floor(double) noexcept
    float floorf(float) noexcept
    double trunc(double) noexcept
    float truncf(float) noexcept
    double rint(double) noexcept
    float rintf(float) noexcept
    double sqrt(double) noexcept
    float sqrtf(float) noexcept
    double copysign(double, double) noexcept
    float copysignf(float, float) noexcept

cdef extern from *:
    int __builtin_clz(uint32_t) noexcept nogil
    int __builtin_ctz(uint32_t) noexcept nogil
    int __builtin_popcount(uint32_t) noexcept nogil
    int __builtin_clzll(uint64_t) noexcept nogil
    int __builtin_ctzll(uint64_t) noexcept nogil
    int __builtin_popcountll(uint64_t) noexcept nogil

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__GNUC__) || defined(__clang__)
    #define PYWASM_RARE(condition) __builtin_expect(condition, 0)
    #define PYWASM_JUMP() __asm__ volatile("")
    #else
    #define PYWASM_RARE(condition) (condition)
    #define PYWASM_JUMP()
    #endif
    static inline double pywasm_canon64(double x) {
        const uint64_t nan = 0x7ff8000000000000u;
        if (PYWASM_RARE(x != x)) { PYWASM_JUMP(); memcpy(&x, &nan, 8); }
        return x;
    }
    static inline float pywasm_canon32(float x) {
        const uint32_t nan = 0x7fc00000u;
        if (PYWASM_RARE(x != x)) { PYWASM_JUMP(); memcpy(&x, &nan, 4); }
        return x;
    }
    """
    # A conditional move would make every result wait for the comparison, so compilers are kept from it.
    # The positive canonical NaN in place of any other: processors disagree about the sign, and about which operand's payload is kept.
    double canon64 "pywasm_canon64" (double x) noexcept nogil
    float canon32 "pywasm_canon32" (float x) noexcept nogil

cdef inline uint32_t clz32(uint32_t i) noexcept nogil:
    return 32 if i == 0 else __builtin_clz(i)

cdef inline uint32_t ctz32(uint32_t i) noexcept nogil:
    return 32 if i == 0 else __builtin_ctz(i)

cdef inline uint64_t clz64(uint64_t i) noexcept nogil:
    return 64 if i == 0 else __builtin_clzll(i)

cdef inline uint64_t ctz64(uint64_t i) noexcept nogil:
    return 64 if i == 0 else __builtin_ctzll(i)

cdef inline uint32_t rotl32(uint32_t i, uint32_t n) noexcept nogil:
    return (i << (n & 31)) | (i >> ((32 - (n & 31)) & 31))

cdef inline uint32_t rotr32(uint32_t i, uint32_t n) noexcept nogil:
    return (i >> (n & 31)) | (i << ((32 - (n & 31)) & 31))

cdef inline uint64_t rotl64(uint64_t i, uint64_t n) noexcept nogil:
    return (i << (n & 63)) | (i >> ((64 - (n & 63)) & 63))

cdef inline uint64_t rotr64(uint64_t i, uint64_t n) noexcept nogil:
    return (i >> (n & 63)) | (i << ((64 - (n & 63)) & 63))

cdef inline double min64(double x, double y) noexcept nogil:
    if x != x or y != y:
        return x + y
    if x == y:
        return x if copysign(1.0, x) < 0 else y
    return x if x < y else y

cdef inline double max64(double x, double y) noexcept nogil:
    if x != x or y != y:
        return x + y
    if x == y:
        return y if copysign(1.0, x) < 0 else x
    return x if x > y else y

cdef inline float min32(float x, float y) noexcept nogil:
    if x != x or y != y:
        return x + y
    if x == y:
        return x if copysignf(1.0, x) < 0 else y
    return x if x < y else y

cdef inline float max32(float x, float y) noexcept nogil:
    if x != x or y != y:
        return x + y
    if x == y:
        return y if copysignf(1.0, x) < 0 else x
    return x if x > y else y

cdef inline int32_t sat_s32(double x) noexcept nogil:
    if x != x:
        return 0
    if x <= -2147483649.0:
        return -2147483647 - 1
    if x >= 2147483648.0:
        return 2147483647
    return <int32_t>x

cdef inline uint32_t sat_u32(double x) noexcept nogil:
    if not (x > -1.0):
        return 0
    if x >= 4294967296.0:
        return 0xffffffffU
    return <uint32_t>x

cdef inline int64_t sat_s64(double x) noexcept nogil:
    if x != x:
        return 0
    if x < -9223372036854775808.0:
        return -9223372036854775807LL - 1
    if x >= 9223372036854775808.0:
        return 9223372036854775807LL
    return <int64_t>x

cdef inline uint64_t sat_u64(double x) noexcept nogil:
    if not (x > -1.0):
        return 0
    if x >= 18446744073709551616.0:
        return 0xffffffffffffffffULL
    return <uint64_t>x

cdef inline uint32_t bits32(float x) noexcept nogil:
    cdef uint32_t i
    memcpy(&i, &x, 4)
    return i

cdef inline uint64_t bits64(double x) noexcept nogil:
    cdef uint64_t i
    memcpy(&i, &x, 8)
    return i

cdef inline float float32(uint32_t i) noexcept nogil:
    cdef float x
    memcpy(&x, &i, 4)
    return x

cdef inline double float64(uint64_t i) noexcept nogil:
    cdef double x
    memcpy(&x, &i, 8)
    return x

cdef inline uint16_t load16(const uint8_t* p) noexcept nogil:
    cdef uint16_t i
    memcpy(&i, p, 2)
    return i

cdef inline uint32_t load32(const uint8_t* p) noexcept nogil:
    cdef uint32_t i
    memcpy(&i, p, 4)
    return i

cdef inline uint64_t load64(const uint8_t* p) noexcept nogil:
    cdef uint64_t i
    memcpy(&i, p, 8)
    return i

cdef inline void store16(uint8_t* p, uint16_t i) noexcept nogil:
    memcpy(p, &i, 2)

cdef inline void store32(uint8_t* p, uint32_t i) noexcept nogil:
    memcpy(p, &i, 4)

cdef inline void store64(uint8_t* p, uint64_t i) noexcept nogil:
    memcpy(p, &i, 8)
