/* Functions that call functions: recursion of all kinds, callbacks, tables of functions, objects with methods. */
#include "corpus.h"
typedef int (*Op)(int, int);
typedef struct Shape Shape;
typedef struct { int (*area)(const Shape *); void (*grow)(Shape *, int); } Class;
struct Shape { const Class *class; int a, b; };
typedef struct Tree { struct Tree *left, *right; int value; } Tree;
typedef struct { int (*step)(void *); int state, count; } Task;
static Tree trees[256];
static Shape shapes[32];
static Task tasks[8];
static int n_trees, board[12], order[16], memo[64], numbers[128], spare[128], pegs[3], solved;
static u8 field[24][24];
static u64 cache[96];

NOINLINE int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
NOINLINE int tak(int x, int y, int z) { return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)); }
NOINLINE int even(u32 n);
NOINLINE int odd(u32 n) { return n == 0 ? 0 : even(n - 1) + 1; }
NOINLINE int even(u32 n) { return n == 0 ? 1 : odd(n - 1) + 2; }
NOINLINE void hanoi(int n, int from, int to, int over) { if (n == 0) return; hanoi(n - 1, from, over, to); pegs[from]--; pegs[to]++; hanoi(n - 1, over, to, from); }
NOINLINE int safe(int row, int column) { for (int i = 0; i < row; i++) { int d = board[i] - column; if (d == 0 || d == row - i || d == i - row) return 0; } return 1; }
NOINLINE int queens(int row, int n) { if (row == n) return 1; int found = 0; for (int c = 0; c < n; c++) if (safe(row, c)) { board[row] = c; found += queens(row + 1, n); } return found; }
NOINLINE void permute(int k, int n) { if (k == n) { solved += order[0] < order[n - 1]; return; } for (int i = k; i < n; i++) { int t = order[k]; order[k] = order[i]; order[i] = t; permute(k + 1, n); order[i] = order[k]; order[k] = t; } }
NOINLINE int subsets(const int *v, int n, int sum) { return n == 0 ? sum == 0 : subsets(v + 1, n - 1, sum) + subsets(v + 1, n - 1, sum - v[0]); }
NOINLINE u64 paths(int x, int y) { if (x == 0 || y == 0) return 1; int k = x * 8 + y; if (!cache[k]) cache[k] = paths(x - 1, y) + paths(x, y - 1); return cache[k]; }
NOINLINE int greatest(int a, int b) { return b ? greatest(b, a % b) : a; }
NOINLINE int collatz(u32 n) { return n == 1 ? 0 : 1 + collatz(n & 1 ? 3 * n + 1 : n >> 1); }
NOINLINE int steps(int n) { return n < 2 ? 1 : n < 3 ? 2 : steps(n - 1) + steps(n - 2) + steps(n - 3); }
NOINLINE void fill(int x, int y) { if (x < 0 || y < 0 || x >= 24 || y >= 24 || field[y][x]) return; field[y][x] = 2; fill(x + 1, y); fill(x - 1, y); fill(x, y + 1); fill(x, y - 1); }
NOINLINE Tree *plant(int depth, int value) { Tree *t = &trees[n_trees++]; t->value = value; t->left = t->right = 0; if (depth > 0) { t->left = plant(depth - 1, 2 * value); t->right = plant(depth - 1, 2 * value + 1); } return t; }
NOINLINE int weigh(const Tree *t) { return t ? weigh(t->left) + weigh(t->right) + t->value : 0; }
NOINLINE int depth(const Tree *t) { if (!t) return 0; int l = depth(t->left), r = depth(t->right); return 1 + (l > r ? l : r); }
NOINLINE void mirror(Tree *t) { if (!t) return; Tree *l = t->left; t->left = t->right; t->right = l; mirror(t->left); mirror(t->right); }
NOINLINE void merge(int *v, int *w, int n) {
    if (n < 2) return;
    int h = n / 2, i = 0, j = h, k = 0;
    merge(v, w, h); merge(v + h, w, n - h);
    while (i < h && j < n) w[k++] = v[i] <= v[j] ? v[i++] : v[j++];
    while (i < h) w[k++] = v[i++];
    for (i = 0; i < k; i++) v[i] = w[i];
}
NOINLINE int powers(int b, int e) { if (e == 0) return 1; int h = powers(b, e / 2); return e & 1 ? h * h * b : h * h; }
NOINLINE double simpson(double (*f)(double), double a, double b, int level) { double m = (a + b) / 2, s = (b - a) / 6 * (f(a) + 4 * f(m) + f(b)); return level == 0 ? s : simpson(f, a, m, level - 1) + simpson(f, m, b, level - 1); }
NOINLINE double cubic(double x) { return x * x * x - 2 * x; }
NOINLINE double hump(double x) { return 1 / (1 + x * x); }
NOINLINE int add(int a, int b) { return a + b; }
NOINLINE int sub(int a, int b) { return a - b; }
NOINLINE int mul(int a, int b) { return a * b; }
NOINLINE int most(int a, int b) { return a > b ? a : b; }
NOINLINE int both(int a, int b) { return a & b; }
NOINLINE int halves(int a, int b) { return (a ^ b) >> 1; }
NOINLINE int shifted(int a, int b) { return a << (b & 7); }
NOINLINE int spun(int a, int b) { return (a << 5 | (u32)a >> 27) ^ b; }
static const Op operations[] = {add, sub, mul, most, both, halves, shifted, spun};
NOINLINE int reduce(Op f, const int *v, int n, int start) { for (int i = 0; i < n; i++) start = f(start, v[i]); return start; }
NOINLINE void map(Op f, int *v, int n, int by) { for (int i = 0; i < n; i++) v[i] = f(v[i], by); }
NOINLINE int count(int (*test)(int), const int *v, int n) { int c = 0; while (n-- > 0) c += test(*v++) != 0; return c; }
NOINLINE int is_odd(int x) { return x & 1; }
NOINLINE int is_large(int x) { return x > 1000; }
NOINLINE int mixture(const u8 *choice, int n) { int s = 1; for (int i = 0; i < n; i++) s = operations[choice[i] & 7](s, i); return s; }
NOINLINE int compare(int a, int b) { return a < b ? -1 : a > b; }
NOINLINE void order_by(int (*less)(int, int), int *v, int n) { for (int i = 1; i < n; i++) { int x = v[i], j = i; while (j > 0 && less(x, v[j - 1]) < 0) { v[j] = v[j - 1]; j--; } v[j] = x; } }
NOINLINE int rectangle(const Shape *s) { return s->a * s->b; }
NOINLINE int triangle(const Shape *s) { return s->a * s->b / 2; }
NOINLINE int square(const Shape *s) { return s->a * s->a; }
NOINLINE void widen(Shape *s, int by) { s->a += by; }
NOINLINE void scale(Shape *s, int by) { s->a *= by; s->b *= by; s->a &= 255; s->b &= 255; }
static const Class classes[] = {{rectangle, widen}, {triangle, scale}, {square, widen}};
NOINLINE int areas(int n) { int s = 0; for (int i = 0; i < n; i++) { Shape *p = &shapes[i]; p->class->grow(p, i & 3); s += p->class->area(p); } return s; }
NOINLINE int up(void *t) { Task *k = t; return k->state += 3, ++k->count < 20; }
NOINLINE int toggle(void *t) { Task *k = t; k->state ^= 0x55; return ++k->count < 12; }
NOINLINE int schedule(int n) { int live = n, turns = 0; while (live) for (int i = 0; i < n; i++) if (tasks[i].step) { turns++; if (!tasks[i].step(&tasks[i])) { tasks[i].step = 0; live--; } } return turns; }
EXPORT u32 run(u32 n) {
    u32 seed = n | 1; int sum = 0; u8 choice[32];
    for (int i = 0; i < 128; i++) numbers[i] = (int)next(&seed) >> 12;
    for (int i = 0; i < 32; i++) { shapes[i] = (Shape){&classes[i % 3], i, 3}; choice[i] = (u8)next(&seed); field[i % 24][next(&seed) % 24] = 1; }
    for (int i = 0; i < 8; i++) { tasks[i] = (Task){i & 1 ? up : toggle, i, 0}; order[i] = i; }
    Tree *t = plant(6, 1); mirror(t); merge(numbers, spare, 128); pegs[0] = 9; hanoi(9, 0, 2, 1); permute(0, 6); fill(3, 3);
    map(add, numbers, 100, 7); map(spun, numbers, 20, 9); order_by(compare, numbers, 40);
    sum = ackermann(2, 6) + tak(9, 6, 3) + even(50) + queens(0, 6) + subsets(numbers, 8, numbers[3]) + (int)paths(7, 7) + greatest(12345, 54321) + collatz(97) + steps(14);
    sum += weigh(t) + depth(t) + powers(3, 13) + (int)(simpson(cubic, 0, 2, 5) + simpson(hump, -1, 1, 5) * 100) + reduce(add, numbers, 128, 0) + reduce(most, numbers, 128, 0);
    return (u32)(sum + count(is_odd, numbers, 128) + count(is_large, numbers, 128) + mixture(choice, 32) + areas(32) + schedule(8) + pegs[2] + solved + field[4][4] + memo[1]);
}
