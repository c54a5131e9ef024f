"""Blocks, branches and calls."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport is_subtype, match, matches
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport block_result
from pywasm_ref._fastcore.valtypes cimport func_type_at
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.repeats cimport note_head, repeat_head
from pywasm_ref._fastcore.rules_exceptions cimport OPCODE_CATCH, OPCODE_CATCH_ALL, OPCODE_TRY, OPCODE_TRY_TABLE, end_catch, end_try_table


cdef Type* block_type(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    cdef int64_t index
    cdef uint32_t one
    cdef Type* type
    if at < tr.r.end and at[0] == 0x40:
        tr.r.at += 1
        type = block_result(tr.unit.held, VT_BOT)
    elif at < tr.r.end and 0x40 < at[0] < 0x80:
        one = value_type(tr)
        if tr.r.fault:
            return NULL
        type = block_result(tr.unit.held, one)
    else:
        index = s33(tr.r)
        if tr.r.fault:
            return NULL
        if index < 0:
            malformed(tr.r, at, b"malformed block type")
            return NULL
        tr.unit.at = tr.at
        return func_type_at(tr.unit, <uint32_t>index)
    if type == NULL:
        out_of_memory(tr.r)
    return type


cdef void push_ctrl(Tr* tr, uint8_t opcode, Type* type) noexcept nogil:
    """A new block; its parameters are on the stack already."""
    cdef Ctrl* c
    if not reserve(tr, <void**>&tr.ctrls, &tr.cap_ctrls, tr.n_ctrls + 1, sizeof(Ctrl)):
        return
    c = &tr.ctrls[tr.n_ctrls]
    tr.n_ctrls += 1
    memset(c, 0, sizeof(Ctrl))
    c.opcode = opcode
    c.live = tr.live
    c.type = type
    c.height = tr.n_vals - type.n_params
    c.slots = tr.vals[c.height].slot if type.n_params else slot_height(tr)
    c.label = new_label(tr)
    c.inits = tr.n_inits
    c.at = tr.at


cdef void begin(Tr* tr, uint8_t opcode) noexcept nogil:
    cdef Type* type = block_type(tr)
    cdef Val cond
    cdef uint32_t otherwise
    if type == NULL:
        return
    if opcode == 0x04:
        cond = pop(tr, VT_I32)
    check_top(tr, type.valtypes, type.n_params)
    if tr.r.fault:
        return
    otherwise = new_label(tr)
    if tr.live:
        flush(tr, 0)
        if opcode == 0x04:
            emit_branch(tr, &cond, False, otherwise)
        elif opcode == 0x03:
            end_block(tr)
    push_ctrl(tr, opcode, type)
    tr.ctrls[tr.n_ctrls - 1].otherwise = otherwise
    if opcode == 0x03:
        bind(tr, tr.ctrls[tr.n_ctrls - 1].label)
        tr.opened = tr.n_ctrls


cdef void r_block(Tr* tr) noexcept nogil:
    begin(tr, 0x02)


cdef void r_loop(Tr* tr) noexcept nogil:
    begin(tr, 0x03)


cdef void r_if(Tr* tr) noexcept nogil:
    begin(tr, 0x04)


cdef void leave_block(Tr* tr) noexcept nogil:
    """The results are there, in their canonical slots, and nothing else is."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef Type* type = c.type
    forget_set(tr, c.inits)
    if check_end(tr, type.valtypes + type.n_params, type.n_results) and tr.live:
        flush(tr, 0)


cdef void r_else(Tr* tr) noexcept nogil:
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    if c.opcode != 0x04:
        malformed(tr.r, tr.at, b"unexpected token else")
        return
    if tr.r.at < tr.r.end and tr.r.at[0] == 0x0b:
        tr.at = tr.r.at         # an `else` with nothing after it is as good as none
    leave_block(tr)
    if tr.r.fault:
        return
    if tr.live:
        emit_jump(tr, c.label)
    end_block(tr)
    bind(tr, c.otherwise)
    drop_to(tr, c.height)
    c.opcode = 0x05
    c.unreachable = False
    tr.live = c.live
    push_types(tr, c.type.valtypes, c.type.n_params, AT_SLOT)
    tr.flushed = tr.n_vals


cdef void r_end(Tr* tr) noexcept nogil:
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    if tr.n_ctrls == 1 and not c.wanted:
        end_body(tr)
        return
    if c.opcode == OPCODE_CATCH or c.opcode == OPCODE_CATCH_ALL:
        end_catch(tr)
    else:
        leave_block(tr)
    if c.opcode == 0x04 and tr.r.fault == FAULT_NONE:
        check_missing_else(tr, c.type, c.height)
    if tr.r.fault:
        return
    end_block(tr)
    if c.opcode == OPCODE_TRY_TABLE:
        end_try_table(tr)
    elif c.opcode == OPCODE_TRY:
        tr.n_tries -= c.live
    end_of_block(tr)


cdef void end_of_block(Tr* tr) noexcept nogil:
    """All operations of a block are encoded, and its results are in their places."""
    cdef Ctrl c = tr.ctrls[tr.n_ctrls - 1]
    cdef Type* type = c.type
    if c.opcode == 0x04:
        bind(tr, c.otherwise)
    if c.opcode != 0x03:
        bind(tr, c.label)
    drop_to(tr, c.height)
    tr.live = c.live
    tr.n_ctrls -= 1
    if c.head_ops:
        tr.n_heads = c.head
    push_types(tr, type.valtypes + type.n_params, type.n_results, AT_SLOT)
    if tr.flushed == c.height:
        tr.flushed = tr.n_vals


cdef void end_body(Tr* tr) noexcept nogil:
    """The end of a function to which nobody branches: its results go from where they are."""
    cdef Ctrl* c = &tr.ctrls[0]
    if check_end(tr, c.type.valtypes, c.type.n_results) and tr.live:
        emit_return(tr)
    tr.live = False
    tr.n_ctrls = 0


cdef void check_missing_else(Tr* tr, Type* type, uint32_t height) noexcept nogil:
    """What the block takes has to be what it gives, as the values of an empty `else`."""
    if type.n_params == type.n_results and matches(type.valtypes, type.valtypes + type.n_params, type.n_params):
        return
    drop_to(tr, height)
    tr.ctrls[tr.n_ctrls - 1].unreachable = False
    push_types(tr, type.valtypes, type.n_params, AT_CONSTANT)
    check_end(tr, type.valtypes + type.n_params, type.n_results)


cdef Ctrl* label_of(Tr* tr, uint32_t l) noexcept nogil:
    if l >= tr.n_ctrls:
        refuse_at(tr, b"unknown label %llu", l)
        return NULL
    tr.ctrls[tr.n_ctrls - 1 - l].wanted = True
    return &tr.ctrls[tr.n_ctrls - 1 - l]


cdef const uint32_t* label_types(Ctrl* c, uint32_t* n) noexcept nogil:
    if c.opcode == 0x03:
        n[0] = c.type.n_params
        return c.type.valtypes
    n[0] = c.type.n_results
    return c.type.valtypes + c.type.n_params


cdef void emit_jump(Tr* tr, uint32_t label) noexcept nogil:
    cdef Ir* ir = new_ir(tr, OP_BR)
    ir.dst = 1
    ir.label = label + 1
    tr.barrier = tr.n_irs
    tr.ended = True


cdef void move_values(Tr* tr, uint32_t source, uint32_t target, uint32_t end) noexcept nogil:
    cdef Ir* ir
    if source == target or end == source:
        return
    ir = new_ir(tr, OP_COPY_N)
    ir.a = source
    ir.dst = target
    ir.b = end - source


cdef void jump_with(Tr* tr, Ctrl* c, uint32_t n) noexcept nogil:
    """Go to a label with the n values on top; nothing behind is reached."""
    cdef Val v
    if n == 1 and slots_of(tr.vals[tr.n_vals - 1].type) == 1:
        tr.n_vals -= 1
        v = tr.vals[tr.n_vals]
        if v.kind == AT_REGISTER:
            tr.holder[acc_of(v.type)] = -1
        into_slot(tr, &v, c.slots)
        if tr.flushed > tr.n_vals:
            tr.flushed = tr.n_vals
    elif n != 0:
        flush(tr, tr.n_vals - n)
        move_values(tr, tr.vals[tr.n_vals - n].slot, c.slots, slot_height(tr))
    if not repeat_head(tr, c):
        emit_jump(tr, c.label)


cdef void r_br(Tr* tr) noexcept nogil:
    cdef Ctrl* c = label_of(tr, u32(tr.r))
    cdef uint32_t n
    cdef const uint32_t* types
    if c == NULL or tr.r.fault:
        return
    types = label_types(c, &n)
    check_top(tr, types, n)
    if tr.live and tr.r.fault == FAULT_NONE:
        jump_with(tr, c, n)
    set_unreachable(tr)


cdef void r_br_if(Tr* tr) noexcept nogil:
    cdef uint32_t l = u32(tr.r)
    cdef Val cond = pop(tr, VT_I32)
    cdef Ctrl* c = label_of(tr, l)
    cdef uint32_t n
    cdef const uint32_t* types
    if c == NULL or tr.r.fault:
        return
    types = label_types(c, &n)
    check_top(tr, types, n)
    if tr.live and tr.r.fault == FAULT_NONE:
        branch_if(tr, c, n, &cond, True)


cdef void branch_on(Tr* tr, Val* cond, bint sense, uint32_t label) noexcept nogil:
    """Go to a label when a number, or a reference, is or is not other than zero or null."""
    cdef Ir* ir
    if not cond.type & VT_REF:
        emit_branch(tr, cond, sense, label)
        return
    ir = emit(tr, OP_BR_NZ64 if sense else OP_BR_Z64, cond, NULL, 0, 0)
    ir.dst = 1
    ir.label = label + 1
    tr.barrier = tr.n_irs


cdef void branch_if(Tr* tr, Ctrl* c, uint32_t n, Val* cond, bint sense) noexcept nogil:
    """Go to a label with the n values on top when a popped value has that sense."""
    cdef uint32_t first, skip
    if n == 0 or tr.vals[tr.n_vals - n].slot == c.slots:
        flush(tr, tr.n_vals - n)
        branch_on(tr, cond, sense, c.label)
        return
    first = tr.vals[tr.n_vals - n].slot
    flush(tr, 0)
    skip = new_label(tr)
    branch_on(tr, cond, not sense, skip)
    move_values(tr, first, c.slots, slot_height(tr))
    emit_jump(tr, c.label)
    end_block(tr)
    bind(tr, skip)


cdef void r_br_table(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    cdef uint32_t count = u32(tr.r)
    cdef uint32_t i, l, n = 0, arity = 0
    cdef const uint32_t* wanted
    cdef Ctrl* c
    cdef const uint32_t* types
    cdef Val index
    cdef Ir* ir
    cdef uint32_t start = tr.n_targets
    cdef uint32_t stubs = 0
    if count > tr.r.end - tr.r.at:
        malformed(tr.r, at, b"length out of bounds")
        return
    at = tr.r.at
    for i in range(count):
        u32(tr.r)
    l = u32(tr.r)
    if tr.r.fault:
        return
    index = pop(tr, VT_I32)
    c = label_of(tr, l)
    if c == NULL or tr.r.fault:
        return
    wanted = label_types(c, &arity)
    tr.r.at = at
    if not reserve(tr, <void**>&tr.targets, &tr.cap_targets, <uint64_t>tr.n_targets + count + 1, 4):
        return
    tr.round += 1
    for i in range(count + 1):
        l = u32(tr.r)
        c = label_of(tr, l)
        if c == NULL:
            return
        types = label_types(c, &n)
        if n != arity:
            label_mismatch(tr, l, types, n, wanted, arity)
            return
        if not expect(tr, types, n):
            return
        if tr.live:
            tr.targets[start + i] = table_target(tr, c, n, &stubs)
    if tr.live:
        finish_br_table(tr, &index, count, arity, start, stubs)
    set_unreachable(tr)


cdef void label_mismatch(Tr* tr, uint32_t l, const uint32_t* types, uint32_t n, const uint32_t* wanted, uint32_t arity) noexcept nogil:
    cdef char words[40]
    snprintf(words, sizeof(words), b"label %u requires ", <unsigned int>l)
    mismatch_lists(tr, words, types, n, b" but the default label ", wanted, arity)


cdef uint32_t table_target(Tr* tr, Ctrl* c, uint32_t n, uint32_t* stubs) noexcept nogil:
    """The label itself, or one stub for it that moves the values first. Blocks with stubs are a list."""
    if n == 0 or tr.vals[tr.n_vals - n].slot == c.slots:
        return c.label
    if c.stub_round != tr.round:
        c.stub_round = tr.round
        c.stub = new_label(tr)
        c.next_stub = stubs[0]
        stubs[0] = <uint32_t>(c - tr.ctrls) + 1
    return c.stub


cdef void finish_br_table(Tr* tr, Val* index, uint32_t count, uint32_t n, uint32_t start, uint32_t stubs) noexcept nogil:
    cdef Ir* ir
    cdef Ctrl* c
    cdef uint32_t first = tr.vals[tr.n_vals - n].slot if n else 0
    cdef uint32_t end = slot_height(tr)
    cdef uint32_t loop = tr.opened
    cdef uint32_t length
    flush(tr, tr.n_vals - n)
    tr.n_targets = start + count + 1
    ir = emit(tr, OP_BR_TABLE_PAID if tr.metered else OP_BR_TABLE, index, NULL, 0, 0)
    ir.dst = 1
    ir.x = start
    ir.extra = count
    drop_to(tr, tr.ctrls[tr.n_ctrls - 1].height)
    length = tr.n_irs
    end_block(tr)
    if loop and not stubs:
        note_head(tr, loop - 1, length)
    tr.ended = True
    while stubs:
        c = &tr.ctrls[stubs - 1]
        bind(tr, c.stub)
        if n:
            move_values(tr, first, c.slots, end)
        emit_jump(tr, c.label)
        end_block(tr)
        stubs = c.next_stub


cdef void emit_return(Tr* tr) noexcept nogil:
    """Leave the function with the values on top."""
    cdef uint32_t n = tr.type.n_results
    cdef uint32_t place
    cdef Val* v
    cdef Ir* ir
    cdef int acc
    cdef bint known
    if n == 1 and slots_of(tr.type.valtypes[tr.type.n_params]) == 1:
        v = &tr.vals[tr.n_vals - 1]
        acc = acc_of(v.type)
        known = acc != 0 and tr.holder[acc] < 0 and tr.known[acc] == (tr.local_slots[v.index] if v.kind == AT_LOCAL else v.slot)
        if v.kind == AT_CONSTANT:
            ir = new_ir(tr, OP_RET_K)
            ir.extras = 1
            ir.extra = v.bits
        elif v.kind == AT_REGISTER or known:
            ir = new_ir(tr, OP_RET_I_R if acc == 1 else OP_RET_D_R if acc == 2 else OP_RET_F_R)
        else:
            ir = new_ir(tr, OP_RET_D if acc == 2 else OP_RET_F if acc == 3 else OP_RET_I)
            ir.a = tr.local_slots[v.index] if v.kind == AT_LOCAL else v.slot
    elif n == 1:
        place = slot_of(tr, &tr.vals[tr.n_vals - 1])
        ir = new_ir(tr, OP_RET_V)
        ir.a = place
    else:
        if n:
            flush(tr, tr.n_vals - n)
            move_values(tr, tr.vals[tr.n_vals - n].slot, 0, slot_height(tr))
        ir = new_ir(tr, OP_RET)
    ir.dst = tr.hdr
    tr.owing = False


cdef void r_return(Tr* tr) noexcept nogil:
    check_top(tr, tr.type.valtypes + tr.type.n_params, tr.type.n_results)
    if tr.live and tr.r.fault == FAULT_NONE:
        emit_return(tr)
    set_unreachable(tr)


cdef void r_unreachable(Tr* tr) noexcept nogil:
    if tr.live:
        new_ir(tr, OP_UNREACHABLE).places = 1
    set_unreachable(tr)


cdef void r_nop(Tr* tr) noexcept nogil:
    pass


cdef void emit_call(Tr* tr, Type* type, uint32_t op, uint64_t extra, Val* index, uint32_t table) noexcept nogil:
    """The arguments are on the stack. They go to their canonical slots, which is where the callee's frame begins."""
    cdef uint32_t base
    cdef uint32_t place = 0
    cdef Ir* ir
    check_top(tr, type.valtypes, type.n_params)
    if tr.r.fault:
        return
    if tr.live:
        base = tr.vals[tr.n_vals - type.n_params].slot if type.n_params else slot_height(tr)
        if index != NULL and index.kind != AT_REGISTER:
            place = slot_of(tr, index)
        flush(tr, tr.n_vals - type.n_params)
        clobber_all(tr)
        ir = new_ir(tr, op)
        ir.a = base
        ir.b = place
        ir.offset = table
        ir.dst = 1
        ir.extra = extra
        ir.extras = 2 if op == OP_CALL_INDIRECT or op == OP_CALL_INDIRECT_R else 1
        ir.places = 1
        tr.barrier = tr.n_irs
        if tr.metered:
            new_stretch(tr)
            tr.owing = True
    drop_to(tr, tr.n_vals - type.n_params)
    push_types(tr, type.valtypes + type.n_params, type.n_results, AT_SLOT if tr.live else AT_CONSTANT)
    if tr.live and type.n_results == 1 and acc_of(type.valtypes[type.n_params]):
        tr.known[acc_of(type.valtypes[type.n_params])] = tr.vals[tr.n_vals - 1].slot


cdef void r_call(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    if not exists(tr, b"unknown function %llu", x, tr.unit.n_funcs):
        return
    if x < tr.unit.imported_funcs:
        emit_call(tr, tr.unit.funcs[x], OP_CALL_IMPORT, x, NULL, 0)
    else:
        emit_call(tr, tr.unit.funcs[x], OP_CALL, <uint64_t>&tr.codes[x - tr.unit.imported_funcs], NULL, 0)


cdef Type* indirect_type(Tr* tr, uint32_t* table) noexcept nogil:
    """The immediates of an indirect call: its type, and a table that has to hold functions."""
    cdef uint32_t y = u32(tr.r)
    cdef uint32_t x = u32(tr.r)
    table[0] = x
    if not exists(tr, b"unknown table %llu", x, tr.unit.n_tables):
        return NULL
    if not match(tr.unit.tables[x].type, VT_FUNCREF):
        mismatch_of(tr, b": instruction requires table of function type but table has element type ", tr.unit.tables[x].type, NULL, 0)
        return NULL
    tr.unit.at = tr.at
    return func_type_at(tr.unit, y)


cdef void r_call_indirect(Tr* tr) noexcept nogil:
    cdef uint32_t x
    cdef Type* type = indirect_type(tr, &x)
    cdef Val index
    if type == NULL or not expect_with(tr, type.valtypes, type.n_params, VT_I64 if tr.unit.tables[x].wide else VT_I32):
        return
    index = pop(tr, VT_BOT)
    emit_call(tr, type, OP_CALL_INDIRECT_R if index.kind == AT_REGISTER else OP_CALL_INDIRECT,
              <uint64_t>type, &index, x)
