/* 32-bit and 64-bit words: hashes, ciphers, generators, checksums, long numbers, sets of bits. */
#include "corpus.h"
static u64 lanes[16], sums[8], words[64], set[32], twister[17];
static u32 md[16], tea[4], longs[2][40], poly[256];
static u8 data[1024];
static int at;
#define L32(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define L64(x, n) ((x) << (n) | (x) >> (64 - (n)))

NOINLINE u64 fnv(const u8 *p, int n) { u64 h = 0xcbf29ce484222325; while (n-- > 0) { h ^= *p++; h *= 0x100000001b3; } return h; }
NOINLINE u32 fnv32(const u8 *p, int n) { u32 h = 0x811c9dc5; for (int i = 0; i < n; i++) h = (h ^ p[i]) * 0x01000193; return h; }
NOINLINE u32 djb(const char *s) { u32 h = 5381; for (; *s; s++) h = h * 33 + (u8)*s; return h; }
NOINLINE u64 split(u64 *s) { u64 z = *s += 0x9e3779b97f4a7c15; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9; z = (z ^ z >> 27) * 0x94d049bb133111eb; return z ^ z >> 31; }
NOINLINE u64 star(u64 *s) { u64 x = *s; x ^= x >> 12; x ^= x << 25; x ^= x >> 27; *s = x; return x * 0x2545f4914f6cdd1d; }
NOINLINE u64 plus(u64 *s) { u64 a = s[0], b = s[1], r = a + b; b ^= a; s[0] = L64(a, 24) ^ b ^ b << 16; s[1] = L64(b, 37); return r; }
NOINLINE u32 lcg(u32 *s) { *s = *s * 1664525 + 1013904223; return *s >> 8; }
NOINLINE u64 lag(void) { u64 a = twister[at], b = twister[at = (at + 1) & 15]; b ^= b << 31; twister[at] = b ^ a ^ b >> 11 ^ a >> 30; return twister[at] * 1181783497276652981; }
NOINLINE u32 mm3(const u8 *p, int n, u32 h) {
    for (int i = 0; i + 4 <= n; i += 4) { u32 k; __builtin_memcpy(&k, p + i, 4); k *= 0xcc9e2d51; k = L32(k, 15); k *= 0x1b873593; h ^= k; h = L32(h, 13); h = h * 5 + 0xe6546b64; }
    h ^= n; h ^= h >> 16; h *= 0x85ebca6b; h ^= h >> 13; h *= 0xc2b2ae35; return h ^ h >> 16;
}
NOINLINE u64 wide(const u8 *p, int n) {
    u64 a = 0x60ea27eeadc0b5d6, b = 0xc2b2ae3d27d4eb4f;
    for (int i = 0; i + 16 <= n; i += 16) { u64 x, y; __builtin_memcpy(&x, p + i, 8); __builtin_memcpy(&y, p + i + 8, 8); a = L64(a + x * 0xc2b2ae3d27d4eb4f, 31) * 0x9e3779b185ebca87; b = L64(b ^ y, 29) * 5 + a; }
    return L64(a, 1) + L64(b, 7);
}
#define MIX64(a, b, c, d, x, y) a += b + x; d = L64(d ^ a, 32); c += d; b = L64(b ^ c, 40); a += b + y; d = L64(d ^ a, 48); c += d; b = L64(b ^ c, 1);
NOINLINE void mixer(int rounds) {
    for (int i = 0; i < rounds; i++) {
        u64 a = lanes[0], b = lanes[4], c = lanes[8], d = lanes[12];
        MIX64(a, b, c, d, words[i & 15], words[i + 1 & 15])
        lanes[0] = lanes[1] ^ a; lanes[4] = lanes[5] + b; lanes[8] = lanes[9] ^ c; lanes[12] = lanes[13] - d;
    }
}
NOINLINE void sponge(int rounds) {
    for (int r = 0; r < rounds; r++) {
        for (int i = 0; i < 4; i++) sums[i] = words[i] ^ words[i + 4] ^ words[i + 8] ^ words[i + 12];
        for (int i = 0; i < 16; i++) words[i] = L64(words[i] ^ sums[i + 1 & 3], 1 + (i & 7)) ^ ~words[i + 5 & 15] & words[i + 2 & 15];
        words[0] ^= 0x8000000080008081u + r;
    }
}
NOINLINE void rounds32(int n) {
    u32 a = md[0], b = md[1], c = md[2], d = md[3];
    for (int i = 0; i < n; i++) {
        u32 f = i < 16 ? (b & c) | (~b & d) : i < 32 ? (d & b) | (~d & c) : b ^ c ^ d, t = d;
        f += a + md[i & 15] + 0x5bd1e995u * i; d = c; c = b; b += L32(f, 7); a = t;
    }
    md[0] += a; md[1] += b; md[2] += c; md[3] += d;
}
NOINLINE void cipher(u32 *v, int n) {
    u32 x = v[0], y = v[1], s = 0;
    for (int i = 0; i < n; i++) { s += 0x9e3779b9; x += (y << 4) + tea[0] ^ y + s ^ (y >> 5) + tea[1]; y += (x << 4) + tea[2] ^ x + s ^ (x >> 5) + tea[3]; }
    v[0] = x; v[1] = y;
}
NOINLINE u64 speck(u64 x, u64 y, u64 k) { for (int i = 0; i < 27; i++) { x = L64(x, 56) + y ^ k; y = L64(y, 3) ^ x; k = L64(k, 61) * 3 + i; } return x ^ y; }
NOINLINE u32 table(const u8 *p, int n) { u32 c = 0; for (int i = 0; i < 256; i++) { u32 k = i << 24; for (int j = 0; j < 8; j++) k = (int)k < 0 ? k << 1 ^ 0x04c11db7u : k << 1; poly[i] = k; } while (n--) c = c << 8 ^ poly[c >> 24 ^ *p++]; return c; }
NOINLINE u32 fletcher(const u8 *p, int n) { u32 a = 0, b = 0; for (int i = 0; i < n; i++) { a += p[i]; b += a; a = (a & 65535) + (a >> 16); b = (b & 65535) + (b >> 16); } return b << 16 | a; }
NOINLINE u32 multiply(int n) {
    u32 top = 0;
    for (int i = 0; i < n; i++) { u64 carry = 0; for (int j = 0; j + i < 40; j++) { u64 t = (u64)longs[0][j] * longs[0][i] + longs[1][i + j] + carry; longs[1][i + j] = (u32)t; carry = t >> 32; } top += (u32)carry; }
    return top;
}
NOINLINE u32 divide(u32 by) { u64 rest = 0; for (int i = 39; i >= 0; i--) { rest = rest << 32 | longs[1][i]; longs[0][i] = (u32)(rest / by); rest %= by; } return (u32)rest; }
NOINLINE u64 power(u64 base, u64 e, u64 m) { u64 r = 1; base %= m; for (; e; e >>= 1) { if (e & 1) r = r * base % m; base = base * base % m; } return r; }
NOINLINE u64 gcd(u64 a, u64 b) { while (b) { u64 t = a % b; a = b; b = t; } return a; }
NOINLINE int bits(u64 x) { int n = 0; while (x) { x &= x - 1; n++; } return n; }
NOINLINE u32 reverse(u32 x) { x = x >> 1 & 0x55555555 | (x & 0x55555555) << 1; x = x >> 2 & 0x33333333 | (x & 0x33333333) << 2; x = x >> 4 & 0x0f0f0f0f | (x & 0x0f0f0f0f) << 4; return x << 24 | (x & 0xff00) << 8 | x >> 8 & 0xff00 | x >> 24; }
NOINLINE void mark(u64 h) { for (int i = 0; i < 3; i++) { set[h >> 6 & 31] |= 1ull << (h & 63); h = h >> 11 | h << 53; } }
NOINLINE int marked(u64 h) { for (int i = 0; i < 3; i++) { if (!(set[h >> 6 & 31] >> (h & 63) & 1)) return 0; h = h >> 11 | h << 53; } return 1; }
NOINLINE u64 fixed(long long a, long long b, int n) { long long s = 0; for (int i = 0; i < n; i++) { s += a * b >> 16; a = a - (b >> 4); b = b + (a >> 4); if (s > 1ll << 40) s -= 1ll << 41; } return (u64)s; }
EXPORT u32 run(u32 n) {
    u64 s = n * 0x9e3779b97f4a7c15 + 1, t = 0; u32 seed = n | 1;
    for (int i = 0; i < 1024; i++) data[i] = (u8)(lcg(&seed) >> 3 | 1);
    for (int i = 0; i < 64; i++) words[i] = split(&s);
    for (int i = 0; i < 17; i++) { twister[i] = star(&s); lanes[i & 15] = plus(words); md[i & 15] = reverse((u32)lanes[i & 15]); }
    for (int i = 0; i < 40; i++) longs[0][i] = (u32)lag();
    for (int i = 0; i < 4; i++) tea[i] = md[i];
    mixer(40); sponge(12); rounds32(64); cipher(md, 32); data[1023] = 0;
    for (int i = 0; i < 50; i++) { mark(star(&s)); t += marked(split(&s)); }
    t += fnv(data, 1000) + fnv32(data, 1000) + djb((char *)data) + mm3(data, 1000, n) + wide(data, 1000) + speck(s, t, n) + table(data, 300) + fletcher(data, 1000);
    t += multiply(20) + divide(12345) + power(7, 1000, 1000003) + gcd(s, n + 12) + bits(s) + fixed(1 << 20, 1 << 10, 100);
    return (u32)(t ^ t >> 32) ^ md[1] ^ longs[0][3];
}
