"""See arrays.pxd. The layout of each operation's words is that of `generate/aggregates.py`.

What touches many elements counts their bytes down from `ctx.bulk`; when these are used up, the operation looks at the stop flag behind the call.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove, memset
from pywasm_ref._fastcore.gil cimport LONG_COPY, gil_give
from pywasm_ref._fastcore.heap cimport object_new
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.memory cimport outside

cdef enum:
    ARRAY_HEAD = 16             # bytes before the elements


cdef void put_element(Array* array, uint64_t i, const S* value) noexcept nogil:
    cdef uint8_t width = array.head.type.width
    if width == 0:
        array.elems[i] = <uint8_t>value.u32
    elif width == 1:
        (<uint16_t*>array.elems)[i] = <uint16_t>value.u32
    elif width == 2:
        (<uint32_t*>array.elems)[i] = value.u32
    elif width == 3:
        (<uint64_t*>array.elems)[i] = value.u64
    else:
        memcpy(array.elems + 16 * i, value, 16)


cdef void get_element(Array* array, uint64_t i, S* value) noexcept nogil:
    """Into one slot, or two; what is packed without its sign."""
    cdef uint8_t width = array.head.type.width
    if width == 4:
        memcpy(value, array.elems + 16 * i, 16)
    elif width == 3:
        value.u64 = (<uint64_t*>array.elems)[i]
    else:
        value.u64 = array.elems[i] if width == 0 else (<uint16_t*>array.elems)[i] if width == 1 else (<uint32_t*>array.elems)[i]


cdef void note_bulk(Ctx* ctx, uint64_t bytes) noexcept nogil:
    """So many are going to be touched."""
    ctx.bulk -= bytes
    if bytes > LONG_COPY:
        gil_give(ctx.thread)


cdef void copy_in(Ctx* ctx, Array* array, uint64_t i, const void* segment, uint64_t start, uint64_t n) noexcept nogil:
    """n elements from a segment of which as many are there: it has no bytes at all when it is empty, or somebody has dropped it."""
    cdef uint8_t width = array.head.type.width
    cdef uint64_t unit = sizeof(S) if array.head.type.valtypes[0] & VT_REF else 1     # what `start` counts
    if n == 0:
        return
    note_bulk(ctx, n << width)
    memcpy(array.elems + (i << width), <const uint8_t*>segment + start * unit, n << width)


# ---------------------------------------------------------------------------------------------- making

cdef Array* make(Ctx* ctx, W* pc, S* fp, uint64_t n) noexcept nogil:
    """An array of n elements that are anything yet; NULL when it trapped."""
    cdef Type* type = <Type*>pc[2].v
    cdef int status = 0
    cdef Array* array = <Array*>object_new(ctx.thread, ctx, pc, fp, ARRAY_HEAD + (n << type.width), n, False, &status)
    if array == NULL:
        trap(ctx, pc, fp, status)
        return NULL
    array.head.type = type
    array.length = n
    note_bulk(ctx, n << type.width)
    return array


cdef void fill(Array* array, uint64_t start, const S* value, uint64_t n) noexcept nogil:
    cdef uint8_t width = array.head.type.width
    cdef uint64_t i
    if width == 0:
        memset(array.elems + start, value.u32 & 0xff, n)
    elif value[0].u64 == 0 and (width != 4 or value[1].u64 == 0):
        memset(array.elems + (start << width), 0, n << width)
    else:
        for i in range(start, start + n):
            put_element(array, i, value)


cdef int array_new(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """`array.new` and `array.new_default`: the value from slot a on, unless the last word says that there is none; the length in slot b."""
    cdef uint64_t n = fp[pc[1].h[2]].u32
    cdef Array* array = make(ctx, pc, fp, n)
    if array == NULL:
        return ctx.trap
    if pc[3].u:
        memset(array.elems, 0, n << array.head.type.width)
    else:
        fill(array, 0, fp + pc[1].h[0], n)
    fp[pc[1].h[1]].v = array
    return 0


cdef int array_new_fixed(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The values from slot a on; how many they are, in the last word."""
    cdef uint64_t n = pc[3].u, i
    cdef uint32_t step = slots_of((<Type*>pc[2].v).valtypes[0])
    cdef Array* array = make(ctx, pc, fp, n)
    if array == NULL:
        return ctx.trap
    for i in range(n):
        put_element(array, i, fp + pc[1].h[0] + i * step)
    fp[pc[1].h[1]].v = array
    return 0


cdef int array_new_data(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Where in the segment in slot a, how many in slot b, the segment in the last word."""
    cdef Seg* seg = &ctx.datas[pc[3].u]
    cdef uint64_t start = fp[pc[1].h[0]].u32, n = fp[pc[1].h[2]].u32
    cdef uint8_t width = (<Type*>pc[2].v).width
    cdef Array* array
    if outside(start, n << width, seg.size):
        return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_MEMORY)
    array = make(ctx, pc, fp, n)
    if array == NULL:
        return ctx.trap
    copy_in(ctx, array, 0, seg.at, start, n)
    fp[pc[1].h[1]].v = array
    return 0


cdef int array_new_elem(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    cdef Seg* seg = &ctx.elems[pc[3].u]
    cdef uint64_t start = fp[pc[1].h[0]].u32, n = fp[pc[1].h[2]].u32
    cdef Array* array
    if outside(start, n, seg.size):
        return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_TABLE)
    array = make(ctx, pc, fp, n)
    if array == NULL:
        return ctx.trap
    copy_in(ctx, array, 0, seg.at, start, n)
    fp[pc[1].h[1]].v = array
    return 0


cdef int struct_new(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """A structure of any size. Its fields from slot a on; the last word says that they have their defaults."""
    cdef Type* type = <Type*>pc[2].v
    cdef int status = 0
    cdef Struct* made = <Struct*>object_new(ctx.thread, ctx, pc, fp, type.n_slots * sizeof(S), type.n_fields, False, &status)
    if made == NULL:
        return trap(ctx, pc, fp, status)
    made.head.type = type
    if pc[3].u:
        memset(made.fields, 0, (type.n_slots - 1) * sizeof(S))
    else:
        memcpy(made.fields, fp + pc[1].h[0], (type.n_slots - 1) * sizeof(S))
        cut(made, type)
    fp[pc[1].h[1]].v = made
    return 0


cdef void cut(Struct* made, Type* type) noexcept nogil:
    """Packed fields hold what is left of their values; and so much of a slot is 0 as has no meaning."""
    cdef uint32_t i
    cdef S* slots = <S*>made
    for i in range(type.n_fields):
        if type.valtypes[i] == VT_I8:
            slots[type.places[i]].u64 &= 0xff
        elif type.valtypes[i] == VT_I16:
            slots[type.places[i]].u64 &= 0xffff


# ---------------------------------------------------------------------------------------------- many at once

cdef int within(Ctx* ctx, W* pc, S* fp, Array* array, uint64_t start, uint64_t n) noexcept nogil:
    if outside(start, n, array.length):
        return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_ARRAY)
    return 0


cdef int array_fill(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """From slot a on: the array, where, the value, and how many."""
    cdef S* slot = fp + pc[1].h[0]
    cdef Array* array = <Array*>slot[0].v
    cdef uint64_t n
    if array == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_ARRAY_REFERENCE)
    n = slot[4 if array.head.type.width == 4 else 3].u32
    if within(ctx, pc, fp, array, slot[1].u32, n) != 0:
        return ctx.trap
    note_bulk(ctx, n << array.head.type.width)
    fill(array, slot[1].u32, slot + 2, n)
    return 0


cdef int array_copy(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """From slot a on: to which array, where, from which, where, how many. They may be one."""
    cdef S* slot = fp + pc[1].h[0]
    cdef Array* to = <Array*>slot[0].v
    cdef Array* source = <Array*>slot[2].v
    cdef uint64_t n = slot[4].u32
    cdef uint8_t width
    if to == NULL or source == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_ARRAY_REFERENCE)
    if within(ctx, pc, fp, to, slot[1].u32, n) != 0 or within(ctx, pc, fp, source, slot[3].u32, n) != 0:
        return ctx.trap
    width = to.head.type.width
    note_bulk(ctx, n << width)
    memmove(to.elems + (<uint64_t>slot[1].u32 << width), source.elems + (<uint64_t>slot[3].u32 << width), n << width)
    return 0


cdef int array_init_data(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """From slot a on: the array, where, where in the segment, how many; the segment in the third word."""
    cdef S* slot = fp + pc[1].h[0]
    cdef Array* array = <Array*>slot[0].v
    cdef Seg* seg = &ctx.datas[pc[2].u]
    cdef uint64_t n = slot[3].u32
    cdef uint8_t width
    if array == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_ARRAY_REFERENCE)
    if within(ctx, pc, fp, array, slot[1].u32, n) != 0:
        return ctx.trap
    width = array.head.type.width
    if outside(slot[2].u32, n << width, seg.size):
        return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_MEMORY)
    copy_in(ctx, array, slot[1].u32, seg.at, slot[2].u32, n)
    return 0


cdef int array_init_elem(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    cdef S* slot = fp + pc[1].h[0]
    cdef Array* array = <Array*>slot[0].v
    cdef Seg* seg = &ctx.elems[pc[2].u]
    cdef uint64_t n = slot[3].u32
    if array == NULL:
        return trap(ctx, pc, fp, TRAP_NULL_ARRAY_REFERENCE)
    if within(ctx, pc, fp, array, slot[1].u32, n) != 0:
        return ctx.trap
    if outside(slot[2].u32, n, seg.size):
        return trap(ctx, pc, fp, TRAP_OUT_OF_BOUNDS_TABLE)
    copy_in(ctx, array, slot[1].u32, seg.at, slot[2].u32, n)
    return 0
