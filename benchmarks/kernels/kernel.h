/* What every kernel shares: fixed-width names, the export, and a small random number generator. No C library is linked. */
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;

#define EXPORT(name) __attribute__((export_name(#name), used))
#define NOINLINE __attribute__((noinline))

/* Deterministic, so that every engine must give the same checksum. */
static inline u32 next_random(u32 *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static inline u32 mix(u32 sum, u32 value) {
    return (sum ^ value) * 16777619u;
}

static inline u32 fold(double value) {
    union { double number; u64 bits; } view = { value };
    return (u32)(view.bits ^ (view.bits >> 32));
}

#endif
