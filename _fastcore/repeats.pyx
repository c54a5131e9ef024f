"""See repeats.pxd.

At a loop's label everything is in canonical slots and nothing is known of accumulators, and so it is where code goes back to it. What the
operations up to the first way out of the loop do depends on nothing else: the same operations do the same elsewhere, and a trap in them
names the same place of the module. In metered code they belong to the stretch that goes back, which pays for them as for its own.

Two bytes of a module go back, and a head may have thirty words. So the copies of a function together have no more words than the function
has bytes (`Tr.repeatable`): about twice as many as compilers' code comes to without them. Afterwards code jumps to the head.
"""

from libc.stdint cimport uint8_t, uint32_t
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *

cdef enum:
    MOST = 8                    # operations in a head
    SHARED_WORDS = 3            # of the br_table_shared at its end


cdef bint is_repeatable(Tr* tr, Ir* ir) noexcept nogil:
    """Does an operation neither branch, nor call, nor end a stretch?"""
    cdef uint8_t format = tr.tables.operations[ir.op].format
    return format == FORMAT_VALUE or format == FORMAT_LOAD or format == FORMAT_STORE or OP_COPY <= ir.op <= OP_SELECT_I_R


cdef void note_head(Tr* tr, uint32_t loop, uint32_t n) noexcept nogil:
    """The block that was encoded last, of n operations, began with a loop and ends with its br_table: the loop's head from now on."""
    cdef Ctrl* c = &tr.ctrls[loop]
    cdef Ir* ir
    cdef uint32_t i
    if n > MOST or not reserve(tr, <void**>&tr.heads, &tr.cap_heads, <uint64_t>tr.n_heads + n, sizeof(Ir)):
        return
    for i in range(n - 1):
        if not is_repeatable(tr, &tr.irs[i]):
            return
    for i in range(n):
        tr.heads[tr.n_heads + i] = tr.irs[i]
    c.head = tr.n_heads
    c.head_ops = n
    c.head_words = tr.irs[n - 1].word + SHARED_WORDS - tr.labels[c.label]
    tr.n_heads += n
    ir = &tr.heads[tr.n_heads - 1]
    ir.op = OP_BR_TABLE_SHARED_PAID if tr.metered else OP_BR_TABLE_SHARED
    ir.label = new_label(tr) + 1
    tr.labels[ir.label - 1] = ir.word + 2
    ir.k = ir.extra
    ir.x = 0


cdef bint repeat_head(Tr* tr, Ctrl* c) noexcept nogil:
    """In the place of a jump to a loop; False when it has no head, there are enough copies, or the stretch would be too long."""
    cdef uint32_t before = tr.paid
    cdef uint32_t i
    cdef Ir* ir
    cdef Ir head
    if c.head_ops == 0 or c.head_words > tr.repeatable or (tr.metered and before + tr.heads[c.head + c.head_ops - 1].paid >= LONGEST_STRETCH):
        return False
    tr.repeatable -= c.head_words
    for i in range(c.head_ops):
        ir = new_ir(tr, tr.heads[c.head + i].op)
        head = tr.heads[c.head + i]
        head.stretch = tr.stretch
        if tr.metered:
            head.paid += before - tr.points[c.label].paid
            tr.paid = tr.totals[tr.stretch] = head.paid
        ir[0] = head
    tr.barrier = tr.n_irs
    tr.ended = True
    return True
