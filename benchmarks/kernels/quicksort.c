/* Quicksort with insertion sort for short ranges: i32 loads and stores, branches that cannot be foreseen, recursion.
   n is the number of elements, at most 1 << 18. */
#include "kernel.h"

#define LIMIT (1u << 18)
#define SHORT_RANGE 12
static i32 items[LIMIT];

static void insertion_sort(i32 low, i32 high) {
    for (i32 i = low + 1; i <= high; i++) {
        i32 item = items[i], j = i;
        for (; j > low && items[j - 1] > item; j--) items[j] = items[j - 1];
        items[j] = item;
    }
}

static NOINLINE void sort(i32 low, i32 high) {
    if (high - low < SHORT_RANGE) {
        insertion_sort(low, high);
        return;
    }
    i32 pivot = items[low + (high - low) / 2], i = low, j = high;
    while (i <= j) {
        while (items[i] < pivot) i++;
        while (items[j] > pivot) j--;
        if (i > j) break;
        i32 item = items[i];
        items[i++] = items[j];
        items[j--] = item;
    }
    sort(low, j);
    sort(i, high);
}

EXPORT(run) u32 run(u32 n) {
    u32 seed = 7, sum = 0;
    if (n > LIMIT) n = LIMIT;
    for (u32 i = 0; i < n; i++) items[i] = (i32)next_random(&seed) - (1 << 23);
    sort(0, (i32)n - 1);
    for (u32 i = 0; i < n; i++) sum = mix(sum, (u32)items[i]);
    return sum;
}
