/* memset, memcpy and memcmp as loops over words and bytes, at every alignment: loads and stores of all widths.
   n is the number of rounds over a buffer of 1024 bytes. */
#include "kernel.h"

#define SIZE 1024u
static u8 from[SIZE + 8], to[SIZE + 8];

static NOINLINE void fill(u8 *at, u8 value, u32 count) {
    u32 word = value * 0x01010101u;
    for (; count && (u32)at % 4; count--) *at++ = value;
    for (; count >= 4; count -= 4, at += 4) *(u32 *)at = word;
    for (; count; count--) *at++ = value;
}

static NOINLINE void copy(u8 *at, const u8 *source, u32 count) {
    typedef struct { u32 word; } __attribute__((packed)) Unaligned;
    for (; count >= 4; count -= 4, at += 4, source += 4) ((Unaligned *)at)->word = ((const Unaligned *)source)->word;
    for (; count; count--) *at++ = *source++;
}

static NOINLINE u32 compare(const u8 *p, const u8 *q, u32 count) {
    u32 index = 0;
    while (index < count && p[index] == q[index]) index++;
    return index;
}

EXPORT(run) u32 run(u32 n) {
    u32 sum = 0;
    for (u32 round = 0; round < n; round++) {
        u8 *p = from + round % 7, *q = to + round % 5;
        fill(p, (u8)round, SIZE);
        copy(q, p, SIZE);
        q[(round * 97u) % SIZE] ^= 1;
        sum = mix(sum, compare(p, q, SIZE));
    }
    return sum;
}
