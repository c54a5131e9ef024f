"""See skim.pxd. The words and places are those of the reference decoder. What it notes on the way: which functions are declared for
`ref.func`, how many functions and segments there are, and whether an instruction names a data segment."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, realloc
from pywasm_ref._fastcore.entities cimport has_tags, read_global_type, read_mem_type, read_name, read_table_type, read_tag_type
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.shapes cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.typedefs cimport type_section
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport on, read_heap_type, read_ref_type, read_value_type

ctypedef void (*part)(Unit* unit) noexcept nogil
cdef part PARTS[20]
cdef part ENTRIES[14]

cdef enum Block:
    # What an open block is, as far as its delimiters go.
    IN_PLAIN, IN_IF, IN_ELSE, IN_TRY, IN_CATCH, IN_CATCH_ALL

cdef enum:
    MOST_ALIGN = 0x1f
    HAS_MEMORY = 0x40


# ---------------------------------------------------------------------------------------------- immediates

cdef void skip_bytes(Unit* unit, uint32_t n) noexcept nogil:
    if n > unit.r.end - unit.r.at:
        unexpected_end(&unit.r)
    else:
        unit.r.at += n


cdef void zero(Unit* unit) noexcept nogil:
    if u8(&unit.r) != 0:
        malformed(&unit.r, unit.r.at - 1, b"zero byte expected")


cdef void skip_nothing(Unit* unit) noexcept nogil:
    pass


cdef void skip_index(Unit* unit) noexcept nogil:
    u32(&unit.r)


cdef void skip_memory(Unit* unit) noexcept nogil:
    """An index; before there could be several memories, a zero byte."""
    if on(unit, F_MULTI_MEMORY):
        u32(&unit.r)
    else:
        zero(unit)


cdef void skip_call_table(Unit* unit) noexcept nogil:
    if on(unit, F_REFERENCE_TYPES):
        u32(&unit.r)
    else:
        zero(unit)


cdef void skip_labels(Unit* unit) noexcept nogil:
    cdef uint32_t n = length(&unit.r)
    while n > 0 and unit.r.fault == FAULT_NONE:
        u32(&unit.r)
        n -= 1


cdef void skip_block_type(Unit* unit) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    if at < unit.r.end and at[0] == 0x40:
        unit.r.at += 1
    elif at >= unit.r.end or 0x40 < at[0] < 0x80:
        read_value_type(unit)
    elif (s33(&unit.r) < 0 or not on(unit, F_MULTI_VALUE)) and unit.r.fault == FAULT_NONE:
        malformed(&unit.r, at, b"malformed block type")


cdef void skip_catches(Unit* unit) noexcept nogil:
    cdef uint32_t n = length(&unit.r)
    cdef uint8_t kind
    while n > 0 and unit.r.fault == FAULT_NONE:
        kind = u8(&unit.r)
        if kind > 3:
            malformed(&unit.r, unit.r.at - 1, b"malformed catch clause")
            return
        if kind < 2:
            u32(&unit.r)
        u32(&unit.r)
        n -= 1


cdef void skip_memarg(Unit* unit) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    cdef uint32_t flags = u32(&unit.r)
    if unit.r.fault == FAULT_NONE and flags > (2 * HAS_MEMORY - 1 if on(unit, F_MULTI_MEMORY) else MOST_ALIGN):
        malformed(&unit.r, at, b"malformed memop flags")
        return
    if flags & HAS_MEMORY:
        u32(&unit.r)
    if on(unit, F_MEMORY64):
        u64(&unit.r)
    else:
        u32(&unit.r)


cdef void skip_lane(Unit* unit) noexcept nogil:
    if unit.r.at < unit.r.end and unit.r.at[0] < 0x80:
        unit.r.at += 1
    else:
        leb_slow(&unit.r, 8, False)


cdef void skip_lanes(Unit* unit) noexcept nogil:
    cdef int i
    for i in range(16):
        if unit.r.fault == FAULT_NONE:
            skip_lane(unit)


cdef void skip_i32(Unit* unit) noexcept nogil:
    s32(&unit.r)


cdef void skip_i64(Unit* unit) noexcept nogil:
    s64(&unit.r)


cdef void skip_4(Unit* unit) noexcept nogil:
    skip_bytes(unit, 4)


cdef void skip_8(Unit* unit) noexcept nogil:
    skip_bytes(unit, 8)


cdef void skip_16(Unit* unit) noexcept nogil:
    skip_bytes(unit, 16)


cdef void skip_heap(Unit* unit) noexcept nogil:
    """The type that a null is of; before there were function references, it was written as the reference type."""
    if on(unit, F_FUNCTION_REFERENCES):
        read_heap_type(unit)
    else:
        read_ref_type(unit)


cdef void skip_ref_heap(Unit* unit) noexcept nogil:
    read_heap_type(unit)


cdef void skip_value_types(Unit* unit) noexcept nogil:
    cdef uint32_t n = length(&unit.r)
    while n > 0 and unit.r.fault == FAULT_NONE:
        read_value_type(unit)
        n -= 1


cdef void skip_cast(Unit* unit) noexcept nogil:
    cdef uint8_t flags = u8(&unit.r)
    if flags > 3:
        malformed(&unit.r, unit.r.at - 1, b"malformed br_on_cast flags")
        return
    u32(&unit.r)
    if unit.r.fault == FAULT_NONE:
        read_heap_type(unit)
    if unit.r.fault == FAULT_NONE:
        read_heap_type(unit)


PARTS[SHAPE_NONE] = skip_nothing
PARTS[SHAPE_INDEX] = skip_index
PARTS[SHAPE_MEMORY] = skip_memory
PARTS[SHAPE_CALL_TABLE] = skip_call_table
PARTS[SHAPE_LABELS] = skip_labels
PARTS[SHAPE_BLOCK_TYPE] = skip_block_type
PARTS[SHAPE_CATCHES] = skip_catches
PARTS[SHAPE_MEMARG] = skip_memarg
PARTS[SHAPE_LANE] = skip_lane
PARTS[SHAPE_LANES] = skip_lanes
PARTS[SHAPE_I32] = skip_i32
PARTS[SHAPE_I64] = skip_i64
PARTS[SHAPE_F32] = skip_4
PARTS[SHAPE_F64] = skip_8
PARTS[SHAPE_V128] = skip_16
PARTS[SHAPE_HEAP] = skip_heap
PARTS[SHAPE_REF_HEAP] = skip_ref_heap
PARTS[SHAPE_VALUE_TYPES] = skip_value_types
PARTS[SHAPE_CAST] = skip_cast
PARTS[SHAPE_ZERO] = zero


# ---------------------------------------------------------------------------------------------- expressions

cdef const Shape* illegal(Unit* unit, const uint8_t* at, uint8_t byte, uint32_t code) noexcept nogil:
    cdef char words[60]
    if 0xfb <= byte <= 0xfe:
        snprintf(words, sizeof(words), b"illegal opcode %02x %02x", <unsigned int>byte, <unsigned int>code)
    else:
        snprintf(words, sizeof(words), b"illegal opcode %02x", <unsigned int>byte)
    malformed(&unit.r, at, words)
    return NULL


cdef const Shape* skim_instruction(Unit* unit, uint32_t* index) noexcept nogil:
    """Read an opcode that is no delimiter and what follows it; `index` is its immediate if that is one index. NULL and a fault."""
    cdef const uint8_t* at = unit.r.at
    cdef uint8_t byte = u8(&unit.r)
    cdef uint32_t code = u32(&unit.r) if 0xfb <= byte <= 0xfe else 0
    cdef const Shape* shape
    if unit.r.fault:
        return NULL
    shape = shape_of(byte, code)
    if not shape.flags & EXISTS or not unit.features >> shape.feature & 1:
        return illegal(unit, at, byte, code)
    if shape.flags & USES_DATA:
        unit.uses_data = True
    if shape.kinds[0] == SHAPE_INDEX:
        index[0] = u32(&unit.r)
    else:
        PARTS[shape.kinds[0]](unit)
    if unit.r.fault == FAULT_NONE and shape.kinds[1]:
        PARTS[shape.kinds[1]](unit)
    return NULL if unit.r.fault else shape


cdef int misplaced(Unit* unit) noexcept nogil:
    """A delimiter that does not belong there; the place is the last byte read."""
    return malformed(&unit.r, unit.r.at - 1, b"END opcode expected")


cdef int delimiter(Unit* unit, uint8_t byte, uint8_t* blocks, uint64_t depth) noexcept nogil:
    """Read what stands between the parts of a block, or ends a `try`. The depth afterwards is one less for `delegate`."""
    cdef uint8_t block = blocks[depth]
    unit.r.at += 1
    if byte == 0x05:
        if block != IN_IF:
            return misplaced(unit)
        blocks[depth] = IN_ELSE
        return 0
    if block < IN_TRY:
        return misplaced(unit)
    if byte == 0x18:
        if block != IN_TRY:
            return misplaced(unit)
        u32(&unit.r)
        return 0
    if byte == 0x07:
        u32(&unit.r)
    if unit.r.fault:
        return -1
    if block == IN_CATCH_ALL:
        return misplaced(unit)
    blocks[depth] = IN_CATCH if byte == 0x07 else IN_CATCH_ALL
    return 0


cdef bint is_delimiter(Unit* unit, uint8_t byte) noexcept nogil:
    if byte == 0x05:
        return True
    return on(unit, F_LEGACY_EXCEPTIONS) and (byte == 0x07 or byte == 0x18 or byte == 0x19)


cdef int skim_expr(Unit* unit, bint constant) noexcept nogil:
    """Instructions up to the `end` that closes them. In a constant expression `ref.func` declares its function."""
    cdef Reader* r = &unit.r
    cdef uint8_t* blocks = NULL
    cdef uint64_t cap = 0
    cdef uint64_t depth = 0
    cdef uint8_t byte = 0
    cdef uint32_t index = 0
    cdef const Shape* shape
    cdef bint skim = unit.skim
    unit.skim = True
    while r.fault == FAULT_NONE:
        if depth >= cap and not deepen(unit, &blocks, &cap):
            break
        if r.at >= r.end:
            unexpected_end(r)
            break
        byte = r.at[0]
        if byte == 0x0b:
            r.at += 1
            if depth == 0:
                break
            depth -= 1
        elif is_delimiter(unit, byte):
            delimiter(unit, byte, blocks, depth)
            depth -= byte == 0x18
        else:
            shape = skim_instruction(unit, &index)
            if shape != NULL and shape.flags & OPENS:
                depth += 1
                if depth >= cap and not deepen(unit, &blocks, &cap):
                    break
                blocks[depth] = IN_IF if byte == 0x04 else IN_TRY if byte == 0x06 else IN_PLAIN
            elif constant and byte == 0xd2:
                declare_func(unit, index)
    free(blocks)
    unit.skim = skim
    return -1 if r.fault else 0


cdef bint deepen(Unit* unit, uint8_t** blocks, uint64_t* cap) noexcept nogil:
    cdef uint64_t room = cap[0] * 2 if cap[0] else 64
    cdef uint8_t* grown = <uint8_t*>realloc(blocks[0], room)
    if grown == NULL:
        out_of_memory(&unit.r)
        return False
    if cap[0] == 0:
        grown[0] = IN_PLAIN
    blocks[0] = grown
    cap[0] = room
    return True


cdef void declare_func(Unit* unit, uint32_t x) noexcept nogil:
    """`ref.func` may name it."""
    if unit.declared == NULL:
        unit.n_declared = unit.n_funcs
        unit.declared = <uint8_t*>calloc(<uint64_t>unit.n_funcs + 1, 1)
        if unit.declared == NULL:
            out_of_memory(&unit.r)
            return
    if x < unit.n_declared:
        unit.declared[x] = 1


# ---------------------------------------------------------------------------------------------- entries of sections

cdef void skim_import(Unit* unit) noexcept nogil:
    cdef Name name
    cdef Limit l
    cdef GlobalDef g
    cdef uint8_t kind
    if read_name(unit, &name) < 0 or read_name(unit, &name) < 0:
        return
    kind = u8(&unit.r)
    if unit.r.fault:
        return
    if kind == EXTERN_FUNC:
        u32(&unit.r)
        unit.n_funcs += 1
    elif kind == EXTERN_TABLE:
        read_table_type(unit, &l)
    elif kind == EXTERN_MEM:
        read_mem_type(unit, &l)
    elif kind == EXTERN_GLOBAL:
        read_global_type(unit, &g)
    elif kind == EXTERN_TAG and has_tags(unit):
        read_tag_type(unit)
    else:
        malformed(&unit.r, unit.r.at - 1, b"malformed import kind")


cdef void skim_func(Unit* unit) noexcept nogil:
    u32(&unit.r)
    unit.n_funcs += 1
    unit.n_codes += 1


cdef void skim_table(Unit* unit) noexcept nogil:
    cdef Limit l
    if unit.r.at < unit.r.end and unit.r.at[0] == 0x40 and on(unit, F_FUNCTION_REFERENCES):
        unit.r.at += 1
        zero(unit)
        if unit.r.fault == FAULT_NONE and read_table_type(unit, &l) == 0:
            skim_expr(unit, True)
        return
    read_table_type(unit, &l)


cdef void skim_mem(Unit* unit) noexcept nogil:
    cdef Limit l
    read_mem_type(unit, &l)


cdef void skim_tag(Unit* unit) noexcept nogil:
    read_tag_type(unit)


cdef void skim_global(Unit* unit) noexcept nogil:
    cdef GlobalDef g
    if read_global_type(unit, &g) == 0:
        skim_expr(unit, True)


cdef void skim_export(Unit* unit) noexcept nogil:
    cdef Name name
    cdef uint8_t kind
    cdef uint32_t x
    if read_name(unit, &name) < 0:
        return
    kind = u8(&unit.r)
    if unit.r.fault == FAULT_NONE and (kind > EXTERN_TAG or (kind == EXTERN_TAG and not has_tags(unit))):
        malformed(&unit.r, unit.r.at - 1, b"malformed export kind")
        return
    x = u32(&unit.r)
    if unit.r.fault == FAULT_NONE and kind == EXTERN_FUNC:
        declare_func(unit, x)


cdef void skim_elem(Unit* unit) noexcept nogil:
    cdef uint32_t flags = u32(&unit.r)
    cdef uint32_t n
    if unit.r.fault == FAULT_NONE and flags > (7 if on(unit, F_BULK_MEMORY) else 0):
        malformed(&unit.r, unit.r.at - 1, b"malformed elements segment kind")
        return
    if not flags & 1:
        if flags & 2:
            u32(&unit.r)
        if skim_expr(unit, True) < 0:
            return
    if flags & 4:
        if flags & 3:
            read_ref_type(unit)
    elif flags & 3 and u8(&unit.r) != 0:
        malformed(&unit.r, unit.r.at - 1, b"malformed element kind")
    if unit.r.fault:
        return
    n = length(&unit.r)
    while n > 0 and unit.r.fault == FAULT_NONE:
        n -= 1
        if flags & 4:
            skim_expr(unit, True)
        else:
            declare_func(unit, u32(&unit.r))


cdef void skim_code(Unit* unit) noexcept nogil:
    cdef uint32_t size = length(&unit.r)
    cdef const uint8_t* start = unit.r.at
    unit.n_bodies += 1
    if unit.r.fault == FAULT_NONE and skim_body(unit) == 0 and unit.r.at != start + size:
        malformed(&unit.r, start, b"section size mismatch")


cdef int skim_body(Unit* unit) noexcept nogil:
    cdef const uint8_t* start = unit.r.at
    cdef uint32_t groups = length(&unit.r)
    cdef uint64_t total = 0
    cdef bint skim = unit.skim
    unit.skim = True
    while groups > 0 and unit.r.fault == FAULT_NONE:
        total += u32(&unit.r)
        if unit.r.fault == FAULT_NONE:
            read_value_type(unit)
        groups -= 1
    unit.skim = skim
    if unit.r.fault == FAULT_NONE and total > 0xffffffffU:
        malformed(&unit.r, start, b"too many locals")
    return -1 if unit.r.fault else skim_expr(unit, False)


cdef void skim_data(Unit* unit) noexcept nogil:
    cdef uint32_t flags = u32(&unit.r)
    if unit.r.fault == FAULT_NONE and flags > (2 if on(unit, F_BULK_MEMORY) else 0):
        malformed(&unit.r, unit.r.at - 1, b"malformed data segment kind")
        return
    if flags == 2:
        u32(&unit.r)
    if flags != 1 and (unit.r.fault or skim_expr(unit, True) < 0):
        return
    skip_bytes(unit, length(&unit.r))
    unit.n_datas += 1


ENTRIES[2] = skim_import
ENTRIES[3] = skim_func
ENTRIES[4] = skim_table
ENTRIES[5] = skim_mem
ENTRIES[6] = skim_global
ENTRIES[7] = skim_export
ENTRIES[9] = skim_elem
ENTRIES[10] = skim_code
ENTRIES[11] = skim_data
ENTRIES[13] = skim_tag


cdef int skim_section(Unit* unit, int section) noexcept nogil:
    cdef uint32_t n
    if section == 1:
        return type_section(unit)
    n = u32(&unit.r) if section == 8 or section == DATA_COUNT_SECTION else length(&unit.r)
    if section == DATA_COUNT_SECTION:
        unit.has_data_count = True
        unit.data_count = n
    elif section != 8:
        while n > 0 and unit.r.fault == FAULT_NONE:
            ENTRIES[section](unit)
            n -= 1
    return -1 if unit.r.fault else 0
