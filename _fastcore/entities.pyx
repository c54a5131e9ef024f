"""See entities.pxd. While a module is only skimmed, nothing here is invalid."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.unit cimport *
from pywasm_ref._fastcore.valtypes cimport func_type_at, on, read_ref_type, read_value_type, refuse

cdef enum:
    HAS_MAX = 1             # flags of limits
    SHARED = 2
    ADDRESS64 = 4
    PAGE_SIZE = 8
    DEFAULT_PAGE_BITS = 16
    MOST_PAGE_BITS = 63


cdef bint has_tags(Unit* unit) noexcept nogil:
    return on(unit, F_EXCEPTIONS | F_LEGACY_EXCEPTIONS)


cdef int require(Unit* unit, uint64_t feature, const char* words) noexcept nogil:
    """-1 and a fault, unless the feature is on; the words name both."""
    return 0 if unit.skim or on(unit, feature) else refuse(unit, words, 0)


cdef int read_name(Unit* unit, Name* name) noexcept nogil:
    cdef const uint8_t* at = unit.r.at
    name.size = length(&unit.r)
    if unit.r.fault:
        return -1
    if name.size > unit.r.end - unit.r.at:
        return unexpected_end(&unit.r)
    name.at = unit.r.at
    unit.r.at += name.size
    return 0 if is_utf8(name.at, name.size) else malformed(&unit.r, at, b"malformed UTF-8 encoding")


cdef int read_limits(Unit* unit, Limit* l, uint8_t allowed) noexcept nogil:
    """Sizes have 64 bits whatever the address type; too large a size is invalid only. The flags."""
    cdef uint8_t flags = u8(&unit.r)
    if flags & ~allowed:
        return malformed(&unit.r, unit.r.at - 1, b"malformed limits flags")
    l.bounded = flags & HAS_MAX
    l.shared = flags & SHARED != 0
    l.wide = flags & ADDRESS64 != 0
    l.max = ~<uint64_t>0
    if on(unit, F_MEMORY64):
        l.min = u64(&unit.r)
        if l.bounded:
            l.max = u64(&unit.r)
    else:
        l.min = u32(&unit.r)
        if l.bounded:
            l.max = u32(&unit.r)
    return -1 if unit.r.fault else flags


cdef int check_limits(Unit* unit, Limit* l, uint64_t most, const char* words, uint64_t x) noexcept nogil:
    """The words are for sizes beyond `most`; they may show x."""
    cdef char text[120]
    if l.min > most or (l.bounded and l.max > most):
        return refuse(unit, words, x)
    if l.bounded and l.min > l.max:
        snprintf(text, sizeof(text), b"size minimum must not be greater than maximum: %llu > %llu",
                 <unsigned long long>l.min, <unsigned long long>l.max)
        return invalid(&unit.r, unit.at, text)
    return 0


cdef int read_table_type(Unit* unit, Limit* l) noexcept nogil:
    l.type = read_ref_type(unit)
    if unit.r.fault or read_limits(unit, l, HAS_MAX | (ADDRESS64 if on(unit, F_MEMORY64) else 0)) < 0:
        return -1
    if unit.skim:
        return 0
    return check_limits(unit, l, ~<uint64_t>0 if l.wide else 0xffffffffU, b"table size must be at most 2^%llu-1 entries",
                        64 if l.wide else 32)


cdef int read_mem_type(Unit* unit, Limit* l) noexcept nogil:
    cdef uint8_t allowed = HAS_MAX
    cdef uint32_t bits = DEFAULT_PAGE_BITS
    cdef int flags
    allowed |= (SHARED if on(unit, F_THREADS) else 0) | (ADDRESS64 if on(unit, F_MEMORY64) else 0)
    allowed |= PAGE_SIZE if on(unit, F_CUSTOM_PAGE_SIZES) else 0
    flags = read_limits(unit, l, allowed)
    if flags < 0:
        return -1
    if flags & PAGE_SIZE:
        bits = u32(&unit.r)
    if unit.r.fault:
        return -1
    if bits > MOST_PAGE_BITS:
        return malformed(&unit.r, unit.r.at - 1, b"invalid custom page size")
    l.page_bits = <uint8_t>bits
    return 0 if unit.skim else check_mem_type(unit, l)


cdef int check_mem_type(Unit* unit, Limit* l) noexcept nogil:
    cdef uint64_t most = ~<uint64_t>0 if l.wide else 0xffffffffU
    if l.page_bits != 0 and l.page_bits != DEFAULT_PAGE_BITS:
        return refuse(unit, b"invalid custom page size: 2**%llu", l.page_bits)
    if l.page_bits != 0:
        most = (most >> l.page_bits) + 1
    if check_limits(unit, l, most, b"memory size must be at most %llu pages (16EiB)" if l.wide
                    else b"memory size must be at most %llu pages (4GiB)", most) < 0:
        return -1
    if l.shared and not l.bounded:
        return refuse(unit, b"shared memory must have maximum", 0)
    return 0


cdef int read_global_type(Unit* unit, GlobalDef* g) noexcept nogil:
    cdef uint8_t mutable
    g.type = read_value_type(unit)
    mutable = u8(&unit.r)
    if mutable > 1:
        return malformed(&unit.r, unit.r.at - 1, b"malformed mutability")
    g.mutable = mutable
    return -1 if unit.r.fault else 0


cdef Type* read_tag_type(Unit* unit) noexcept nogil:
    """NULL while skimming, and with a fault."""
    cdef Type* type
    cdef uint32_t x
    if u8(&unit.r) != 0:
        malformed(&unit.r, unit.r.at - 1, b"zero byte expected")
    x = u32(&unit.r)
    if unit.r.fault or unit.skim:
        return NULL
    type = func_type_at(unit, x)
    if type != NULL and type.n_results:
        refuse(unit, b"non-empty tag result type", 0)
        return NULL
    return type
