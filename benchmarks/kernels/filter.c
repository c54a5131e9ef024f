/* A 3x3 Gaussian filter over a grey image with vectors of 128 bits: widening, additions, shifts, narrowing, unaligned loads.
   n is the number of passes over an image of 128 x 64. */
#include <wasm_simd128.h>

#include "kernel.h"

#define WIDTH 128u
#define HEIGHT 64u
static u8 images[2][(WIDTH * HEIGHT) + 32];

/* left + 2 * middle + right for eight pixels */
static inline v128_t across(const u8 *at) {
    v128_t left = wasm_u16x8_load8x8(at - 1), middle = wasm_u16x8_load8x8(at), right = wasm_u16x8_load8x8(at + 1);
    return wasm_i16x8_add(wasm_i16x8_add(left, right), wasm_i16x8_shl(middle, 1));
}

static inline v128_t eight(const u8 *at) {
    v128_t above = across(at - WIDTH), here = across(at), below = across(at + WIDTH);
    v128_t sum = wasm_i16x8_add(wasm_i16x8_add(above, below), wasm_i16x8_shl(here, 1));
    return wasm_u16x8_shr(wasm_i16x8_add(sum, wasm_i16x8_splat(8)), 4);
}

static NOINLINE void filter(u8 *to, const u8 *from) {
    for (u32 y = 1; y + 1 < HEIGHT; y++)
        for (u32 x = 16; x + 16 < WIDTH; x += 16) {
            const u8 *at = from + y * WIDTH + x;
            wasm_v128_store(to + y * WIDTH + x, wasm_u8x16_narrow_i16x8(eight(at), eight(at + 8)));
        }
}

EXPORT(run) u32 run(u32 n) {
    u32 state = 1, sum = 0;
    for (u32 i = 0; i < WIDTH * HEIGHT; i++) images[0][i] = images[1][i] = (u8)next_random(&state);
    for (u32 pass = 0; pass < n; pass++) filter(images[~pass & 1], images[pass & 1]);
    for (u32 i = 0; i < WIDTH * HEIGHT; i++) sum = mix(sum, images[n & 1][i]);
    return sum;
}
