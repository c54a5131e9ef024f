"""See bodies.pxd. Instructions whose type is fixed are rows of a table; the others have a function each."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.locals cimport declare_locals, forget_locals
from pywasm_ref._fastcore.metering cimport begin_stretches, count, pay_at_landings, price
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport body_type
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.rules_control cimport *
from pywasm_ref._fastcore.rules_data cimport *
from pywasm_ref._fastcore.rules_memory cimport r_atomic, r_memory_grow, r_memory_size, r_table_get, r_table_set
from pywasm_ref._fastcore.rules_aggregates cimport r_aggregate
from pywasm_ref._fastcore.rules_casts cimport r_ref_eq
from pywasm_ref._fastcore.rules_exceptions cimport *
from pywasm_ref._fastcore.rules_refs cimport *
from pywasm_ref._fastcore.rules_vector cimport r_vector

ctypedef void (*rule)(Tr* tr) noexcept nogil
cdef rule RULES[256]

cdef void set_rules() noexcept nogil:
    cdef int i
    for i in range(256):
        RULES[i] = r_row
    RULES[0x00] = r_unreachable
    RULES[0x01] = r_nop
    RULES[0x02] = r_block
    RULES[0x03] = r_loop
    RULES[0x04] = r_if
    RULES[0x05] = r_else
    RULES[0x06] = r_try
    RULES[0x07] = r_catch
    RULES[0x08] = r_throw
    RULES[0x09] = r_rethrow
    RULES[0x0A] = r_throw_ref
    RULES[0x0B] = r_end
    RULES[0x0C] = r_br
    RULES[0x0D] = r_br_if
    RULES[0x0E] = r_br_table
    RULES[0x0F] = r_return
    RULES[0x10] = r_call
    RULES[0x11] = r_call_indirect
    RULES[0x12] = r_return_call
    RULES[0x13] = r_return_call_indirect
    RULES[0x14] = r_call_ref
    RULES[0x15] = r_return_call_ref
    RULES[0x18] = r_delegate
    RULES[0x19] = r_catch_all
    RULES[0x1A] = r_drop
    RULES[0x1B] = r_select
    RULES[0x1C] = r_select_t
    RULES[0x1F] = r_try_table
    RULES[0x20] = r_local_get
    RULES[0x21] = r_local_set
    RULES[0x22] = r_local_tee
    RULES[0x23] = r_global_get
    RULES[0x24] = r_global_set
    RULES[0x25] = r_table_get
    RULES[0x26] = r_table_set
    RULES[0x3F] = r_memory_size
    RULES[0x40] = r_memory_grow
    RULES[0x41] = r_i32_const
    RULES[0x42] = r_i64_const
    RULES[0x43] = r_f32_const
    RULES[0x44] = r_f64_const
    RULES[0xD0] = r_ref_null
    RULES[0xD1] = r_ref_is_null
    RULES[0xD2] = r_ref_func
    RULES[0xD3] = r_ref_eq
    RULES[0xD4] = r_ref_as_non_null
    RULES[0xD5] = r_br_on_null
    RULES[0xD6] = r_br_on_non_null
    RULES[0xFB] = r_aggregate
    RULES[0xFC] = r_prefixed
    RULES[0xFD] = r_vector
    RULES[0xFE] = r_atomic


set_rules()


cdef void zero_locals(Tr* tr) noexcept nogil:
    cdef uint32_t n = tr.hdr - tr.type.param_slots
    if n == 0:
        return
    set_enter(new_ir(tr, OP_ENTER), tr.type.param_slots, n)
    tr.entering = True
    tr.barrier = 1


cdef int translate(Tr* tr, Unit* unit, Code* code) noexcept nogil:
    """Validate and lower the body that the reader stands before, which ends where the reader ends."""
    if not begin_code(tr, unit, code) or not declare_locals(tr):
        return -1
    unit.where = AT_FUNCTION
    unit.where_func = code.index
    if lower(tr) < 0:
        return -1
    unit.where = AT_ENTRY
    if tr.r.at != tr.r.end:
        return malformed(tr.r, tr.r.at, b"END opcode expected")
    return finish(tr)


cdef int translate_expr(Tr* tr, Unit* unit, Code* code) noexcept nogil:
    """The same for an expression without locals, which ends with its `end` and uses no fuel."""
    if not begin_code(tr, unit, code) or lower(tr) < 0 or finish(tr) < 0:
        return -1
    code.cost = 0
    return 0


cdef bint begin_code(Tr* tr, Unit* unit, Code* code) noexcept nogil:
    """Ready for another body. What is written before anybody asks whether there was memory for it has room from the beginning."""
    tr.unit = unit
    tr.r = &unit.r
    tr.tables = tables()
    tr.code = code
    tr.type = code.type
    tr.at = tr.r.at
    tr.live = True
    tr.n_vals = tr.n_ctrls = tr.n_irs = tr.n_words = tr.n_labels = tr.n_fixes = tr.n_places = tr.n_targets = 0
    tr.n_handlers = tr.n_waiting = tr.n_tries = tr.n_vectors = tr.n_heads = 0
    forget_locals(tr)
    tr.repeatable = <uint64_t>(tr.r.end - tr.r.at)
    tr.giant = tr.entering = False
    tr.hdr = tr.flushed = tr.barrier = tr.round = tr.n_inits = 0
    return (reserve(tr, <void**>&tr.vals, &tr.cap_vals, 64, sizeof(Val)) and reserve(tr, <void**>&tr.irs, &tr.cap_irs, 64, sizeof(Ir))
            and reserve(tr, <void**>&tr.labels, &tr.cap_labels, 64, sizeof(uint32_t)) and begin_stretches(tr))


cdef int lower(Tr* tr) noexcept nogil:
    """From the first opcode behind the locals to the `end` of the body."""
    end_block(tr)
    zero_locals(tr)
    tr.hdr = max(tr.hdr, tr.type.result_slots)
    if tr.hdr > MAX_SLOT - 8:
        tr.giant = True
    tr.live = not tr.giant
    tr.max_slots = tr.hdr + 2
    push_body(tr)
    while tr.n_ctrls != 0 and tr.r.fault == FAULT_NONE:
        if tr.r.at >= tr.r.end:
            return unexpected_end(tr.r)
        tr.at = tr.r.at
        tr.r.at += 1
        if tr.metered and tr.live:
            count(tr)
        RULES[tr.at[0]](tr)
    if tr.r.fault:
        return -1
    if tr.live:
        emit_return(tr)
    end_block(tr)
    if tr.metered:
        pay_at_landings(tr)
    if tr.giant:
        make_giant(tr)
    return -1 if tr.r.fault or tr.failed else 0


cdef void make_giant(Tr* tr) noexcept nogil:
    """In place of its code: one operation that says that the stack is exhausted."""
    tr.n_words = tr.n_fixes = tr.n_places = tr.n_handlers = 0
    begin_stretches(tr)
    tr.hdr = max(tr.type.param_slots, tr.type.result_slots)
    tr.max_slots = tr.hdr + 2
    tr.at = tr.r.at
    new_ir(tr, OP_EXHAUSTED).places = 1
    end_block(tr)


cdef void push_body(Tr* tr) noexcept nogil:
    """The body is a block without parameters: those are locals."""
    cdef Type* type = body_type(tr.unit.held, tr.type)
    if type == NULL:
        out_of_memory(tr.r)
    else:
        push_ctrl(tr, 0x02, type)


cdef int finish(Tr* tr) noexcept nogil:
    """Copy the words to where they stay, with real addresses."""
    cdef Unit* unit = tr.unit
    cdef W* words = <W*>malloc(tr.n_words * sizeof(W))
    cdef uint32_t* places = <uint32_t*>malloc((tr.n_places + 1) * 4)
    cdef Handler* handlers = <Handler*>malloc(tr.n_handlers * sizeof(Handler)) if tr.n_handlers else NULL
    cdef uint32_t i
    if words == NULL or places == NULL or (tr.n_handlers and handlers == NULL):
        free(words)
        free(places)
        free(handlers)
        return fail(tr.r, FAULT_MEMORY, tr.at, b"out of memory")
    memcpy(words, tr.words, tr.n_words * sizeof(W))
    for i in range(tr.n_fixes):
        words[tr.fixes[i].word].t = words + tr.labels[tr.fixes[i].label]
    if tr.n_places:
        memcpy(places, tr.places, tr.n_places * 4)
    for i in range(tr.n_handlers):
        handlers[i] = tr.handlers[i]
        if handlers[i].tag != HANDLE_DELEGATE:
            handlers[i].landing = tr.labels[handlers[i].landing]
    if tr.metered and price(tr, words) < 0:
        free(words)
        free(places)
        free(handlers)
        return fail(tr.r, FAULT_MEMORY, tr.at, b"out of memory")
    tr.code.cost = <int32_t>tr.totals[0] if tr.metered else 1
    tr.code.entry = words
    tr.code.n_words = tr.n_words
    tr.code.places = places
    tr.code.n_places = tr.n_places // 2
    tr.code.handlers = handlers
    tr.code.n_handlers = tr.n_handlers
    tr.code.hdr = tr.hdr
    tr.code.frame = tr.max_slots
    return 0


cdef void tr_free(Tr* tr) noexcept nogil:
    free(tr.vals)
    free(tr.ctrls)
    free(tr.irs)
    free(tr.words)
    free(tr.labels)
    free(tr.points)
    free(tr.totals)
    free(tr.charges)
    free(tr.steps)
    free(tr.fixes)
    free(tr.places)
    free(tr.handlers)
    free(tr.waiting)
    free(tr.runs)
    free(tr.named)
    free(tr.entry_of)
    free(tr.targets)
    free(tr.heads)
    free(tr.vectors)
    free(tr.local_types)
    free(tr.local_slots)
    free(tr.local_pending)
    free(tr.local_set)
    free(tr.inits)
