"""See repeats.pxd.

At a loop's label everything is in canonical slots and nothing is known of accumulators, and so it is where code goes back to it. What the
operations up to the first way out of the loop do depends on nothing else: the same operations do the same elsewhere, and a trap in them
names the same place of the module. In metered code they belong to the stretch that goes back, which pays for them as for its own.

Two bytes of a module go back, and a head may have thirty words. So the copies of a function together have no more words than the function
has bytes (`Tr.repeatable`): about twice as many as compilers' code comes to without them. Afterwards code jumps to the head.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy
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


cdef Ir* last_copy(Tr* tr) noexcept nogil:
    """The last operation, if that copies a slot."""
    if tr.n_irs > tr.barrier and tr.irs[tr.n_irs - 1].op == OP_COPY:
        return &tr.irs[tr.n_irs - 1]
    return NULL


cdef void read_original(Ir* ops, uint32_t n, Ir* copied) noexcept nogil:
    """Read what was copied where it stands longer: a processor is slow to read what it has just written."""
    cdef uint32_t i
    for i in range(n):
        if ops[i].reads & 1 and ops[i].a == copied.dst:
            ops[i].a = copied.a
        if ops[i].reads & 2 and ops[i].b == copied.dst:
            ops[i].b = copied.a
        if ops[i].reads & 4 and ops[i].x == copied.dst:
            ops[i].x = copied.a
        if ops[i].writes and (ops[i].dst == copied.dst or ops[i].dst == copied.a):
            return


cdef bint can_stand_aside(Ir* ir) noexcept nogil:
    """May this be an addition that leaves the accumulator as it is? It stands in front of another operation."""
    return ir.op == OP_I32_ADD and ir.ka == AT_SLOT and ir.kb == AT_CONSTANT and ir.writes and ir[1].ka != AT_REGISTER and ir[1].kb != AT_REGISTER


cdef bint take_from_register(Tr* tr, Ir* ops, uint32_t n, int64_t held) noexcept nogil:
    """Have the first operation that reads a slot which the accumulator of integers equals take it from there, if no more than additions
    stand in front of it. So an interpreter fetches by the counter of its program without waiting until that is in memory."""
    cdef uint32_t i = 0
    cdef uint32_t k
    while can_stand_aside(&ops[i]) and ops[i].dst != held:
        i += 1
    if not ops[i].reads & 1 or ops[i].a != held or ops[i].kb == AT_REGISTER or not has(tr, ops[i].op, AT_REGISTER, ops[i].kb):
        return False
    for k in range(i):
        ops[k].op = OP_I32_ADD_ASIDE
    ops[i].ka = AT_REGISTER
    ops[i].reads &= ~1
    return True


cdef void fit(Tr* tr, Ir* ops, uint32_t n) noexcept nogil:
    """Make the best of what is known where a head is repeated, and is not where the loop begins."""
    cdef Ir* copied = last_copy(tr)
    if copied == NULL:
        if tr.holder[1] < 0 and tr.known[1] >= 0:
            take_from_register(tr, ops, n, tr.known[1])
        return
    if take_from_register(tr, ops, n, copied.dst):
        copied.op = OP_COPY_I
    read_original(ops, n, copied)


cdef bint repeat_head(Tr* tr, Ctrl* c) noexcept nogil:
    """In the place of a jump to a loop; False when it has no head, there are enough copies, or the stretch would be too long."""
    cdef uint32_t before = tr.paid
    cdef uint32_t i
    cdef Ir[MOST] ops
    cdef Ir* ir
    if c.head_ops == 0 or c.head_words > tr.repeatable or (tr.metered and before + tr.heads[c.head + c.head_ops - 1].paid >= LONGEST_STRETCH):
        return False
    tr.repeatable -= c.head_words
    memcpy(ops, &tr.heads[c.head], c.head_ops * sizeof(Ir))
    fit(tr, ops, c.head_ops)
    for i in range(c.head_ops):
        ir = new_ir(tr, ops[i].op)
        ops[i].stretch = tr.stretch
        if tr.metered:
            ops[i].paid += before - tr.points[c.label].paid
            tr.paid = tr.totals[tr.stretch] = ops[i].paid
        ir[0] = ops[i]
    tr.barrier = tr.n_irs
    tr.ended = True
    return True
