/* Recursive Fibonacci: direct calls and little else. n is the index. */
#include "kernel.h"

static NOINLINE u32 fib(u32 n) {
    if (n < 2) return n;
    return fib(n - 1) + fib(n - 2);
}

EXPORT(run) u32 run(u32 n) {
    return fib(n);
}
