"""Writes the portable loop: the same handlers for where tail calls cannot be relied on.

What programs run most is a place in one C function, whose variables a compiler keeps in machine registers. All else is behind a call: a C
function that is called anywhere in the loop costs registers everywhere in it. Each handler ends with a jump of its own to the next one
where the compiler can jump to the address of a label, so that processors can tell the jumps apart; elsewhere it goes back to a `switch`.
Both are macros, which Cython takes for calls: to Cython the loop is one long row of statements, and so it translates it quickly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from _fastcore.generate.handlers import (
    HEAD,
    SIGNATURE,
    VECTORS,
    Handler,
    body,
    check_bounds,
    covered,
    ends,
    expand,
    length,
    pairs,
    shifted,
    temporaries,
)
from _fastcore.generate.joined import Joined
from _fastcore.generate.model import TEMPORARIES, Variant

STATE = {"pc": "W*", "fp": "S*", "mem": "uint8_t*", "lim": "uint64_t", "r0": "uint64_t", "ctx": "Ctx*", "f0": "double", "g0": "float"}
REGISTER_NAMES = tuple(STATE)
STATE |= TEMPORARIES
OWN = re.compile(rf"(?<![.\w])({'|'.join(STATE)})\b(?!\()")
REFILL = ["if ctx.make_room(ctx, pc, fp, pc[3].w[0]) != 0: return ctx.trap"]
"""What the loop does where threaded code goes to `ctx.refill`: an allocation that finds no cell makes room, and is tried once more."""
STAY = -1
"""What a function of the rarer handlers returns when the loop goes on."""
POLL, BEYOND = "0", "0xffffffffU"
"""What is no number of a handler: a look at the clock, and at the length of a shared memory, which may have grown since `lim` was read."""
HOT_TOPICS = {"integer", "float", "branch", "memory", "control", "calls", "folded"}
RARE = re.compile(
    r"memory\.|call_import|call_deeper|call_elsewhere|return_call|call_ref|exhausted|restore|lower|throw|halt|stepped|ref_func|enter$|copy_n"
    r"|unreachable"
    r"|global_\w*far|f\d\d\.(ceil|floor|trunc|nearest|sqrt|min|max|copysign)|i\d\d\.(popcnt|trunc_)"
)
JOINED = 200
"""So many superinstructions are cases of the loop, the first ones."""
AT_ONCE = 128
"""So many handlers are in one function of the rarer ones, for the sake of those who build with little memory."""


LOOKS = f"""
cdef int poll(State* m) noexcept nogil:
    cdef int status = m.ctx.poll(m.ctx, m.pc, m.fp)
    if status > 0:
        return m.ctx.trap
    if status < 0:
        m.pc = m.ctx.pc
    m.mem = m.ctx.mem0.base
    m.lim = m.ctx.mem0.size
    return {STAY}


cdef int beyond(State* m) noexcept nogil:
    if m.ctx.mem0.size <= m.lim or m.mem != m.ctx.mem0.base:
        return trap(m.ctx, m.pc, m.fp, TRAP_OUT_OF_BOUNDS_MEMORY)
    m.lim = m.ctx.mem0.size
    return {STAY}
"""


def is_hot(v: Handler) -> bool:
    return all(part.operation.topic in HOT_TOPICS and not RARE.match(part.operation.name) for part in v.parts)


MACROS = """
cdef extern from *:
    \"\"\"
    #if defined(__GNUC__)
    #define PYWASM_FORGET() __asm__ volatile("" : : : "memory")
    #else
    #define PYWASM_FORGET() (void)0
    #endif
    #if !defined(__GNUC__) || defined(__clang__)
    #define PYWASM_SWITCH
    #endif
    #ifdef PYWASM_SWITCH
    #define PYWASM_BEGIN(pc) pywasm_next: switch ((pc)[0].u) {{
    #define PYWASM_CASE(n) case n: PYWASM_FORGET()
    #define PYWASM_NEXT(pc) goto pywasm_next
    #define PYWASM_OTHERS() default: (void)0
    #define PYWASM_END() }}
    #else
    {labels}
    #define PYWASM_BEGIN(pc) static const void* const pywasm_labels[] = {{[0 ... {last}] = &&pywasm_rest, {chunks}}}; PYWASM_NEXT(pc)
    #define PYWASM_CASE(n) pywasm_##n: PYWASM_FORGET()
    #define PYWASM_NEXT(pc) goto *pywasm_labels[(pc)[0].u]
    #define PYWASM_OTHERS() pywasm_rest: (void)0
    #define PYWASM_END() (void)0
    #endif
    #define PYWASM_AWAY() goto pywasm_away
    #define PYWASM_LABEL() pywasm_away: (void)0
    \"\"\"
    void begin "PYWASM_BEGIN" (W* pc) noexcept nogil
    void case_of "PYWASM_CASE" (int n) noexcept nogil
    void go_on "PYWASM_NEXT" (W* pc) noexcept nogil
    void others "PYWASM_OTHERS" () noexcept nogil
    void end "PYWASM_END" () noexcept nogil
    void go_away "PYWASM_AWAY" () noexcept nogil
    void away_label "PYWASM_LABEL" () noexcept nogil
{numbers}
"""
"""The empty `asm` says that memory may have changed at a label. So it has, and a compiler that looks through all ways there takes long.
So does clang (more than ten minutes) with the ways from each label to each other, which it has labels for; it is given a `switch`.
-DPYWASM_SWITCH builds with gcc what other compilers are given."""
CHUNK = 64
"""Labels in one macro: lines of C may not be too long."""


def _macros(hot: Sequence[Handler], last: int) -> str:
    chunks = [hot[at : at + CHUNK] for at in range(0, len(hot), CHUNK)]
    entries = (", ".join(f"[{v.number}] = &&pywasm_{v.number}" for v in chunk) for chunk in chunks)
    labels = (f"#define PYWASM_LABELS_{i} {row}" for i, row in enumerate(entries))
    names = ", ".join(f"PYWASM_LABELS_{i}" for i in range(len(chunks)))
    numbers = "\n".join(f'    int n{v.number} "{v.number}"' for v in hot)
    return MACROS.format(labels="\n    ".join(labels), last=last, chunks=names, numbers=numbers)


def loop(found: Sequence[Variant], rows: Sequence[Joined]) -> str:
    """The loop itself, and how it calls what is not in it."""
    numbers = {v.name: v.number for v in found}
    every: list[Handler] = [*found, *rows[:JOINED]]
    hot = [v for v in every if is_hot(v)]
    away = [f"number = {number}; go_away()" for number in (POLL, BEYOND)]
    jump = ["if unlikely(ctx.ticks < 0):", "    " + away[0], "go_on(pc)"]
    lines = [line for v in hot for line in (f"case_of(n{v.number})", *_lines(v, jump, away[1], numbers))]
    out = [HEAD.format(doc="Handlers as cases of a loop, for compilers that do not turn tail calls into jumps.", vectors="")]
    out.append("from pywasm_ref._fastcore.loop_rest cimport State, rest\n")
    out.append(_macros(hot, max(v.number for v in every)))
    out.append(f"\ncdef int loop({SIGNATURE}) noexcept nogil:\n    cdef State away\n    cdef uint64_t number\n    cdef int done")
    out += [f"    {line}" for line in (*temporaries(lines), "begin(pc)", *lines)]
    out.append("    others()\n    number = pc[0].u\n    away_label()")
    out += [f"    away.{name} = {name}" for name in REGISTER_NAMES]
    out.append(f"    done = rest(&away, number)\n    if done != {STAY}:\n        return done")
    out += [f"    {name} = away.{name}" for name in REGISTER_NAMES]
    out.append("    go_on(pc)\n    end()")
    return "\n".join(out) + "\n"


def rest_header(rows: Sequence[Joined]) -> str:
    last = max((row.number for row in rows[:JOINED]), default=0)
    members = "".join(f"    {c} {name}\n" for name, c in STATE.items())
    return (
        '"""Generated by _fastcore/generate: the state of the loop, and what the loop does not do itself."""\n\n'
        "from libc.stdint cimport uint8_t, uint64_t\nfrom pywasm_ref._fastcore.layout cimport *\n\n"
        f"cdef enum:\n    LAST_JOINED = {last}\n\ncdef struct State:\n{members}\ncdef int rest(State* m, uint64_t number) noexcept nogil\n"
    )


def rest(found: Sequence[Variant], rows: Sequence[Joined]) -> str:
    """The rarer handlers as cases of several functions."""
    every: list[Handler] = [*found, *rows[:JOINED]]
    rare = [v for v in every if not is_hot(v)]
    groups = [rare[at : at + AT_ONCE] for at in range(0, len(rare), AT_ONCE)]
    out = [HEAD.format(doc="The handlers that are not in the loop itself.", vectors=VECTORS), LOOKS]
    for i, group in enumerate(groups):
        out.append(f"\ncdef int rest_{i}(State* m, uint64_t number) noexcept nogil:")
        out += _cases(group, {v.name: v for v in found})
    out.append("\ncdef int rest(State* m, uint64_t number) noexcept nogil:")
    out.append(f"    if number == {POLL}: return poll(m)\n    if number == {BEYOND}: return beyond(m)")
    out += [f"    if number <= {group[-1].number}: return rest_{i}(m, number)" for i, group in enumerate(groups)]
    return "\n".join([*out, "    unreachable()"]) + "\n"


def _words() -> Iterator[str]:
    yield "if"
    while True:
        yield "elif"


def _cases(group: Sequence[Handler], by_name: dict[str, Variant]) -> Iterator[str]:
    jump = ["if unlikely(ctx.ticks < 0):", "    return poll(m)", f"return {STAY}"]
    for word, v in zip(_words(), group, strict=False):
        yield f"    {word} number == {v.number}:"
        elsewhere = re.search(r"\bELSEWHERE (\w+)", "\n".join(body(v.parts[0])))
        whole = by_name[elsewhere[1]] if elsewhere else v  # here it costs nothing to do all at once
        yield from ("        " + OWN.sub(r"m.\g<0>", line) for line in _lines(whole, jump, "return beyond(m)", {}))
    yield "    else:\n        unreachable()"


def _elsewhere(line: str, numbers: dict[str, int]) -> str:
    return re.sub(r"\bELSEWHERE (\w+)", lambda m: f"pc = &pc[0]; number = {numbers[m[1]]}; go_away()", line)


def _lines(v: Handler, jump: list[str], beyond: str, numbers: dict[str, int]) -> Iterator[str]:
    """The lines of a handler; the last one of `jump` goes on at pc."""
    go_on = jump[-1]
    at = 0
    for part, following in pairs(v.parts):
        lines = [_elsewhere(line, numbers) for line in covered(part, following)]
        for line in expand(list(check_bounds(lines, ["pc = &pc[0]", beyond])), jump, [go_on], [*REFILL, go_on]):
            yield shifted(line, at)
        at += length(part)
    if not ends(body(v.parts[-1])):
        yield f"pc = pc + {at}"
        yield go_on
