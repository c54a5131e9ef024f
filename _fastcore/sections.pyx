"""See sections.pxd. A vector's array is made for as many elements as bytes are left at most: a claim costs nothing."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memset
from pywasm_ref._fastcore.bodies cimport tr_free, translate
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.segments cimport images_free
from pywasm_ref._fastcore.translator cimport Tr
from pywasm_ref._fastcore.types cimport match
from pywasm_ref._fastcore.valtypes cimport func_type_at, read_heap_type, read_ref_type, read_value_type
from pywasm_ref._fastcore.typedefs cimport type_section
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.unit cimport *

ctypedef int (*section)(Unit* unit) noexcept nogil
cdef section SECTIONS[14]
cdef uint8_t ORDER[14]

cdef enum:
    HAS_MAX = 1             # flags of limits
    SHARED = 2
    ADDRESS64 = 4
    PAGE_SIZE = 8


cdef uint32_t vector(Unit* unit, void** array, uint32_t before, uint64_t size) noexcept nogil:
    """Read a length and make room for it behind `before` elements that are there already."""
    cdef const uint8_t* at = unit.r.at
    cdef uint32_t n = u32(&unit.r)
    if n > unit.r.end - unit.r.at:
        malformed(&unit.r, at, b"unexpected end of section or function" if unit.r.fault == FAULT_NONE else b"length out of bounds")
        return 0
    array[0] = calloc(<uint64_t>before + n + 1, size)
    if array[0] == NULL:
        fail(&unit.r, FAULT_MEMORY, at, b"out of memory")
        return 0
    return n


cdef int name(Unit* unit, Name* name) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    name.size = u32(&unit.r)
    if name.size > unit.r.end - unit.r.at:
        return malformed(&unit.r, at, b"length out of bounds")
    name.at = unit.r.at
    unit.r.at += name.size
    return 0 if is_utf8(name.at, name.size) else malformed(&unit.r, at, b"malformed UTF-8 encoding")


cdef int limit_flags(Unit* unit, Limit* l, uint8_t allowed) noexcept nogil:
    """The first byte of limits: which of maximum, sharing, 64-bit addresses and page size there is."""
    cdef const uint8_t* at = unit.r.at
    cdef uint8_t flags = u8(&unit.r)
    if unit.r.fault == FAULT_NONE and flags & ~allowed:
        return malformed(&unit.r, at, b"malformed limits flags")
    l.bounded = flags & HAS_MAX
    l.shared = flags & SHARED != 0
    l.wide = flags & ADDRESS64 != 0
    l.min = u64(&unit.r)
    l.max = u64(&unit.r) if l.bounded else ~<uint64_t>0
    return flags


cdef int limits(Unit* unit, Limit* l, const uint8_t* at, uint64_t most, const char* words) noexcept nogil:
    cdef char text[160]
    if unit.r.fault == FAULT_NONE and (l.min > most or (l.bounded and l.max > most)):
        return invalid(&unit.r, at, words)
    if unit.r.fault == FAULT_NONE and l.max < l.min:
        snprintf(text, sizeof(text), b"size minimum must not be greater than maximum: %llu > %llu",
                 <unsigned long long>l.min, <unsigned long long>l.max)
        return invalid(&unit.r, at, text)
    return -1 if unit.r.fault else 0


cdef int table_type(Unit* unit, Limit* l) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    cdef char text[160]
    l.type = read_ref_type(unit)
    at = unit.r.at
    limit_flags(unit, l, HAS_MAX | ADDRESS64)
    snprintf(text, sizeof(text), b"table size must be at most 2^%d-1 entries", 64 if l.wide else 32)
    return limits(unit, l, at, ~<uint64_t>0 if l.wide else 0xffffffffU, text)


cdef int mem_type(Unit* unit, Limit* l) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    cdef int flags = limit_flags(unit, l, HAS_MAX | SHARED | ADDRESS64 | PAGE_SIZE)
    cdef uint32_t bits = 16
    cdef uint64_t most
    cdef char text[160]
    if unit.r.fault == FAULT_NONE and flags & PAGE_SIZE:
        bits = u32(&unit.r)
        if bits >= 64:
            return malformed(&unit.r, at, b"invalid custom page size")
        if bits != 0 and bits != 16:
            snprintf(text, sizeof(text), b"invalid custom page size: 2**%u", bits)
            return invalid(&unit.r, at, text)
    l.page_bits = <uint8_t>bits
    most = ~<uint64_t>0 if l.wide else 0xffffffffU
    most = most if bits == 0 else (most >> bits) + 1
    if l.wide:
        snprintf(text, sizeof(text), b"memory size must be at most %llu pages (16EiB)", <unsigned long long>most)
    else:
        snprintf(text, sizeof(text), b"memory size must be at most %llu pages (4GiB)", <unsigned long long>most)
    if limits(unit, l, at, most, text) < 0:
        return -1
    if l.shared and not l.bounded:
        return invalid(&unit.r, at, b"shared memory must have maximum")
    return 0


cdef int global_type(Unit* unit, GlobalDef* g) noexcept nogil:
    cdef const uint8_t* at
    cdef uint8_t mutable
    g.type = read_value_type(unit)
    at = unit.r.at
    mutable = u8(&unit.r)
    if mutable > 1:
        return malformed(&unit.r, at, b"malformed mutability")
    g.mutable = mutable
    return -1 if unit.r.fault else 0


cdef int tag_type(Unit* unit, Type** type) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    cdef uint32_t x
    if u8(&unit.r) != 0:
        return malformed(&unit.r, at, b"zero byte expected")
    at = unit.r.at
    x = u32(&unit.r)
    if unit.r.fault:
        return -1
    unit.at = at
    type[0] = func_type_at(unit, x)
    if type[0] == NULL:
        return -1
    if type[0].n_results:
        return invalid(&unit.r, at, b"non-empty tag result type")
    return 0


cdef void place_global(Unit* unit, uint32_t slots) noexcept nogil:
    """The global whose type was read gets its slots."""
    unit.globals[unit.n_globals].slot = unit.global_slots
    unit.global_slots += slots
    unit.n_globals += 1


cdef int room(Unit* unit, void** array, uint64_t n, uint64_t size) noexcept nogil:
    array[0] = calloc(n + 1, size)
    return 0 if array[0] != NULL else fail(&unit.r, FAULT_MEMORY, unit.r.at, b"out of memory")


cdef int import_section(Unit* unit) noexcept nogil:
    """Imports first get arrays of their own; the sections that define more make longer ones."""
    cdef uint32_t i
    cdef uint32_t n = vector(unit, <void**>&unit.imports, 0, sizeof(Import))
    if unit.r.fault:
        return -1
    if (room(unit, <void**>&unit.funcs, n, sizeof(Type*)) or room(unit, <void**>&unit.tables, n, sizeof(Limit))
            or room(unit, <void**>&unit.mems, n, sizeof(Limit)) or room(unit, <void**>&unit.globals, n, sizeof(GlobalDef))
            or room(unit, <void**>&unit.tags, n, sizeof(Type*))):
        return -1
    for i in range(n):
        if one_import(unit, &unit.imports[i]) < 0 or unit.r.fault:
            return -1
        unit.n_imports += 1
    unit.imported_funcs = unit.n_funcs
    unit.imported_tables = unit.n_tables
    unit.imported_mems = unit.n_mems
    unit.imported_globals = unit.n_globals
    unit.imported_tags = unit.n_tags
    return 0


cdef int one_import(Unit* unit, Import* i) noexcept nogil:
    cdef const uint8_t* at
    cdef uint32_t x
    if name(unit, &i.module) < 0 or name(unit, &i.name) < 0:
        return -1
    at = unit.r.at
    i.kind = u8(&unit.r)
    if i.kind == EXTERN_FUNC:
        x = u32(&unit.r)
        unit.at = at
        unit.funcs[unit.n_funcs] = func_type_at(unit, x)
        if unit.r.fault:
            return -1
        i.index = unit.n_funcs
        unit.n_funcs += 1
    elif i.kind == EXTERN_TABLE:
        i.index = unit.n_tables
        table_type(unit, &unit.tables[unit.n_tables])
        unit.n_tables += 1
    elif i.kind == EXTERN_MEM:
        i.index = unit.n_mems
        mem_type(unit, &unit.mems[unit.n_mems])
        unit.n_mems += 1
    elif i.kind == EXTERN_GLOBAL:
        i.index = unit.n_globals
        global_type(unit, &unit.globals[unit.n_globals])
        place_global(unit, 1)
    elif i.kind == EXTERN_TAG:
        i.index = unit.n_tags
        tag_type(unit, &unit.tags[unit.n_tags])
        unit.n_tags += 1
    else:
        return malformed(&unit.r, at, b"malformed import kind")
    return 0


cdef int more(Unit* unit, void** array, uint32_t before, uint64_t size, uint32_t* count) noexcept nogil:
    """A longer array with what imports put there."""
    cdef void* old = array[0]
    cdef uint8_t* new = NULL
    cdef uint64_t i
    count[0] = vector(unit, <void**>&new, before, size)
    if unit.r.fault:
        free(new)
        return -1
    for i in range(before * size):
        new[i] = (<uint8_t*>old)[i]
    free(old)
    array[0] = new
    return 0


cdef int function_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n, x
    cdef const uint8_t* at
    if more(unit, <void**>&unit.funcs, unit.n_funcs, sizeof(Type*), &n) < 0:
        return -1
    if room(unit, <void**>&unit.codes, n, sizeof(Code)):
        return -1
    for i in range(n):
        at = unit.r.at
        x = u32(&unit.r)
        if unit.r.fault:
            return -1
        unit.at = at
        unit.funcs[unit.n_funcs] = unit.codes[i].type = func_type_at(unit, x)
        if unit.r.fault:
            return -1
        unit.codes[i].index = unit.n_funcs
        unit.n_funcs += 1
        unit.n_codes += 1
    return 0


cdef int table_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.tables, unit.n_tables, sizeof(Limit), &n) < 0:
        return -1
    for i in range(n):
        if table_type(unit, &unit.tables[unit.n_tables]) < 0:
            return -1
        unit.n_tables += 1
    return 0


cdef int memory_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.mems, unit.n_mems, sizeof(Limit), &n) < 0:
        return -1
    for i in range(n):
        if mem_type(unit, &unit.mems[unit.n_mems]) < 0:
            return -1
        unit.n_mems += 1
    return 0


cdef int tag_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.tags, unit.n_tags, sizeof(Type*), &n) < 0:
        return -1
    for i in range(n):
        if tag_type(unit, &unit.tags[unit.n_tags]) < 0:
            return -1
        unit.n_tags += 1
    return 0


cdef int init_expr(Unit* unit, uint32_t wanted, Init* init) noexcept nogil:
    """A constant expression of one instruction. (Longer ones are to be lowered like a body and run.)"""
    cdef Reader* r = &unit.r
    cdef const uint8_t* at = r.at
    cdef uint8_t op = u8(r)
    cdef uint32_t type
    init.kind = INIT_CONST
    if op == 0x41:
        init.bits = <uint32_t>s32(r)
        type = VT_I32
    elif op == 0x42:
        init.bits = <uint64_t>s64(r)
        type = VT_I64
    elif (op == 0x43 and r.end - r.at >= 4) or (op == 0x44 and r.end - r.at >= 8):
        init.bits = load32(r.at) if op == 0x43 else load64(r.at)
        r.at += 4 if op == 0x43 else 8
        type = VT_F32 if op == 0x43 else VT_F64
    elif op == 0xFD and r.end - r.at >= 17 and r.at[0] == 0x0C:
        init.bits = load64(r.at + 1)
        init.high = load64(r.at + 9)
        r.at += 17
        type = VT_V128
    elif op == 0x23:
        init.kind = INIT_GLOBAL
        init.bits = u32(r)
        if r.fault == FAULT_NONE and init.bits >= unit.n_globals:
            return invalid(r, at, b"unknown global")
        type = VT_BOT if r.fault else unit.globals[init.bits].type
        if r.fault == FAULT_NONE and unit.globals[init.bits].mutable:
            return invalid(r, at, b"constant expression required")
    elif op == 0xD2:
        init.kind = INIT_FUNC
        init.bits = u32(r)
        if r.fault == FAULT_NONE and init.bits >= unit.n_funcs:
            return invalid(r, at, b"unknown function")
        type = VT_REF | unit.funcs[init.bits].heap
    elif op == 0xD0:
        init.bits = 0
        type = VT_REF | VT_NULL | read_heap_type(unit)
    elif r.fault:
        return -1
    else:
        return fail(r, FAULT_UNSUPPORTED, at, b"constant expression is not supported yet")
    if r.fault:
        return -1
    if not match(type, wanted):
        return invalid(r, at, b"type mismatch")
    at = r.at
    if u8(r) != 0x0B:
        return fail(r, FAULT_UNSUPPORTED, at, b"constant expression is not supported yet")
    return 0


cdef int global_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.globals, unit.n_globals, sizeof(GlobalDef), &n) < 0 or room(unit, <void**>&unit.inits, n, sizeof(Init)):
        return -1
    for i in range(n):
        if global_type(unit, &unit.globals[unit.n_globals]) < 0 or init_expr(unit, unit.globals[unit.n_globals].type, &unit.inits[i]) < 0:
            return -1
        place_global(unit, slots_of(unit.globals[unit.n_globals].type))
    return 0


cdef int export_section(Unit* unit) noexcept nogil:
    """That names differ is checked when they become a dictionary, which is the cheapest place."""
    cdef uint32_t i
    cdef uint32_t n = vector(unit, <void**>&unit.exports, 0, sizeof(Export))
    cdef uint32_t counts[5]
    cdef const char* words[5]
    cdef const uint8_t* at
    cdef Export* e
    counts[0] = unit.n_funcs
    counts[1] = unit.n_tables
    counts[2] = unit.n_mems
    counts[3] = unit.n_globals
    counts[4] = unit.n_tags
    words[0] = b"unknown function"
    words[1] = b"unknown table"
    words[2] = b"unknown memory"
    words[3] = b"unknown global"
    words[4] = b"unknown tag"
    for i in range(n):
        e = &unit.exports[i]
        if name(unit, &e.name) < 0:
            return -1
        at = unit.r.at
        e.kind = u8(&unit.r)
        e.index = u32(&unit.r)
        if unit.r.fault:
            return -1
        if e.kind > EXTERN_TAG:
            return malformed(&unit.r, at, b"malformed export kind")
        if e.index >= counts[e.kind]:
            return invalid(&unit.r, at, words[e.kind])
        unit.n_exports += 1
    return 0


cdef int start_section(Unit* unit) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    unit.start = u32(&unit.r)
    unit.has_start = True
    if unit.r.fault:
        return -1
    if unit.start >= unit.n_funcs:
        return invalid(&unit.r, at, b"unknown function")
    if unit.funcs[unit.start].n_params or unit.funcs[unit.start].n_results:
        return invalid(&unit.r, at, b"start function")
    return 0


cdef int elem_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, j, k, x
    cdef uint32_t n = vector(unit, <void**>&unit.elems, 0, sizeof(Segment))
    cdef Segment* s
    cdef const uint8_t* at
    for i in range(n):
        s = &unit.elems[i]
        unit.n_elems += 1
        at = unit.r.at
        if u32(&unit.r) != 0:
            return fail(&unit.r, FAULT_UNSUPPORTED, at, b"element segment is not supported yet")
        s.mode = SEGMENT_ACTIVE
        s.type = VT_FUNCREF
        if unit.n_tables == 0:
            return invalid(&unit.r, at, b"unknown table")
        if init_expr(unit, VT_I64 if unit.tables[0].wide else VT_I32, &s.offset) < 0:
            return -1
        k = vector(unit, <void**>&s.items, 0, sizeof(Init))
        for j in range(k):
            at = unit.r.at
            x = u32(&unit.r)
            if unit.r.fault:
                return -1
            if x >= unit.n_funcs:
                return invalid(&unit.r, at, b"unknown function")
            s.items[j].kind = INIT_FUNC
            s.items[j].bits = x
        s.size = k
    return 0


cdef int code_section(Unit* unit) noexcept nogil:
    cdef Tr tr
    cdef const uint8_t* at = unit.r.at
    cdef const uint8_t* end = unit.r.end
    cdef uint32_t n = u32(&unit.r)
    cdef uint32_t i, size
    if n != unit.n_codes:
        return malformed(&unit.r, at, b"function and code section have inconsistent lengths")
    memset(&tr, 0, sizeof(Tr))
    for i in range(n):
        at = unit.r.at
        size = u32(&unit.r)
        if size > end - unit.r.at:
            malformed(&unit.r, at, b"unexpected end of section or function")
        if unit.r.fault:
            break
        unit.r.end = unit.r.at + size
        if translate(&tr, unit, &unit.codes[i]) < 0:
            break
        unit.r.end = end
        unit.n_bodies += 1
    tr_free(&tr)
    return -1 if unit.r.fault else 0


cdef int data_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, flags
    cdef uint32_t n = vector(unit, <void**>&unit.datas, 0, sizeof(Segment))
    cdef const uint8_t* at
    cdef Segment* s
    for i in range(n):
        s = &unit.datas[i]
        unit.n_datas += 1
        at = unit.r.at
        flags = u32(&unit.r)
        if flags > 2:
            return malformed(&unit.r, at, b"malformed data segment kind")
        s.mode = SEGMENT_PASSIVE if flags == 1 else SEGMENT_ACTIVE
        if flags == 2:
            s.target = u32(&unit.r)
        if s.mode == SEGMENT_ACTIVE and s.target >= unit.n_mems:
            return invalid(&unit.r, at, b"unknown memory")
        if s.mode == SEGMENT_ACTIVE and init_expr(unit, VT_I64 if unit.mems[s.target].wide else VT_I32, &s.offset) < 0:
            return -1
        at = unit.r.at
        s.size = u32(&unit.r)
        if s.size > unit.r.end - unit.r.at:
            return malformed(&unit.r, at, b"unexpected end of section or function")
        s.bytes = unit.r.at
        unit.r.at += s.size
    return -1 if unit.r.fault else 0


cdef int data_count_section(Unit* unit) noexcept nogil:
    unit.data_count = u32(&unit.r)
    unit.has_data_count = True
    return -1 if unit.r.fault else 0


cdef int custom_section(Unit* unit) noexcept nogil:
    cdef Name n
    if name(unit, &n) < 0:
        return -1
    unit.r.at = unit.r.end
    return 0


SECTIONS[:] = [custom_section, type_section, import_section, function_section, table_section, memory_section, global_section,
               export_section, start_section, elem_section, code_section, data_section, data_count_section, tag_section]
ORDER[:] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6]


cdef int one_section(Unit* unit, uint8_t* last) noexcept nogil:
    cdef Reader* r = &unit.r
    cdef const uint8_t* at = r.at
    cdef const uint8_t* end = r.end
    cdef uint8_t id = u8(r)
    cdef uint32_t size = u32(r)
    if r.fault:
        return -1
    if id > 13:
        return malformed(r, at, b"malformed section id")
    if size > end - r.at:
        return malformed(r, at, b"length out of bounds")
    if id != 0:
        if ORDER[id] <= last[0]:
            return malformed(r, at, b"unexpected content after last section")
        last[0] = ORDER[id]
    r.end = r.at + size
    if SECTIONS[id](unit) < 0 or r.fault:
        return -1
    if r.at != r.end:
        return malformed(r, r.at, b"section size mismatch")
    r.end = end
    return 0


cdef Unit* read_module(const uint8_t* data, uint64_t size, uint64_t features) noexcept nogil:
    """The module, with a fault in its reader unless it is valid; NULL when memory is out. The bytes must outlive it."""
    cdef Unit* unit = <Unit*>calloc(1, sizeof(Unit))
    cdef uint8_t last = 0
    cdef Reader* r
    if unit == NULL:
        return NULL
    r = &unit.r
    unit.features = features
    unit.base = r.start = r.at = data
    r.end = data + size
    if size < 4 or memcmp(data, b"\0asm", 4) != 0:
        malformed(r, data, b"magic header not detected" if size >= 4 else b"unexpected end")
    elif size < 8 or memcmp(data + 4, b"\1\0\0\0", 4) != 0:
        malformed(r, data + 4, b"unknown binary version" if size >= 8 else b"unexpected end")
    r.at += 8 if r.fault == FAULT_NONE else 0
    while r.at < r.end and r.fault == FAULT_NONE:
        one_section(unit, &last)
    if r.fault == FAULT_NONE and unit.n_bodies != unit.n_codes:
        malformed(r, r.end, b"function and code section have inconsistent lengths")
    return unit


cdef void unit_free(Unit* unit) noexcept nogil:
    cdef uint32_t i
    if unit == NULL:
        return
    for i in range(unit.n_codes):
        free(unit.codes[i].entry)
        free(unit.codes[i].places)
        free(unit.codes[i].handlers)
    for i in range(unit.n_elems):
        free(unit.elems[i].items)
    images_free(unit)
    free(unit.r.words)
    free(unit.types)
    free(unit.funcs)
    free(unit.globals)
    free(unit.inits)
    free(unit.tables)
    free(unit.mems)
    free(unit.imports)
    free(unit.exports)
    free(unit.elems)
    free(unit.datas)
    free(unit.order)
    free(unit.tags)
    free(unit.codes)
    free(unit)
