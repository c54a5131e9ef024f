"""See rules_refs.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match, matches
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.rules_control cimport *
from pywasm_ref._fastcore.rules_exceptions cimport add_handler
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport func_type_at


cdef void give_back(Tr* tr, Val* v, uint32_t type) noexcept nogil:
    """A reference that was popped is there again, where it was, with another type."""
    cdef Val* w = push(tr, type, v.kind)
    w.bits = v.bits
    w.index = v.index
    if v.kind == AT_LOCAL:
        tr.local_pending[v.index] += 1


cdef void at_home(Tr* tr, Val* v) noexcept nogil:
    """A popped value goes to its canonical slot."""
    if v.kind == AT_LOCAL:
        tr.local_pending[v.index] += 1
    if v.kind != AT_SLOT:
        into_slot(tr, v, v.slot)


cdef void r_ref_null(Tr* tr) noexcept nogil:
    cdef uint32_t heap = heap_type(tr)
    if tr.r.fault == FAULT_NONE:
        push(tr, VT_REF | VT_NULL | heap, AT_CONSTANT)


cdef void r_ref_is_null(Tr* tr) noexcept nogil:
    cdef Val v = pop_ref(tr)
    if tr.r.fault:
        return
    if tr.live:
        emit(tr, OP_I64_EQZ, &v, NULL, 0, VT_I32)
    else:
        push(tr, VT_I32, AT_CONSTANT)


cdef void r_ref_func(Tr* tr) noexcept nogil:
    """Only functions that the module mentions outside of code, or exports, may be referred to."""
    cdef uint32_t x = u32(tr.r)
    cdef Ir* ir
    cdef Val* v
    if not exists(tr, b"unknown function %llu", x, tr.unit.n_funcs):
        return
    if tr.unit.declared == NULL or not tr.unit.declared[x]:
        refuse_at(tr, b"undeclared function reference %llu", x)
        return
    v = push(tr, VT_REF | tr.unit.funcs[x].heap, AT_SLOT if tr.live else AT_CONSTANT)
    if tr.live:
        ir = new_ir(tr, OP_REF_FUNC)
        ir.k = x
        ir.dst = v.slot
        ir.writes = 1
        ir.places = 1
        v.producer = <int32_t>(tr.n_irs - 1)


cdef void r_ref_as_non_null(Tr* tr) noexcept nogil:
    cdef Val v = pop_ref(tr)
    cdef uint32_t slot
    cdef Ir* ir
    if tr.r.fault:
        return
    if tr.live:
        slot = slot_of(tr, &v)
        ir = new_ir(tr, OP_REF_AS_NON_NULL)
        ir.a = slot
        ir.reads = 1
        ir.places = 1
    give_back(tr, &v, v.type & ~VT_NULL)


cdef void r_br_on_null(Tr* tr) noexcept nogil:
    cdef uint32_t l = u32(tr.r)
    cdef Val v = pop_ref(tr)
    cdef Ctrl* c
    cdef const uint32_t* types
    cdef uint32_t n
    if tr.r.fault:
        return
    c = label_of(tr, l)
    if c == NULL:
        return
    types = label_types(c, &n)
    check_top(tr, types, n)
    if tr.r.fault:
        return
    if tr.live:
        branch_if(tr, c, n, &v, False)
    give_back(tr, &v, v.type & ~VT_NULL)


cdef void r_br_on_non_null(Tr* tr) noexcept nogil:
    """The last type of the label is the reference, which on the stack may be null."""
    cdef Ctrl* c = label_of(tr, u32(tr.r))
    cdef const uint32_t* types
    cdef uint32_t n
    cdef Val v
    if c == NULL or tr.r.fault:
        return
    types = label_types(c, &n)
    if n == 0 or not types[n - 1] & VT_REF:
        mismatch_lists(tr, b"instruction requires reference type but label has ", types, n, b"", NULL, 0)
        return
    if not expect_with(tr, types, n - 1, types[n - 1] | VT_NULL):
        return
    v = pop(tr, VT_BOT)
    check_top(tr, types, n - 1)
    if tr.r.fault or not tr.live:
        return
    at_home(tr, &v)
    push(tr, v.type, AT_SLOT)
    branch_if(tr, c, n, &v, True)
    drop_to(tr, tr.n_vals - 1)


cdef void r_call_ref(Tr* tr) noexcept nogil:
    cdef Type* type
    cdef uint32_t x = u32(tr.r)
    cdef Val v
    tr.unit.at = tr.at
    type = func_type_at(tr.unit, x)
    if type == NULL or not expect_with(tr, type.valtypes, type.n_params, VT_REF | VT_NULL | type.heap):
        return
    v = pop(tr, VT_BOT)
    emit_call(tr, type, OP_CALL_REF, <uint64_t>type, &v, 0)


# ------------------------------------------------------------------------------------------------------------ tail calls

cdef bint gives_the_same(Tr* tr, Type* type) noexcept nogil:
    """May the results of this function be those of the function at hand?"""
    cdef const uint32_t* given = type.valtypes + type.n_params
    cdef const uint32_t* wanted = tr.type.valtypes + tr.type.n_params
    if type.n_results == tr.type.n_results and matches(given, wanted, type.n_results):
        return True
    mismatch_lists(tr, b"callee returns ", given, type.n_results, b" but current function requires result type ", wanted,
                   tr.type.n_results)
    return False


cdef void emit_tail_call(Tr* tr, Type* type, uint32_t op, uint64_t extra, uint32_t table) noexcept nogil:
    """The arguments are on the stack; behind them, in its canonical slot, what says which function. No handler here hears of it."""
    cdef uint32_t base, start
    cdef Ir* ir
    base = tr.vals[tr.n_vals - type.n_params].slot if type.n_params else slot_height(tr)
    flush(tr, tr.n_vals - type.n_params)
    clobber_all(tr)
    end_block(tr)
    start = tr.n_words
    ir = new_ir(tr, op)
    ir.a = base
    ir.b = tr.hdr
    ir.offset = table
    ir.dst = 1
    ir.extra = extra
    ir.extras = 2 if op == OP_RETURN_CALL_INDIRECT else 1
    ir.places = 1
    end_block(tr)
    if tr.n_tries:
        add_handler(tr, start, HANDLE_DELEGATE, 0)


cdef void tail_call(Tr* tr, Type* type, uint32_t op, uint64_t extra, uint32_t behind, uint32_t table) noexcept nogil:
    """A tail call whose last operand has the type `behind`, unless that is 0."""
    cdef Val v
    if type == NULL or not gives_the_same(tr, type):
        return
    if behind:
        if not expect_with(tr, type.valtypes, type.n_params, behind):
            return
        v = pop(tr, VT_BOT)
        if tr.live:
            at_home(tr, &v)
    check_top(tr, type.valtypes, type.n_params)
    if tr.live and tr.r.fault == FAULT_NONE:
        emit_tail_call(tr, type, op, extra, table)
    set_unreachable(tr)


cdef void r_return_call(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    if not exists(tr, b"unknown function %llu", x, tr.unit.n_funcs):
        return
    if x < tr.unit.imported_funcs:
        tail_call(tr, tr.unit.funcs[x], OP_RETURN_CALL_IMPORT, x, 0, 0)
    else:
        tail_call(tr, tr.unit.funcs[x], OP_RETURN_CALL, <uint64_t>&tr.codes[x - tr.unit.imported_funcs], 0, 0)


cdef void r_return_call_indirect(Tr* tr) noexcept nogil:
    cdef uint32_t table
    cdef Type* type = indirect_type(tr, &table)
    if type != NULL:
        tail_call(tr, type, OP_RETURN_CALL_INDIRECT, <uint64_t>type, VT_I64 if tr.unit.tables[table].wide else VT_I32, table)


cdef void r_return_call_ref(Tr* tr) noexcept nogil:
    cdef Type* type
    cdef uint32_t x = u32(tr.r)
    tr.unit.at = tr.at
    type = func_type_at(tr.unit, x)
    if type != NULL:
        tail_call(tr, type, OP_RETURN_CALL_REF, <uint64_t>type, VT_REF | VT_NULL | type.heap, 0)
