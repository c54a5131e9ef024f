"""Parametric, variable and memory instructions, constants, and all whose type is fixed."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.locals cimport local_entry
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.rules_memory cimport Access, emit_access, memarg, r_bulk
from pywasm_ref._fastcore.rules_vector cimport r_wide


cdef void r_drop(Tr* tr) noexcept nogil:
    pop(tr, VT_BOT)


cdef void choose(Tr* tr, uint32_t type) noexcept nogil:
    cdef Val c = pop(tr, VT_I32)
    cdef Val b = pop(tr, VT_BOT)
    cdef Val a = pop(tr, VT_BOT)
    cdef int acc
    cdef Ir* ir
    cdef Val* v
    cdef uint32_t sa, sb, sc = 0
    cdef bint register = c.kind == AT_REGISTER
    if type == VT_BOT:
        type = choice_type(tr, a.type, b.type)
    if tr.r.fault:
        return
    if not tr.live:
        push(tr, type, AT_CONSTANT)
        return
    acc = acc_of(type)
    sa = slot_of(tr, &a)
    sb = slot_of(tr, &b)
    if not register:
        sc = slot_of(tr, &c)
    if acc == 1:
        clobber(tr, 1)
    if type == VT_V128:
        ir = new_ir(tr, OP_SELECT_V_R if register else OP_SELECT_V)
    else:
        ir = new_ir(tr, (OP_SELECT_I_R if register else OP_SELECT_I) if acc == 1 else OP_SELECT_R if register else OP_SELECT)
    ir.a = sa
    ir.b = sb
    ir.x = sc
    ir.reads = 3 if register else 7
    v = push(tr, type, AT_SLOT)
    v.producer = <int32_t>(tr.n_irs - 1)
    ir.dst = v.slot
    ir.writes = 1
    note_write(tr, v.slot, 0)
    note_write(tr, v.slot + 1, 0)
    if acc == 1:
        tr.known[1] = v.slot


cdef uint32_t choice_type(Tr* tr, uint32_t a, uint32_t b) noexcept nogil:
    """Without an annotation both operands have to be of one number or vector type."""
    cdef uint32_t types[2]
    types[0] = a
    types[1] = b
    if a & VT_REF or b & VT_REF:
        mismatch_of(tr, b": instruction requires numeric or vector type but stack has ", a if a & VT_REF else b, NULL, 0)
    elif a != b and a != VT_BOT and b != VT_BOT:
        mismatch_lists(tr, b"instruction requires two operands of one type but stack has ", types, 2, b"", NULL, 0)
    return a if a else b


cdef void r_select(Tr* tr) noexcept nogil:
    choose(tr, VT_BOT)


cdef void r_select_t(Tr* tr) noexcept nogil:
    cdef uint32_t type, n
    n = u32(tr.r)
    if n != 1:
        refuse_at(tr, b"invalid result arity: select takes one type, not %llu", n)
        return
    type = value_type(tr)
    if tr.r.fault == FAULT_NONE and expect3(tr, type, type, VT_I32):
        choose(tr, type)


cdef void push_local(Tr* tr, uint32_t x) noexcept nogil:
    cdef Val* v = push(tr, tr.local_types[x], AT_LOCAL)
    v.index = x
    tr.local_pending[x] += 1


cdef void r_local_get(Tr* tr) noexcept nogil:
    cdef uint32_t x
    if local_entry(tr, &x) and (not tr.local_types[x] & VT_REF or is_set(tr, x)):
        push_local(tr, x)


cdef void r_local_set(Tr* tr) noexcept nogil:
    cdef uint32_t x
    cdef Val v
    if local_entry(tr, &x):
        v = pop(tr, tr.local_types[x])
        if tr.local_types[x] & VT_REF and not note_set(tr, x):
            return
        if tr.live and tr.r.fault == FAULT_NONE:
            set_local(tr, x, &v)


cdef void r_local_tee(Tr* tr) noexcept nogil:
    cdef uint32_t x
    r_local_set(tr)
    tr.r.at = tr.at + 1
    if tr.r.fault == FAULT_NONE and local_entry(tr, &x):
        push_local(tr, x)


cdef bint global_index(Tr* tr, uint32_t* x) noexcept nogil:
    x[0] = u32(tr.r)
    return exists(tr, b"unknown global %llu", x[0], tr.unit.n_globals)


cdef void r_global_get(Tr* tr) noexcept nogil:
    cdef uint32_t x, type, op
    cdef int acc
    cdef bint far
    if not global_index(tr, &x):
        return
    type = tr.unit.globals[x].type
    if not tr.live:
        push(tr, type, AT_CONSTANT)
        return
    acc = acc_of(type)
    far = x < tr.unit.imported_globals
    if acc == 2:
        op = OP_GLOBAL_GET_FAR_D if far else OP_GLOBAL_GET_D
    elif acc == 3:
        op = OP_GLOBAL_GET_FAR_F if far else OP_GLOBAL_GET_F
    elif type == VT_V128:
        op = OP_GLOBAL_GET_FAR_V if far else OP_GLOBAL_GET_V
    elif acc == 0:
        op = OP_GLOBAL_GET_FAR_P if far else OP_GLOBAL_GET_P
    else:
        op = OP_GLOBAL_GET_FAR_I if far else OP_GLOBAL_GET_I
    emit(tr, op, NULL, NULL, global_offset(tr.unit, x), type)


cdef void r_global_set(Tr* tr) noexcept nogil:
    cdef uint32_t x, slot
    cdef bint far
    cdef Val v
    cdef Ir* ir
    if not global_index(tr, &x):
        return
    if not tr.unit.globals[x].mutable:
        refuse_at(tr, b"immutable global %llu", x)
        return
    v = pop(tr, tr.unit.globals[x].type)
    if tr.live and tr.r.fault == FAULT_NONE:
        slot = slot_of(tr, &v)
        far = x < tr.unit.imported_globals
        if v.type == VT_V128:
            ir = new_ir(tr, OP_GLOBAL_SET_FAR_V if far else OP_GLOBAL_SET_V)
        else:
            ir = new_ir(tr, OP_GLOBAL_SET_FAR if far else OP_GLOBAL_SET)
        ir.a = slot
        ir.reads = 1
        ir.k = global_offset(tr.unit, x)


cdef void r_prefixed(Tr* tr) noexcept nogil:
    cdef uint32_t code = u32(tr.r)
    if code < 8:
        row(tr, &tr.tables.numeric[code])
    elif 8 <= code <= 17:
        r_bulk(tr, code)
    elif 19 <= code <= 22:
        r_wide(tr, code)
    else:
        fail(tr.r, FAULT_UNSUPPORTED, tr.at, b"instruction is not supported yet")


cdef void constant(Tr* tr, uint32_t type, uint64_t bits) noexcept nogil:
    push(tr, type, AT_CONSTANT).bits = bits


cdef void r_i32_const(Tr* tr) noexcept nogil:
    constant(tr, VT_I32, <uint32_t>s32(tr.r))


cdef void r_i64_const(Tr* tr) noexcept nogil:
    constant(tr, VT_I64, <uint64_t>s64(tr.r))


cdef void fixed_constant(Tr* tr, uint32_t type, int size) noexcept nogil:
    if tr.r.end - tr.r.at < size:
        malformed(tr.r, tr.r.end, b"unexpected end")
        return
    constant(tr, type, load32(tr.r.at) if size == 4 else load64(tr.r.at))
    tr.r.at += size


cdef void r_f32_const(Tr* tr) noexcept nogil:
    fixed_constant(tr, VT_F32, 4)


cdef void r_f64_const(Tr* tr) noexcept nogil:
    fixed_constant(tr, VT_F64, 8)


cdef void row(Tr* tr, const Opcode* o) noexcept nogil:
    """An instruction whose type is fixed."""
    cdef Access x
    cdef Val a, b
    cdef Val* second = NULL
    if o.family == FAMILY_NONE:
        malformed(tr.r, tr.at, b"illegal opcode")
        return
    if o.family != FAMILY_NUMERIC and not memarg(tr, o.align, &x):
        return
    if o.n_operands == 2:
        if not expect2(tr, o.a if o.family == FAMILY_NUMERIC else x.address, o.b):
            return
        b = pop(tr, VT_BOT)
        second = &b
        a = pop(tr, VT_BOT)
    else:
        a = pop(tr, o.a if o.family == FAMILY_NUMERIC else x.address)
    if tr.r.fault:
        return
    if not tr.live:
        if o.result:
            push(tr, o.result, AT_CONSTANT)
        return
    if o.operation == OP_I32_EQZ and invert_last(tr, &a):
        revive(tr, &a)
        return
    if o.family == FAMILY_NUMERIC:
        emit(tr, o.operation, &a, second, 0, o.result).places = 1
    else:
        emit_access(tr, o.operation, &x, &a, second, o.result)


cdef void revive(Tr* tr, Val* v) noexcept nogil:
    """A popped value comes back as it was."""
    cdef Val* w = push(tr, v.type, AT_REGISTER)
    w.producer = v.producer
    tr.holder[acc_of(v.type)] = <int32_t>(tr.n_vals - 1)


cdef void r_row(Tr* tr) noexcept nogil:
    row(tr, &tr.tables.plain[tr.at[0]])
