"""See segment_sections.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from pywasm_ref._fastcore.constants cimport func_index, init_expr
from pywasm_ref._fastcore.entities cimport require
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.skim cimport skim_expr
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport on, read_ref_type, refuse
from pywasm_ref._fastcore.section_arrays cimport vector
from pywasm_ref._fastcore.words cimport Words, begin_words, put, put_type

cdef enum:
    NOT_ACTIVE = 1          # flags of a segment
    EXPLICIT = 2            # a table index; or, if it is not active, declared
    EXPRESSIONS = 4         # instead of function indices

cdef const char* DECLARED = b"a declarative segment needs the feature reference-types, which is off"


cdef int read_head(Unit* unit, Segment* s, uint32_t* flags, const uint8_t** offset) noexcept nogil:
    """What stands before the elements. Where the offset is read is noted: it is checked after them."""
    flags[0] = u32(&unit.r)
    if unit.r.fault == FAULT_NONE and flags[0] > (7 if on(unit, F_BULK_MEMORY) else 0):
        return malformed(&unit.r, unit.r.at - 1, b"malformed elements segment kind")
    s.mode = SEGMENT_ACTIVE
    if flags[0] & NOT_ACTIVE:
        s.mode = SEGMENT_DECLARED if flags[0] & EXPLICIT else SEGMENT_PASSIVE
    else:
        s.target = u32(&unit.r) if flags[0] & EXPLICIT else 0
        offset[0] = unit.r.at
        if skim_expr(unit, True) < 0:
            return -1
    s.type = VT_FUNCREF if flags[0] & EXPRESSIONS else VT_REF | HT_FUNC
    if flags[0] & 3 and flags[0] & EXPRESSIONS:
        s.type = read_ref_type(unit)
    elif flags[0] & 3 and u8(&unit.r) != 0:
        return malformed(&unit.r, unit.r.at - 1, b"malformed element kind")
    return -1 if unit.r.fault else 0


cdef int check_active(Unit* unit, Segment* s, const uint8_t* offset) noexcept nogil:
    cdef const uint8_t* end = unit.r.at
    cdef Words w
    if s.target >= unit.n_tables:
        return refuse(unit, b"unknown table %llu", s.target)
    if not match(s.type, unit.tables[s.target].type):
        w = begin_words()
        put(&w, b"type mismatch: element segment's type ")
        put_type(&w, unit, s.type)
        put(&w, b" does not match table's element type ")
        put_type(&w, unit, unit.tables[s.target].type)
        return invalid(&unit.r, unit.at, w.text)
    unit.r.at = offset
    if init_expr(unit, VT_I64 if unit.tables[s.target].wide else VT_I32, &s.offset) < 0:
        return -1
    unit.r.at = end
    return 0


cdef uint32_t expressions(Unit* unit, Segment* s) noexcept nogil:
    """So many elements were read."""
    cdef uint32_t n = vector(unit, <void**>&s.items, 0, sizeof(Init), 1)
    cdef uint32_t i
    for i in range(n):
        if init_expr(unit, s.type, &s.items[i]) < 0:
            break
    return n


cdef uint32_t func_indices(Unit* unit, Segment* s) noexcept nogil:
    """The same for the short form, which is most of what there is."""
    cdef uint32_t n = vector(unit, <void**>&s.funcs, 0, sizeof(uint32_t), 1)
    cdef uint32_t i
    for i in range(n):
        s.funcs[i] = u32(&unit.r)
        if unit.r.fault != FAULT_NONE or func_index(unit, s.funcs[i]) < 0:
            break
    return n


cdef int one_elem(Unit* unit, Segment* s) noexcept nogil:
    cdef const uint8_t* offset = NULL
    cdef uint32_t flags
    if read_head(unit, s, &flags, &offset) < 0:
        return -1
    if s.mode == SEGMENT_DECLARED and require(unit, F_REFERENCE_TYPES, DECLARED) < 0:
        return -1
    s.size = expressions(unit, s) if flags & EXPRESSIONS else func_indices(unit, s)
    if unit.r.fault:
        return -1
    return check_active(unit, s, offset) if s.mode == SEGMENT_ACTIVE else -1 if unit.r.fault else 0


cdef void forget_elems(Unit* unit) noexcept nogil:
    cdef uint32_t i
    for i in range(unit.n_elems):
        free(unit.elems[i].items)
        free(unit.elems[i].funcs)
    free(unit.elems)
    unit.elems = NULL
    unit.n_elems = 0


cdef int elem_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    forget_elems(unit)
    n = vector(unit, <void**>&unit.elems, 0, sizeof(Segment), 3)
    for i in range(n):
        unit.at = unit.r.at
        unit.elems[i].at = <uint32_t>(unit.at - unit.base)
        unit.n_elems += 1
        if one_elem(unit, &unit.elems[i]) < 0:
            return -1
    return -1 if unit.r.fault else 0


cdef int elem_types(Unit* unit) noexcept nogil:
    """Only the types of the segments, which is all that code has to know."""
    cdef uint32_t i, k, flags
    cdef const uint8_t* offset
    cdef uint32_t n = vector(unit, <void**>&unit.elems, 0, sizeof(Segment), 3)
    for i in range(n):
        unit.at = unit.r.at
        unit.n_elems += 1
        if read_head(unit, &unit.elems[i], &flags, &offset) < 0:
            return -1
        k = length(&unit.r)
        while k > 0 and unit.r.fault == FAULT_NONE:
            k -= 1
            if flags & EXPRESSIONS:
                skim_expr(unit, True)
            else:
                u32(&unit.r)
    return -1 if unit.r.fault else 0


cdef int one_data(Unit* unit, Segment* s) noexcept nogil:
    cdef uint32_t flags = u32(&unit.r)
    if unit.r.fault == FAULT_NONE and flags > (2 if on(unit, F_BULK_MEMORY) else 0):
        return malformed(&unit.r, unit.r.at - 1, b"malformed data segment kind")
    s.mode = SEGMENT_PASSIVE if flags == 1 else SEGMENT_ACTIVE
    s.target = u32(&unit.r) if flags == 2 else 0
    if unit.r.fault:
        return -1
    if s.mode == SEGMENT_ACTIVE:
        if s.target >= unit.n_mems:
            return refuse(unit, b"unknown memory %llu", s.target)
        if init_expr(unit, VT_I64 if unit.mems[s.target].wide else VT_I32, &s.offset) < 0:
            return -1
    s.size = length(&unit.r)
    if s.size > unit.r.end - unit.r.at:
        return unexpected_end(&unit.r)
    s.bytes = unit.r.at
    unit.r.at += s.size
    return -1 if unit.r.fault else 0


cdef int data_section(Unit* unit) noexcept nogil:
    cdef uint32_t i
    cdef uint32_t n = vector(unit, <void**>&unit.datas, 0, sizeof(Segment), 2)
    for i in range(n):
        unit.at = unit.r.at
        unit.datas[i].at = <uint32_t>(unit.at - unit.base)
        unit.n_datas += 1
        if one_data(unit, &unit.datas[i]) < 0:
            return -1
    return -1 if unit.r.fault else 0
