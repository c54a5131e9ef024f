"""See rules_exceptions.pxd.

A handler covers a range of words. It is entered into the table when its block ends, so that inner ones come first. Those of a
`try_table` wait in `tr.waiting` until then. In a legacy catch, the slot below the values keeps the exception for `rethrow`.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match, matches
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.rules_control cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.encoding cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.unit cimport *

cdef enum:
    CATCH_REF = 1
    CATCH_ALL = 2
    CATCH_ALL_REF = 3
    EXN = VT_EXNREF & ~VT_NULL


cdef Handler* add_handler(Tr* tr, uint32_t start, uint32_t tag, uint32_t slot) noexcept nogil:
    """What is thrown from word `start` to here goes to a handler, of the block at hand; NULL when memory is out."""
    cdef Handler* h
    if not reserve(tr, <void**>&tr.handlers, &tr.cap_handlers, tr.n_handlers + 1, sizeof(Handler)):
        return NULL
    h = &tr.handlers[tr.n_handlers]
    tr.n_handlers += 1
    memset(h, 0, sizeof(Handler))
    h.start = start
    h.end = tr.n_words
    h.tag = tag
    h.slot = slot
    h.depth = tr.n_ctrls
    return h


cdef Type* tag_type(Tr* tr) noexcept nogil:
    """The type of the tag whose index follows; tr.tag is that index."""
    tr.tag = u32(tr.r)
    if not exists(tr, b"unknown tag %llu", tr.tag, tr.unit.n_tags):
        return NULL
    return tr.unit.tags[tr.tag]


cdef void r_throw(Tr* tr) noexcept nogil:
    cdef Type* type = tag_type(tr)
    cdef Ir* ir
    if type == NULL:
        return
    check_top(tr, type.valtypes, type.n_params)
    if tr.r.fault:
        return
    if tr.live:
        flush(tr, tr.n_vals - type.n_params)
        ir = new_ir(tr, OP_THROW_NEW)
        ir.a = tr.vals[tr.n_vals - type.n_params].slot if type.n_params else 0
        ir.dst = 1
        ir.extra = tr.tag
        ir.extras = 1
        ir.places = 1
    set_unreachable(tr)


cdef void emit_throw(Tr* tr, uint32_t slot) noexcept nogil:
    cdef Ir* ir = new_ir(tr, OP_THROW_AGAIN)
    ir.a = slot
    ir.dst = 1
    ir.places = 1


cdef void r_throw_ref(Tr* tr) noexcept nogil:
    cdef Val v = pop(tr, VT_EXNREF)
    if tr.live and tr.r.fault == FAULT_NONE:
        emit_throw(tr, slot_of(tr, &v))
    set_unreachable(tr)


# -------------------------------------------------------------------------------------------------------------- try_table

cdef void r_try_table(Tr* tr) noexcept nogil:
    """The labels of the handlers are those around the block."""
    cdef Type* type = block_type(tr)
    cdef uint32_t first = tr.n_waiting
    cdef uint32_t n, i
    cdef Ctrl* c
    if type == NULL:
        return
    check_top(tr, type.valtypes, type.n_params)
    n = u32(tr.r)
    if n > tr.r.end - tr.r.at:
        unexpected_end(tr.r)
    for i in range(n):
        if tr.r.fault:
            return
        read_catch(tr)
    if tr.r.fault:
        return
    if tr.live:
        flush(tr, 0)
        end_block(tr)
        tr.n_tries += 1
    push_ctrl(tr, OPCODE_TRY_TABLE, type)
    c = &tr.ctrls[tr.n_ctrls - 1]
    c.start = tr.n_words
    c.waiting = first


cdef void read_catch(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    cdef uint8_t kind = u8(tr.r)
    cdef Type* type = NULL
    cdef Ctrl* c
    cdef Handler* h
    if kind > CATCH_ALL_REF:
        malformed(tr.r, at, b"malformed catch clause")
        return
    if kind < CATCH_ALL:
        type = tag_type(tr)
    c = label_of(tr, u32(tr.r)) if tr.r.fault == FAULT_NONE else NULL
    if c == NULL or tr.r.fault or not carries(tr, c, type, kind):
        return
    if not tr.live or not reserve(tr, <void**>&tr.waiting, &tr.cap_waiting, tr.n_waiting + 1, sizeof(Handler)):
        return
    h = &tr.waiting[tr.n_waiting]
    tr.n_waiting += 1
    memset(h, 0, sizeof(Handler))
    h.landing = c.label
    h.slot = c.slots
    h.tag = tr.tag if type != NULL else HANDLE_ALL
    h.copies = type != NULL
    h.keeps = kind == CATCH_REF or kind == CATCH_ALL_REF


cdef bint carries(Tr* tr, Ctrl* c, Type* type, uint8_t kind) noexcept nogil:
    """Does what a handler passes on match its label?"""
    cdef uint32_t shown[24]     # more than an error tells
    cdef uint32_t wanted
    cdef const uint32_t* types = label_types(c, &wanted)
    cdef uint32_t n = type.n_params if type != NULL else 0
    cdef bint ref = kind == CATCH_REF or kind == CATCH_ALL_REF
    if n + ref == wanted and (n == 0 or matches(type.valtypes, types, n)) and (not ref or match(EXN, types[n])):
        return True
    if n > 23:
        memcpy(shown, type.valtypes + n - 23, 23 * 4)
        n = 23
    elif n:
        memcpy(shown, type.valtypes, n * 4)
    shown[n] = EXN
    mismatch_lists(tr, b"catch handler has ", shown, n + ref, b" but label requires ", types, wanted)
    return False


cdef void end_try_table(Tr* tr) noexcept nogil:
    """The words of the block are there: its handlers cover them."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef Handler* h
    cdef uint32_t i
    for i in range(c.waiting, tr.n_waiting):
        h = add_handler(tr, c.start, tr.waiting[i].tag, tr.waiting[i].slot)
        if h == NULL:
            return
        h.landing = tr.waiting[i].landing
        h.copies = tr.waiting[i].copies
        h.keeps = tr.waiting[i].keeps
    tr.n_waiting = c.waiting
    tr.n_tries -= c.live


# ----------------------------------------------------------------------------------------------------------------- legacy

cdef bint legacy(Tr* tr) noexcept nogil:
    """Is the proposal on? Otherwise its opcodes are none."""
    if tr.unit.features & F_LEGACY_EXCEPTIONS:
        return True
    malformed(tr.r, tr.at, b"illegal opcode")
    return False


cdef void r_try(Tr* tr) noexcept nogil:
    cdef Type* type = block_type(tr) if legacy(tr) else NULL
    if type == NULL:
        return
    check_top(tr, type.valtypes, type.n_params)
    if tr.r.fault:
        return
    if tr.live:
        flush(tr, 0)
        end_block(tr)
        tr.n_tries += 1
    push_ctrl(tr, OPCODE_TRY, type)
    tr.ctrls[tr.n_ctrls - 1].start = tr.n_words


cdef Ctrl* closing(Tr* tr) noexcept nogil:
    """The `try` that a clause belongs to, when there can be one more."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    if not legacy(tr):
        return NULL
    if c.opcode == OPCODE_TRY or c.opcode == OPCODE_CATCH:
        return c
    malformed(tr.r, tr.at, b"END opcode expected")
    return NULL


cdef void end_part(Tr* tr) noexcept nogil:
    """What stands before a clause is at its end."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    if c.opcode == OPCODE_CATCH:
        end_catch(tr)
    else:
        leave_block(tr)
    if tr.r.fault:
        return
    if tr.live:
        emit_jump(tr, c.label)
    end_block(tr)
    if c.opcode == OPCODE_TRY:
        c.end = tr.n_words
        tr.n_tries -= c.live
    drop_to(tr, c.height)


cdef void end_catch(Tr* tr) noexcept nogil:
    """The results of a clause go to where those of the whole are expected, over the exception that it kept."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef Type* type = c.type
    leave_block(tr)
    if tr.r.fault:
        return
    if tr.live and type.n_results:
        move_values(tr, tr.vals[c.height].slot, c.slots, slot_height(tr))
    drop_to(tr, c.height)
    c.height -= 1
    drop_to(tr, c.height)
    push_types(tr, type.valtypes + type.n_params, type.n_results, AT_SLOT if tr.live else AT_CONSTANT)
    if tr.live and tr.flushed == c.height:
        tr.flushed = tr.n_vals


cdef void begin_catch(Tr* tr, uint8_t opcode, uint32_t tag, Type* type) noexcept nogil:
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef uint32_t label = new_label(tr)
    cdef Handler* h
    bind(tr, label)
    c.opcode = opcode
    c.unreachable = False
    tr.live = c.live
    push(tr, VT_EXNREF, AT_SLOT)
    c.height += 1
    if type != NULL:
        push_types(tr, type.valtypes, type.n_params, AT_SLOT if tr.live else AT_CONSTANT)
    if not tr.live:
        return
    tr.flushed = tr.n_vals
    h = add_handler(tr, c.start, tag, c.slots)
    if h != NULL:
        h.end = c.end
        h.landing = label
        h.first = 1
        h.copies = type != NULL
        c.handler = tr.n_handlers - 1


cdef void r_catch(Tr* tr) noexcept nogil:
    cdef Type* type
    if closing(tr) == NULL:
        return
    type = tag_type(tr)
    if type != NULL:
        end_part(tr)
    if tr.r.fault == FAULT_NONE:
        begin_catch(tr, OPCODE_CATCH, tr.tag, type)


cdef void r_catch_all(Tr* tr) noexcept nogil:
    if closing(tr) == NULL:
        return
    end_part(tr)
    if tr.r.fault == FAULT_NONE:
        begin_catch(tr, OPCODE_CATCH_ALL, HANDLE_ALL, NULL)


cdef void r_delegate(Tr* tr) noexcept nogil:
    """The label is one around the block; handlers further in do not see what it passes on."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef uint32_t l
    if closing(tr) == NULL:
        return
    if c.opcode != OPCODE_TRY:
        malformed(tr.r, tr.at, b"END opcode expected")
        return
    l = u32(tr.r)
    if l >= tr.n_ctrls - 1:
        tr.at = c.at
        refuse_at(tr, b"unknown label %llu", l)
        return
    leave_block(tr)
    if tr.r.fault:
        return
    end_block(tr)
    if c.live:
        add_handler(tr, c.start, HANDLE_DELEGATE, tr.n_ctrls - 1 - l)
        tr.n_tries -= 1
    end_of_block(tr)


cdef void r_rethrow(Tr* tr) noexcept nogil:
    """The label names a `try` in one of whose clauses this stands."""
    cdef uint32_t l = u32(tr.r)
    cdef Ctrl* c
    if not legacy(tr) or not exists(tr, b"unknown label %llu", l, tr.n_ctrls):
        return
    c = &tr.ctrls[tr.n_ctrls - 1 - l]
    if c.opcode != OPCODE_CATCH and c.opcode != OPCODE_CATCH_ALL:
        refuse_at(tr, b"invalid rethrow label %llu", l)
        return
    if tr.live:
        tr.handlers[c.handler].keeps = 1
        emit_throw(tr, c.slots)
    set_unreachable(tr)
