/* Bytes: searching, comparing, packing, scanning. */
#include "corpus.h"
static char text[4096], word[64], out[8192];
static int row[2][129], fail[64];
static u16 heads[1024];

NOINLINE u32 length(const char *s) { const char *p = s; while (*p) p++; return (u32)(p - s); }
NOINLINE int compare(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return (u8)*a - (u8)*b; }
NOINLINE char *copy(char *to, const char *from) { char *p = to; while ((*p++ = *from++)) {} return to; }
NOINLINE const char *seek(const char *s, int c) { for (; *s; s++) if (*s == c) return s; return 0; }
NOINLINE int spans(const char *s, const char *set) { int n = 0; while (s[n] && seek(set, s[n])) n++; return n; }

NOINLINE int distance(const char *a, int n, const char *b, int m) {
    for (int j = 0; j <= m; j++) row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *p = row[(i - 1) & 1], *q = row[i & 1];
        q[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = p[j - 1] + (a[i - 1] != b[j - 1]);
            if (p[j] + 1 < best) best = p[j] + 1;
            if (q[j - 1] + 1 < best) best = q[j - 1] + 1;
            q[j] = best;
        }
    }
    return row[n & 1][m];
}

NOINLINE int matches(const char *s, int n, const char *w, int m) {
    int found = 0;
    fail[0] = 0;
    for (int i = 1, k = 0; i < m; i++) { while (k && w[i] != w[k]) k = fail[k - 1]; if (w[i] == w[k]) k++; fail[i] = k; }
    for (int i = 0, k = 0; i < n; i++) { while (k && s[i] != w[k]) k = fail[k - 1]; if (s[i] == w[k]) k++; if (k == m) { found++; k = fail[k - 1]; } }
    return found;
}

NOINLINE int encode64(const u8 *p, int n, char *q) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *start = q;
    for (; n >= 3; n -= 3, p += 3) {
        u32 v = p[0] << 16 | p[1] << 8 | p[2];
        *q++ = digits[v >> 18]; *q++ = digits[v >> 12 & 63]; *q++ = digits[v >> 6 & 63]; *q++ = digits[v & 63];
    }
    return (int)(q - start);
}

NOINLINE int pack(const u8 *p, int n, u8 *q) {
    u8 *start = q;
    for (int i = 0; i < n;) {
        u32 h = (p[i] * 33u ^ p[i + 1] * 5u ^ p[i + 2]) & 1023; int at = heads[h], len = 0;
        heads[h] = (u16)i;
        if (at < i) while (len < 60 && i + len < n && p[at + len] == p[i + len]) len++;
        if (len >= 3) { *q++ = (u8)(128 | len); *q++ = (u8)(i - at); *q++ = (u8)((i - at) >> 8); i += len; }
        else *q++ = p[i++] & 127;
    }
    return (int)(q - start);
}

NOINLINE u32 decode_utf8(const u8 *p, int n) {
    u32 sum = 0;
    for (int i = 0; i < n;) {
        u32 c = p[i++];
        if (c >= 0xf0) { c = (c & 7) << 18 | (p[i] & 63) << 12 | (p[i + 1] & 63) << 6 | (p[i + 2] & 63); i += 3; }
        else if (c >= 0xe0) { c = (c & 15) << 12 | (p[i] & 63) << 6 | (p[i + 1] & 63); i += 2; }
        else if (c >= 0xc0) { c = (c & 31) << 6 | (p[i] & 63); i++; }
        sum = sum * 31 + c;
    }
    return sum;
}

NOINLINE int scan(const char *s) {
    int depth = 0, numbers = 0, words = 0, value = 0;
    for (; *s; s++) {
        switch (*s) {
        case '{': case '[': depth++; break;
        case '}': case ']': depth--; break;
        case '"': words++; for (s++; *s && *s != '"'; s++) if (*s == '\\') s++; if (!*s) return depth; break;
        case ' ': case ',': case ':': case '\n': break;
        default:
            if (*s >= '0' && *s <= '9') { value = 0; while (*s >= '0' && *s <= '9') value = value * 10 + *s++ - '0'; numbers += value; s--; }
            else if ((*s | 32) >= 'a' && (*s | 32) <= 'z') words++;
        }
    }
    return depth + numbers * 3 + words;
}

NOINLINE char *decimal(char *p, u32 n) {
    char buffer[12]; int i = 0;
    do buffer[i++] = (char)('0' + n % 10); while (n /= 10);
    while (i) *p++ = buffer[--i];
    *p = 0;
    return p;
}

EXPORT u32 run(u32 n) {
    u32 seed = n | 1, sum = 0;
    for (int i = 0; i < 4095; i++) text[i] = "abcab{}[]\"01, :dab"[next(&seed) % 18];
    copy(word, "abab"); sum += matches(text, 4095, word, 4) + distance(text, 100, text + 200, 100) + length(text);
    sum += compare(text, text + 1) + spans(text, "abc") + encode64((u8 *)text, 3000, out) + pack((u8 *)text, 4000, (u8 *)out);
    sum += decode_utf8((u8 *)out, 1000) + scan(text) + length(decimal(out, seed) - 3);
    return sum;
}
