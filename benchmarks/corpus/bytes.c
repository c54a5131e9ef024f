/* Strings and bytes once more: copying, filling, numbers as text, names in tables, tokens, pictures, sets of bits. */
#include "corpus.h"
typedef struct Entry { struct Entry *next; const char *name; int value; u32 hash; } Entry;
static char text[2048], word[64], out[4096], lines[32][32];
static u8 image[48 * 48], shade[48 * 48], counts[256], alive[34][34], later[34][34];
static u32 bitset[64], histogram[256];
static u16 glyphs[128];
static Entry entries[128], *buckets[32];
static int used, parents[64];

NOINLINE void set(u8 *p, u8 c, u32 n) { while (n--) *p++ = c; }
NOINLINE void move(char *to, const char *from, u32 n) { if (to < from) while (n--) *to++ = *from++; else while (n--) to[n] = from[n]; }
NOINLINE int equal(const char *a, const char *b, u32 n) { for (u32 i = 0; i < n; i++) if (a[i] != b[i]) return 0; return 1; }
NOINLINE const char *last(const char *s, char c) { const char *r = 0; for (; *s; s++) if (*s == c) r = s; return r; }
NOINLINE void lower(char *s) { for (; *s; s++) if (*s >= 'A' && *s <= 'Z') *s |= 32; }
NOINLINE void backward(char *s, int n) { for (int i = 0, j = n - 1; i < j; i++, j--) { char t = s[i]; s[i] = s[j]; s[j] = t; } }
NOINLINE int number(const char *s) { int v = 0, minus = *s == '-'; for (s += minus; *s >= '0' && *s <= '9'; s++) v = v * 10 + (*s - '0'); return minus ? -v : v; }
NOINLINE char *decimal(char *q, u32 v) { char t[12]; int n = 0; do { t[n++] = (char)('0' + v % 10); v /= 10; } while (v); while (n) *q++ = t[--n]; *q = 0; return q; }
NOINLINE char *hex(char *q, const u8 *p, int n) { for (int i = 0; i < n; i++) { *q++ = "0123456789abcdef"[p[i] >> 4]; *q++ = "0123456789abcdef"[p[i] & 15]; } return q; }
NOINLINE int unhex(const char *s, u8 *q) { int n = 0; for (; s[0] && s[1]; s += 2) { int a = s[0], b = s[1]; a = a <= '9' ? a - '0' : a - 'a' + 10; b = b <= '9' ? b - '0' : b - 'a' + 10; q[n++] = (u8)(a << 4 | b); } return n; }
NOINLINE int find(const char *s, const char *w) { for (int i = 0; s[i]; i++) { int j = 0; while (w[j] && s[i + j] == w[j]) j++; if (!w[j]) return i; } return -1; }
NOINLINE int split(const char *s, char by) { int n = 0, k = 0; for (; *s && n < 31; s++) { if (*s == by) { lines[n++][k] = 0; k = 0; } else if (k < 31) lines[n][k++] = *s; } return n; }
NOINLINE int runs(const u8 *p, int n, u8 *q) { int k = 0; for (int i = 0; i < n;) { int j = i; while (j < n && p[j] == p[i] && j - i < 255) j++; q[k++] = (u8)(j - i); q[k++] = p[i]; i = j; } return k; }
NOINLINE void tally(const u8 *p, int n) { for (int i = 0; i < n; i++) { histogram[p[i]]++; counts[p[i] & 63]++; } }
NOINLINE void rotate13(char *s) { for (; *s; s++) { char c = *s | 32; if (c >= 'a' && c <= 'z') *s += c < 'n' ? 13 : -13; } }
NOINLINE int count_words(const char *s) { int n = 0, in = 0; for (; *s; s++) { int space = *s == ' ' || *s == '\n' || *s == '\t'; if (!space && !in) n++; in = !space; } return n; }
NOINLINE u32 hash(const char *s) { u32 h = 7; while (*s) h = h * 31 + *s++; return h; }
NOINLINE int same(const char *a, const char *b) { while (*a && *a == *b) { a++; b++; } return *a == *b; }
NOINLINE Entry *lookup(const char *name) {
    u32 h = hash(name); Entry *e = buckets[h & 31];
    for (; e; e = e->next) if (e->hash == h && same(e->name, name)) return e;
    e = &entries[used++ & 127]; e->hash = h; e->name = name; e->value = 0; e->next = buckets[h & 31]; buckets[h & 31] = e;
    return e;
}
NOINLINE void blur(int w, int h) {
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) { int s = 0; for (int j = -1; j <= 1; j++) for (int i = -1; i <= 1; i++) s += image[(y + j) * w + x + i]; shade[y * w + x] = (u8)(s / 9); }
}
NOINLINE void edges(int w, int h) {
    for (int y = 0; y < h - 1; y++)
        for (int x = 0; x < w - 1; x++) { int a = image[y * w + x], d = a - image[y * w + x + 1], e = a - image[(y + 1) * w + x]; if (d < 0) d = -d; if (e < 0) e = -e; shade[y * w + x] = d + e > 255 ? 255 : (u8)(d + e); }
}
NOINLINE void draw(int x0, int y0, int x1, int y1) {
    int dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y0 - y1 : y1 - y0, sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, e = dx + dy;
    for (;;) { image[y0 * 48 + x0] = 255; if (x0 == x1 && y0 == y1) break; int t = 2 * e; if (t >= dy) { e += dy; x0 += sx; } if (t <= dx) { e += dx; y0 += sy; } }
}
NOINLINE void live(int n) {
    for (int y = 1; y <= n; y++)
        for (int x = 1; x <= n; x++) {
            int s = alive[y - 1][x - 1] + alive[y - 1][x] + alive[y - 1][x + 1] + alive[y][x - 1] + alive[y][x + 1] + alive[y + 1][x - 1] + alive[y + 1][x] + alive[y + 1][x + 1];
            later[y][x] = s == 3 || (s == 2 && alive[y][x]);
        }
    for (int y = 1; y <= n; y++) for (int x = 1; x <= n; x++) alive[y][x] = later[y][x];
}
NOINLINE void put(u32 i) { bitset[i >> 5] |= 1u << (i & 31); }
NOINLINE int got(u32 i) { return bitset[i >> 5] >> (i & 31) & 1; }
NOINLINE int first_free(void) { for (int i = 0; i < 64; i++) if (bitset[i] != ~0u) return i * 32 + __builtin_ctz(~bitset[i]); return -1; }
NOINLINE int group(int i) { while (parents[i] != i) { parents[i] = parents[parents[i]]; i = parents[i]; } return i; }
NOINLINE int wide(const u16 *p, int n, u16 least) { int low = 0; while (low < n) { int m = (low + n) / 2; if (p[m] < least) low = m + 1; else n = m; } return low; }
NOINLINE int nested(const char *s) { int deep = 0, most = 0; for (; *s; s++) { if (*s == '(' || *s == '[') { if (++deep > most) most = deep; } else if ((*s == ')' || *s == ']') && deep > 0) deep--; } return most; }
NOINLINE int same_backward(const char *s, int n) { for (int i = 0; i < n / 2; i++) if (s[i] != s[n - 1 - i]) return 0; return 1; }
NOINLINE u32 varint(const u8 **p) { u32 v = 0; int s = 0; u8 b; do { b = *(*p)++; v |= (u32)(b & 127) << s; s += 7; } while (b & 128 && s < 28); return v; }
NOINLINE int copy_escaped(char *q, const char *s) { char *from = q; while (*s) { if (*s == '<') { *q++ = '&'; *q++ = 'l'; *q++ = 't'; } else if (*s == '&') { *q++ = '&'; *q++ = 'a'; } else *q++ = *s; s++; } *q = 0; return (int)(q - from); }
EXPORT u32 run(u32 n) {
    static const char *const names[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"};
    u32 seed = n | 1, sum = 0; const u8 *p = image;
    for (int i = 0; i < 2047; i++) text[i] = "the Quick (brown) <fox> & [jumps] over, 12 lazy dogs\n"[next(&seed) % 53];
    for (int i = 0; i < 48 * 48; i++) image[i] = (u8)(next(&seed) & next(&seed));
    for (int i = 0; i < 128; i++) glyphs[i] = (u16)(i * 37);
    for (int i = 0; i < 64; i++) { parents[i] = i * 5 & 31 & i; put(next(&seed) & 2047); alive[1 + i % 32][1 + i / 3] = 1; }
    set(counts, 1, 200); move(out, text, 1000); move(text + 3, text, 500); lower(text); rotate13(text); backward(word, 10); draw(1, 2, 40, 30); draw(40, 3, 4, 44); blur(48, 48); edges(48, 48); live(32);
    for (int i = 0; i < 60; i++) { lookup(names[next(&seed) & 7])->value += i; sum += got(next(&seed) & 2047) + group(i) + varint(&p) + wide(glyphs, 128, (u16)next(&seed)); }
    hex(out, image, 100); sum += unhex(out, shade) + find(text, "ox") + split(text, 'n') + runs(image, 500, (u8 *)out) + count_words(text) + number("-12345") + first_free() + nested(text) + same_backward(text, 100) + copy_escaped(out, text) + equal(text, out, 50);
    tally(image, 2000); decimal(out, sum); return sum + histogram[3] + counts[2] + hash(out) + (last(text, 'e') != 0) + shade[50] + alive[3][3];
}
