/* Product of two dense matrices of doubles: nested loops, f64 loads, multiplication and addition. n is the order, at most 128. */
#include "kernel.h"

#define ORDER 128
static double a[ORDER][ORDER], b[ORDER][ORDER], c[ORDER][ORDER];

EXPORT(run) u32 run(u32 n) {
    u32 seed = 42, sum = 0;
    if (n > ORDER) n = ORDER;
    for (u32 i = 0; i < n; i++)
        for (u32 j = 0; j < n; j++) {
            a[i][j] = next_random(&seed) * 0x1p-24;
            b[i][j] = next_random(&seed) * 0x1p-24 - 0.5;
        }
    for (u32 i = 0; i < n; i++)
        for (u32 j = 0; j < n; j++) {
            double dot = 0;
            for (u32 k = 0; k < n; k++) dot += a[i][k] * b[k][j];
            c[i][j] = dot;
        }
    for (u32 i = 0; i < n; i++) sum = mix(sum, fold(c[i][i]));
    return sum;
}
