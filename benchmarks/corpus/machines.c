/* Interpreters, pointers and calls: trees, lists, an allocator, a graph, a parser, callbacks. */
#include "corpus.h"
typedef struct Node { struct Node *left, *right; int key, height; } Node;
typedef struct Item { struct Item *next; int (*apply)(struct Item *, int); int value; } Item;
static Node nodes[1024];
static Item items[64];
static int used, edges[64][64], dist[64], queue[64], cells[256], stack[64];
static u8 heap[16384], seen[64];
static const char *at;

NOINLINE int height(Node *n) { return n ? n->height : 0; }
NOINLINE void measure(Node *n) { int l = height(n->left), r = height(n->right); n->height = (l > r ? l : r) + 1; }
NOINLINE Node *turn(Node *n) { Node *l = n->left; n->left = l->right; l->right = n; measure(n); measure(l); return l; }

NOINLINE Node *insert(Node *n, int key) {
    if (!n) { n = &nodes[used++]; n->left = n->right = 0; n->key = key; n->height = 1; return n; }
    if (key < n->key) n->left = insert(n->left, key); else n->right = insert(n->right, key);
    measure(n);
    return height(n->left) > height(n->right) + 1 ? turn(n) : n;
}

NOINLINE int total(const Node *n) { return n ? n->key + total(n->left) - total(n->right) : 0; }

NOINLINE int twice(Item *i, int x) { return x * 2 + i->value; }
NOINLINE int minus(Item *i, int x) { return x - i->value; }
NOINLINE int mixed(Item *i, int x) { return (x ^ i->value) >> 1; }
NOINLINE int fold(Item *i, int x) { for (; i; i = i->next) x = i->apply(i, x); return x; }

NOINLINE void shortest(int n) {
    for (int i = 0; i < n; i++) { dist[i] = 1 << 28; seen[i] = 0; }
    dist[0] = 0;
    for (int round = 0; round < n; round++) {
        int best = -1;
        for (int i = 0; i < n; i++) if (!seen[i] && (best < 0 || dist[i] < dist[best])) best = i;
        seen[best] = 1;
        for (int i = 0; i < n; i++) if (edges[best][i] && dist[best] + edges[best][i] < dist[i]) dist[i] = dist[best] + edges[best][i];
    }
}

NOINLINE void *take(u32 size) {
    u8 *p = heap;
    size = (size + 15) & ~7u;
    while (p < heap + sizeof heap) {
        u32 *head = (u32 *)p; u32 have = *head & ~7u;
        if (!(*head & 1) && have >= size) { if (have > size + 16) { *head = size; *(u32 *)(p + size) = have - size; } *head |= 1; return p + 8; }
        p += have;
    }
    return 0;
}

NOINLINE void give(void *q) {
    u32 *head = (u32 *)((u8 *)q - 8);
    *head &= ~1u;
    u32 *next = (u32 *)((u8 *)head + *head);
    if ((u8 *)next < heap + sizeof heap && !(*next & 1)) *head += *next;
}

NOINLINE int run_tape(const char *code, int budget) {
    int p = 0, pc = 0;
    while (code[pc] && budget-- > 0) {
        switch (code[pc]) {
        case '>': p = (p + 1) & 255; break;
        case '<': p = (p - 1) & 255; break;
        case '+': cells[p]++; break;
        case '-': cells[p]--; break;
        case '[': if (!cells[p]) for (int d = 1; d;) { pc++; d += code[pc] == '['; d -= code[pc] == ']'; } break;
        case ']': if (cells[p]) for (int d = 1; d;) { pc--; d += code[pc] == ']'; d -= code[pc] == '['; } break;
        }
        pc++;
    }
    return cells[p] + pc;
}

NOINLINE int run_stack(const short *code, int budget) {
    int *sp = stack, acc = 0;
    for (int pc = 0; budget-- > 0;) {
        int op = code[pc++];
        switch (op & 7) {
        case 0: *sp++ = op >> 3; break;
        case 1: sp--; acc += *sp; break;
        case 2: sp[-1] = sp[-1] * 3 + acc; break;
        case 3: if (acc & 1) pc = op >> 3; break;
        case 4: acc = sp[-1] ^ acc; break;
        case 5: pc = 0; break;
        default: return acc;
        }
        if (sp >= stack + 60 || sp <= stack) sp = stack + 2;
    }
    return acc;
}

static int sum(void);
NOINLINE int atom(void) {
    int v = 0;
    if (*at == '(') { at++; v = sum(); if (*at) at++; return v; }
    while (*at >= '0' && *at <= '9') v = v * 10 + *at++ - '0';
    return v;
}
NOINLINE int product(void) { int v = atom(); while (*at == '*' || *at == '/') { char c = *at++; int w = atom(); v = c == '*' ? v * w : w ? v / w : 0; } return v; }
NOINLINE static int sum(void) { int v = product(); while (*at == '+' || *at == '-') { char c = *at++; int w = product(); v = c == '+' ? v + w : v - w; } return v; }

EXPORT u32 run(u32 n) {
    static const short program[] = {8 * 5, 8 * 7, 1, 2, 4, 8 * 9 + 3, 8 * 3, 1, 2, 5, 6};
    u32 seed = n | 1; Node *root = 0; int result = 0; void *kept[32];
    for (int i = 0; i < 500; i++) root = insert(root, (int)next(&seed) >> 10);
    for (int i = 0; i < 64; i++) items[i] = (Item){i < 63 ? &items[i + 1] : 0, i % 3 == 0 ? twice : i % 3 == 1 ? minus : mixed, (int)next(&seed) & 255};
    for (int i = 0; i < 64 * 64; i++) (&edges[0][0])[i] = next(&seed) & 3 ? 0 : next(&seed) & 127;
    shortest(64);
    *(u32 *)heap = sizeof heap;
    for (int i = 0; i < 32; i++) kept[i] = take(next(&seed) & 255);
    for (int i = 0; i < 32; i += 2) if (kept[i]) give(kept[i]);
    at = "(1+2*3)*(4-5/(6+7))+8*9-10";
    for (int i = 0; i < 63; i++) queue[i] = dist[i] & 15;
    result = total(root) + fold(items, 7) + dist[5] + sum() + run_tape("++++[>+++[>++<-]<-]>>[<+>-]", 3000) + run_stack(program, 3000);
    return (u32)(result + queue[4]);
}
