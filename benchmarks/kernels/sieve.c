/* Sieve of Eratosthenes: byte loads and stores with a stride. n is the limit, at most 1 << 20. */
#include "kernel.h"

#define LIMIT (1u << 20)
static u8 composite[LIMIT];

EXPORT(run) u32 run(u32 n) {
    u32 count = 0;
    if (n > LIMIT) n = LIMIT;
    for (u32 i = 0; i < n; i++) composite[i] = 0;
    for (u32 i = 2; i < n; i++) {
        if (composite[i]) continue;
        count = mix(count, i);
        for (u32 j = i + i; j < n; j += i) composite[j] = 1;
    }
    return count;
}
