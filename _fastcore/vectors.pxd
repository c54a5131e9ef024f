"""Vectors in C: 128 bits as lanes, in loops over all lanes that compilers turn into vector instructions.

Which function belongs to which instruction stands in `generate/vector.py`, and the functions are written from there. Where the
specification lets a NaN be chosen, it is the positive canonical one.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    """
    #ifndef PYWASM_VECTORS
    #define PYWASM_VECTORS
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    typedef union {
        uint8_t u8[16]; int8_t i8[16]; uint16_t u16[8]; int16_t i16[8]; uint32_t u32[4]; int32_t i32[4];
        uint64_t u64[2]; int64_t i64[2]; float f32[4]; double f64[2];
    } V128;

    /* Slots are aligned to 8 bytes only, and operands may overlap the result: always through a copy. */
    static inline V128 v128_at(const void *p) { V128 v; memcpy(&v, p, 16); return v; }
    static inline void v128_put(void *p, V128 v) { memcpy(p, &v, 16); }
    static inline V128 v128_of(uint64_t low, uint64_t high) { V128 v; v.u64[0] = low; v.u64[1] = high; return v; }

    static inline uint8_t sat_s8(int i) { return (uint8_t)(i < -128 ? -128 : i > 127 ? 127 : i); }
    static inline uint8_t sat_u8(int i) { return (uint8_t)(i < 0 ? 0 : i > 255 ? 255 : i); }
    static inline uint16_t sat_s16(int i) { return (uint16_t)(i < -32768 ? -32768 : i > 32767 ? 32767 : i); }
    static inline uint16_t sat_u16(int i) { return (uint16_t)(i < 0 ? 0 : i > 65535 ? 65535 : i); }
    static inline uint8_t ones8(uint8_t i) {
        i = (uint8_t)(i - ((i >> 1) & 0x55));
        i = (uint8_t)((i & 0x33) + ((i >> 2) & 0x33));
        return (uint8_t)((i + (i >> 4)) & 0x0f);
    }

    #define NAN32 0x7fc00000u
    #define NAN64 0x7ff8000000000000ull
    static inline uint32_t bits_of_f32(float x) { uint32_t i; memcpy(&i, &x, 4); return i; }
    static inline uint64_t bits_of_f64(double x) { uint64_t i; memcpy(&i, &x, 8); return i; }
    static inline uint32_t canon32(float x) { return x == x ? bits_of_f32(x) : NAN32; }
    static inline uint64_t canon64(double x) { return x == x ? bits_of_f64(x) : NAN64; }

    /* Rounding without a call: below 2**mantissa, adding and subtracting that leaves an integral number, ties to even. */
    #define ROUNDING(BITS, T, U, WHOLE, SIGN) \\
    static inline U with_sign##BITS(T x, T sign) { return (bits_of_f##BITS(x) & ~SIGN) | (bits_of_f##BITS(sign) & SIGN); } \\
    static inline T magnitude##BITS(T x) { return x < 0 ? -x : x; } \\
    static inline T even##BITS(T x) { return magnitude##BITS(x) < WHOLE ? (x < 0 ? (x - WHOLE) + WHOLE : (x + WHOLE) - WHOLE) : x; } \\
    static inline U nearest##BITS(T x) { return x == x ? with_sign##BITS(even##BITS(x), x) : NAN##BITS; } \\
    static inline U floor##BITS(T x) { T y = even##BITS(x); return x == x ? with_sign##BITS(y > x ? y - 1 : y, x) : NAN##BITS; } \\
    static inline U ceil##BITS(T x) { T y = even##BITS(x); return x == x ? with_sign##BITS(y < x ? y + 1 : y, x) : NAN##BITS; } \\
    static inline U trunc##BITS(T x) { \\
        T m = magnitude##BITS(x), y = even##BITS(m); \\
        return x == x ? with_sign##BITS(y > m ? y - 1 : y, x) : NAN##BITS; \\
    }
    ROUNDING(32, float, uint32_t, 8388608.0f, 0x80000000u)
    ROUNDING(64, double, uint64_t, 4503599627370496.0, 0x8000000000000000ull)

    /* Of equal operands, which differ in the sign of a zero at most, min has the sign if one has it, max if both have. */
    #define CHOOSING(BITS, T, U) \\
    static inline U least##BITS(T x, T y) { \\
        U i = bits_of_f##BITS(x), j = bits_of_f##BITS(y); \\
        return x < y ? i : y < x ? j : x == y ? (i | j) : NAN##BITS; \\
    } \\
    static inline U most##BITS(T x, T y) { \\
        U i = bits_of_f##BITS(x), j = bits_of_f##BITS(y); \\
        return x > y ? i : y > x ? j : x == y ? (i & j) : NAN##BITS; \\
    }
    CHOOSING(32, float, uint32_t)
    CHOOSING(64, double, uint64_t)

    static inline int32_t whole_s32(double x) {
        return x != x ? 0 : x <= -2147483648.0 ? -2147483647 - 1 : x >= 2147483647.0 ? 2147483647 : (int32_t)x;
    }
    static inline uint32_t whole_u32(double x) { return !(x > 0) ? 0 : x >= 4294967295.0 ? 0xffffffffu : (uint32_t)x; }

    /* Any 16 of 32 bytes; put together in registers, since a vector read behind narrower writes waits for them. */
    static inline V128 shuffled(V128 x, V128 y, const uint8_t *lanes) {
        uint8_t both[32]; uint64_t low = 0, high = 0; int i;
        memcpy(both, &x, 16);
        memcpy(both + 16, &y, 16);
        for (i = 0; i < 8; i++) low |= (uint64_t)both[lanes[i]] << (8 * i);
        for (i = 0; i < 8; i++) high |= (uint64_t)both[lanes[i + 8]] << (8 * i);
        return v128_of(low, high);
    }
    static inline V128 shuffled32(V128 x, V128 y, const uint8_t *lanes) {
        uint32_t both[8];
        memcpy(both, &x, 16);
        memcpy(both + 4, &y, 16);
        return v128_of(both[lanes[0] >> 2] | (uint64_t)both[lanes[4] >> 2] << 32, both[lanes[8] >> 2] | (uint64_t)both[lanes[12] >> 2] << 32);
    }
    static inline V128 shuffled64(V128 x, V128 y, const uint8_t *lanes) {
        uint64_t both[4];
        memcpy(both, &x, 16);
        memcpy(both + 2, &y, 16);
        return v128_of(both[lanes[0] >> 3], both[lanes[8] >> 3]);
    }

    /* Wide products without a 128-bit type, which not every compiler has. */
    static inline uint64_t high_u(uint64_t a, uint64_t b) {
        uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
        uint64_t low = al * bl, mid = ah * bl + (low >> 32), other = al * bh + (uint32_t)mid;
        return ah * bh + (mid >> 32) + (other >> 32);
    }
    static inline uint64_t high_s(uint64_t a, uint64_t b) {
        return high_u(a, b) - ((int64_t)a < 0 ? b : 0) - ((int64_t)b < 0 ? a : 0);
    }

    #define LANES(NAME, PARAMETERS, FIELD, COUNT, LANE) \\
    static inline V128 NAME PARAMETERS { V128 r; int i; for (i = 0; i < COUNT; i++) r.FIELD[i] = LANE; return r; }
    #define HALVES(NAME, PARAMETERS, FIELD, COUNT, LOW, HIGH) \\
    static inline V128 NAME PARAMETERS { \\
        V128 r; int i; \\
        for (i = 0; i < COUNT; i++) r.FIELD[i] = LOW; \\
        for (i = 0; i < COUNT; i++) r.FIELD[i + COUNT] = HIGH; \\
        return r; \\
    }
    #define OVER_ALL(NAME, COUNT, START, JOIN, LANE) \\
    static inline uint32_t NAME(V128 x) { uint32_t r = START; int i; for (i = 0; i < COUNT; i++) r JOIN LANE; return r; }
    #endif
    """
    ctypedef union V128:
        uint64_t u64[2]
    V128 v128_at(const void* p) noexcept nogil
    void v128_put(void* p, V128 v) noexcept nogil
    V128 v128_of(uint64_t low, uint64_t high) noexcept nogil
    V128 shuffled(V128 x, V128 y, const uint8_t* lanes) noexcept nogil
    V128 shuffled32(V128 x, V128 y, const uint8_t* lanes) noexcept nogil
    V128 shuffled64(V128 x, V128 y, const uint8_t* lanes) noexcept nogil
    uint64_t high_s(uint64_t a, uint64_t b) noexcept nogil
    uint64_t high_u(uint64_t a, uint64_t b) noexcept nogil
