"""See sections.pxd.

A module is read once, in the order of its bytes, and validated on the way. Only when something is wrong it is read again: first
without understanding, since what is malformed anywhere counts before what is invalid; then part by part in the order in which the
reference validator checks them. So the first fault of the two engines is the same, and a valid module pays nothing for it.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset
from pywasm_ref._fastcore.bodies cimport tr_free, translate
from pywasm_ref._fastcore.constants cimport init_expr
from pywasm_ref._fastcore.entities cimport *
from pywasm_ref._fastcore.exporting cimport export_section
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.lowered cimport load_codes
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.segment_sections cimport data_section, elem_section, elem_types
from pywasm_ref._fastcore.segments cimport images_free
from pywasm_ref._fastcore.skim cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport Tr
from pywasm_ref._fastcore.typedefs cimport type_section
from pywasm_ref._fastcore.types cimport defaultable, held_drop, held_new
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport func_type_at, on, refuse
from pywasm_ref._fastcore.section_arrays cimport more, room, vector
from pywasm_ref._fastcore.words cimport Words, begin_words, put, put_type

cdef PyThread_type_lock LOCK = lock_new()
ctypedef int (*section)(Unit* unit) noexcept nogil
cdef section SECTIONS[14]
cdef uint8_t ORDER[14]      # by section: its place among the others
cdef uint8_t PHASES[13]     # sections in the order of validation

cdef enum:
    CUSTOM = 0
    ELEM_SECTION = 9
    BEFORE_CODE = 99        # a phase: the types of element segments, which code needs
    WASM_3 = 0xffff         # the features without which an opcode of the first page, or a type, may be off


# ---------------------------------------------------------------------------------------------- imports

cdef int import_section(Unit* unit) noexcept nogil:
    """Imports first get arrays of their own; the sections that define more make longer ones."""
    cdef uint32_t i
    cdef uint32_t n = vector(unit, <void**>&unit.imports, 0, sizeof(Import), 4)
    if unit.r.fault:
        return -1
    if (room(unit, <void**>&unit.funcs, n, sizeof(Type*), 4) or room(unit, <void**>&unit.tables, n, sizeof(Limit), 4)
            or room(unit, <void**>&unit.mems, n, sizeof(Limit), 4) or room(unit, <void**>&unit.globals, n, sizeof(GlobalDef), 4)
            or room(unit, <void**>&unit.tags, n, sizeof(Type*), 4)):
        return -1
    for i in range(n):
        unit.at = unit.r.at
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
    if read_name(unit, &i.module) < 0 or read_name(unit, &i.name) < 0:
        return -1
    i.kind = u8(&unit.r)
    if unit.r.fault:
        return -1
    if i.kind == EXTERN_FUNC:
        i.index = unit.n_funcs
        return add_func(unit)
    if i.kind == EXTERN_TABLE:
        i.index = unit.n_tables
        return -1 if read_table_type(unit, &unit.tables[unit.n_tables]) < 0 else add_table(unit)
    if i.kind == EXTERN_MEM:
        i.index = unit.n_mems
        return add_mem(unit)
    if i.kind == EXTERN_GLOBAL:
        i.index = unit.n_globals
        return import_global(unit)
    if i.kind == EXTERN_TAG and has_tags(unit):
        i.index = unit.n_tags
        return add_tag(unit)
    return malformed(&unit.r, unit.r.at - 1, b"malformed import kind")


cdef void place_global(Unit* unit, uint32_t slots) noexcept nogil:
    """The global whose type was read gets its slots."""
    unit.globals[unit.n_globals].slot = unit.global_slots
    unit.global_slots += slots
    unit.n_globals += 1


cdef int import_global(Unit* unit) noexcept nogil:
    cdef GlobalDef* g = &unit.globals[unit.n_globals]
    if read_global_type(unit, g) < 0:
        return -1
    place_global(unit, 1)
    if g.mutable:
        return require(unit, F_MUTABLE_GLOBALS, b"the import of a mutable global needs the feature mutable-globals, which is off")
    return 0


# ---------------------------------------------------------------------------------------------- definitions

cdef int add_func(Unit* unit) noexcept nogil:
    cdef uint32_t x = u32(&unit.r)
    if unit.r.fault:
        return -1
    unit.funcs[unit.n_funcs] = func_type_at(unit, x)
    unit.n_funcs += 1
    return -1 if unit.r.fault else 0


cdef int function_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.funcs, unit.n_funcs, sizeof(Type*), 1, &n) < 0:
        return -1
    for i in range(n):
        unit.at = unit.r.at
        if add_func(unit) < 0:
            place_at_body(unit, i)
            return -1
    unit.n_codes = n
    return 0


cdef void place_at_body(Unit* unit, uint32_t i) noexcept nogil:
    """What is wrong with the type of a function is told at its body, if we know where that is."""
    cdef Reader r = unit.r
    cdef uint32_t size
    r.at = unit.sections[CODE_SECTION]
    if r.at == NULL:
        return
    r.fault = FAULT_NONE
    length(&r)
    size = length(&r)
    while i > 0:
        i -= 1
        r.at += size
        size = length(&r)
    unit.r.fault_at = r.at - r.start


cdef int add_table(Unit* unit) noexcept nogil:
    unit.n_tables += 1
    return 0 if unit.n_tables == 1 or on(unit, F_REFERENCE_TYPES) else refuse(unit, b"multiple tables", 0)


cdef int one_table(Unit* unit, Limit* l) noexcept nogil:
    """Without an initial value, entries have to have a default."""
    cdef Words w
    if unit.r.at < unit.r.end and unit.r.at[0] == 0x40 and on(unit, F_FUNCTION_REFERENCES):
        unit.r.at += 1
        if u8(&unit.r) != 0:
            return malformed(&unit.r, unit.r.at - 1, b"zero byte expected")
        if read_table_type(unit, l) < 0:
            return -1
        l.has_init = True
        return init_expr(unit, l.type, &l.init)
    if read_table_type(unit, l) < 0:
        return -1
    if not defaultable(l.type):
        w = begin_words()
        put(&w, b"type mismatch: a table of ")
        put_type(&w, unit, l.type)
        put(&w, b" requires an initial value")
        return invalid(&unit.r, unit.at, w.text)
    return 0


cdef int table_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.tables, unit.n_tables, sizeof(Limit), 3, &n) < 0:
        return -1
    for i in range(n):
        unit.at = unit.r.at
        if one_table(unit, &unit.tables[unit.n_tables]) < 0 or add_table(unit) < 0:
            return -1
    return 0


cdef int add_mem(Unit* unit) noexcept nogil:
    if read_mem_type(unit, &unit.mems[unit.n_mems]) < 0:
        return -1
    unit.n_mems += 1
    return 0 if unit.n_mems == 1 or on(unit, F_MULTI_MEMORY) else refuse(unit, b"multiple memories", 0)


cdef int memory_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.mems, unit.n_mems, sizeof(Limit), 2, &n) < 0:
        return -1
    for i in range(n):
        unit.at = unit.r.at
        if add_mem(unit) < 0:
            return -1
    return 0


cdef int add_tag(Unit* unit) noexcept nogil:
    unit.tags[unit.n_tags] = read_tag_type(unit)
    unit.n_tags += 1
    return -1 if unit.r.fault else 0


cdef int tag_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    if more(unit, <void**>&unit.tags, unit.n_tags, sizeof(Type*), 2, &n) < 0:
        return -1
    for i in range(n):
        unit.at = unit.r.at
        if add_tag(unit) < 0:
            return -1
    return 0


cdef int global_section(Unit* unit) noexcept nogil:
    cdef uint32_t i, n
    cdef GlobalDef* g
    if (more(unit, <void**>&unit.globals, unit.n_globals, sizeof(GlobalDef), 3, &n) < 0
            or room(unit, <void**>&unit.inits, n, sizeof(Init), 3)):
        return -1
    for i in range(n):
        unit.at = unit.r.at
        g = &unit.globals[unit.n_globals]
        if read_global_type(unit, g) < 0 or init_expr(unit, g.type, &unit.inits[i]) < 0:
            return -1
        place_global(unit, slots_of(g.type))
    return 0


cdef int start_section(Unit* unit) noexcept nogil:
    unit.at = unit.r.at
    unit.start = u32(&unit.r)
    unit.has_start = True
    if unit.r.fault:
        return -1
    if unit.start >= unit.n_funcs:
        return refuse(unit, b"unknown function %llu", unit.start)
    if unit.funcs[unit.start].n_params or unit.funcs[unit.start].n_results:
        return refuse(unit, b"start function must not have parameters or results", 0)
    return 0


# ---------------------------------------------------------------------------------------------- code

cdef int code_section(Unit* unit) noexcept nogil:
    """Bodies are of at least three bytes each, those of the number not among them, so there is never much more room than there is code."""
    cdef Tr tr
    cdef const uint8_t* at = unit.r.at
    cdef uint32_t n = length(&unit.r)
    cdef uint32_t i
    if n != unit.n_codes or n > (unit.r.end - unit.r.at) // 3:
        return malformed(&unit.r, at, b"function and code section have inconsistent lengths")
    if room(unit, <void**>&unit.codes, n, sizeof(Code), 3):
        return -1
    for i in range(n):
        unit.codes[i].index = unit.imported_funcs + i
        unit.codes[i].type = unit.funcs[unit.imported_funcs + i]
    if unit.lowered != NULL:
        return pass_bodies(unit)
    memset(&tr, 0, sizeof(Tr))
    tr.codes = unit.codes
    for i in range(n):
        if one_body(unit, &tr, &unit.codes[i]) < 0:
            break
    tr_free(&tr)
    return -1 if unit.r.fault else 0


cdef int pass_bodies(Unit* unit) noexcept nogil:
    """Go to the end of the bodies, whose code was made before."""
    cdef Reader* r = &unit.r
    cdef uint32_t size, i
    for i in range(unit.n_codes):
        size = length(r)
        if r.fault or size > r.end - r.at:
            return unexpected_end(r)
        r.at += size
    unit.n_bodies = unit.n_codes
    if load_codes(unit, unit.lowered, unit.n_lowered) < 0:
        return malformed(r, r.at, b"the code does not fit the module")
    return 0


cdef int one_body(Unit* unit, Tr* tr, Code* code) noexcept nogil:
    """Where opcodes of the first page may be off, they are looked at before; rules ask for the features of later proposals only."""
    cdef const uint8_t* end = unit.r.end
    cdef const uint8_t* start
    cdef uint32_t size = length(&unit.r)
    if unit.r.fault or size > end - unit.r.at:
        return unexpected_end(&unit.r)
    start = unit.r.at
    unit.at = start
    unit.r.end = start + size
    if unit.features & WASM_3 != WASM_3:
        if skim_body(unit) < 0:
            return -1
        unit.r.at = start
    if translate(tr, unit, code) < 0:
        return -1
    unit.r.end = end
    unit.n_bodies += 1
    return 0


cdef int meter(Unit* unit) noexcept nogil:
    """Lower all bodies of a valid module once more, with fuel. -1 when memory is out."""
    cdef int status = 0
    PyThread_acquire_lock(LOCK, 1)
    if unit.metered == NULL and unit.n_codes:
        status = lower_again(unit)
    PyThread_release_lock(LOCK)
    return status


cdef int lower_again(Unit* unit) noexcept nogil:
    cdef Tr tr
    cdef uint32_t i
    cdef Code* codes = <Code*>calloc(unit.n_codes, sizeof(Code))
    if codes == NULL:
        return -1
    memset(&tr, 0, sizeof(Tr))
    tr.metered = True
    tr.codes = codes
    unit.r.at = unit.sections[CODE_SECTION]
    length(&unit.r)
    for i in range(unit.n_codes):
        codes[i].index = unit.codes[i].index
        codes[i].type = unit.codes[i].type
    for i in range(unit.n_codes):
        if one_body(unit, &tr, &codes[i]) < 0:
            break
    unit.n_bodies = unit.n_codes
    tr_free(&tr)
    if unit.r.fault:
        free_bodies(codes, unit.n_codes)
        forget_fault(&unit.r)
        return -1
    unit.metered = codes
    return 0


cdef int data_count_section(Unit* unit) noexcept nogil:
    unit.data_count = u32(&unit.r)
    unit.has_data_count = True
    return -1 if unit.r.fault else 0


SECTIONS[:] = [NULL, type_section, import_section, function_section, table_section, memory_section, global_section,
               export_section, start_section, elem_section, code_section, data_section, data_count_section, tag_section]
ORDER[:] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6]
PHASES[:] = [1, 2, 13, 3, 5, 4, 6, BEFORE_CODE, 10, 11, 9, 8, 7]


# ---------------------------------------------------------------------------------------------- the whole

cdef int custom_section(Unit* unit, uint8_t after) noexcept nogil:
    cdef Reader* r = &unit.r
    cdef uint32_t size = length(r)
    cdef const uint8_t* start = r.at
    cdef Custom* c
    cdef uint32_t cap = unit.cap_customs * 2 + 4
    if unit.n_customs == unit.cap_customs:
        c = <Custom*>realloc(unit.customs, cap * sizeof(Custom))
        if c == NULL:
            return out_of_memory(r)
        unit.customs = c
        unit.cap_customs = cap
    c = &unit.customs[unit.n_customs]
    if r.fault or read_name(unit, &c.name) < 0:
        return -1
    if size > r.end - start or r.at > start + size:
        return unexpected_end(r)
    c.at = r.at
    c.size = start + size - r.at
    c.after = after
    unit.n_customs += 1
    r.at = start + size
    return 0


cdef bint is_known(Unit* unit, uint8_t id) noexcept nogil:
    """Two sections came with a feature."""
    if id == TAG_SECTION:
        return has_tags(unit)
    return id < DATA_COUNT_SECTION or (id == DATA_COUNT_SECTION and on(unit, F_BULK_MEMORY))


cdef int one_section(Unit* unit, uint8_t* last) noexcept nogil:
    """A section is read from the whole of the bytes and its size compared afterwards, as the grammar has it."""
    cdef Reader* r = &unit.r
    cdef uint8_t id = r.at[0]
    cdef const uint8_t* start
    cdef uint32_t size
    if id == CUSTOM:
        r.at += 1
        return custom_section(unit, last[0])
    if not is_known(unit, id):
        return malformed(r, r.at, b"malformed section id")
    if last[0] != CUSTOM and ORDER[id] <= ORDER[last[0]]:
        return malformed(r, r.at, b"unexpected content after last section")
    last[0] = id
    r.at += 1
    size = length(r)
    start = r.at
    unit.sections[id] = start
    if r.fault or (skim_section(unit, id) if unit.skim else SECTIONS[id](unit)) < 0 or r.fault:
        return -1
    return 0 if r.at == start + size else malformed(r, start, b"section size mismatch")


cdef int check_counts(Unit* unit) noexcept nogil:
    """What only the whole module can tell."""
    if unit.n_bodies != unit.n_codes:
        return malformed(&unit.r, unit.r.end, b"function and code section have inconsistent lengths")
    if unit.has_data_count and unit.data_count != unit.n_datas:
        return malformed(&unit.r, unit.r.end, b"data count and data section have inconsistent lengths")
    if not unit.has_data_count and unit.uses_data:
        return malformed(&unit.r, unit.r.end, b"data count section required")
    unit.data_count = unit.n_datas
    return 0


cdef int read_sections(Unit* unit) noexcept nogil:
    cdef Reader* r = &unit.r
    cdef uint8_t last = CUSTOM
    r.at = r.start
    if r.end - r.at < 4:
        return unexpected_end(r)
    if memcmp(r.at, b"\0asm", 4) != 0:
        return malformed(r, r.at, b"magic header not detected")
    if r.end - r.at < 8:
        return unexpected_end(r)
    if memcmp(r.at + 4, b"\1\0\0\0", 4) != 0:
        return malformed(r, r.at + 4, b"unknown binary version")
    r.at += 8
    while r.at < r.end and r.fault == FAULT_NONE:
        one_section(unit, &last)
    return -1 if r.fault else check_counts(unit)


cdef int validate_in_order(Unit* unit) noexcept nogil:
    cdef int i
    cdef uint8_t id
    for i in range(13):
        id = ELEM_SECTION if PHASES[i] == BEFORE_CODE else PHASES[i]
        if unit.sections[id] == NULL:
            continue
        unit.where = AT_ENTRY
        unit.r.at = unit.sections[id]
        if (elem_types(unit) if PHASES[i] == BEFORE_CODE else SECTIONS[id](unit)) < 0:
            return -1
    return 0


cdef void find_first_fault(Unit* unit, const uint8_t* end) noexcept nogil:
    """Something is wrong: what the reference engine would say."""
    cdef Reader was = unit.r
    cdef int where = unit.where
    unit.r.words = NULL
    forget_fault(&unit.r)
    unit.r.end = end
    forget_parts(unit)
    unit.n_customs = 0
    unit.skim = True
    memset(unit.sections, 0, sizeof(unit.sections))
    if read_sections(unit) == 0:
        forget_parts(unit)
        unit.skim = False
        validate_in_order(unit)
    else:
        unit.where = AT_ENTRY
    if unit.r.fault == FAULT_NONE:
        unit.where = where
        unit.r = was
    else:
        free(was.words)
    if not unit.skim and unit.r.fault == FAULT_MALFORMED:
        unit.r.fault = FAULT_UNSUPPORTED    # it decodes, but no rule knows it


cdef Unit* read_module(const uint8_t* data, uint64_t size, uint64_t features, const uint8_t* lowered, uint64_t n_lowered) noexcept nogil:
    """The module, with a fault in its reader unless it is valid; NULL when memory is out. The bytes must outlive it.

    With code that was lowered before, bodies are not read; that it belongs to the module is known.
    """
    cdef Unit* unit = <Unit*>calloc(1, sizeof(Unit))
    if unit == NULL:
        return NULL
    unit.held = held_new()
    if unit.held == NULL:
        free(unit)
        return NULL
    unit.features = features
    unit.lowered = lowered
    unit.n_lowered = n_lowered
    unit.base = unit.r.start = data
    unit.size = size
    unit.r.end = data + size
    if size > 0xffffffffU:
        malformed(&unit.r, data + 0xffffffffU, b"length out of bounds")
    elif read_sections(unit) < 0 and unit.r.fault != FAULT_MEMORY and lowered == NULL:
        find_first_fault(unit, data + size)
    return unit


cdef void free_bodies(Code* codes, uint32_t n) noexcept nogil:
    cdef uint32_t i
    if codes == NULL:
        return
    for i in range(n):
        free(codes[i].entry)
        free(codes[i].places)
        free(codes[i].handlers)
        free(codes[i].steps)
    free(codes)


cdef void free_codes(Unit* unit) noexcept nogil:
    cdef uint32_t i
    free_bodies(unit.codes, unit.n_codes)
    free_bodies(unit.metered, unit.n_codes)
    for i in range(unit.n_exprs):
        free(unit.exprs[i].entry)
        free(unit.exprs[i].places)
        free(unit.exprs[i])
    free(unit.exprs)
    unit.codes = unit.metered = NULL
    unit.exprs = NULL
    unit.n_codes = unit.n_bodies = unit.n_exprs = unit.cap_exprs = 0


cdef void forget_parts(Unit* unit) noexcept nogil:
    """Free what has been read, but for the custom sections, which functions are declared, and how many data segments there are."""
    cdef uint32_t i
    free_codes(unit)
    for i in range(unit.n_elems):
        free(unit.elems[i].items)
        free(unit.elems[i].funcs)
    free(unit.types)
    free(unit.funcs)
    free(unit.globals)
    free(unit.inits)
    free(unit.tables)
    free(unit.mems)
    free(unit.tags)
    free(unit.imports)
    free(unit.exports)
    free(unit.elems)
    free(unit.datas)
    unit.types = unit.funcs = unit.tags = NULL
    unit.globals = NULL
    unit.inits = NULL
    unit.tables = unit.mems = NULL
    unit.imports = NULL
    unit.exports = NULL
    unit.elems = unit.datas = NULL
    unit.n_types = unit.n_funcs = unit.n_globals = unit.n_tables = unit.n_mems = unit.n_tags = unit.group_end = 0
    unit.n_imports = unit.n_exports = unit.n_elems = unit.n_datas = 0
    unit.imported_funcs = unit.imported_globals = unit.imported_tables = unit.imported_mems = unit.imported_tags = 0
    unit.global_slots = 0
    unit.has_start = False


cdef void unit_free(Unit* unit) noexcept nogil:
    if unit == NULL:
        return
    images_free(unit)
    forget_parts(unit)
    free(unit.r.words)
    free(unit.customs)
    free(unit.declared)
    free(unit.order)
    free(unit.metered_order)
    held_drop(unit.held)
    free(unit)
