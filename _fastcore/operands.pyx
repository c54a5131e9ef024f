"""See operands.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport func_type
from pywasm_ref._fastcore.unit cimport *


cdef void mismatch(Tr* tr) noexcept nogil:
    invalid(tr.r, tr.at, b"type mismatch")


cdef Val pop(Tr* tr, uint32_t wanted) noexcept nogil:
    """The value on top, which must match; VT_BOT is anything. Below the block's height there is whatever unreachable code wants."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef Val v
    if tr.n_vals == c.height:
        memset(&v, 0, sizeof(Val))
        v.kind = AT_CONSTANT
        v.producer = -1
        v.slot = c.slots
        if not c.unreachable:
            mismatch(tr)
        return v
    tr.n_vals -= 1
    v = tr.vals[tr.n_vals]
    forget(tr, &v)
    if tr.flushed > tr.n_vals:
        tr.flushed = tr.n_vals
    if wanted != VT_BOT and v.type != wanted and v.type != VT_BOT:
        mismatch(tr)
    return v


cdef void push_types(Tr* tr, const uint32_t* types, uint32_t n, int kind) noexcept nogil:
    cdef uint32_t i
    for i in range(n):
        push(tr, types[i], kind)


cdef void check_top(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil:
    """The values on top have these types, and are given exactly them; nothing moves."""
    cdef uint32_t i
    cdef uint32_t below = tr.ctrls[tr.n_ctrls - 1].height
    if tr.n_vals - below >= n:
        for i in range(n):
            if tr.vals[tr.n_vals - n + i].type != types[i]:
                if tr.vals[tr.n_vals - n + i].type != VT_BOT:
                    mismatch(tr)
                tr.vals[tr.n_vals - n + i].type = types[i]
        return
    i = n
    while i > 0:
        i -= 1
        pop(tr, types[i])
    if tr.r.fault == FAULT_NONE:
        push_types(tr, types, n, AT_CONSTANT)


cdef void set_unreachable(Tr* tr) noexcept nogil:
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    drop_to(tr, c.height)
    c.unreachable = True
    tr.live = False


cdef uint32_t value_type(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    cdef uint8_t byte = u8(tr.r)
    if 0x7c <= byte <= 0x7f:
        return 0x80 - byte
    if byte == 0x70 or byte == 0x6f:
        return VT_FUNCREF if byte == 0x70 else VT_EXTERNREF
    malformed(tr.r, at, b"malformed value type")
    return VT_I32
