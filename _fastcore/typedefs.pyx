"""See typedefs.pxd. A group is spelled in words (types.pxd) as it is read; a group and a long chain of types need no recursion."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, realloc
from libc.string cimport memset
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.matching cimport match_comp
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.tables cimport *
from pywasm_ref._fastcore.types cimport *
from pywasm_ref._fastcore.unit cimport Unit
from pywasm_ref._fastcore.valtypes cimport on, read_storage_type, read_value_type, refuse

cdef enum:
    REC = 0x4e
    SUB_FINAL = 0x4f
    SUB = 0x50
    ARRAY = 0x5e
    STRUCT = 0x5f
    FUNC = 0x60

cdef struct Spelling:
    uint32_t* words
    uint64_t n
    uint64_t cap
    uint32_t* supers        # the index of each type's first supertype in the module
    uint64_t cap_supers


cdef bint make_room(Unit* unit, uint32_t** array, uint64_t* cap, uint64_t wanted) noexcept nogil:
    cdef uint64_t room = max(cap[0] * 2, wanted, 32)
    cdef uint32_t* grown
    if wanted <= cap[0]:
        return True
    grown = <uint32_t*>realloc(array[0], room * 4)
    if grown == NULL:
        out_of_memory(&unit.r)
        return False
    array[0] = grown
    cap[0] = room
    return True


cdef void put(Unit* unit, Spelling* s, uint32_t word) noexcept nogil:
    if s.n < s.cap or make_room(unit, &s.words, &s.cap, s.n + 1):
        s.words[s.n] = word
        s.n += 1


cdef uint32_t read_values(Unit* unit, Spelling* s) noexcept nogil:
    """A vector of value types; how many they are."""
    cdef uint32_t n = length(&unit.r)
    cdef uint32_t i
    for i in range(n):
        put(unit, s, read_value_type(unit))
        if unit.r.fault:
            return 0
    return n


cdef void read_field(Unit* unit, Spelling* s) noexcept nogil:
    cdef uint32_t t = read_storage_type(unit)
    cdef uint8_t mut = u8(&unit.r)
    if mut > 1:
        malformed(&unit.r, unit.r.at - 1, b"malformed mutability")
    put(unit, s, t | (GROUP_MUT if mut else 0))


cdef int read_comp_type(Unit* unit, Spelling* s, uint64_t head) noexcept nogil:
    """What stands behind the head of a type, and what belongs into the head of it."""
    cdef uint8_t byte = u8(&unit.r)
    cdef uint32_t i, n
    if unit.r.fault:
        return -1
    if byte == FUNC:
        n = read_values(unit, s)
        s.words[head + 2] = n
        n = read_values(unit, s)
        s.words[head + 3] = n
        if n > 1 and not unit.skim and not on(unit, F_MULTI_VALUE):
            refuse(unit, b"invalid result arity: more than one result needs the feature multi-value, which is off", 0)
    elif byte == STRUCT and on(unit, F_GC):
        n = length(&unit.r)
        for i in range(n):
            read_field(unit, s)
            if unit.r.fault:
                return -1
        s.words[head] |= HT_STRUCT
        s.words[head + 2] = n
    elif byte == ARRAY and on(unit, F_GC):
        read_field(unit, s)
        s.words[head] |= HT_ARRAY
        s.words[head + 2] = 1
    elif byte >= 0x80:
        malformed(&unit.r, unit.r.at, b"integer representation too long")
    else:
        malformed(&unit.r, unit.r.at - 1, b"malformed definition type")
    return -1 if unit.r.fault else 0


cdef int read_supers(Unit* unit, Spelling* s, uint32_t position, uint64_t head) noexcept nogil:
    """Only one is allowed; of more, that there are more is noted."""
    cdef uint32_t n = length(&unit.r)
    cdef uint32_t i, x
    for i in range(n):
        x = u32(&unit.r)
        if unit.r.fault:
            return -1
        if x >= unit.group_end and not unit.skim:
            return refuse(unit, b"unknown type %llu", x)
        if i == 0 and not unit.skim:
            s.supers[position] = x
            s.words[head + 1] = unit.types[x].heap if x < unit.n_types else GROUP_SELF | (x - unit.n_types)
    s.words[head] |= min(n, 2) << 16
    return 0


cdef int read_sub_type(Unit* unit, Spelling* s, uint32_t position) noexcept nogil:
    cdef uint64_t head = s.n
    cdef uint8_t byte
    if not make_room(unit, &s.words, &s.cap, s.n + GROUP_HEAD):
        return -1
    s.n += GROUP_HEAD
    memset(s.words + head, 0, GROUP_HEAD * 4)
    byte = unit.r.at[0] if unit.r.at < unit.r.end else 0
    if (byte != SUB and byte != SUB_FINAL) or not on(unit, F_GC):
        s.words[head] = 1 << 8
        return read_comp_type(unit, s, head)
    unit.r.at += 1
    if byte == SUB_FINAL:
        s.words[head] = 1 << 8
    if read_supers(unit, s, position, head) < 0:
        return -1
    return read_comp_type(unit, s, head)


cdef int check_sub_type(Unit* unit, uint32_t x, uint32_t n_supers, uint32_t above) noexcept nogil:
    """A supertype stands earlier, is not final, and is matched by what extends it."""
    if n_supers > 1:
        return refuse(unit, b"sub type %llu has more than one super type", x)
    if above >= x:
        return refuse(unit, b"forward use of type %llu in sub type definition", above)
    if unit.types[above].final:
        return refuse_pair(unit, b"sub type %llu has final super type %llu", x, above)
    if not match_comp(unit.types[x], unit.types[above]):
        return refuse_pair(unit, b"sub type %llu does not match super type %llu", x, above)
    return 0


cdef int refuse_pair(Unit* unit, const char* format, uint64_t x, uint64_t y) noexcept nogil:
    cdef char words[120]
    snprintf(words, sizeof(words), format, <unsigned long long>x, <unsigned long long>y)
    return invalid(&unit.r, unit.at, words)


cdef int add_group(Unit* unit, Spelling* s, uint32_t n, uint64_t* cap) noexcept nogil:
    """Make the types of the group that is spelled, and check what they extend."""
    cdef uint32_t first = unit.n_types
    cdef uint64_t at = 0
    cdef uint32_t i
    cdef uint32_t head
    cdef Group* group
    cdef Type** grown
    if first + <uint64_t>n > cap[0]:
        cap[0] = max(cap[0] * 2, first + <uint64_t>n)
        grown = <Type**>realloc(unit.types, (cap[0] + 1) * sizeof(Type*))
        if grown == NULL:
            return out_of_memory(&unit.r)
        unit.types = grown
    group = intern_group(unit.held, s.words, s.n, n) if n else NULL
    if group == NULL and n:
        return out_of_memory(&unit.r)
    for i in range(n):
        unit.types[first + i] = &group.types[i]
    unit.n_types += n
    for i in range(n):
        head = s.words[at]
        if head >> 16 and check_sub_type(unit, first + i, head >> 16, s.supers[i]) < 0:
            return -1
        at += GROUP_HEAD + <uint64_t>s.words[at + 2] + s.words[at + 3]
    return 0


cdef int read_group(Unit* unit, Spelling* s, uint64_t* cap) noexcept nogil:
    cdef uint32_t n = 1
    cdef uint32_t i
    unit.at = unit.r.at
    s.n = 0
    if unit.r.at < unit.r.end and unit.r.at[0] == REC and on(unit, F_GC):
        unit.r.at += 1
        n = length(&unit.r)
    if unit.r.fault:
        return -1
    if <uint64_t>unit.n_types + n >= MAX_TYPES or not make_room(unit, &s.supers, &s.cap_supers, n):
        return out_of_memory(&unit.r)
    unit.group_end = unit.n_types + n
    for i in range(n):
        if read_sub_type(unit, s, i) < 0 or unit.r.fault:
            return -1
        if unit.skim:
            s.n = 0
    unit.group_end = 0
    return 0 if unit.skim else add_group(unit, s, n, cap)


cdef int type_section(Unit* unit) noexcept nogil:
    cdef uint32_t n = length(&unit.r)
    cdef uint32_t i
    cdef uint64_t cap = 0
    cdef Spelling s
    memset(&s, 0, sizeof(Spelling))
    for i in range(n):
        if read_group(unit, &s, &cap) < 0:
            break
    free(s.words)
    free(s.supers)
    return -1 if unit.r.fault else 0
