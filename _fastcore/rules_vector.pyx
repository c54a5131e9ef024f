"""See rules_vector.pxd. A vector takes two slots and has no accumulator: its operations read slots and write slots."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memset
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.numerics cimport load64
from pywasm_ref._fastcore.operands cimport expect, expect2, expect3, pop
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.rules_memory cimport Access, close_window, emit_access, memarg, open_window
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *

cdef enum:
    ADD128 = 19
    SUB128 = 20
    MUL_WIDE_S = 21
    RELAXED = 0x100         # the first of the relaxed instructions


cdef void r_vector(Tr* tr) noexcept nogil:
    """What stands behind 0xFD."""
    cdef uint32_t code = u32(tr.r)
    cdef const Opcode* o
    if tr.r.fault:
        return
    o = &tr.tables.vector[code if code < VECTOR_OPCODES else 0]
    if code >= VECTOR_OPCODES or o.family == VECTOR_NONE or not tr.unit.features & (F_SIMD if code < RELAXED else F_RELAXED_SIMD):
        illegal(tr, 0xfd, code)
    elif o.family == VECTOR_PURE:
        pure(tr, o)
    elif o.family == VECTOR_LOAD or o.family == VECTOR_STORE:
        access(tr, o)
    elif o.family == VECTOR_LOAD_LANE or o.family == VECTOR_STORE_LANE:
        access_lane(tr, o)
    elif o.family == VECTOR_EXTRACT or o.family == VECTOR_REPLACE:
        lane(tr, o)
    elif o.family == VECTOR_TERNARY:
        ternary(tr, o)
    elif o.family == VECTOR_CONST:
        constant(tr)
    else:
        shuffle(tr, o)


cdef void illegal(Tr* tr, uint32_t prefix, uint32_t code) noexcept nogil:
    cdef char words[48]
    snprintf(words, sizeof(words), b"illegal opcode %02x %02x", prefix, code)
    malformed(tr.r, tr.at, words)


cdef void give(Tr* tr, Ir* ir, uint32_t type) noexcept nogil:
    """The result of an operation, in its canonical slot; without one where nothing is lowered."""
    cdef Val* v = push(tr, type, AT_CONSTANT if ir == NULL else AT_SLOT)
    if ir != NULL:
        v.producer = <int32_t>(tr.n_irs - 1)
        ir.dst = v.slot
        ir.writes = 1
        note_write(tr, v.slot, 0)
        note_write(tr, v.slot + 1, 0)


cdef Ir* on_slots(Tr* tr, uint32_t op, Val* a, Val* b, Val* x) noexcept nogil:
    """An operation that finds its operands in slots; NULL where nothing is lowered."""
    cdef uint32_t sa, sb = 0, sx = 0
    cdef Ir* ir
    if tr.r.fault or not tr.live:
        return NULL
    sa = slot_of(tr, a)
    if b != NULL:
        sb = slot_of(tr, b)
    if x != NULL:
        sx = slot_of(tr, x)
    ir = new_ir(tr, op)
    ir.a = sa
    ir.b = sb
    ir.x = sx
    ir.reads = 1 | (2 if b != NULL else 0) | (4 if x != NULL else 0)
    return ir


cdef void pure(Tr* tr, const Opcode* o) noexcept nogil:
    cdef Val a, b
    cdef Val* second = NULL
    if o.n_operands == 2:
        if not expect2(tr, o.a, o.b):
            return
        b = pop(tr, VT_BOT)
        second = &b
    a = pop(tr, o.a)
    if tr.r.fault:
        return
    if tr.live:
        emit(tr, o.operation, &a, second, 0, o.result)
    else:
        push(tr, o.result, AT_CONSTANT)


cdef void ternary(Tr* tr, const Opcode* o) noexcept nogil:
    cdef Val a, b, x
    if expect3(tr, VT_V128, VT_V128, VT_V128):
        x = pop(tr, VT_BOT)
        b = pop(tr, VT_BOT)
        a = pop(tr, VT_BOT)
        give(tr, on_slots(tr, o.operation, &a, &b, &x), VT_V128)


cdef void constant(Tr* tr) noexcept nogil:
    if tr.r.end - tr.r.at < 16:
        malformed(tr.r, tr.r.end, b"unexpected end")
        return
    if not reserve(tr, <void**>&tr.vectors, &tr.cap_vectors, <uint64_t>tr.n_vectors + 2, sizeof(uint64_t)):
        return
    tr.vectors[tr.n_vectors] = load64(tr.r.at)
    tr.vectors[tr.n_vectors + 1] = load64(tr.r.at + 8)
    push(tr, VT_V128, AT_CONSTANT).bits = tr.n_vectors
    tr.n_vectors += 2
    tr.r.at += 16


cdef uint32_t lane_index(Tr* tr) noexcept nogil:
    return <uint32_t>leb_slow(tr.r, 8, False)


cdef bint in_range(Tr* tr, uint32_t k, uint32_t count) noexcept nogil:
    cdef char words[64]
    if tr.r.fault == FAULT_NONE and k >= count:
        snprintf(words, sizeof(words), b"invalid lane index %u: there are %u lanes", k, count)
        invalid(tr.r, tr.at, words)
    return tr.r.fault == FAULT_NONE


cdef void lane(Tr* tr, const Opcode* o) noexcept nogil:
    """extract_lane and replace_lane."""
    cdef uint32_t k = lane_index(tr)
    cdef Val a, b
    cdef Val* second = NULL
    if not in_range(tr, k, o.align):
        return
    if o.family == VECTOR_REPLACE:
        if not expect2(tr, o.a, o.b):
            return
        b = pop(tr, VT_BOT)
        second = &b
    a = pop(tr, VT_V128)
    if tr.r.fault:
        return
    if tr.live:
        emit(tr, o.operation, &a, second, 0, o.result).x = k
    else:
        push(tr, o.result, AT_CONSTANT)


cdef void shuffle(Tr* tr, const Opcode* o) noexcept nogil:
    """Lanes that are moved in groups of 4 or 8 have shorter operations."""
    cdef uint64_t words[2]
    cdef uint8_t* lanes = <uint8_t*>words
    cdef uint32_t i, k
    cdef Val a, b
    cdef Ir* ir
    for i in range(16):
        k = lane_index(tr)
        if tr.r.fault:
            return
        lanes[i] = k
    for i in range(16):
        if not in_range(tr, lanes[i], 32):
            return
    if not expect2(tr, VT_V128, VT_V128):
        return
    b = pop(tr, VT_BOT)
    a = pop(tr, VT_BOT)
    ir = on_slots(tr, o.operation, &a, &b, NULL)
    if ir != NULL:
        ir.op = OP_I8X16_SHUFFLE64 if grouped(lanes, 8) else OP_I8X16_SHUFFLE32 if grouped(lanes, 4) else o.operation
        ir.extras = 2
        ir.extra = words[0]
        ir.offset = words[1]
    give(tr, ir, VT_V128)


cdef bint grouped(const uint8_t* lanes, uint32_t size) noexcept nogil:
    cdef uint32_t i
    for i in range(16):
        if lanes[i] % size != i % size or lanes[i] - i % size != lanes[i - i % size]:
            return False
    return True


cdef void access(Tr* tr, const Opcode* o) noexcept nogil:
    """Loads and stores of whole vectors."""
    cdef Access x
    cdef Val a, b
    cdef Val* second = NULL
    if not memarg(tr, o.align, &x):
        return
    if o.family == VECTOR_STORE:
        if not expect2(tr, x.address, VT_V128):
            return
        b = pop(tr, VT_BOT)
        second = &b
    a = pop(tr, x.address)
    if tr.r.fault:
        return
    if tr.live:
        emit_access(tr, o.operation, &x, &a, second, o.result)
    elif o.result:
        push(tr, o.result, AT_CONSTANT)


cdef void access_lane(Tr* tr, const Opcode* o) noexcept nogil:
    """Loads and stores of one lane."""
    cdef Access x
    cdef uint32_t k
    cdef Val a, b
    cdef bint far
    cdef Ir* ir
    if not memarg(tr, o.align, &x):
        return
    k = lane_index(tr)
    if not expect2(tr, x.address, VT_V128) or not in_range(tr, k, 16 >> o.align):
        return
    b = pop(tr, VT_BOT)
    a = pop(tr, VT_BOT)
    far = x.memory != 0 or x.address != VT_I32
    if tr.live and tr.r.fault == FAULT_NONE and far:
        slot_of(tr, &b)
        open_window(tr, &x, &a)
    ir = on_slots(tr, o.operation, &a, &b, NULL)
    if ir != NULL:
        ir.x = k
        ir.extras = 1
        ir.extra = 0 if far else x.offset
        ir.places = 1
    if o.family == VECTOR_LOAD_LANE and tr.r.fault == FAULT_NONE:
        give(tr, ir, VT_V128)
    if ir != NULL and far:
        close_window(tr)


cdef void r_wide(Tr* tr, uint32_t code) noexcept nogil:
    """Two i64 make two more; additions and subtractions take two pairs."""
    cdef Val a, b, x, y
    cdef Ir* ir
    cdef uint32_t last
    cdef uint32_t types[4]
    if not tr.unit.features & F_WIDE_ARITHMETIC:
        illegal(tr, 0xfc, code)
        return
    types[:] = [VT_I64, VT_I64, VT_I64, VT_I64]
    if not expect(tr, types, 4 if code <= SUB128 else 2):
        return
    memset(&x, 0, sizeof(Val))
    memset(&y, 0, sizeof(Val))
    if code <= SUB128:
        y = pop(tr, VT_BOT)
        x = pop(tr, VT_BOT)
    b = pop(tr, VT_BOT)
    a = pop(tr, VT_BOT)
    if code <= SUB128 and tr.live:
        last = slot_of(tr, &y)
        ir = on_slots(tr, OP_I64_ADD128 if code == ADD128 else OP_I64_SUB128, &a, &b, &x)
        ir.extras = 1
        ir.extra = last
        tr.barrier = tr.n_irs - 1
    else:
        ir = on_slots(tr, OP_I64_MUL_WIDE_S if code == MUL_WIDE_S else OP_I64_MUL_WIDE_U, &a, &b, NULL)
    give(tr, ir, VT_I64)
    push(tr, VT_I64, AT_SLOT if tr.live else AT_CONSTANT)
    if ir != NULL:
        tr.vals[tr.n_vals - 2].producer = -1
        ir.writes = 0
