/* Loops around a switch: machines with registers, with a stack, with accumulators; automata, scanners, matchers. */
#include "corpus.h"
static u32 regs[16], code[64], deep[64];
static int cells[32], calls[16];
static u8 ram[512], tape[256];
static short ops[128];
static char line[256], out[256];
static long long big[32];

NOINLINE u32 registers(int budget) {
    u32 pc = 0;
    while (budget-- > 0) {
        u32 i = code[pc++ & 63], a = i >> 8 & 15, b = i >> 12 & 15, c = i >> 16 & 15;
        switch (i & 15) {
        case 0: regs[a] = regs[b] + regs[c]; break;
        case 1: regs[a] = regs[b] - regs[c]; break;
        case 2: regs[a] = regs[b] * regs[c]; break;
        case 3: regs[a] = i >> 12; break;
        case 4: regs[a] = regs[b] >> (regs[c] & 31); break;
        case 5: regs[a] = deep[regs[b] & 63]; break;
        case 6: deep[regs[b] & 63] = regs[a]; break;
        case 7: if (regs[a] < regs[b]) pc = c * 4; break;
        case 8: if (regs[a] == 0) pc += c; break;
        case 9: regs[a] ^= regs[b] << 3; break;
        case 10: regs[15] = pc; pc = c; break;
        case 11: pc = regs[15]; break;
        default: return regs[a];
        }
    }
    return regs[0];
}
NOINLINE int words(const short *ip, int budget) {
    int *sp = cells, *rp = calls;
    for (;;) {
        if (--budget < 0 || sp > cells + 28) return sp[0];
        switch (*ip++) {
        case 0: *++sp = *ip++; continue;
        case 1: sp[-1] += sp[0]; sp--; continue;
        case 2: sp[-1] -= sp[0]; sp--; continue;
        case 3: sp[1] = sp[0]; sp++; continue;
        case 4: { int t = sp[0]; sp[0] = sp[-1]; sp[-1] = t; continue; }
        case 5: sp--; continue;
        case 6: if (*sp-- == 0) ip += *ip; else ip++; continue;
        case 7: ip += *ip; continue;
        case 8: *++rp = (int)(ip + 1 - ops); ip = ops + *ip; continue;
        case 9: ip = ops + *rp--; continue;
        case 10: sp[0] = -sp[0]; continue;
        case 11: sp[-1] = sp[-1] > sp[0]; sp--; continue;
        default: return *sp;
        }
    }
}
NOINLINE int processor(int budget) {
    u8 a = 0, x = 0, y = 0, z = 0, c = 0; u32 pc = 0;
    while (budget--) {
        u8 op = ram[pc++ & 255], v = ram[pc & 255];
        switch (op) {
        case 0xa9: a = v; z = !a; pc++; break;
        case 0xa2: x = v; z = !x; pc++; break;
        case 0xa5: a = ram[256 + v]; z = !a; pc++; break;
        case 0x85: ram[256 + v] = a; pc++; break;
        case 0x69: { u32 s = a + v + c; c = s > 255; a = (u8)s; z = !a; pc++; break; }
        case 0xe8: x++; z = !x; break;
        case 0xca: x--; z = !x; break;
        case 0xc9: c = a >= v; z = a == v; pc++; break;
        case 0xd0: pc++; if (!z) pc += (signed char)v; break;
        case 0xf0: pc++; if (z) pc += (signed char)v; break;
        case 0x95: ram[256 + (u8)(v + x)] = a; pc++; break;
        case 0x0a: c = a >> 7; a <<= 1; z = !a; break;
        case 0x4a: c = a & 1; a >>= 1; z = !a; break;
        case 0xa8: y = a; break;
        case 0x4c: pc = v; break;
        default: return a + x * 256 + y;
        }
    }
    return a;
}
NOINLINE long long longs(const u8 *pc, long long limit) {
    long long *sp = big, acc = 0;
    while (acc < limit) switch (*pc++) {
    case 'p': *sp++ = acc; break;
    case '+': acc += *--sp; break;
    case '*': acc = acc * *--sp + 1; break;
    case 'i': acc++; break;
    case 'd': acc = acc << 1; break;
    case 'r': pc -= *pc; if (sp > big + 20) sp = big; break;
    case 'n': if (acc & 1) pc++; break;
    default: return acc;
    }
    return acc;
}
enum { OUT, WORD, NUMBER, STRING, REMARK };
NOINLINE int scan(const char *s) {
    int state = OUT, tokens = 0, sum = 0;
    for (; *s; s++) {
        char c = *s;
        switch (state) {
        case OUT: if (c >= '0' && c <= '9') { state = NUMBER; sum = sum * 10 + c - '0'; } else if (c == '"') state = STRING; else if (c == '#') state = REMARK; else if (c > ' ') state = WORD; break;
        case WORD: if (c <= ' ') { state = OUT; tokens++; } break;
        case NUMBER: if (c >= '0' && c <= '9') sum = (sum * 10 + c - '0') & 0xffff; else { state = OUT; tokens++; } break;
        case STRING: if (c == '\\' && s[1]) s++; else if (c == '"') { state = OUT; tokens++; } break;
        case REMARK: if (c == '\n') state = OUT; break;
        }
    }
    return tokens * 65536 + sum;
}
NOINLINE int glob(const char *p, const char *s) {
    const char *star = 0, *from = 0;
    while (*s) {
        if (*p == '?' || *p == *s) p++, s++;
        else if (*p == '*') star = p++, from = s;
        else if (star) p = star + 1, s = ++from;
        else return 0;
    }
    while (*p == '*') p++;
    return !*p;
}
NOINLINE int expand(const u8 *p, int n, u8 *q) {
    u8 *start = q;
    for (const u8 *end = p + n; p < end;) {
        u8 c = *p++;
        switch (c >> 6) {
        case 0: for (int i = 0; i < (c & 15); i++) *q++ = *p; p++; break;
        case 1: *q++ = c & 63; break;
        case 2: if (q - start > (c & 63)) *q = q[-(c & 63)]; q++; break;
        default: *q++ = c ^ *p; break;
        }
        if (q > start + 240) break;
    }
    return (int)(q - start);
}
NOINLINE u32 automaton(u32 rule, int rounds) {
    u32 sum = 0;
    for (int r = 0; r < rounds; r++) {
        u8 before = tape[255];
        for (int i = 0; i < 255; i++) { u8 now = tape[i]; tape[i] = rule >> (before << 2 | now << 1 | tape[i + 1]) & 1; before = now; sum += tape[i]; }
    }
    return sum;
}
EXPORT u32 run(u32 n) {
    static const short square[] = {0, 9, 3, 8, 10, 1, 6, 3, 12, 12, 3, 0, 1, 2, 4, 1, 9};
    static const u8 six[] = {0xa2, 10, 0xa9, 3, 0x69, 7, 0x95, 4, 0x85, 9, 0xc9, 200, 0xca, 0xd0, 0xf5, 0x4a, 0xa8, 0};
    u32 seed = n | 1, sum = 0;
    for (int i = 0; i < 64; i++) { code[i] = next(&seed) & 0xffff7fff; if ((code[i] & 15) > 11) code[i] &= ~15u; }
    for (int i = 0; i < 17; i++) ops[i] = square[i];
    for (int i = 0; i < 18; i++) ram[i] = six[i];
    for (int i = 0; i < 255; i++) { line[i] = "ab 12\"c\"# x\n?*"[next(&seed) % 14]; tape[i] = i == 9; }
    for (int i = 0; i < 5; i++) sum += registers(2000) + words(ops, 300) + processor(900) + (u32)longs((const u8 *)"iipdi*pn+nr\007x", 1ll << 40);
    return sum + scan(line) + glob("*a?1*c*", line) + expand((u8 *)line, 200, (u8 *)out) + automaton(110, 20);
}
