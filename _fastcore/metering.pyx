"""See metering.pxd.

A **stretch** is code from which nothing goes away but by branches: it ends with a branch that is always taken, or with a call, which
may use up the fuel. Whoever enters it, at its start or at a label inside, pays at once for all instructions up to its end; a branch
that leaves it early takes back what is left. So the one price of a branch is what is behind its target less what is behind itself,
code that falls through branches and labels pays nothing, and only behind a call stands an operation `fuel`.
"""

from libc.stdint cimport int16_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport malloc
from pywasm_ref._fastcore.layout cimport HANDLE_DELEGATE, W
from pywasm_ref._fastcore.rules_control cimport emit_jump
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *


cdef bint begin_stretches(Tr* tr) noexcept nogil:
    """False when memory is out."""
    tr.stretch = tr.paid = tr.n_charges = tr.n_steps = 0
    tr.owing = tr.ended = False
    if not reserve(tr, <void**>&tr.totals, &tr.cap_totals, 1, sizeof(uint32_t)):
        return False
    tr.totals[0] = 0
    return True


cdef bint is_free(uint8_t opcode) noexcept nogil:
    """What only ends or divides a block is no instruction: `else`, `end`, and the clauses of a legacy `try`."""
    return opcode == 0x05 or opcode == 0x0b or opcode == 0x07 or opcode == 0x18 or opcode == 0x19


cdef void count(Tr* tr) noexcept nogil:
    """One more instruction, which can be reached."""
    if is_free(tr.at[0]):
        return
    if tr.paid >= LONGEST_STRETCH:
        new_stretch(tr)
        tr.owing = True
    if tr.owing:
        emit_fuel(tr)
    tr.paid += 1
    tr.totals[tr.stretch] = tr.paid


cdef void pay_at_landings(Tr* tr) noexcept nogil:
    """Exceptions come to a label from anywhere: a jump behind the function pays for what is there."""
    cdef uint32_t i, label
    for i in range(tr.n_handlers):
        if tr.handlers[i].tag == HANDLE_DELEGATE:
            continue
        label = new_label(tr)
        tr.ended = True
        bind(tr, label)
        emit_jump(tr, tr.handlers[i].landing)
        tr.handlers[i].landing = label
        end_block(tr)


cdef uint32_t behind(Tr* tr, Point at) noexcept nogil:
    """How many instructions of the stretch come after."""
    return tr.totals[at.stretch] - at.paid


cdef int price(Tr* tr, W* words) noexcept nogil:
    """All stretches are known: write what branches cost, and what is paid behind each operation."""
    cdef uint32_t i
    cdef Charge* c
    cdef uint32_t* steps = <uint32_t*>malloc((<uint64_t>tr.n_steps + 1) * 12)
    if steps == NULL:
        return -1
    for i in range(tr.n_charges):
        c = &tr.charges[i]
        if c.label == NO_LABEL:
            words[c.word].h[1] = tr.totals[c.at.stretch]
        else:
            words[c.word].h[1] = <int16_t>(<int>behind(tr, tr.points[c.label]) - <int>behind(tr, c.at))
    for i in range(tr.n_steps):
        steps[3 * i] = tr.steps[i].word
        steps[3 * i + 2] = tr.steps[i].handler
        steps[3 * i + 1] = 0 if tr.steps[i].at.paid == NO_LABEL else behind(tr, tr.steps[i].at)
    tr.code.steps = steps
    tr.code.n_steps = tr.n_steps
    return 0
