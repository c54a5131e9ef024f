"""See encoding.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.dispatch cimport handler_word, last_joined
from pywasm_ref._fastcore.layout cimport W, slots_of
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *


# ---------------------------------------------------------------------------------------------- fuel, see metering.pyx

cdef void new_stretch(Tr* tr) noexcept nogil:
    if reserve(tr, <void**>&tr.totals, &tr.cap_totals, <uint64_t>tr.stretch + 2, sizeof(uint32_t)):
        tr.stretch += 1
        tr.totals[tr.stretch] = 0
    tr.paid = 0
    tr.ended = False


cdef void emit_fuel(Tr* tr) noexcept nogil:
    """Pay for this stretch. Who runs out of ticks here has no accumulators afterwards."""
    cdef int k
    tr.owing = False
    clobber_all(tr)
    new_ir(tr, OP_FUEL)
    for k in range(4):
        tr.known[k] = -1


cdef void bind_point(Tr* tr, uint32_t label) noexcept nogil:
    if tr.ended:
        new_stretch(tr)
    if reserve(tr, <void**>&tr.points, &tr.cap_points, <uint64_t>label + 1, sizeof(Point)):
        tr.points[label].stretch = tr.stretch
        tr.points[label].paid = tr.paid


cdef void add_charge(Tr* tr, Ir* ir, uint32_t label, uint32_t word) noexcept nogil:
    cdef Charge* c
    if reserve(tr, <void**>&tr.charges, &tr.cap_charges, <uint64_t>tr.n_charges + 1, sizeof(Charge)):
        c = &tr.charges[tr.n_charges]
        tr.n_charges += 1
        c.word = word
        c.label = label
        c.at.stretch = ir.stretch
        c.at.paid = ir.paid


cdef void meter_ir(Tr* tr, Ir* ir) noexcept nogil:
    """An operation is encoded at the next word."""
    cdef Step* step
    if reserve(tr, <void**>&tr.steps, &tr.cap_steps, <uint64_t>tr.n_steps + 1, sizeof(Step)):
        step = &tr.steps[tr.n_steps]
        tr.n_steps += 1
        step.word = tr.n_words
        step.handler = ir.handler
        step.at.stretch = ir.stretch
        step.at.paid = NO_LABEL if ir.op == OP_FUEL else ir.paid
    if ir.op == OP_FUEL:
        add_charge(tr, ir, NO_LABEL, tr.n_words + 1)
    elif ir.label and ir.op != OP_BR_TABLE_SHARED_PAID:
        add_charge(tr, ir, ir.label - 1, tr.n_words + 1)
    elif ir.op == OP_THROW_NEW or ir.op == OP_THROW_AGAIN:
        ir.dst = 0


# ---------------------------------------------------------------------------------------------- labels and encoding

cdef uint32_t new_label(Tr* tr) noexcept nogil:
    if not reserve(tr, <void**>&tr.labels, &tr.cap_labels, tr.n_labels + 1, sizeof(uint32_t)):
        return 0
    tr.labels[tr.n_labels] = NO_LABEL
    tr.n_labels += 1
    return tr.n_labels - 1


cdef void bind(Tr* tr, uint32_t label) noexcept nogil:
    """A label is here; only between blocks."""
    tr.labels[label] = tr.n_words
    if tr.metered:
        bind_point(tr, label)


cdef uint64_t zeros_wanted(Tr* tr, uint32_t start, uint32_t n) noexcept nogil:
    """Which of n slots the first block does not write before anybody reads them: a bit for each. What follows a branch is not looked at, nor
    what follows an operation whose `reads` may not say all."""
    cdef uint64_t wanted = ~<uint64_t>0 >> (64 - n)
    cdef uint64_t read = 0
    cdef uint32_t i
    cdef Ir* ir
    for i in range(1, tr.n_irs):
        ir = &tr.irs[i]
        if ir.label or (tr.tables.operations[ir.op].format == FORMAT_RAW and not OP_COPY <= ir.op <= OP_SELECT_I_R) or ir.op == OP_COPY_N:
            break
        if ir.reads & 1 and start <= ir.a < start + n:
            read |= <uint64_t>1 << (ir.a - start)
        if ir.reads & 2 and start <= ir.b < start + n:
            read |= <uint64_t>1 << (ir.b - start)
        if ir.reads & 4 and start <= ir.x < start + n:
            read |= <uint64_t>1 << (ir.x - start)
        if ir.writes and start <= ir.dst < start + n and not read >> (ir.dst - start) & 1:
            wanted &= ~(<uint64_t>1 << (ir.dst - start))
    return wanted


cdef bint shrink_enter(Tr* tr) noexcept nogil:
    """The first operation makes locals zero: only those from the first to the last one that need it. False when none does."""
    cdef Ir* ir = &tr.irs[0]
    cdef uint32_t start = ir.a
    cdef uint32_t n = <uint32_t>ir.extra
    cdef uint64_t wanted
    cdef uint32_t i
    if n > 64:
        return True
    for i in range(tr.n_locals):
        if tr.local_slots[i] >= start and slots_of(tr.local_types[i]) != 1:
            return True
    wanted = zeros_wanted(tr, start, n)
    if wanted == 0:
        return False
    while not wanted & 1:
        wanted >>= 1
        start += 1
        n -= 1
    while not wanted >> (n - 1) & 1:
        n -= 1
    set_enter(ir, start, n)
    return True


cdef void set_enter(Ir* ir, uint32_t start, uint32_t n) noexcept nogil:
    """Make it an operation that makes so many slots zero."""
    ir.op = OP_ENTER if n > 8 else OP_ENTER_1 + (n - 1)
    ir.a = start
    ir.k = n if n > 8 else 0
    ir.extra = n


cdef void end_block(Tr* tr) noexcept nogil:
    """Encode what is waiting. `irs` is a whole block, in order."""
    cdef uint32_t i
    cdef uint32_t last = last_joined()
    cdef uint32_t first = 0
    cdef int k
    if tr.owing:
        emit_fuel(tr)
    if tr.entering:
        tr.entering = False
        first = 0 if shrink_enter(tr) else 1
    if reserve(tr, <void**>&tr.words, &tr.cap_words, <uint64_t>tr.n_words + tr.n_irs * 4 + 2 * tr.n_targets, sizeof(W)):
        for i in range(first, tr.n_irs):
            encode(tr, &tr.irs[i])
        i = first
        while i < tr.n_irs:
            i += join(tr, i, last)
    tr.n_irs = tr.n_targets = tr.barrier = tr.opened = 0
    for k in range(4):
        tr.holder[k] = -1
        tr.known[k] = -1


cdef uint32_t join(Tr* tr, uint32_t first, uint32_t last) noexcept nogil:
    """Let one handler, whose number is at most `last`, do as many operations from here on as there is one for; how many that are. Their words
    stay as they are."""
    cdef const Tables* t = tr.tables
    cdef uint32_t node = t.first[tr.irs[first].handler]
    cdef uint32_t i = first + 1
    cdef uint32_t n = 1
    while node and i < tr.n_irs:
        node = follow(t, node, tr.irs[i].handler)
        i += 1
        if t.joined[node] and t.joined[node] <= last:
            n = i - first
            tr.words[tr.irs[first].word].u = handler_word(t.joined[node])
    return n


cdef inline uint32_t follow(const Tables* t, uint32_t node, uint32_t handler) noexcept nogil:
    """Where the edge for a handler leads to, or 0. Edges are sorted by handler."""
    cdef uint32_t low = t.starts[node]
    cdef uint32_t end = t.starts[node + 1]
    cdef uint32_t n = end - low
    while n > 1:
        low += n >> 1 if t.edges[2 * (low + (n >> 1))] <= handler else 0
        n -= n >> 1
    return t.edges[2 * low + 1] if low < end and t.edges[2 * low] == handler else 0


cdef void encode(Tr* tr, Ir* ir) noexcept nogil:
    cdef const Operation* info = &tr.tables.operations[ir.op]
    cdef bint writes = ir.writes and info.acc != 0
    cdef uint32_t handler = tr.tables.variants[ir.op * 32 + (ir.ka << 3 | ir.kb << 1 | writes)]
    cdef W* w = &tr.words[tr.n_words]
    cdef uint32_t length = tr.tables.lengths[handler]
    cdef uint32_t i
    if (ir.places or tr.metered) and reserve(tr, <void**>&tr.places, &tr.cap_places, tr.n_places + 2, sizeof(uint32_t)):
        tr.places[tr.n_places] = tr.n_words
        tr.places[tr.n_places + 1] = ir.at
        tr.n_places += 2
    ir.handler = handler
    ir.word = tr.n_words
    if tr.metered:
        meter_ir(tr, ir)
    w[0].u = handler_word(handler)
    w[1].u = 0
    operands(info, ir, w)
    if ir.op == OP_BR_TABLE:
        w[1].w[1] = <uint32_t>ir.extra
        for i in range(<uint32_t>ir.extra + 1):
            fix(tr, tr.n_words + 2 + i, tr.targets[ir.x + i])
        length = 3 + <uint32_t>ir.extra
    elif ir.op == OP_BR_TABLE_PAID:
        w[1].w[1] = <uint32_t>ir.extra
        for i in range(<uint32_t>ir.extra + 1):
            fix(tr, tr.n_words + 2 + 2 * i, tr.targets[ir.x + i])
            w[3 + 2 * i].u = 0
            add_charge(tr, ir, tr.targets[ir.x + i], tr.n_words + 3 + 2 * i)
        length = 4 + 2 * <uint32_t>ir.extra
    elif ir.label:
        fix(tr, tr.n_words + 2, ir.label - 1)
    tr.n_words += length


cdef void fix(Tr* tr, uint32_t word, uint32_t label) noexcept nogil:
    if reserve(tr, <void**>&tr.fixes, &tr.cap_fixes, tr.n_fixes + 1, sizeof(Fix)):
        tr.fixes[tr.n_fixes].word = word
        tr.fixes[tr.n_fixes].label = label
        tr.n_fixes += 1


cdef void operands(const Operation* info, Ir* ir, W* w) noexcept nogil:
    """The second word, and constants behind it. The layout is that of `generate/handlers.py`."""
    if ir.extras:
        w[2].u = ir.extra
        if ir.extras > 1:
            w[3].u = ir.offset
    w[1].h[1] = ir.dst
    if info.format == FORMAT_RAW:
        w[1].h[0] = ir.a
        w[1].h[2] = ir.b
        w[1].h[3] = ir.x
        if ir.k:
            w[1].w[1] = <uint32_t>ir.k
    elif info.format == FORMAT_LOAD:
        w[1].h[0] = ir.a
        w[1].w[1] = <uint32_t>ir.offset
        if ir.ka == AT_CONSTANT:
            w[2].u = (ir.k & 0xffffffffU) + ir.offset
    elif info.format == FORMAT_STORE:
        w[1].h[0] = ir.a
        w[1].h[1] = ir.b
        w[1].w[1] = <uint32_t>ir.offset
        if ir.ka == AT_CONSTANT:
            w[2].u = (ir.k & 0xffffffffU) + ir.offset
            if ir.kb == AT_CONSTANT:
                w[3].u = ir.extra
        elif ir.kb == AT_CONSTANT:
            w[2].u = ir.k
    else:
        w[1].h[3] = ir.x
        if ir.ka == AT_SLOT:
            w[1].h[0] = ir.a
            if ir.kb == AT_SLOT:
                w[1].h[2] = ir.b
        elif ir.kb == AT_SLOT:
            w[1].h[0] = ir.b
        if ir.ka == AT_CONSTANT or ir.kb == AT_CONSTANT:
            if info.wide:
                w[3 if info.format == FORMAT_BRANCH else 2].u = ir.k
            else:
                w[1].w[1] = <uint32_t>ir.k
