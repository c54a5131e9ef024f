"""The abstract stack and the operations of one block. See README.md, "Translation"."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memset
from pywasm_ref._fastcore.layout cimport VT_V128, slots_of
from pywasm_ref._fastcore.reader cimport FAULT_MEMORY, fail
from pywasm_ref._fastcore.tables cimport *

cdef bint grow(Tr* tr, void** array, uint32_t* capacity, uint64_t wanted, uint64_t size) noexcept nogil:
    """Part of `reserve`."""
    cdef uint64_t room = capacity[0] * 2 if capacity[0] else 64
    cdef void* grown
    if room < wanted:
        room = wanted
    grown = NULL if room > 0x10000000 else realloc(array[0], room * size)
    if grown == NULL:
        fail(tr.r, FAULT_MEMORY, tr.at, b"out of memory")
        tr.failed = True
        return False
    array[0] = grown
    capacity[0] = <uint32_t>room
    return True


# ---------------------------------------------------------------------------------------------- the abstract stack

cdef enum:
    MANY = 100                  # values of the stack that are looked through for those of one local
    NEAR = 16                   # operations that are looked through between a value and its use


cdef uint32_t slot_height(Tr* tr) noexcept nogil:
    """The slot of the next value."""
    if tr.n_vals == 0:
        return tr.hdr + 2
    return tr.vals[tr.n_vals - 1].slot + slots_of(tr.vals[tr.n_vals - 1].type)


cdef Val* push(Tr* tr, uint32_t type, int kind) noexcept nogil:
    """A new value on top; when memory is out, in the place of the last one, for nothing is lowered any more."""
    cdef uint32_t slot = slot_height(tr)
    cdef Val* v
    if not reserve(tr, <void**>&tr.vals, &tr.cap_vals, tr.n_vals + 1, sizeof(Val)):
        tr.n_vals -= 1
    v = &tr.vals[tr.n_vals]
    tr.n_vals += 1
    v.type = type
    v.slot = slot
    v.kind = kind
    v.producer = -1
    v.bits = 0
    v.index = 0
    if slot + 2 > tr.max_slots:
        tr.max_slots = slot + 2
        if slot > MAX_SLOT - 8:
            tr.giant = True
    return v


cdef void forget(Tr* tr, Val* v) noexcept nogil:
    """A value leaves the stack: nothing waits for it any more."""
    if v.kind == AT_LOCAL:
        tr.local_pending[v.index] -= 1
    elif v.kind == AT_REGISTER:
        tr.holder[acc_of(v.type)] = -1


cdef void drop_to(Tr* tr, uint32_t height) noexcept nogil:
    while tr.n_vals > height:
        tr.n_vals -= 1
        forget(tr, &tr.vals[tr.n_vals])
    if tr.flushed > height:
        tr.flushed = height


cdef void save_pending(Tr* tr, uint32_t local) noexcept nogil:
    """Values that are still to be read from a local are read now; all values are, when they are too many to look for some of them often."""
    cdef uint32_t i = tr.n_vals
    if tr.local_pending[local] != 0 and i - tr.flushed > MANY:
        flush(tr, 0)
    while tr.local_pending[local] != 0 and i > tr.flushed:
        i -= 1
        if tr.vals[i].kind == AT_LOCAL and tr.vals[i].index == local:
            into_slot(tr, &tr.vals[i], tr.vals[i].slot)


# ---------------------------------------------------------------------------------------------- operations

cdef Ir* new_ir(Tr* tr, uint32_t op) noexcept nogil:
    cdef Ir* ir
    if not reserve(tr, <void**>&tr.irs, &tr.cap_irs, tr.n_irs + 1, sizeof(Ir)):
        tr.n_irs -= 1
    ir = &tr.irs[tr.n_irs]
    tr.n_irs += 1
    memset(ir, 0, sizeof(Ir))
    ir.op = op
    ir.at = <uint32_t>(tr.at - tr.unit.base)
    ir.stretch = tr.stretch
    ir.paid = tr.paid
    return ir


cdef void note_write(Tr* tr, uint32_t slot, int acc) noexcept nogil:
    """A slot has a new value; only accumulator `acc` may still equal it."""
    cdef int i
    for i in range(1, 4):
        if tr.known[i] == slot and i != acc:
            tr.known[i] = -1


cdef void into_slot(Tr* tr, Val* v, uint32_t slot) noexcept nogil:
    """Bring a value into a slot; when that is its own one, that is where it is from now on."""
    cdef Ir* ir
    cdef int acc = acc_of(v.type)
    if v.kind == AT_SLOT and v.slot == slot:
        return
    note_write(tr, slot, 0)
    if slots_of(v.type) == 2:
        note_write(tr, slot + 1, 0)
    if v.kind == AT_REGISTER and (v.slot == slot or not tr.irs[v.producer].writes):
        ir = &tr.irs[v.producer]
        ir.writes = 1
        ir.dst = slot
        if tr.holder[acc] >= 0:
            tr.holder[acc] = -1
        tr.known[acc] = slot
    elif v.kind == AT_CONSTANT and v.type == VT_V128:
        ir = new_ir(tr, OP_CONST_V)
        ir.extras = 2
        ir.extra = tr.vectors[v.bits]
        ir.offset = tr.vectors[v.bits + 1]
        ir.dst = slot
        ir.writes = 1
    elif v.kind == AT_CONSTANT:
        ir = new_ir(tr, OP_CONST64 if v.bits >> 32 else OP_CONST32)
        ir.k = ir.extra = v.bits
        ir.extras = 1 if v.bits >> 32 else 0
        ir.dst = slot
        ir.writes = 1
    else:
        ir = new_ir(tr, OP_COPY)
        ir.a = tr.local_slots[v.index] if v.kind == AT_LOCAL else v.slot
        ir.reads = 1
        ir.dst = slot
        ir.writes = 1
        if slots_of(v.type) == 2:
            ir.op = OP_COPY_V
    if v.kind == AT_LOCAL:
        tr.local_pending[v.index] -= 1
    v.kind = AT_SLOT
    v.slot = slot


cdef uint32_t slot_of(Tr* tr, Val* v) noexcept nogil:
    """A slot that a value that was popped can be read from. A local is read where it is."""
    if v.kind == AT_LOCAL:
        return tr.local_slots[v.index]
    if v.kind != AT_SLOT:
        into_slot(tr, v, v.slot)
    return v.slot


cdef void clobber(Tr* tr, int acc) noexcept nogil:
    """Something else will be in the accumulator: the operation that made its value writes it to the stack as well."""
    if acc == 0:
        return
    if tr.holder[acc] >= 0:
        into_slot(tr, &tr.vals[tr.holder[acc]], tr.vals[tr.holder[acc]].slot)
    tr.holder[acc] = -1
    tr.known[acc] = -1


cdef void clobber_all(Tr* tr) noexcept nogil:
    clobber(tr, 1)
    clobber(tr, 2)
    clobber(tr, 3)


cdef void flush(Tr* tr, uint32_t start) noexcept nogil:
    """All values from index `start` on go to their canonical slots."""
    cdef uint32_t i
    for i in range(max(start, tr.flushed), tr.n_vals):
        if tr.vals[i].kind != AT_SLOT:
            into_slot(tr, &tr.vals[i], tr.vals[i].slot)
        tr.vals[i].producer = -1
    if start <= tr.flushed:
        tr.flushed = tr.n_vals


cdef int kind_of(Val* v) noexcept nogil:
    return AT_SLOT if v.kind == AT_LOCAL else v.kind


cdef bint has(Tr* tr, uint32_t op, int ka, int kb) noexcept nogil:
    cdef const uint16_t* row = tr.tables.variants + op * 32
    return row[ka << 3 | kb << 1] != 0


cdef int better(Tr* tr, Val* v, int kind) noexcept nogil:
    """A slot that the accumulator equals can be taken from there."""
    cdef int acc = acc_of(v.type)
    cdef uint32_t slot
    if kind != AT_SLOT or acc == 0 or tr.holder[acc] >= 0:
        return kind
    slot = tr.local_slots[v.index] if v.kind == AT_LOCAL else v.slot
    return AT_REGISTER if tr.known[acc] == slot else kind


cdef Ir* emit(Tr* tr, uint32_t op, Val* a, Val* b, uint64_t offset, uint32_t result) noexcept nogil:
    """An operation on popped values, in a form for which there is a handler; pushes its result unless that is 0."""
    cdef const Operation* info = &tr.tables.operations[op]
    cdef Ir* ir = fold_load(tr, info, a, b) if b != NULL and info.folded else NULL
    if ir == NULL:
        ir = emit_alone(tr, op, a, b)
        ir.offset = offset
    if result:
        push_result(tr, ir, info.acc, result)
    return ir


cdef Ir* emit_alone(Tr* tr, uint32_t op, Val* a, Val* b) noexcept nogil:
    """Part of `emit`: an operation that is not folded with a load."""
    cdef const Operation* info = &tr.tables.operations[op]
    cdef int ka = 0, kb = 0, alt
    cdef Val* other
    cdef Ir* ir
    if a != NULL:
        ka = kind_of(a)
    if b != NULL:
        kb = kind_of(b)
    if a != NULL and (kb != AT_REGISTER or acc_of(a.type) != acc_of(b.type)):
        alt = better(tr, a, ka)
        if has(tr, op, alt, kb) or (info.commutative and has(tr, op, kb, alt)):
            ka = alt
    if b != NULL and (ka != AT_REGISTER or acc_of(a.type) != acc_of(b.type)):
        alt = better(tr, b, kb)
        if has(tr, op, ka, alt) or (info.commutative and has(tr, op, alt, ka)):
            kb = alt
    while not has(tr, op, ka, kb):
        if info.commutative and has(tr, op, kb, ka):
            other = a
            a = b
            b = other
            ka, kb = kb, ka
        elif kb == AT_CONSTANT:
            kb = demote(tr, b)
        elif ka == AT_CONSTANT:
            ka = demote(tr, a)
        elif kb == AT_REGISTER:
            kb = demote(tr, b)
        else:
            ka = demote(tr, a)
    clobber(tr, info.acc)
    ir = new_ir(tr, op)
    ir.ka = ka
    ir.kb = kb
    if a != NULL:
        fill(tr, ir, a, ka, 0)
    if b != NULL:
        fill(tr, ir, b, kb, 1)
    return ir


cdef void push_result(Tr* tr, Ir* ir, int acc, uint32_t type) noexcept nogil:
    """What the last operation makes, which is in an accumulator or, where that is 0, in its slot."""
    cdef Val* v = push(tr, type, AT_REGISTER if acc else AT_SLOT)
    v.producer = <int32_t>(tr.n_irs - 1)
    ir.dst = v.slot
    if acc:
        tr.holder[acc] = <int32_t>(tr.n_vals - 1)
    else:
        ir.writes = 1
        note_write(tr, v.slot, 0)
        note_write(tr, v.slot + 1, 0)


cdef Ir* fold_load(Tr* tr, const Operation* info, Val* a, Val* b) noexcept nogil:
    """Let the load that made b, the last operation, do this one as well. It finds a in the accumulator, if a is in its slot only because that
    load took the accumulator away, and nothing else in between has. NULL where it is not so."""
    cdef Ir* load
    cdef Ir* made
    cdef const Operation* between
    cdef uint32_t i
    if not last_made(tr, b):
        return NULL
    load = &tr.irs[b.producer]
    if load.op != info.load or not has(tr, info.folded, load.ka, 0):
        return NULL
    if a.kind != AT_SLOT or a.producer < 0 or <uint32_t>a.producer < tr.barrier or tr.n_irs - a.producer > NEAR:
        return NULL
    made = &tr.irs[a.producer]
    if tr.tables.operations[made.op].acc != info.acc or not made.writes or made.dst != a.slot:
        return NULL
    for i in range(<uint32_t>a.producer + 1, tr.n_irs - 1):
        between = &tr.tables.operations[tr.irs[i].op]
        if between.acc == info.acc or between.format == FORMAT_RAW or between.format == FORMAT_BRANCH:
            return NULL
    made.writes = 0
    load.op = info.folded
    return load


cdef int demote(Tr* tr, Val* v) noexcept nogil:
    slot_of(tr, v)
    return AT_SLOT


cdef void fill(Tr* tr, Ir* ir, Val* v, int kind, int position) noexcept nogil:
    cdef uint32_t slot
    if kind == AT_CONSTANT:
        if position:
            ir.extra = v.bits
        if position == 0 or ir.ka != AT_CONSTANT:
            ir.k = v.bits
    elif kind == AT_SLOT:
        slot = tr.local_slots[v.index] if v.kind == AT_LOCAL else v.slot
        ir.reads |= 1 << position
        if position:
            ir.b = slot
        else:
            ir.a = slot


cdef bint last_made(Tr* tr, Val* v) noexcept nogil:
    """Was this value made by the last operation, and is nobody else to see it?"""
    return v.kind == AT_REGISTER and v.producer >= 0 and v.producer == <int64_t>tr.n_irs - 1 and not tr.irs[v.producer].writes


cdef bint invert_last(Tr* tr, Val* v) noexcept nogil:
    """Turn a comparison of integers that was just made into its opposite; True when that was possible."""
    cdef Ir* ir
    if not last_made(tr, v):
        return False
    ir = &tr.irs[v.producer]
    if tr.tables.operations[ir.op].inverse == 0:
        return False
    ir.op = tr.tables.operations[ir.op].inverse
    return True


cdef bint drop_eqz(Tr* tr) noexcept nogil:
    """The last operation asks whether what was made right before it, a comparison that nobody else is to see, is 0: take it away."""
    cdef Ir* ir = &tr.irs[tr.n_irs - 1]
    cdef Ir* made = ir - 1
    if tr.n_irs < 2 or ir.op != OP_I32_EQZ or ir.ka != AT_REGISTER or made.writes or made.label:
        return False
    if tr.tables.operations[made.op].when == 0 or not has(tr, tr.tables.operations[made.op].when, made.ka, made.kb):
        return False
    tr.n_irs -= 1
    return True


cdef void emit_branch(Tr* tr, Val* cond, bint sense, uint32_t label) noexcept nogil:
    """Go to a label when a popped i32 is (or with `sense` False, is not) other than zero. Joins with a comparison."""
    cdef Ir* ir
    cdef uint32_t op = 0
    if last_made(tr, cond):
        if drop_eqz(tr):
            sense = not sense
        ir = &tr.irs[tr.n_irs - 1]
        op = tr.tables.operations[ir.op].when if sense else tr.tables.operations[ir.op].unless
        if ir.op == OP_I32_EQZ:
            op = OP_BR_Z if sense else OP_BR_NZ
        elif ir.op == OP_I64_EQZ:
            op = OP_BR_Z64 if sense else OP_BR_NZ64
        if op != 0 and not has(tr, op, ir.ka, ir.kb):
            op = 0
    if op != 0:
        ir.op = op
        ir.paid = tr.paid
    else:
        ir = emit(tr, OP_BR_NZ if sense else OP_BR_Z, cond, NULL, 0, 0)
    ir.dst = 1
    ir.writes = 0
    ir.label = label + 1
    tr.barrier = tr.n_irs


cdef bint redirectable(Tr* tr, Val* v, uint32_t slot) noexcept nogil:
    """May the operation that made a value write it to another slot, at its own time?"""
    cdef uint32_t i
    cdef Ir* ir
    if v.producer < 0 or <uint32_t>v.producer < tr.barrier or tr.n_irs - v.producer > 32:
        return False
    for i in range(<uint32_t>v.producer + 1, tr.n_irs):
        ir = &tr.irs[i]
        if (ir.reads & 1 and ir.a == slot) or (ir.reads & 2 and ir.b == slot) or (ir.reads & 4 and ir.x == slot):
            return False
        if ir.writes and ir.dst == slot:
            return False
        if ir.op == OP_COPY_N:
            return False
    return True


cdef bint is_zero(Tr* tr, uint32_t slot) noexcept nogil:
    """Is a local still as it was at the function's start, and no parameter?"""
    cdef uint32_t i
    if not tr.entering or slot < tr.type.param_slots:
        return False
    for i in range(1, tr.n_irs):
        if tr.irs[i].writes and tr.irs[i].dst == slot:
            return False
    return True


cdef void set_local(Tr* tr, uint32_t local, Val* v) noexcept nogil:
    """A popped value goes into a local."""
    cdef uint32_t slot = tr.local_slots[local]
    cdef int acc = acc_of(v.type)
    cdef Ir* ir
    if v.kind == AT_LOCAL and v.index == local:
        return
    if v.kind == AT_CONSTANT and v.bits == 0 and v.type != VT_V128 and is_zero(tr, slot):
        return
    save_pending(tr, local)
    if (v.kind == AT_REGISTER or v.kind == AT_SLOT) and redirectable(tr, v, slot):
        ir = &tr.irs[v.producer]
        if v.kind == AT_REGISTER:
            tr.known[acc] = slot
        elif acc and tr.known[acc] == v.slot:
            tr.known[acc] = slot
        ir.dst = slot
        ir.writes = 1
        note_write(tr, slot, acc)
        if slots_of(v.type) == 2:
            note_write(tr, slot + 1, 0)
    elif v.kind == AT_REGISTER:
        ir = new_ir(tr, OP_KEEP_I if acc == 1 else OP_KEEP_D if acc == 2 else OP_KEEP_F)
        ir.dst = slot
        ir.writes = 1
        note_write(tr, slot, acc)
        tr.known[acc] = slot
    else:
        copy_to(tr, v, slot)


cdef void copy_to(Tr* tr, Val* v, uint32_t slot) noexcept nogil:
    """Like into_slot for a popped value that is in a slot, a local or constant."""
    cdef Val w = v[0]
    if w.kind == AT_LOCAL:
        tr.local_pending[w.index] += 1
    into_slot(tr, &w, slot)
