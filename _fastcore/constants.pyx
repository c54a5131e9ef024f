"""See constants.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset
from pywasm_ref._fastcore.bodies cimport tr_free, translate_expr
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match
from pywasm_ref._fastcore.numerics cimport load32, load64
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.shapes cimport CONSTANT, EXTENDED_CONSTANT, Shape
from pywasm_ref._fastcore.skim cimport declare_func, skim_instruction
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.translator cimport Tr
from pywasm_ref._fastcore.types cimport block_result
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport on, read_heap_type, refuse


cdef uint32_t single(Unit* unit, Init* init) noexcept nogil:
    """Read one instruction of the common kinds; its type, or VT_BOT when it is another one, or nothing that is valid."""
    cdef Reader* r = &unit.r
    cdef uint8_t op = u8(r)
    init.kind = INIT_CONST
    if op == 0x41:
        init.bits = <uint32_t>s32(r)
        return VT_I32
    if op == 0x42:
        init.bits = <uint64_t>s64(r)
        return VT_I64
    if (op == 0x43 and r.end - r.at >= 4) or (op == 0x44 and r.end - r.at >= 8):
        init.bits = load32(r.at) if op == 0x43 else load64(r.at)
        r.at += 4 if op == 0x43 else 8
        return VT_F32 if op == 0x43 else VT_F64
    if op == 0xfd and r.end - r.at >= 17 and r.at[0] == 0x0c and on(unit, F_SIMD):
        init.bits = load64(r.at + 1)
        init.high = load64(r.at + 9)
        r.at += 17
        return VT_V128
    if op == 0xd0 and r.at < r.end and (r.at[0] == 0x70 or r.at[0] == 0x6f) and on(unit, F_REFERENCE_TYPES):
        init.bits = 0
        return VT_FUNCREF if u8(r) == 0x70 else VT_EXTERNREF
    if op == 0x23:
        init.kind = INIT_GLOBAL
        init.bits = u32(r)
        if init.bits < unit.n_globals and not unit.globals[init.bits].mutable:
            return unit.globals[init.bits].type if init.bits < unit.imported_globals or on(unit, F_GC) else VT_BOT
    elif op == 0xd2 and on(unit, F_REFERENCE_TYPES):
        init.kind = INIT_FUNC
        init.bits = u32(r)
        if init.bits < unit.n_funcs:
            declare_func(unit, <uint32_t>init.bits)
            return VT_REF | unit.funcs[init.bits].heap
    return VT_BOT


cdef int init_expr(Unit* unit, uint32_t wanted, Init* init) noexcept nogil:
    """Read a constant expression of this type."""
    cdef Reader* r = &unit.r
    cdef const uint8_t* start = r.at
    cdef uint32_t type = single(unit, init)
    if r.fault:
        return -1
    if type != VT_BOT and match(type, wanted) and r.at < r.end and r.at[0] == 0x0b:
        r.at += 1
        return 0
    r.at = start
    if require_constant(unit) < 0:
        return -1
    r.at = start
    return init_code(unit, wanted, init)


cdef int func_index(Unit* unit, uint32_t x) noexcept nogil:
    """An index that stands for a reference to a function is checked; from then on `ref.func` may name it."""
    if x >= unit.n_funcs:
        return refuse(unit, b"unknown function %llu (ref.func in constant expression)", x)
    declare_func(unit, x)
    return 0


cdef int require_constant(Unit* unit) noexcept nogil:
    """Which instructions they are is looked at before their types."""
    cdef const uint8_t* at
    cdef const Shape* shape
    cdef uint32_t x = 0
    while unit.r.fault == FAULT_NONE and (unit.r.at >= unit.r.end or unit.r.at[0] != 0x0b):
        at = unit.r.at
        unit.skim = True
        shape = skim_instruction(unit, &x)
        unit.skim = False
        if shape == NULL:
            return -1
        if at[0] == 0xd2:
            declare_func(unit, x)
        if shape.flags & CONSTANT or (shape.flags & EXTENDED_CONSTANT and on(unit, F_EXTENDED_CONST)):
            continue
        if at[0] == 0x23 and constant_global(unit, at, x) != 0:
            if unit.r.fault:
                return -1
            continue
        unit.where = AT_NO_CONSTANT
        return invalid(&unit.r, at, b"constant expression required")
    return -1 if unit.r.fault else 0


cdef int constant_global(Unit* unit, const uint8_t* at, uint32_t x) noexcept nogil:
    """0 when it is one, but may change."""
    cdef const uint8_t* entry = unit.at
    unit.at = at
    if x >= unit.n_globals:
        return refuse(unit, b"unknown global %llu", x)
    if x >= unit.imported_globals and not on(unit, F_GC):
        return refuse(unit, b"unknown global %llu: only imported globals are constant without the feature gc", x)
    unit.at = entry
    return not unit.globals[x].mutable


cdef Code* new_code(Unit* unit) noexcept nogil:
    cdef Code** grown
    cdef uint32_t room = unit.cap_exprs * 2 + 8
    if unit.n_exprs == unit.cap_exprs:
        grown = <Code**>realloc(unit.exprs, room * sizeof(Code*))
        if grown == NULL:
            return NULL
        unit.exprs = grown
        unit.cap_exprs = room
    unit.exprs[unit.n_exprs] = <Code*>calloc(1, sizeof(Code))
    if unit.exprs[unit.n_exprs] == NULL:
        return NULL
    unit.n_exprs += 1
    return unit.exprs[unit.n_exprs - 1]


cdef int init_code(Unit* unit, uint32_t wanted, Init* init) noexcept nogil:
    """The same code as that of a function [] -> [wanted]."""
    cdef Code* code = new_code(unit)
    cdef const uint8_t* entry = unit.at
    cdef Tr tr
    if code == NULL:
        return out_of_memory(&unit.r)
    code.type = block_result(unit.held, wanted)
    if code.type == NULL:
        return out_of_memory(&unit.r)
    init.kind = INIT_CODE
    init.bits = <uint64_t>code
    memset(&tr, 0, sizeof(Tr))
    unit.where = AT_CONSTANT_EXPRESSION
    translate_expr(&tr, unit, code)
    tr_free(&tr)
    if unit.r.fault:
        return -1
    unit.where = AT_ENTRY
    unit.at = entry
    return 0
