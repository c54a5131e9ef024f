"""See rules_aggregates.pxd. What more than three operands go into finds them side by side, in their canonical slots."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from pywasm_ref._fastcore.heap cimport kind_of
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.rules_casts cimport *
from pywasm_ref._fastcore.rules_memory cimport elem_index, give, raw, result_in_slot, take, three, two
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport defaultable, unpacked
from pywasm_ref._fastcore.valtypes cimport type_at
from pywasm_ref._fastcore.words cimport Words, begin_words, put, put_number, put_type


# ---------------------------------------------------------------------------------------------- what indices name

cdef Type* type_of_kind(Tr* tr, uint32_t x, uint8_t kind, const char* words) noexcept nogil:
    cdef Type* type
    tr.unit.at = tr.at
    type = type_at(tr.unit, x)
    if type != NULL and type.kind != kind:
        refuse_at(tr, words, x)
        return NULL
    return type


cdef Type* struct_type(Tr* tr, uint32_t x) noexcept nogil:
    return type_of_kind(tr, x, HT_STRUCT, b"non-structure type %llu")


cdef Type* array_type(Tr* tr, uint32_t x) noexcept nogil:
    return type_of_kind(tr, x, HT_ARRAY, b"non-array type %llu")


cdef Type* mutable_array(Tr* tr, uint32_t x) noexcept nogil:
    cdef Type* type = array_type(tr, x)
    if type != NULL and not type.muts[0]:
        refuse_at(tr, b"immutable array: type %llu", x)
        return NULL
    return type


cdef uint32_t ref_to(Type* type) noexcept nogil:
    return VT_REF | type.heap


cdef uint32_t null_or(Type* type) noexcept nogil:
    return VT_REF | VT_NULL | type.heap


cdef bint refuse_two(Tr* tr, const char* format, uint32_t x, uint32_t y) noexcept nogil:
    cdef char text[120]
    snprintf(text, sizeof(text), format, x, y)
    invalid(tr.r, tr.at, text)
    return False


cdef bint extended_if_packed(Tr* tr, uint32_t storage, bint extends, const char* packed, const char* other) noexcept nogil:
    """Packed storage is read with a sign, other storage without."""
    if (storage == VT_I8 or storage == VT_I16) == extends:
        return True
    refuse_at(tr, other if extends else packed, 0)
    return False


# ---------------------------------------------------------------------------------------------- operands side by side

cdef Ir* row_of(Tr* tr, uint32_t op, uint32_t n) noexcept nogil:
    """An operation on the n values on top, which go to their canonical slots and from the stack; no result is pushed yet."""
    cdef uint32_t base = tr.vals[tr.n_vals - n].slot if n else slot_height(tr)
    cdef uint32_t end = slot_height(tr)
    cdef Ir* ir
    flush(tr, tr.n_vals - n)
    drop_to(tr, tr.n_vals - n)
    ir = new_ir(tr, op)
    ir.a = base
    ir.x = end
    ir.places = 1
    return ir


cdef void note_end(Tr* tr, Ir* ir, Val* values, uint32_t n) noexcept nogil:
    """The operation, which makes an object of n values that were popped, tells in its last half-word where values end that are still wanted.
    What stands behind them in slots is old, and must keep no object alive."""
    cdef uint32_t i
    ir.x = slot_height(tr)
    for i in range(n):
        if values[i].kind == AT_SLOT:
            ir.x = max(ir.x, values[i].slot + slots_of(values[i].type))


cdef void with_type(Ir* ir, Type* type, uint64_t last) noexcept nogil:
    ir.extras = 2
    ir.extra = <uint64_t>type
    ir.offset = last


cdef bint drops(Tr* tr, const uint32_t* types, uint32_t n) noexcept nogil:
    """The operands match. In code that is never reached they are gone then; else they are still there, and the answer is True."""
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    if not expect(tr, types, n):
        return False
    if not tr.live:
        drop_to(tr, max(c.height, tr.n_vals - n) if tr.n_vals > n else c.height)
    return tr.live


# ---------------------------------------------------------------------------------------------- structures

cdef uint32_t* unpacked_types(Tr* tr, Type* type) noexcept nogil:
    """The types of the fields as values, for the caller to free; NULL when memory is out."""
    cdef uint32_t* types = <uint32_t*>malloc((<uint64_t>type.n_fields + 1) * sizeof(uint32_t))
    cdef uint32_t i
    if types == NULL:
        out_of_memory(tr.r)
        return NULL
    for i in range(type.n_fields):
        types[i] = unpacked(type.valtypes[i])
    return types


cdef bint is_plain(Type* type) noexcept nogil:
    """Few fields, a slot each, that are stored as they are."""
    cdef uint32_t i
    if type.n_fields > 3 or type.n_slots != type.n_fields + 1:
        return False
    for i in range(type.n_fields):
        if type.valtypes[i] == VT_I8 or type.valtypes[i] == VT_I16:
            return False
    return True


cdef void struct_new(Tr* tr) noexcept nogil:
    cdef Type* type = struct_type(tr, u32(tr.r))
    cdef uint32_t* types
    cdef bint emits
    if type == NULL or tr.r.fault:
        return
    types = unpacked_types(tr, type)
    if types == NULL:
        return
    emits = drops(tr, types, type.n_fields)
    free(types)
    if not emits:
        give(tr, ref_to(type))
    elif is_plain(type):
        plain_struct(tr, type)
    else:
        whole_struct(tr, type, type.n_fields, 0)


cdef void plain_struct(Tr* tr, Type* type) noexcept nogil:
    cdef Val values[3]
    cdef uint32_t i = type.n_fields
    cdef uint64_t size = max(type.n_slots * sizeof(S), 16)
    cdef Ir* ir
    while i > 0:
        i -= 1
        values[i] = pop(tr, VT_BOT)
    ir = raw(tr, OP_STRUCT_NEW_0 + type.n_fields, values, type.n_fields, <uint64_t>type)
    with_type(ir, type, kind_of(size) | (size + 7 & ~<uint64_t>7) << 32)
    if type.n_fields < 3:       # or else a field is where the end would be
        note_end(tr, ir, values, type.n_fields)
    result_in_slot(tr, ir, ref_to(type))


cdef void whole_struct(Tr* tr, Type* type, uint32_t n, uint64_t defaults) noexcept nogil:
    cdef Ir* ir = row_of(tr, OP_STRUCT_NEW, n)
    with_type(ir, type, defaults)
    result_in_slot(tr, ir, ref_to(type))


cdef void struct_new_default(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t i
    cdef Type* type = struct_type(tr, x)
    if type == NULL or tr.r.fault:
        return
    for i in range(type.n_fields):
        if not defaultable(type.valtypes[i]):
            refuse_two(tr, b"field type is not defaultable: field %u of type %u", i, x)
            return
    if tr.live:
        whole_struct(tr, type, 0, 1)
    else:
        give(tr, ref_to(type))


cdef Type* struct_field(Tr* tr, uint32_t* field) noexcept nogil:
    """Read a type and a field of it."""
    cdef Type* type
    cdef uint32_t x = u32(tr.r)
    field[0] = u32(tr.r)
    type = struct_type(tr, x)
    if type == NULL or not exists(tr, b"unknown field %llu", field[0], type.n_fields):
        return NULL
    return type


cdef uint32_t getter(uint32_t t) noexcept nogil:
    if t & VT_REF:
        return OP_STRUCT_GET_P
    return OP_STRUCT_GET_L if t == VT_I64 else OP_STRUCT_GET_F if t == VT_F32 else OP_STRUCT_GET_D if t == VT_F64 else OP_STRUCT_GET_I


cdef void get_field(Tr* tr, bint extends, uint32_t packed_op8, uint32_t packed_op16) noexcept nogil:
    cdef uint32_t x, t
    cdef Type* type = struct_field(tr, &x)
    cdef Val v
    if type == NULL:
        return
    t = type.valtypes[x]
    if not extended_if_packed(tr, t, extends, b"field is packed", b"field is unpacked"):
        return
    v = pop(tr, null_or(type))
    if tr.r.fault or not tr.live:
        give(tr, unpacked(t))
    elif t == VT_V128:
        result_in_slot(tr, raw(tr, OP_STRUCT_GET_V, &v, 1, type.places[x] * sizeof(S)), t)
        note_write(tr, tr.vals[tr.n_vals - 1].slot + 1, 0)
    else:
        emit(tr, packed_op8 if t == VT_I8 else packed_op16 if t == VT_I16 else getter(t), &v, NULL, type.places[x] * sizeof(S), unpacked(t)).places = 1


cdef void struct_get(Tr* tr) noexcept nogil:
    get_field(tr, False, 0, 0)


cdef void struct_get_s(Tr* tr) noexcept nogil:
    get_field(tr, True, OP_STRUCT_GET_8_S, OP_STRUCT_GET_16_S)


cdef void struct_get_u(Tr* tr) noexcept nogil:
    get_field(tr, True, OP_STRUCT_GET_I, OP_STRUCT_GET_I)


cdef uint32_t setter(uint32_t t) noexcept nogil:
    if t == VT_I8 or t == VT_I16:
        return OP_STRUCT_SET_8 if t == VT_I8 else OP_STRUCT_SET_16
    return OP_STRUCT_SET_F if t == VT_F32 else OP_STRUCT_SET_D if t == VT_F64 else OP_STRUCT_SET_L


cdef void struct_set(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    cdef uint32_t x, t
    cdef Type* type = struct_field(tr, &x)
    cdef Val v[2]
    if type == NULL:
        return
    if not type.muts[x]:
        tr.r.at = at
        refuse_two(tr, b"immutable field %u of type %u", x, u32(tr.r))
        return
    t = type.valtypes[x]
    if not two(tr, v, null_or(type), unpacked(t)):
        return
    if t == VT_V128:
        raw(tr, OP_STRUCT_SET_V, v, 2, type.places[x] * sizeof(S))
    else:
        emit(tr, setter(t), &v[0], &v[1], type.places[x] * sizeof(S), 0).places = 1


# ---------------------------------------------------------------------------------------------- arrays

cdef void array_new(Tr* tr) noexcept nogil:
    cdef Type* type = array_type(tr, u32(tr.r))
    cdef Val v[2]
    cdef Ir* ir
    if type == NULL or tr.r.fault:
        return
    if not two(tr, v, unpacked(type.valtypes[0]), VT_I32):
        give(tr, ref_to(type))
        return
    ir = raw(tr, OP_ARRAY_NEW, v, 2, 0)
    with_type(ir, type, 0)
    note_end(tr, ir, v, 2)
    result_in_slot(tr, ir, ref_to(type))


cdef void array_new_default(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef Type* type = array_type(tr, x)
    cdef Val v
    cdef uint32_t slot
    cdef Ir* ir
    if type == NULL or tr.r.fault:
        return
    if not defaultable(type.valtypes[0]):
        refuse_at(tr, b"array type is not defaultable: type %llu", x)
        return
    v = pop(tr, VT_I32)
    if tr.r.fault or not tr.live:
        give(tr, ref_to(type))
        return
    slot = slot_of(tr, &v)
    ir = new_ir(tr, OP_ARRAY_NEW)
    ir.b = slot
    ir.reads = 2
    ir.places = 1
    with_type(ir, type, 1)
    note_end(tr, ir, &v, 1)
    result_in_slot(tr, ir, ref_to(type))


cdef void too_few(Tr* tr, uint32_t n, uint32_t t) noexcept nogil:
    cdef Words w = begin_words()
    put(&w, b"type mismatch: instruction requires ")
    put_number(&w, n)
    put(&w, b" times ")
    put_type(&w, tr.unit, t)
    put(&w, b" but stack has ")
    put_stack(&w, tr, tr.n_vals)
    invalid(tr.r, tr.at, w.text)


cdef void array_new_fixed(Tr* tr) noexcept nogil:
    """Operands are looked for only as far as there are any: the count may be four billion."""
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t n = u32(tr.r)
    cdef Type* type = array_type(tr, x)
    cdef Ctrl* c = &tr.ctrls[tr.n_ctrls - 1]
    cdef uint32_t have = tr.n_vals - c.height
    cdef uint32_t t, i
    cdef uint32_t* types
    cdef bint emits
    cdef Ir* ir
    if type == NULL or tr.r.fault:
        return
    t = unpacked(type.valtypes[0])
    if n > have and not c.unreachable:
        too_few(tr, n, t)
        return
    have = min(n, have)
    types = <uint32_t*>malloc((<uint64_t>have + 1) * sizeof(uint32_t))
    if types == NULL:
        out_of_memory(tr.r)
        return
    for i in range(have):
        types[i] = t
    emits = drops(tr, types, have)
    free(types)
    if not emits:
        give(tr, ref_to(type))
        return
    ir = row_of(tr, OP_ARRAY_NEW_FIXED, n)
    with_type(ir, type, n)
    result_in_slot(tr, ir, ref_to(type))


cdef bint numeric(Tr* tr, Type* type) noexcept nogil:
    """Bytes do not make references."""
    if not type.valtypes[0] & VT_REF:
        return True
    refuse_at(tr, b"array type is not numeric or vector", 0)
    return False


cdef bint elem_fits(Tr* tr, uint32_t y, Type* type) noexcept nogil:
    if match(tr.unit.elems[y].type, unpacked(type.valtypes[0])):
        return True
    mismatch_of(tr, b": element segment's type ", tr.unit.elems[y].type, b" does not match array's field type ", unpacked(type.valtypes[0]))
    return False


cdef void new_from(Tr* tr, Type* type, uint32_t op, uint32_t y) noexcept nogil:
    """An array from part of a segment."""
    cdef Val v[2]
    cdef Ir* ir
    if not two(tr, v, VT_I32, VT_I32):
        give(tr, ref_to(type))
        return
    ir = raw(tr, op, v, 2, 0)
    with_type(ir, type, y)
    note_end(tr, ir, v, 2)
    result_in_slot(tr, ir, ref_to(type))


cdef void array_new_data(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef Type* type = array_type(tr, x)
    if type != NULL and data_index(tr, y) and numeric(tr, type):
        new_from(tr, type, OP_ARRAY_NEW_DATA, y)


cdef void array_new_elem(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef Type* type = array_type(tr, x)
    if type != NULL and elem_index(tr, y) and elem_fits(tr, y, type):
        new_from(tr, type, OP_ARRAY_NEW_ELEM, y)


cdef uint32_t reader(uint32_t t, bint signed_) noexcept nogil:
    if t & VT_REF:
        return OP_ARRAY_GET_P
    if t == VT_I8:
        return OP_ARRAY_GET_8_S if signed_ else OP_ARRAY_GET_8_U
    if t == VT_I16:
        return OP_ARRAY_GET_16_S if signed_ else OP_ARRAY_GET_16_U
    return OP_ARRAY_GET_L if t == VT_I64 else OP_ARRAY_GET_F if t == VT_F32 else OP_ARRAY_GET_D if t == VT_F64 else OP_ARRAY_GET_I


cdef void get_element(Tr* tr, bint extends, bint signed_) noexcept nogil:
    cdef Type* type = array_type(tr, u32(tr.r))
    cdef uint32_t t
    cdef Val v[2]
    if type == NULL or tr.r.fault:
        return
    t = type.valtypes[0]
    if not extended_if_packed(tr, t, extends, b"array is packed", b"array is unpacked"):
        return
    if not two(tr, v, null_or(type), VT_I32):
        give(tr, unpacked(t))
    elif t == VT_V128:
        result_in_slot(tr, raw(tr, OP_ARRAY_GET_V, v, 2, 0), t)
        tr.irs[tr.n_irs - 1].extras = 0
        note_write(tr, tr.vals[tr.n_vals - 1].slot + 1, 0)
    else:
        emit(tr, reader(t, signed_), &v[0], &v[1], 0, unpacked(t)).places = 1


cdef void array_get(Tr* tr) noexcept nogil:
    get_element(tr, False, False)


cdef void array_get_s(Tr* tr) noexcept nogil:
    get_element(tr, True, True)


cdef void array_get_u(Tr* tr) noexcept nogil:
    get_element(tr, True, False)


cdef void array_set(Tr* tr) noexcept nogil:
    cdef Type* type = mutable_array(tr, u32(tr.r))
    cdef uint8_t width
    cdef Val v[3]
    if type == NULL or tr.r.fault or not three(tr, v, null_or(type), VT_I32, unpacked(type.valtypes[0])):
        return
    width = type.width
    raw(tr, OP_ARRAY_SET_8 if width == 0 else OP_ARRAY_SET_16 if width == 1 else OP_ARRAY_SET_32 if width == 2
        else OP_ARRAY_SET_64 if width == 3 else OP_ARRAY_SET_V, v, 3, 0).extras = 0


cdef void array_len(Tr* tr) noexcept nogil:
    cdef Val v = pop(tr, VT_REF | VT_NULL | HT_ARRAY)
    if tr.r.fault or not tr.live:
        give(tr, VT_I32)
    else:
        emit(tr, OP_ARRAY_LEN, &v, NULL, 0, VT_I32).places = 1


# ---------------------------------------------------------------------------------------------- many elements at once

cdef void array_fill(Tr* tr) noexcept nogil:
    cdef Type* type = mutable_array(tr, u32(tr.r))
    cdef uint32_t types[4]
    if type == NULL or tr.r.fault:
        return
    types[0] = null_or(type)
    types[1] = types[3] = VT_I32
    types[2] = unpacked(type.valtypes[0])
    if drops(tr, types, 4):
        row_of(tr, OP_ARRAY_FILL, 4)


cdef bint storage_fits(uint32_t source, uint32_t target) noexcept nogil:
    return source == target or (source & VT_REF and target & VT_REF and match(source, target))


cdef void array_copy(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef Type* target = mutable_array(tr, x)
    cdef Type* source = array_type(tr, y) if target != NULL else NULL
    cdef uint32_t types[5]
    if source == NULL or tr.r.fault:
        return
    if not storage_fits(source.valtypes[0], target.valtypes[0]):
        refuse_two(tr, b"array types do not match: type %u to type %u", y, x)
        return
    types[0] = null_or(target)
    types[2] = null_or(source)
    types[1] = types[3] = types[4] = VT_I32
    if drops(tr, types, 5):
        row_of(tr, OP_ARRAY_COPY, 5)


cdef void init_from(Tr* tr, Type* type, uint32_t op, uint32_t y) noexcept nogil:
    cdef uint32_t types[4]
    cdef Ir* ir
    types[0] = null_or(type)
    types[1] = types[2] = types[3] = VT_I32
    if drops(tr, types, 4):
        ir = row_of(tr, op, 4)
        ir.extras = 1
        ir.extra = y


cdef void array_init_data(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef Type* type = mutable_array(tr, x)
    if type != NULL and data_index(tr, y) and numeric(tr, type):
        init_from(tr, type, OP_ARRAY_INIT_DATA, y)


cdef void array_init_elem(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef Type* type = mutable_array(tr, x)
    if type != NULL and elem_index(tr, y) and elem_fits(tr, y, type):
        init_from(tr, type, OP_ARRAY_INIT_ELEM, y)


# ---------------------------------------------------------------------------------------------- by their codes

ctypedef void (*rule)(Tr* tr) noexcept nogil
cdef rule RULES[31]
RULES[:] = [
    struct_new, struct_new_default, struct_get, struct_get_s, struct_get_u, struct_set,
    array_new, array_new_default, array_new_fixed, array_new_data, array_new_elem, array_get, array_get_s, array_get_u, array_set, array_len,
    array_fill, array_copy, array_init_data, array_init_elem,
    r_ref_test, r_ref_test_null, r_ref_cast, r_ref_cast_null, r_br_on_cast, r_br_on_cast_fail,
    r_any_convert_extern, r_extern_convert_any, r_ref_i31, r_i31_get_s, r_i31_get_u,
]


cdef void r_aggregate(Tr* tr) noexcept nogil:
    """The instructions behind 0xFB."""
    cdef uint32_t code = u32(tr.r)
    if code < 31 and tr.r.fault == FAULT_NONE:
        RULES[code](tr)
    else:
        malformed(tr.r, tr.at, b"illegal opcode")
