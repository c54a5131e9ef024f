"""See rules_casts.pxd. A conversion between internal and external references costs nothing: they are the same word."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport difference, match
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.rules_control cimport branch_if, label_of, label_types
from pywasm_ref._fastcore.rules_memory cimport two
from pywasm_ref._fastcore.rules_refs cimport at_home, give_back
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport top_of, type_of
from pywasm_ref._fastcore.valtypes cimport gate
from pywasm_ref._fastcore.words cimport Words, begin_words, put, put_type, put_types

cdef enum:
    FROM_NULL = 1           # flags of br_on_cast: which of its types take null
    TO_NULL = 2

cdef struct Test:
    # How to find out whether a reference belongs to a type.
    uint32_t number         # the operation that answers with a number
    uint32_t cast           # the one that traps
    uint64_t extra


cdef Test test_of(uint32_t heap) noexcept nogil:
    cdef Test t
    if heap >= HT_DEFINED:
        t.extra = <uint64_t>type_of(heap)
        t.number = OP_TEST_FUNC if type_of(heap).kind == HT_FUNC else OP_TEST_TYPE
        t.cast = OP_CAST_FUNC if type_of(heap).kind == HT_FUNC else OP_CAST_TYPE
    elif heap == HT_I31 or heap == HT_EQ:
        t.extra = 0
        t.number = OP_TEST_I31 if heap == HT_I31 else OP_TEST_EQ
        t.cast = OP_CAST_I31 if heap == HT_I31 else OP_CAST_EQ
    elif heap == HT_STRUCT or heap == HT_ARRAY:
        t.extra = heap
        t.number = OP_TEST_KIND
        t.cast = OP_CAST_KIND
    else:
        t.extra = heap == top_of(heap)
        t.number = OP_TEST_NULL
        t.cast = OP_CAST_NULL
    return t


cdef void emit_test(Tr* tr, Val* v, uint32_t type) noexcept nogil:
    """Pushes whether a popped reference has the type."""
    cdef Test t = test_of(type & VT_HEAP)
    cdef Ir* ir = emit(tr, t.number, v, NULL, type & VT_NULL != 0, VT_I32)
    ir.extras = 1
    ir.extra = t.extra


cdef bint castable(Tr* tr, uint32_t null, uint32_t* target, Val* v) noexcept nogil:
    """Read the target of a cast and take a reference of its hierarchy."""
    target[0] = heap_type(tr) | VT_REF | null
    if gate(tr.unit, target[0]) < 0 or tr.r.fault:
        return False
    v[0] = pop(tr, VT_REF | VT_NULL | top_of(target[0] & VT_HEAP))
    return tr.r.fault == FAULT_NONE


cdef void ref_test(Tr* tr, uint32_t null) noexcept nogil:
    cdef uint32_t target
    cdef Val v
    if not castable(tr, null, &target, &v):
        return
    if tr.live:
        emit_test(tr, &v, target)
    else:
        push(tr, VT_I32, AT_CONSTANT)


cdef void ref_cast(Tr* tr, uint32_t null) noexcept nogil:
    cdef uint32_t target, slot
    cdef Val v
    cdef Test t
    cdef Ir* ir
    if not castable(tr, null, &target, &v):
        return
    if tr.live:
        t = test_of(target & VT_HEAP)
        slot = slot_of(tr, &v)
        ir = new_ir(tr, t.cast)
        ir.a = slot
        ir.reads = 1
        ir.k = null != 0
        ir.extras = 1
        ir.extra = t.extra
        ir.places = 1
    give_back(tr, &v, target)


cdef void r_ref_test(Tr* tr) noexcept nogil:
    ref_test(tr, 0)


cdef void r_ref_test_null(Tr* tr) noexcept nogil:
    ref_test(tr, VT_NULL)


cdef void r_ref_cast(Tr* tr) noexcept nogil:
    ref_cast(tr, 0)


cdef void r_ref_cast_null(Tr* tr) noexcept nogil:
    ref_cast(tr, VT_NULL)


cdef void r_ref_eq(Tr* tr) noexcept nogil:
    cdef Val v[2]
    if two(tr, v, VT_REF | VT_NULL | HT_EQ, VT_REF | VT_NULL | HT_EQ):
        emit(tr, OP_I64_EQ, &v[0], &v[1], 0, VT_I32)
    elif tr.r.fault == FAULT_NONE:
        push(tr, VT_I32, AT_CONSTANT)


# ---------------------------------------------------------------------------------------------- branches

cdef void label_lacks(Tr* tr, uint32_t carried, const uint32_t* types, uint32_t n) noexcept nogil:
    cdef Words w = begin_words()
    put(&w, b"type mismatch: instruction requires type ")
    put_type(&w, tr.unit, carried)
    put(&w, b" but label has ")
    put_types(&w, tr.unit, types, n)
    invalid(tr.r, tr.at, w.text)


cdef void branch_on_cast(Tr* tr, bint sense) noexcept nogil:
    cdef uint8_t flags = u8(tr.r)
    cdef uint32_t l = u32(tr.r)
    cdef uint32_t source = heap_type(tr) | VT_REF | (VT_NULL if flags & FROM_NULL else 0)
    cdef uint32_t target, carried, left, n
    cdef const uint32_t* types
    cdef Ctrl* c
    if tr.r.fault:
        return
    target = heap_type(tr) | VT_REF | (VT_NULL if flags & TO_NULL else 0)
    if gate(tr.unit, source) < 0 or gate(tr.unit, target) < 0 or tr.r.fault:
        return
    if not match(target, source):
        mismatch_of(tr, b" on cast: type ", target, b" does not match ", source)
        return
    carried = target if sense else difference(source, target)
    left = difference(source, target) if sense else target
    c = label_of(tr, l)
    if c == NULL:
        return
    types = label_types(c, &n)
    if n == 0 or not match(carried, types[n - 1]):
        label_lacks(tr, carried, types, n)
    elif expect_with(tr, types, n - 1, source):
        finish_branch(tr, c, sense, target, left)


cdef void finish_branch(Tr* tr, Ctrl* c, bint sense, uint32_t target, uint32_t left) noexcept nogil:
    """The operands are there. The reference stays in its slot, and is asked what it is."""
    cdef uint32_t n
    cdef const uint32_t* types = label_types(c, &n)
    cdef Val v = pop(tr, VT_BOT)
    cdef Val cond
    check_top(tr, types, n - 1)
    if tr.r.fault:
        return
    if not tr.live:
        push(tr, left, AT_CONSTANT)
        return
    at_home(tr, &v)
    push(tr, left, AT_SLOT)
    v = tr.vals[tr.n_vals - 1]
    emit_test(tr, &v, target)
    cond = pop(tr, VT_BOT)
    branch_if(tr, c, n, &cond, sense)


cdef void r_br_on_cast(Tr* tr) noexcept nogil:
    branch_on_cast(tr, True)


cdef void r_br_on_cast_fail(Tr* tr) noexcept nogil:
    branch_on_cast(tr, False)


# ---------------------------------------------------------------------------------------------- external references, i31

cdef void convert(Tr* tr, uint32_t source, uint32_t target) noexcept nogil:
    """A reference changes sides; one that cannot be null stays so."""
    cdef uint32_t wanted = VT_REF | VT_NULL | source
    cdef Val v = pop_ref(tr)
    cdef uint32_t given = v.type
    if tr.r.fault:
        return
    if given & VT_HEAP != HT_BOT and not match(given, wanted):
        mismatch_lists(tr, b"instruction requires ", &wanted, 1, b" but stack has ", &given, 1)
        return
    give_back(tr, &v, VT_REF | target | (given & VT_NULL))


cdef void r_any_convert_extern(Tr* tr) noexcept nogil:
    convert(tr, HT_EXTERN, HT_ANY)


cdef void r_extern_convert_any(Tr* tr) noexcept nogil:
    convert(tr, HT_ANY, HT_EXTERN)


cdef void one(Tr* tr, uint32_t operand, uint32_t op, uint32_t result) noexcept nogil:
    cdef Val v = pop(tr, operand)
    if tr.r.fault:
        return
    if tr.live:
        emit(tr, op, &v, NULL, 0, result).places = 1
    else:
        push(tr, result, AT_CONSTANT)


cdef void r_ref_i31(Tr* tr) noexcept nogil:
    one(tr, VT_I32, OP_REF_I31, VT_REF | HT_I31)


cdef void r_i31_get_s(Tr* tr) noexcept nogil:
    one(tr, VT_REF | VT_NULL | HT_I31, OP_I31_GET_S, VT_I32)


cdef void r_i31_get_u(Tr* tr) noexcept nogil:
    one(tr, VT_REF | VT_NULL | HT_I31, OP_I31_GET_U, VT_I32)
