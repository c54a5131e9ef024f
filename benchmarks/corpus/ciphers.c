/* Bits and words: two ciphers, two checksums, two hashes, generators, a long product. */
#include "corpus.h"
static u32 block[16], state[16], table[256], md[4], big[3][64];
static u8 box[256], text[4096];
static u64 lane[25], sip[4], pcg[2];
#define ROT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define ROT64(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define QUARTER(a, b, c, d) a += b; d = ROT(d ^ a, 16); c += d; b = ROT(b ^ c, 12); a += b; d = ROT(d ^ a, 8); c += d; b = ROT(b ^ c, 7);

NOINLINE void chacha(void) {
    for (int i = 0; i < 16; i++) state[i] = block[i];
    for (int i = 0; i < 10; i++) {
        QUARTER(state[0], state[4], state[8], state[12]) QUARTER(state[1], state[5], state[9], state[13])
        QUARTER(state[2], state[6], state[10], state[14]) QUARTER(state[3], state[7], state[11], state[15])
        QUARTER(state[0], state[5], state[10], state[15]) QUARTER(state[1], state[6], state[11], state[12])
        QUARTER(state[2], state[7], state[8], state[13]) QUARTER(state[3], state[4], state[9], state[14])
    }
    for (int i = 0; i < 16; i++) block[i] += state[i];
}

NOINLINE void rc4(int n) {
    for (int i = 0; i < 256; i++) box[i] = (u8)i;
    for (int i = 0, j = 0; i < 256; i++) { j = (j + box[i] + text[i & 15]) & 255; u8 t = box[i]; box[i] = box[j]; box[j] = t; }
    for (int k = 0, i = 0, j = 0; k < n; k++) {
        i = (i + 1) & 255; j = (j + box[i]) & 255;
        u8 t = box[i]; box[i] = box[j]; box[j] = t;
        text[k] ^= box[(box[i] + box[j]) & 255];
    }
}

NOINLINE u32 crc(const u8 *p, int n) {
    u32 c = ~0u;
    for (int i = 0; i < 256; i++) { u32 k = i; for (int j = 0; j < 8; j++) k = k & 1 ? k >> 1 ^ 0xedb88320u : k >> 1; table[i] = k; }
    while (n-- > 0) c = table[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}

NOINLINE u32 adler(const u8 *p, int n) {
    u32 a = 1, b = 0;
    for (int i = 0; i < n; i++) { a = (a + p[i]) % 65521; b = (b + a) % 65521; }
    return b << 16 | a;
}

NOINLINE void md_round(const u32 *w) {
    u32 a = md[0], b = md[1], c = md[2], d = md[3];
    for (int i = 0; i < 48; i++) {
        u32 f = i < 16 ? (b & c) | (~b & d) : i < 32 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        u32 t = d; d = c; c = b; b = ROT(a + f + w[i & 15] + (i >= 32 ? 0x6ed9eba1u : 0x5a827999u), 3 + (i & 7)); a = t;
    }
    md[0] += a; md[1] += b; md[2] += c; md[3] += d;
}

NOINLINE void keccak_like(int rounds) {
    for (int r = 0; r < rounds; r++) {
        u64 c[5];
        for (int i = 0; i < 5; i++) c[i] = lane[i] ^ lane[i + 5] ^ lane[i + 10] ^ lane[i + 15] ^ lane[i + 20];
        for (int i = 0; i < 5; i++) { u64 d = c[(i + 4) % 5] ^ ROT64(c[(i + 1) % 5], 1); for (int j = 0; j < 25; j += 5) lane[j + i] ^= d; }
        for (int j = 0; j < 25; j += 5) for (int i = 0; i < 5; i++) lane[j + i] ^= ~lane[j + (i + 1) % 5] & lane[j + (i + 2) % 5];
        lane[0] ^= 0x8000000080008081ull + r;
    }
}

NOINLINE void sip_rounds(int n) {
    u64 a = sip[0], b = sip[1], c = sip[2], d = sip[3];
    while (n--) {
        a += b; b = ROT64(b, 13) ^ a; a = ROT64(a, 32); c += d; d = ROT64(d, 16) ^ c;
        a += d; d = ROT64(d, 21) ^ a; c += b; b = ROT64(b, 17) ^ c; c = ROT64(c, 32);
    }
    sip[0] = a; sip[1] = b; sip[2] = c; sip[3] = d;
}

NOINLINE u32 generate(int n) {
    u32 out = 0;
    while (n--) { u64 s = pcg[0]; pcg[0] = s * 6364136223846793005ull + pcg[1]; u32 x = (u32)((s >> 18 ^ s) >> 27); out ^= ROT(x, (u32)(s >> 59) | 1); }
    return out;
}

NOINLINE void multiply(int n) {
    for (int i = 0; i < n; i++) {
        u64 carry = 0;
        for (int j = 0; j < n; j++) { carry += (u64)big[0][i] * big[1][j] + big[2][i + j]; big[2][i + j] = (u32)carry; carry >>= 32; }
        big[2][i + n] = (u32)carry;
    }
}

EXPORT u32 run(u32 n) {
    u32 seed = n | 1, sum = 0;
    for (int i = 0; i < 16; i++) block[i] = next(&seed);
    for (int i = 0; i < 4096; i++) text[i] = (u8)next(&seed);
    for (int i = 0; i < 20; i++) { chacha(); md_round(block); }
    rc4(4096);
    sum = crc(text, 4096) ^ adler(text, 4096);
    for (int i = 0; i < 25; i++) lane[i] = next(&seed);
    keccak_like(24); sip_rounds(500);
    pcg[1] = 99; sum ^= generate(1000);
    for (int i = 0; i < 32; i++) { big[0][i] = next(&seed); big[1][i] = next(&seed); }
    multiply(32);
    return sum ^ block[3] ^ md[1] ^ (u32)lane[7] ^ (u32)sip[2] ^ big[2][40];
}
