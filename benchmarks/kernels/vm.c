/* A bytecode interpreter: one switch in a loop, which becomes br_table. The guest program counts the steps of the Collatz
   sequences of 1 .. n. */
#include "kernel.h"

enum { PUSH, LOAD, STORE, ADD, MUL, HALVE, ODD, LESS, JUMP, JUMP_UNLESS, HALT };

/* Variables: 0 the start, 1 the current number, 2 the steps, 3 the limit. */
static const u8 program[] = {
    /*  0 */ PUSH, 1, STORE, 0,
    /*  4 next start */ LOAD, 0, STORE, 1,
    /*  8 next step  */ PUSH, 1, LOAD, 1, LESS, JUMP_UNLESS, 46,
    /* 15 */ LOAD, 2, PUSH, 1, ADD, STORE, 2,
    /* 22 */ LOAD, 1, ODD, JUMP_UNLESS, 39,
    /* 27 odd        */ LOAD, 1, PUSH, 3, MUL, PUSH, 1, ADD, STORE, 1, JUMP, 8,
    /* 39 even       */ LOAD, 1, HALVE, STORE, 1, JUMP, 8,
    /* 46 reached 1  */ LOAD, 0, PUSH, 1, ADD, STORE, 0,
    /* 53 */ LOAD, 0, LOAD, 3, LESS, JUMP_UNLESS, 62, JUMP, 4,
    /* 62 */ LOAD, 2, HALT,
};

static u32 variables[4], stack[16];

static NOINLINE u32 interpret(const u8 *code) {
    const u8 *pc = code;
    u32 *sp = stack;
    for (;;) {
        switch (*pc++) {
            case PUSH: *sp++ = *pc++; break;
            case LOAD: *sp++ = variables[*pc++]; break;
            case STORE: variables[*pc++] = *--sp; break;
            case ADD: sp--; sp[-1] += sp[0]; break;
            case MUL: sp--; sp[-1] *= sp[0]; break;
            case HALVE: sp[-1] >>= 1; break;
            case ODD: sp[-1] &= 1; break;
            case LESS: sp--; sp[-1] = sp[-1] < sp[0]; break;
            case JUMP: pc = code + *pc; break;
            case JUMP_UNLESS: pc = *--sp ? pc + 1 : code + *pc; break;
            default: return sp[-1];
        }
    }
}

EXPORT(run) u32 run(u32 n) {
    variables[2] = 0;
    variables[3] = n + 1;
    return interpret(program);
}
