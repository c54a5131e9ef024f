"""See names.pxd. A module is no worse for a section of nonsense: what does not read as it should gives no names at all."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp, memset
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.unit cimport Custom, Unit

cdef enum:
    MODULE_NAME = 0
    LOCALS = 2
    LABELS = 3
    FIELDS = 10

KINDS = {1: "funcs", 4: "types", 5: "tables", 6: "mems", 7: "globals", 8: "elems", 9: "datas", 11: "tags"}
INDIRECT = {LOCALS: "locals", LABELS: "labels", FIELDS: "fields"}


cdef str name(Reader* r):
    """None and a fault when it is none."""
    cdef uint32_t n = length(r)
    cdef const uint8_t* at = r.at
    if r.fault or n > r.end - at or not is_utf8(at, n):
        malformed(r, at, b"malformed name")
        return None
    r.at += n
    return at[:n].decode()


cdef dict name_map(Reader* r):
    cdef dict names = {}
    cdef uint32_t n = length(r)
    cdef uint32_t x
    while n > 0 and r.fault == FAULT_NONE:
        n -= 1
        x = u32(r)
        names[x] = name(r)
    return names


cdef dict indirect_name_map(Reader* r):
    cdef dict maps = {}
    cdef uint32_t n = length(r)
    cdef uint32_t x
    while n > 0 and r.fault == FAULT_NONE:
        n -= 1
        x = u32(r)
        maps[x] = name_map(r)
    return maps


cdef void subsection(Reader* r, dict names):
    cdef uint8_t kind = u8(r)
    cdef uint32_t n = length(r)
    cdef const uint8_t* end = r.end
    cdef const uint8_t* part = r.at
    if r.fault or n > end - part:
        malformed(r, part, b"malformed names")
        return
    r.end = part + n
    if kind == MODULE_NAME:
        names["module"] = name(r)
    elif kind in KINDS:
        names[KINDS[kind]] = name_map(r)
    elif kind in INDIRECT:
        names[INDIRECT[kind]] = indirect_name_map(r)
    r.end = end
    r.at = part + n


cdef dict read_names(Unit* unit):
    """By kind (`module`, `funcs`, `locals`, …) a name, names by index, or such by index, from the first section of this name."""
    cdef dict names = {}
    cdef Reader r
    cdef Custom* c
    cdef uint32_t i
    for i in range(unit.n_customs):
        c = &unit.customs[i]
        if c.name.size != 4 or memcmp(c.name.at, b"name", 4) != 0:
            continue
        memset(&r, 0, sizeof(Reader))
        r.start = r.at = c.at
        r.end = c.at + c.size
        while r.at < r.end and r.fault == FAULT_NONE:
            subsection(&r, names)
        if r.fault:
            names.clear()
            forget_fault(&r)
        break
    return names
