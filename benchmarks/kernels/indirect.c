/* A pipeline of small functions called through pointers: call_indirect. n is the number of values sent through it. */
#include "kernel.h"

typedef u32 (*Stage)(u32);

static u32 add(u32 x) { return x + 0x9e3779b9u; }
static u32 shift(u32 x) { return x ^ x >> 15; }
static u32 scale(u32 x) { return x * 2246822519u; }
static u32 turn(u32 x) { return x << 13 | x >> 19; }
static u32 negate(u32 x) { return ~x; }
static u32 halve(u32 x) { return x >> 1; }

static const Stage stages[] = { add, shift, scale, turn, negate, halve };
static Stage pipeline[8];

static NOINLINE u32 send(u32 value) {
    for (u32 i = 0; i < 8; i++) value = pipeline[i](value);
    return value;
}

EXPORT(run) u32 run(u32 n) {
    u32 seed = 11, sum = 0;
    for (u32 i = 0; i < 8; i++) pipeline[i] = stages[next_random(&seed) % 6];
    for (u32 i = 0; i < n; i++) {
        sum = mix(sum, send(i));
        pipeline[i % 8] = stages[sum % 6];
    }
    return sum;
}
