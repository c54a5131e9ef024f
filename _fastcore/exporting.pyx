"""See exporting.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy
from pywasm_ref._fastcore.entities cimport has_tags, read_name, require
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.skim cimport declare_func
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport refuse
from pywasm_ref._fastcore.section_arrays cimport vector


cdef int one_export(Unit* unit, Export* e) noexcept nogil:
    if read_name(unit, &e.name) < 0:
        return -1
    e.kind = u8(&unit.r)
    if unit.r.fault == FAULT_NONE and (e.kind > EXTERN_TAG or (e.kind == EXTERN_TAG and not has_tags(unit))):
        return malformed(&unit.r, unit.r.at - 1, b"malformed export kind")
    e.index = u32(&unit.r)
    if unit.r.fault:
        return -1
    if e.kind == EXTERN_FUNC:
        if e.index >= unit.n_funcs:
            return refuse(unit, b"unknown function %llu", e.index)
        declare_func(unit, e.index)
    elif e.kind == EXTERN_TABLE and e.index >= unit.n_tables:
        return refuse(unit, b"unknown table %llu", e.index)
    elif e.kind == EXTERN_MEM and e.index >= unit.n_mems:
        return refuse(unit, b"unknown memory %llu", e.index)
    elif e.kind == EXTERN_TAG and e.index >= unit.n_tags:
        return refuse(unit, b"unknown tag %llu", e.index)
    elif e.kind == EXTERN_GLOBAL:
        if e.index >= unit.n_globals:
            return refuse(unit, b"unknown global %llu", e.index)
        if unit.globals[e.index].mutable:
            return require(unit, F_MUTABLE_GLOBALS, b"the export of a mutable global needs the feature mutable-globals, which is off")
    return 0


cdef uint64_t hash_of(Unit* unit, Name* name) noexcept nogil:
    """Starts from an address, so that nobody outside knows which names collide."""
    cdef uint64_t hash = <uint64_t>unit * <uint64_t>0x9e3779b97f4a7c15ULL
    cdef uint32_t i
    for i in range(name.size):
        hash = (hash ^ name.at[i]) * <uint64_t>0xd6e8feb86659fd93ULL
        hash ^= hash >> 32
    return hash


cdef int duplicate(Unit* unit, Name* name) noexcept nogil:
    cdef uint64_t size = <uint64_t>name.size + 40
    cdef char* words = <char*>malloc(size)
    cdef int n
    if words == NULL:
        return out_of_memory(&unit.r)
    n = snprintf(words, size, b"duplicate export name \"")
    memcpy(words + n, name.at, name.size)
    memcpy(words + n + name.size, b"\"\0", 2)
    invalid(&unit.r, unit.at, words)
    free(words)
    return -1


cdef int note_name(Unit* unit, uint32_t* slots, uint64_t mask, uint32_t i) noexcept nogil:
    """Find a slot for an export; an occupied one of the same name is a fault."""
    cdef Name* name = &unit.exports[i].name
    cdef Name* other
    cdef uint64_t slot = hash_of(unit, name) & mask
    while slots[slot] != 0:
        other = &unit.exports[slots[slot] - 1].name
        if other.size == name.size and memcmp(other.at, name.at, name.size) == 0:
            return duplicate(unit, name)
        slot = slot + 1 & mask
    slots[slot] = i + 1
    return 0


cdef int export_section(Unit* unit) noexcept nogil:
    cdef uint32_t n = vector(unit, <void**>&unit.exports, 0, sizeof(Export), 3)
    cdef uint64_t room = 16
    cdef uint32_t* slots
    cdef uint32_t i
    if unit.r.fault:
        return -1
    while room < 2 * min(<uint64_t>n, <uint64_t>(unit.r.end - unit.r.at) // 3 + 1):
        room *= 2
    slots = <uint32_t*>calloc(room, 4)
    if slots == NULL:
        return out_of_memory(&unit.r)
    for i in range(n):
        unit.at = unit.r.at
        if one_export(unit, &unit.exports[i]) < 0 or note_name(unit, slots, room - 1, i) < 0:
            break
        unit.n_exports += 1
    free(slots)
    return -1 if unit.r.fault else 0
