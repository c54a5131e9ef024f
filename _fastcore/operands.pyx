"""See operands.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memmove, memset
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport defaultable
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport read_heap_type, read_value_type, refuse
from pywasm_ref._fastcore.words cimport Words, begin_words, put, put_type, put_types


# ---------------------------------------------------------------------------------------------- words

cdef void mismatch(Tr* tr) noexcept nogil:
    """For code that can be reached by no module; elsewhere the words say what was expected."""
    invalid(tr.r, tr.at, b"type mismatch")


cdef void put_stack(Words* w, Tr* tr, uint32_t n) noexcept nogil:
    """Of the n values on top those that belong to the block."""
    cdef uint32_t types[24]
    cdef uint32_t have = min(n, tr.n_vals - tr.ctrls[tr.n_ctrls - 1].height)
    cdef uint32_t shown = min(have, 21)         # one more than are spelled, so that it shows that there are more
    cdef uint32_t i
    for i in range(shown):
        types[i] = tr.vals[tr.n_vals - shown + i].type
    put_types(w, tr.unit, types, shown)


cdef void stack_mismatch(Tr* tr, const uint32_t* types, uint32_t n, uint32_t last) noexcept nogil:
    cdef Words w = begin_words()
    cdef uint32_t shown[21]
    cdef uint32_t i
    cdef uint32_t n_shown = min(n, 21)
    for i in range(n_shown):
        shown[i] = types[n - n_shown + i]
    if last != VT_BOT:
        n += 1
        if n_shown == 21:
            memmove(shown, shown + 1, 20 * 4)
            n_shown = 20
        shown[n_shown] = last
        n_shown += 1
    put(&w, b"type mismatch: instruction requires ")
    put_types(&w, tr.unit, shown, n_shown)
    put(&w, b" but stack has ")
    put_stack(&w, tr, n)
    invalid(tr.r, tr.at, w.text)


cdef void mismatch_of(Tr* tr, const char* one, uint32_t t1, const char* other, uint32_t t2) noexcept nogil:
    """`type mismatch` one t1, and unless it is NULL: other t2."""
    cdef Words w = begin_words()
    put(&w, b"type mismatch")
    put(&w, one)
    put_type(&w, tr.unit, t1)
    if other != NULL:
        put(&w, other)
        put_type(&w, tr.unit, t2)
    invalid(tr.r, tr.at, w.text)


cdef void mismatch_lists(Tr* tr, const char* one, const uint32_t* types1, uint32_t n1, const char* other, const uint32_t* types2,
                         uint32_t n2) noexcept nogil:
    """`type mismatch: ` one [types1] other [types2]; a list that is NULL is left out."""
    cdef Words w = begin_words()
    put(&w, b"type mismatch: ")
    put(&w, one)
    if types1 != NULL:
        put_types(&w, tr.unit, types1, n1)
    put(&w, other)
    if types2 != NULL:
        put_types(&w, tr.unit, types2, n2)
    invalid(tr.r, tr.at, w.text)


cdef void refuse_at(Tr* tr, const char* words, uint64_t x) noexcept nogil:
    """Invalid at this instruction; the words may have one %llu."""
    tr.unit.at = tr.at
    refuse(tr.unit, words, x)


cdef bint exists(Tr* tr, const char* words, uint32_t x, uint32_t n) noexcept nogil:
    """Is an index below the number of what there is? The words are like `unknown table %llu`."""
    if x < n and tr.r.fault == FAULT_NONE:
        return True
    refuse_at(tr, words, x)
    return False


# ---------------------------------------------------------------------------------------------- the stack

cdef enum:
    WORK = 100                  # values for each byte of a module
    LEAST_WORK = 50000000       # and these besides, for types as long as other engines allow (1,000)
    MOST_VALUES = 1000000       # on the stack: far more than any frame has


cdef bint affordable(Tr* tr, uint64_t n) noexcept nogil:
    """May n more values be pushed, compared, or be parameters? A type is spelled once, and named by two bytes each time it is used."""
    tr.work += n
    if tr.work > LEAST_WORK + WORK * tr.unit.size:
        fail(tr.r, FAULT_LIMIT, tr.at, b"too many values in the types of functions, blocks and calls")
    elif n + tr.n_vals > MOST_VALUES and n > 1:
        fail(tr.r, FAULT_LIMIT, tr.at, b"too many values on the stack")
    return tr.r.fault == FAULT_NONE


cdef Val nothing(Tr* tr) noexcept nogil:
    """What there is below a block's height in unreachable code."""
    cdef Val v
    memset(&v, 0, sizeof(Val))
    v.kind = AT_CONSTANT
    v.producer = -1
    v.slot = tr.ctrls[tr.n_ctrls - 1].slots
    return v


cdef Val pop(Tr* tr, uint32_t wanted) noexcept nogil:
    """The value on top, which must match; VT_BOT is anything. Below the block's height there is whatever unreachable code wants."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef Val v
    if tr.n_vals == c.height:
        if not c.unreachable:
            if wanted == VT_BOT:
                invalid(tr.r, tr.at, b"type mismatch: instruction requires a value but stack has []")
            else:
                stack_mismatch(tr, &wanted, 1, VT_BOT)
        return nothing(tr)
    v = tr.vals[tr.n_vals - 1]
    if wanted != VT_BOT and not match(v.type, wanted):
        stack_mismatch(tr, &wanted, 1, VT_BOT)
    tr.n_vals -= 1
    forget(tr, &v)
    if tr.flushed > tr.n_vals:
        tr.flushed = tr.n_vals
    return v


cdef Val pop_ref(Tr* tr) noexcept nogil:
    """A reference of whatever type; in unreachable code it may be of (ref bot)."""
    cdef Val v = pop(tr, VT_BOT)
    cdef Words w
    if v.type == VT_BOT:
        v.type = VT_REF | HT_BOT
    elif not v.type & VT_REF:
        w = begin_words()
        put(&w, b"type mismatch: instruction requires reference type but stack has ")
        put_type(&w, tr.unit, v.type)
        invalid(tr.r, tr.at, w.text)
    return v


cdef bint expect(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil:
    """Do the n values on top match? They stay as they are. Otherwise a fault."""
    return expect_with(tr, types, n, VT_BOT)


cdef bint expect_with(Tr* tr, const uint32_t* types, uint32_t n, uint32_t last) noexcept nogil:
    """The same for these types and one more, unless that is VT_BOT."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef uint32_t have = tr.n_vals - c.height
    cdef uint32_t top = tr.n_vals
    cdef uint32_t i
    if n > 1 and not affordable(tr, n):
        return False
    if have < n + (last != VT_BOT) and not c.unreachable:
        stack_mismatch(tr, types, n, last)
        return False
    if last != VT_BOT and have != 0:
        if not match(tr.vals[top - 1].type, last):
            stack_mismatch(tr, types, n, last)
            return False
        top -= 1
        have -= 1
    if have > n:
        have = n
    for i in range(have):
        if not match(tr.vals[top - have + i].type, types[n - have + i]):
            stack_mismatch(tr, types, n, last)
            return False
    return True


cdef bint expect2(Tr* tr, uint32_t t1, uint32_t t2) noexcept nogil:
    cdef uint32_t types[2]
    types[0] = t1
    types[1] = t2
    return expect(tr, types, 2)


cdef bint expect3(Tr* tr, uint32_t t1, uint32_t t2, uint32_t t3) noexcept nogil:
    cdef uint32_t types[3]
    types[0] = t1
    types[1] = t2
    types[2] = t3
    return expect(tr, types, 3)


cdef void check_top(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil:
    """The values on top match these types, and are given exactly them; nothing moves."""
    cdef uint32_t i
    cdef uint32_t have = tr.n_vals - tr.ctrls[tr.n_ctrls - 1].height
    if not expect(tr, types, n):
        return
    if have >= n:
        for i in range(n):
            tr.vals[tr.n_vals - n + i].type = types[i]
        return
    drop_to(tr, tr.n_vals - have)
    push_types(tr, types, n, AT_CONSTANT)


cdef bint check_end(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil:
    """At the end of a block: these types are on the stack, and nothing else is."""
    cdef uint32_t have = tr.n_vals - tr.ctrls[tr.n_ctrls - 1].height
    cdef Words w
    if have > n and expect(tr, types, n):
        w = begin_words()
        put(&w, b"type mismatch: block requires ")
        put_types(&w, tr.unit, types, n)
        put(&w, b" but stack has ")
        put_stack(&w, tr, have)
        invalid(tr.r, tr.at, w.text)
    else:
        check_top(tr, types, n)
    return tr.r.fault == FAULT_NONE


cdef void push_types(Tr* tr, const uint32_t* types, uint32_t n, int kind) noexcept nogil:
    cdef uint32_t i
    if n > 1 and not affordable(tr, n):
        return
    for i in range(n):
        push(tr, types[i], kind)


cdef void set_unreachable(Tr* tr) noexcept nogil:
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    drop_to(tr, c.height)
    c.unreachable = True
    tr.live = False
    tr.ended = True


# ---------------------------------------------------------------------------------------------- immediates

cdef uint32_t value_type(Tr* tr) noexcept nogil:
    tr.unit.at = tr.at
    return read_value_type(tr.unit)


cdef uint32_t heap_type(Tr* tr) noexcept nogil:
    tr.unit.at = tr.at
    return read_heap_type(tr.unit)


cdef bint data_index(Tr* tr, uint32_t x) noexcept nogil:
    """May an instruction name this data segment?"""
    tr.unit.uses_data = True
    return exists(tr, b"unknown data segment %llu", x, tr.unit.data_count)


# ---------------------------------------------------------------------------------------------- locals without default

cdef bint is_set(Tr* tr, uint32_t x) noexcept nogil:
    """Has a local a value: is it a parameter, has it a default, or has it been set on the way here?"""
    if x < tr.type.n_params or defaultable(tr.local_types[x]) or tr.local_set[x]:
        return True
    refuse_at(tr, b"uninitialized local %llu", local_of(tr, x))
    return False


cdef bint note_set(Tr* tr, uint32_t x) noexcept nogil:
    """It is set until the end of the block at hand."""
    if x < tr.type.n_params or defaultable(tr.local_types[x]) or tr.local_set[x]:
        return True
    if not reserve(tr, <void**>&tr.inits, &tr.cap_inits, tr.n_inits + 1, 4):
        return False
    tr.local_set[x] = 1
    tr.inits[tr.n_inits] = x
    tr.n_inits += 1
    return True


cdef void forget_set(Tr* tr, uint32_t height) noexcept nogil:
    while tr.n_inits > height:
        tr.n_inits -= 1
        tr.local_set[tr.inits[tr.n_inits]] = 0
