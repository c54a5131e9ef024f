"""See rules_memory.pxd.

Memory 0 with 32-bit addresses has handlers that find its base and length in registers. With 64-bit addresses it has others of the same
kind (`Operation.wide`); every other memory, and offsets that do not fit, go through the context (`Operation.far`). An access that has no
such form, as vectors have none, is done through a window: `window`, the common handler at address 0, and `home`.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match
from pywasm_ref._fastcore.operands cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.unit cimport *

cdef enum:
    PAGE_BITS = 16
    FENCE = 3       # behind 0xFE


# ---------------------------------------------------------------------------------------------- what indices name

cdef bint memory_index(Tr* tr, uint32_t x) noexcept nogil:
    return exists(tr, b"unknown memory %llu", x, tr.unit.n_mems)


cdef bint table_index(Tr* tr, uint32_t x) noexcept nogil:
    return exists(tr, b"unknown table %llu", x, tr.unit.n_tables)


cdef bint elem_index(Tr* tr, uint32_t x) noexcept nogil:
    return exists(tr, b"unknown elem segment %llu", x, tr.unit.n_elems)


cdef uint32_t memory_address(Tr* tr, uint32_t x) noexcept nogil:
    return VT_I64 if tr.unit.mems[x].wide else VT_I32


cdef uint32_t table_address(Tr* tr, uint32_t x) noexcept nogil:
    return VT_I64 if tr.unit.tables[x].wide else VT_I32


cdef uint32_t both(uint32_t a, uint32_t b) noexcept nogil:
    """The type that counts what is copied between two: the smaller one."""
    return VT_I64 if a == VT_I64 and b == VT_I64 else VT_I32


# ---------------------------------------------------------------------------------------------- loads and stores

cdef bint memarg(Tr* tr, uint32_t natural, Access* x) noexcept nogil:
    """Read and check a memory argument; `natural` is the logarithm of the bytes that are accessed."""
    cdef const uint8_t* at = tr.r.at
    cdef uint32_t align = u32(tr.r)
    cdef char text[128]
    x.memory = 0
    if align >= 64:
        if align >= 128:
            malformed(tr.r, at, b"malformed memop flags")
            return False
        align -= 64
        x.memory = u32(tr.r)
    x.offset = u64(tr.r)
    if not memory_index(tr, x.memory):
        return False
    x.address = memory_address(tr, x.memory)
    if align > natural:
        snprintf(text, sizeof(text), b"alignment must not be larger than natural: 2**%u for an access of %u bytes", align, <uint32_t>1 << natural)
        invalid(tr.r, tr.at, text)
        return False
    if x.offset > 0xffffffffU and x.address == VT_I32:
        refuse_at(tr, b"offset out of range: %llu for a memory with 32-bit addresses", x.offset)
        return False
    return True


cdef uint32_t address_type(Tr* tr, const Access* x) noexcept nogil:
    return x.address


cdef Ir* far(Tr* tr, uint32_t op, const Access* x, Val* a, Val* b, uint32_t result) noexcept nogil:
    """An operation that has offset and index of the memory in words of their own."""
    cdef Ir* ir = emit(tr, op, a, b, x.memory, result)
    ir.extras = 2
    ir.extra = x.offset
    ir.places = 1
    return ir


cdef Ir* emit_access(Tr* tr, uint32_t op, const Access* x, Val* a, Val* b, uint32_t result) noexcept nogil:
    """A load or store on popped values: the address, and what is stored."""
    cdef const Operation* info = &tr.tables.operations[op]
    cdef Ir* ir
    if x.memory == 0 and x.address == VT_I32:
        ir = emit(tr, op, a, b, x.offset, result)
    elif x.memory == 0 and info.wide_op and x.offset <= 0xffffffffU:
        ir = emit(tr, info.wide_op, a, b, x.offset, result)
    elif info.far_op:
        return far(tr, info.far_op, x, a, b, result)
    else:
        return through_window(tr, op, x, a, b, result)
    ir.places = 1
    return ir


cdef void open_window(Tr* tr, const Access* x, Val* a) noexcept nogil:
    """The address becomes 0, until `close_window`."""
    far(tr, OP_WINDOW, x, a, NULL, 0)
    a.type = VT_I32
    a.kind = AT_CONSTANT
    a.bits = 0
    a.producer = -1


cdef void close_window(Tr* tr) noexcept nogil:
    new_ir(tr, OP_HOME)


cdef Ir* through_window(Tr* tr, uint32_t op, const Access* x, Val* a, Val* b, uint32_t result) noexcept nogil:
    cdef Val zero = a[0]
    cdef uint32_t done
    open_window(tr, x, &zero)
    emit(tr, op, &zero, b, 0, result).places = 1
    done = tr.n_irs - 1
    close_window(tr)
    return &tr.irs[done]


# ---------------------------------------------------------------------------------------------- whole memories and tables

cdef void result_in_slot(Tr* tr, Ir* ir, uint32_t type) noexcept nogil:
    """The result of a raw operation: in its slot, and nowhere else."""
    cdef Val* v = push(tr, type, AT_SLOT)
    v.producer = <int32_t>(tr.n_irs - 1)
    ir.dst = v.slot
    ir.writes = 1
    note_write(tr, v.slot, 0)


cdef Ir* raw(Tr* tr, uint32_t op, Val* values, uint32_t n, uint64_t extra) noexcept nogil:
    """An operation on at most three popped values that it finds in slots, with one word more."""
    cdef uint32_t slots[3]
    cdef uint32_t i
    cdef Ir* ir
    slots[0] = slots[1] = slots[2] = 0
    for i in range(n):
        slots[i] = slot_of(tr, &values[i])
    ir = new_ir(tr, op)
    ir.a = slots[0]
    ir.b = slots[1]
    ir.x = slots[2]
    ir.reads = (1 << n) - 1
    ir.extras = 1
    ir.extra = extra
    ir.places = 1
    return ir


cdef bint take(Tr* tr, Val* values, const uint32_t* types, uint32_t n) noexcept nogil:
    """Pop the operands, the last one first. False when nothing is to be emitted."""
    cdef uint32_t i = n
    if not expect(tr, types, n):
        return False
    while i > 0:
        i -= 1
        values[i] = pop(tr, VT_BOT)
    return tr.live


cdef bint three(Tr* tr, Val* values, uint32_t a, uint32_t b, uint32_t c) noexcept nogil:
    cdef uint32_t types[3]
    types[0] = a
    types[1] = b
    types[2] = c
    return take(tr, values, types, 3)


cdef bint two(Tr* tr, Val* values, uint32_t a, uint32_t b) noexcept nogil:
    cdef uint32_t types[2]
    types[0] = a
    types[1] = b
    return take(tr, values, types, 2)


cdef void give(Tr* tr, uint32_t type) noexcept nogil:
    """The result of code that is never reached."""
    if tr.r.fault == FAULT_NONE:
        push(tr, type, AT_CONSTANT)


cdef void r_memory_size(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef Limit* l
    if not memory_index(tr, x):
        return
    l = &tr.unit.mems[x]
    if not tr.live:
        give(tr, memory_address(tr, x))
    elif x == 0 and not l.wide and not l.shared and l.page_bits == PAGE_BITS:
        emit(tr, OP_MEMORY_SIZE, NULL, NULL, 0, VT_I32)
    else:
        emit(tr, OP_FAR_MEMORY_SIZE, NULL, NULL, x, memory_address(tr, x))


cdef void r_memory_grow(Tr* tr) noexcept nogil:
    cdef Access x
    cdef Val v
    x.memory = u32(tr.r)
    x.offset = 0
    if not memory_index(tr, x.memory):
        return
    x.address = memory_address(tr, x.memory)
    v = pop(tr, x.address)
    if not tr.live or tr.r.fault:
        give(tr, x.address)
    elif x.memory == 0 and x.address == VT_I32:
        emit(tr, OP_MEMORY_GROW, &v, NULL, 0, VT_I32)
    else:
        far(tr, OP_FAR_MEMORY_GROW64 if x.address == VT_I64 else OP_FAR_MEMORY_GROW, &x, &v, NULL, x.address)


cdef void memory_init(Tr* tr) noexcept nogil:
    cdef uint32_t y = u32(tr.r)
    cdef uint32_t x = u32(tr.r)
    cdef Val v[3]
    if not memory_index(tr, x) or not data_index(tr, y):
        return
    if three(tr, v, memory_address(tr, x), VT_I32, VT_I32):
        raw(tr, OP_MEMORY_INIT, v, 3, x | <uint64_t>y << 32)


cdef void data_drop(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    if data_index(tr, x) and tr.live:
        new_ir(tr, OP_DATA_DROP).k = x


cdef void memory_copy(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef uint32_t to, source
    cdef Val v[3]
    if not memory_index(tr, x) or not memory_index(tr, y):
        return
    to = memory_address(tr, x)
    source = memory_address(tr, y)
    if not three(tr, v, to, source, both(to, source)):
        return
    if x == 0 and y == 0 and to == VT_I32:
        raw(tr, OP_MEMORY_COPY, v, 3, 0).extras = 0
    else:
        raw(tr, OP_FAR_MEMORY_COPY, v, 3, x | <uint64_t>y << 32)


cdef void memory_fill(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t at
    cdef Val v[3]
    if not memory_index(tr, x):
        return
    at = memory_address(tr, x)
    if not three(tr, v, at, VT_I32, at):
        return
    if x == 0 and at == VT_I32:
        raw(tr, OP_MEMORY_FILL, v, 3, 0).extras = 0
    else:
        raw(tr, OP_FAR_MEMORY_FILL, v, 3, x)


cdef void table_init(Tr* tr) noexcept nogil:
    cdef uint32_t y = u32(tr.r)
    cdef uint32_t x = u32(tr.r)
    cdef Val v[3]
    if not table_index(tr, x) or not elem_index(tr, y):
        return
    if not match(tr.unit.elems[y].type, tr.unit.tables[x].type):
        mismatch_of(tr, b": element segment's type ", tr.unit.elems[y].type, b" does not match table's element type ", tr.unit.tables[x].type)
        return
    if three(tr, v, table_address(tr, x), VT_I32, VT_I32):
        raw(tr, OP_TABLE_INIT, v, 3, x | <uint64_t>y << 32)


cdef void elem_drop(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    if elem_index(tr, x) and tr.live:
        new_ir(tr, OP_ELEM_DROP).k = x


cdef void table_copy(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t y = u32(tr.r)
    cdef uint32_t to, source
    cdef Val v[3]
    if not table_index(tr, x) or not table_index(tr, y):
        return
    if not match(tr.unit.tables[y].type, tr.unit.tables[x].type):
        mismatch_of(tr, b": source element type ", tr.unit.tables[y].type, b" does not match table's element type ", tr.unit.tables[x].type)
        return
    to = table_address(tr, x)
    source = table_address(tr, y)
    if three(tr, v, to, source, both(to, source)):
        raw(tr, OP_TABLE_COPY, v, 3, x | <uint64_t>y << 32)


cdef void table_grow(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef Val v[2]
    if not table_index(tr, x):
        return
    if two(tr, v, tr.unit.tables[x].type, table_address(tr, x)):
        result_in_slot(tr, raw(tr, OP_TABLE_GROW, v, 2, x), table_address(tr, x))
    else:
        give(tr, table_address(tr, x))


cdef void table_size(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    if not table_index(tr, x):
        return
    if tr.live:
        emit(tr, OP_TABLE_SIZE, NULL, NULL, x, table_address(tr, x))
    else:
        give(tr, table_address(tr, x))


cdef void table_fill(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef uint32_t at
    cdef Val v[3]
    if not table_index(tr, x):
        return
    at = table_address(tr, x)
    if three(tr, v, at, tr.unit.tables[x].type, at):
        raw(tr, OP_TABLE_FILL, v, 3, x)


cdef void r_table_get(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef Val v
    if not table_index(tr, x):
        return
    v = pop(tr, table_address(tr, x))
    if tr.live and tr.r.fault == FAULT_NONE:
        result_in_slot(tr, raw(tr, OP_TABLE_GET, &v, 1, x), tr.unit.tables[x].type)
    else:
        give(tr, tr.unit.tables[x].type)


cdef void r_table_set(Tr* tr) noexcept nogil:
    cdef uint32_t x = u32(tr.r)
    cdef Val v[2]
    if table_index(tr, x) and two(tr, v, table_address(tr, x), tr.unit.tables[x].type):
        raw(tr, OP_TABLE_SET, v, 2, x)


ctypedef void (*rule)(Tr* tr) noexcept nogil
cdef rule BULK[10]
BULK[:] = [memory_init, data_drop, memory_copy, memory_fill, table_init, elem_drop, table_copy, table_grow, table_size, table_fill]


cdef void r_bulk(Tr* tr, uint32_t code) noexcept nogil:
    """The instructions 8 to 17 behind 0xFC."""
    BULK[code - 8](tr)


# ---------------------------------------------------------------------------------------------- atomic accesses

cdef void fence(Tr* tr) noexcept nogil:
    cdef const uint8_t* at = tr.r.at
    if u8(tr.r) != 0:
        malformed(tr.r, at, b"zero byte expected")
    elif tr.live:
        new_ir(tr, OP_ATOMIC_FENCE)


cdef bint natural(Tr* tr, uint32_t align, uint32_t wanted) noexcept nogil:
    cdef char text[128]
    if align == wanted:
        return True
    snprintf(text, sizeof(text), b"alignment must be equal to natural: 2**%u for an atomic access of %u bytes", align, <uint32_t>1 << wanted)
    invalid(tr.r, tr.at, text)
    return False


cdef void r_atomic(Tr* tr) noexcept nogil:
    cdef uint32_t code = u32(tr.r)
    cdef const uint8_t* at = tr.r.at
    cdef const Opcode* o
    cdef Access x
    cdef uint32_t types[3]
    cdef uint32_t n, align
    cdef Val v[3]
    cdef Ir* ir
    cdef bint live
    if code == FENCE and tr.unit.features & F_THREADS and tr.r.fault == FAULT_NONE:
        fence(tr)
        return
    o = &tr.tables.atomic[code & 127]
    if code > 127 or o.family == FAMILY_NONE or not tr.unit.features & F_THREADS:
        malformed(tr.r, tr.at, b"illegal opcode")
        return
    align = at[0] & 63 if at < tr.r.end else 0
    if not memarg(tr, o.align, &x):
        return
    n = o.n_operands & 3
    types[0] = x.address
    types[1] = o.b
    types[2] = o.n_operands >> 2
    live = take(tr, v, types, n)
    if tr.r.fault or not natural(tr, align, o.align):
        return
    if not live:
        if o.result:
            give(tr, o.result)
    elif tr.tables.operations[o.operation].format == FORMAT_VALUE:
        far(tr, o.operation, &x, &v[0], &v[1] if n == 2 else NULL, o.result)
    else:
        ir = raw(tr, o.operation, v, n, x.offset)
        ir.extras = 2
        ir.offset = x.memory
        result_in_slot(tr, ir, o.result)
