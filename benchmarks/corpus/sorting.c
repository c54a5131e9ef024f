/* Sorting, searching and permuting arrays. */
#include "corpus.h"
static int data[2048], spare[2048], counts[256];
static u8 grid[2][66][66], sudoku[81];
static short tiles[1000];

NOINLINE void merge_sort(int *p, int *t, int n) {
    if (n < 2) return;
    int h = n / 2, i = 0, j = h, k = 0;
    merge_sort(p, t, h); merge_sort(p + h, t, n - h);
    while (i < h && j < n) t[k++] = p[i] <= p[j] ? p[i++] : p[j++];
    while (i < h) t[k++] = p[i++];
    while (j < n) t[k++] = p[j++];
    for (i = 0; i < n; i++) p[i] = t[i];
}

NOINLINE void heap_sort(int *p, int n) {
    for (int start = n / 2 - 1, end = n; end > 1;) {
        int root = start;
        if (start >= 0) start--; else { int t = p[--end]; p[end] = p[0]; p[0] = t; root = 0; }
        root = root < 0 ? 0 : root;
        for (int child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && p[child] < p[child + 1]) child++;
            if (p[root] >= p[child]) break;
            int t = p[root]; p[root] = p[child]; p[child] = t;
        }
    }
}

NOINLINE void radix_sort(u32 *p, u32 *t, int n) {
    for (int shift = 0; shift < 32; shift += 8) {
        for (int i = 0; i < 256; i++) counts[i] = 0;
        for (int i = 0; i < n; i++) counts[p[i] >> shift & 255]++;
        for (int i = 0, sum = 0; i < 256; i++) { int c = counts[i]; counts[i] = sum; sum += c; }
        for (int i = 0; i < n; i++) t[counts[p[i] >> shift & 255]++] = p[i];
        u32 *s = p; p = t; t = s;
    }
}

NOINLINE void shell_sort(short *p, int n) {
    for (int gap = n / 2; gap; gap /= 2)
        for (int i = gap; i < n; i++) {
            short t = p[i]; int j = i;
            for (; j >= gap && p[j - gap] > t; j -= gap) p[j] = p[j - gap];
            p[j] = t;
        }
}

NOINLINE int find(const int *p, int n, int key) {
    int low = 0, high = n;
    while (low < high) { int mid = (low + high) >> 1; if (p[mid] < key) low = mid + 1; else high = mid; }
    return low;
}

NOINLINE int flips(int n) {
    int perm[9], copy[9], c[9], most = 0;
    for (int i = 0; i < n; i++) { perm[i] = i; c[i] = 0; }
    for (int i = 0; i < n;) {
        if (c[i] < i) {
            int k = i & 1 ? c[i] : 0, t = perm[k], f = 0;
            perm[k] = perm[i]; perm[i] = t;
            for (int j = 0; j < n; j++) copy[j] = perm[j];
            for (int first; (first = copy[0]); f++) for (int lo = 0, hi = first; lo < hi; lo++, hi--) { t = copy[lo]; copy[lo] = copy[hi]; copy[hi] = t; }
            if (f > most) most = f;
            c[i]++; i = 0;
        } else c[i++] = 0;
    }
    return most;
}

NOINLINE int queens(int n, u32 cols, u32 left, u32 right) {
    u32 free = ~(cols | left | right) & ((1u << n) - 1);
    int found = cols == (1u << n) - 1;
    while (free) { u32 bit = free & -free; free ^= bit; found += queens(n, cols | bit, (left | bit) << 1, (right | bit) >> 1); }
    return found;
}

NOINLINE void live(int g) {
    for (int y = 1; y < 65; y++)
        for (int x = 1; x < 65; x++) {
            int n = grid[g][y - 1][x - 1] + grid[g][y - 1][x] + grid[g][y - 1][x + 1] + grid[g][y][x - 1] + grid[g][y][x + 1] +
                    grid[g][y + 1][x - 1] + grid[g][y + 1][x] + grid[g][y + 1][x + 1];
            grid[g ^ 1][y][x] = n == 3 || (n == 2 && grid[g][y][x]);
        }
}

NOINLINE int fits(int at, int digit) {
    int row = at / 9, col = at % 9;
    for (int i = 0; i < 9; i++) {
        if (sudoku[row * 9 + i] == digit || sudoku[i * 9 + col] == digit) return 0;
        if (sudoku[(row / 3 * 3 + i / 3) * 9 + col / 3 * 3 + i % 3] == digit) return 0;
    }
    return 1;
}

NOINLINE int solve(int at, int *budget) {
    while (at < 81 && sudoku[at]) at++;
    if (at == 81 || --*budget < 0) return 1;
    for (int d = 1; d < 10; d++) if (fits(at, d)) { sudoku[at] = (u8)d; if (solve(at + 1, budget)) return 1; sudoku[at] = 0; }
    return 0;
}

NOINLINE int takeuchi(int x, int y, int z) {
    return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

EXPORT u32 run(u32 n) {
    u32 seed = n | 1, sum = 0; int budget = 300;
    for (int i = 0; i < 2048; i++) data[i] = (int)next(&seed) >> 8;
    merge_sort(data, spare, 2048); sum += data[100];
    for (int i = 0; i < 2048; i++) data[i] = (int)next(&seed) >> 8;
    heap_sort(data, 2048); sum += data[100] + find(data, 2048, 12345);
    for (int i = 0; i < 2048; i++) data[i] = (int)next(&seed);
    radix_sort((u32 *)data, (u32 *)spare, 2048); sum += data[7];
    for (int i = 0; i < 1000; i++) tiles[i] = (short)next(&seed);
    shell_sort(tiles, 1000);
    for (int i = 0; i < 66 * 66; i++) (&grid[0][0][0])[i] = next(&seed) & 1;
    for (int i = 0; i < 4; i++) live(i & 1);
    return sum + flips(6) + queens(6, 0, 0, 0) + solve(0, &budget) + takeuchi(6, 4, 2) + grid[0][5][5] + tiles[5];
}
