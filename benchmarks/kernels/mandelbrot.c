/* Escape times of the Mandelbrot set on a square grid: f64 arithmetic in locals, no memory. n is the side of the grid. */
#include "kernel.h"

#define STEPS 50

static NOINLINE u32 escape(double cr, double ci) {
    double zr = 0, zi = 0;
    u32 step = 0;
    while (step < STEPS) {
        double rr = zr * zr, ii = zi * zi;
        if (rr + ii > 4) break;
        zi = 2 * zr * zi + ci;
        zr = rr - ii + cr;
        step++;
    }
    return step;
}

EXPORT(run) u32 run(u32 n) {
    u32 sum = 0;
    for (u32 y = 0; y < n; y++)
        for (u32 x = 0; x < n; x++) sum = mix(sum, escape(3.0 * x / n - 2.0, 3.0 * y / n - 1.5));
    return sum;
}
