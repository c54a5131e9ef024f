/* A 64-bit hash over a buffer: i64 multiplication, rotation and loads. n is the number of 4096-byte passes. */
#include "kernel.h"

#define WORDS 512
static u64 words[WORDS];

static inline u64 rotate(u64 x, u32 by) { return x << by | x >> (64 - by); }

static NOINLINE u64 hash(u64 seed) {
    u64 a = seed, b = ~seed;
    for (u32 i = 0; i < WORDS; i += 2) {
        a = rotate(a ^ words[i] * 0x87c37b91114253d5ull, 31) * 0x4cf5ad432745937full;
        b = rotate(b + words[i + 1] * 0x9e3779b97f4a7c15ull, 29) + a;
    }
    a ^= b >> 33;
    a *= 0xff51afd7ed558ccdull;
    return a ^ a >> 33;
}

EXPORT(run) u32 run(u32 n) {
    u32 seed = 5;
    u64 sum = 0;
    for (u32 i = 0; i < WORDS; i++) words[i] = (u64)next_random(&seed) << 40 ^ next_random(&seed);
    while (n--) sum = hash(sum);
    return (u32)(sum ^ sum >> 32);
}
