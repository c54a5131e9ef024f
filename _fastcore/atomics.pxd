"""Atomic accesses, sequentially consistent, as the compiler has them."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport Mem

cdef extern from *:
    """
    #if defined(_MSC_VER) && !defined(__clang__)
    #include <intrin.h>
    #include <stdint.h>
    #define PYWASM_ATOMIC(BITS, LONG, SUFFIX) \\
        static uint##BITS##_t atomic_cas##BITS(uint##BITS##_t* p, uint##BITS##_t e, uint##BITS##_t n) { \\
            return (uint##BITS##_t)_InterlockedCompareExchange##SUFFIX((volatile LONG*)p, (LONG)n, (LONG)e); } \\
        static uint##BITS##_t atomic_load##BITS(uint##BITS##_t* p) { return atomic_cas##BITS(p, 0, 0); } \\
        PYWASM_LOOP(BITS, add, o + n) PYWASM_LOOP(BITS, sub, o - n) PYWASM_LOOP(BITS, and, o & n) \\
        PYWASM_LOOP(BITS, or, o | n) PYWASM_LOOP(BITS, xor, o ^ n) PYWASM_LOOP(BITS, xchg, n) \\
        static void atomic_store##BITS(uint##BITS##_t* p, uint##BITS##_t n) { atomic_xchg##BITS(p, n); }
    #define PYWASM_LOOP(BITS, NAME, E) \\
        static uint##BITS##_t atomic_##NAME##BITS(uint##BITS##_t* p, uint##BITS##_t n) { \\
            uint##BITS##_t o, seen = *(volatile uint##BITS##_t*)p; \\
            do { o = seen; seen = atomic_cas##BITS(p, o, (uint##BITS##_t)(E)); } while (seen != o); \\
            return o; }
    PYWASM_ATOMIC(8, char, 8) PYWASM_ATOMIC(16, short, 16) PYWASM_ATOMIC(32, long, ) PYWASM_ATOMIC(64, __int64, 64)
    static void atomic_fence(void) { volatile long l = 0; _InterlockedExchange(&l, 1); }
    #else
    #include <stdint.h>
    #define PYWASM_ATOMIC(BITS) \\
        static inline uint##BITS##_t atomic_load##BITS(uint##BITS##_t* p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); } \\
        static inline void atomic_store##BITS(uint##BITS##_t* p, uint##BITS##_t n) { __atomic_store_n(p, n, __ATOMIC_SEQ_CST); } \\
        /* Not by __atomic_compare_exchange_n: the address of a variable can cost its handler the jump to the next one. */ \\
        static inline uint##BITS##_t atomic_cas##BITS(uint##BITS##_t* p, uint##BITS##_t e, uint##BITS##_t n) { \\
            return __sync_val_compare_and_swap(p, e, n); } \\
        PYWASM_RMW(BITS, add, fetch_add) PYWASM_RMW(BITS, sub, fetch_sub) PYWASM_RMW(BITS, and, fetch_and) \\
        PYWASM_RMW(BITS, or, fetch_or) PYWASM_RMW(BITS, xor, fetch_xor) PYWASM_RMW(BITS, xchg, exchange_n)
    #define PYWASM_RMW(BITS, NAME, BUILTIN) \\
        static inline uint##BITS##_t atomic_##NAME##BITS(uint##BITS##_t* p, uint##BITS##_t n) { return __atomic_##BUILTIN(p, n, __ATOMIC_SEQ_CST); }
    PYWASM_ATOMIC(8) PYWASM_ATOMIC(16) PYWASM_ATOMIC(32) PYWASM_ATOMIC(64)
    static inline void atomic_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    #endif
    """
    uint8_t atomic_load8(uint8_t* p) noexcept nogil
    uint16_t atomic_load16(uint16_t* p) noexcept nogil
    uint32_t atomic_load32(uint32_t* p) noexcept nogil
    uint64_t atomic_load64(uint64_t* p) noexcept nogil
    void atomic_store8(uint8_t* p, uint8_t n) noexcept nogil
    void atomic_store16(uint16_t* p, uint16_t n) noexcept nogil
    void atomic_store32(uint32_t* p, uint32_t n) noexcept nogil
    void atomic_store64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_cas8(uint8_t* p, uint8_t expected, uint8_t n) noexcept nogil
    uint16_t atomic_cas16(uint16_t* p, uint16_t expected, uint16_t n) noexcept nogil
    uint32_t atomic_cas32(uint32_t* p, uint32_t expected, uint32_t n) noexcept nogil
    uint64_t atomic_cas64(uint64_t* p, uint64_t expected, uint64_t n) noexcept nogil
    uint8_t atomic_add8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_add16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_add32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_add64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_sub8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_sub16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_sub32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_sub64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_and8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_and16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_and32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_and64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_or8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_or16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_or32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_or64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_xor8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_xor16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_xor32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_xor64(uint64_t* p, uint64_t n) noexcept nogil
    uint8_t atomic_xchg8(uint8_t* p, uint8_t n) noexcept nogil
    uint16_t atomic_xchg16(uint16_t* p, uint16_t n) noexcept nogil
    uint32_t atomic_xchg32(uint32_t* p, uint32_t n) noexcept nogil
    uint64_t atomic_xchg64(uint64_t* p, uint64_t n) noexcept nogil
    void atomic_fence() noexcept nogil

cdef inline uint64_t memory_size(Mem* memory) noexcept nogil:
    """The length of a memory that may grow in another thread meanwhile."""
    return atomic_load64(&memory.size)
