"""See types.pxd. Types live as long as the process: code compares them by address.

A group is spelled in words in which a type of an earlier group is its number, and one of the group itself its position there. So
equal groups have equal words, and neither comparing nor hashing follows a reference, however long the chain of types is.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new

cdef enum:
    CHUNK = 0x4000
    CHUNKS = 0x4000
    SMALL = 60

cdef Group** BUCKETS = NULL
cdef uint64_t N_BUCKETS = 0
cdef uint64_t N_GROUPS = 0
cdef Type** NUMBERED[CHUNKS]
cdef uint32_t N_TYPES = 0
cdef PyThread_type_lock LOCK = lock_new()
cdef Type* RESULTS[8]
cdef uint32_t ABOVE[13]


# ---------------------------------------------------------------------------------------------- one object for equal types

cdef uint64_t hash_of(const uint32_t* words, uint64_t n) noexcept nogil:
    """Starts from an address, so that nobody outside knows which groups collide."""
    cdef uint64_t hash = <uint64_t>LOCK ^ n * <uint64_t>0x9e3779b97f4a7c15ULL
    cdef uint64_t i
    for i in range(n):
        hash = (hash ^ words[i]) * <uint64_t>0xd6e8feb86659fd93ULL
        hash ^= hash >> 32
    return hash


cdef bint grow_buckets() noexcept nogil:
    cdef uint64_t wanted = N_BUCKETS * 2 if N_BUCKETS else 1024
    cdef Group** grown = <Group**>calloc(wanted, sizeof(Group*))
    cdef Group* group
    cdef Group* next
    cdef uint64_t i
    global BUCKETS, N_BUCKETS
    if grown == NULL:
        return BUCKETS != NULL
    for i in range(N_BUCKETS):
        group = BUCKETS[i]
        while group != NULL:
            next = group.next
            group.next = grown[group.hash & (wanted - 1)]
            grown[group.hash & (wanted - 1)] = group
            group = next
    free(BUCKETS)
    BUCKETS = grown
    N_BUCKETS = wanted
    return True


cdef Group* intern_group(const uint32_t* words, uint64_t n_words, uint32_t n_types) noexcept nogil:
    """The group that the words spell, or NULL when memory is out."""
    cdef uint64_t hash = hash_of(words, n_words)
    cdef Group* group
    PyThread_acquire_lock(LOCK, 1)
    group = BUCKETS[hash & (N_BUCKETS - 1)] if N_BUCKETS else NULL
    while group != NULL and not (group.hash == hash and group.n_words == n_words and memcmp(group.words, words, n_words * 4) == 0):
        group = group.next
    if group == NULL:
        group = add_group(words, n_words, n_types, hash)
    PyThread_release_lock(LOCK)
    return group


cdef Group* add_group(const uint32_t* words, uint64_t n_words, uint32_t n_types, uint64_t hash) noexcept nogil:
    cdef Group* group
    global N_GROUPS
    if N_GROUPS >= N_BUCKETS and not grow_buckets():
        return NULL
    group = new_group(words, n_words, n_types)
    if group == NULL:
        return NULL
    group.hash = hash
    group.next = BUCKETS[hash & (N_BUCKETS - 1)]
    BUCKETS[hash & (N_BUCKETS - 1)] = group
    N_GROUPS += 1
    return group


cdef bint number_types(uint32_t n) noexcept nogil:
    """Is there room for the numbers of so many more types?"""
    cdef uint32_t chunk
    if n > MAX_TYPES - N_TYPES:
        return False
    for chunk in range(N_TYPES // CHUNK, (N_TYPES + n) // CHUNK + 1):
        if NUMBERED[chunk] == NULL:
            NUMBERED[chunk] = <Type**>calloc(CHUNK, sizeof(Type*))
            if NUMBERED[chunk] == NULL:
                return False
    return True


cdef Group* new_group(const uint32_t* words, uint64_t n_words, uint32_t n_types) noexcept nogil:
    """All of a group is one piece of memory: itself, its types, its words; value types, places and two bytes for each field."""
    cdef uint64_t n_vals = n_words - <uint64_t>n_types * GROUP_HEAD
    cdef Group* group
    cdef uint32_t* vals
    cdef uint8_t* muts
    cdef uint32_t i
    global N_TYPES
    if not number_types(n_types):
        return NULL
    group = <Group*>malloc(sizeof(Group) + n_types * sizeof(Type) + n_words * 4 + n_vals * 13)
    if group == NULL:
        return NULL
    group.types = <Type*>(group + 1)
    group.words = <uint32_t*>(group.types + n_types)
    vals = group.words + n_words
    muts = <uint8_t*>(vals + 3 * n_vals)
    memcpy(group.words, words, n_words * 4)
    group.n_words = n_words
    group.n_types = n_types
    for i in range(n_types):
        words = new_type(group, i, words, &vals, &muts)
    for i in range(n_types):
        lay_out(&group.types[i])
    N_TYPES += n_types
    return group


cdef const uint32_t* new_type(Group* group, uint32_t index, const uint32_t* words, uint32_t** vals, uint8_t** muts) noexcept nogil:
    """Fill in the type that the words begin with; the words behind it."""
    cdef Type* type = &group.types[index]
    cdef uint32_t number = N_TYPES + index
    cdef uint32_t n, i
    type.group = group
    type.index = index
    type.heap = HT_DEFINED + number
    NUMBERED[number // CHUNK][number % CHUNK] = type
    type.kind = words[0] & 0xff
    type.final = words[0] >> 8 & 1
    type.valtypes = vals[0]
    type.places = type.valtypes + words[2] + words[3]
    type.traced = type.places + words[2] + words[3]
    type.muts = muts[0]
    type.n_fields = 0 if type.kind == HT_FUNC else words[2]
    type.n_params = words[2] if type.kind == HT_FUNC else 0
    type.n_results = words[3]
    type.param_slots = type.result_slots = 0
    type.body = NULL
    set_parent(type, words)
    n = words[2] + words[3]
    for i in range(n):
        vals[0][i] = closed(words[GROUP_HEAD + i], N_TYPES)
        muts[0][i] = words[GROUP_HEAD + i] >> 31
        if i < type.n_params:
            type.param_slots += slots_of(vals[0][i])
        else:
            type.result_slots += slots_of(vals[0][i])
    vals[0] += 3 * n
    muts[0] += n
    return words + GROUP_HEAD + n


cdef void lay_out(Type* type) noexcept nogil:
    """Where fields are, and which of them are references; once all types of the group can be looked at."""
    cdef uint32_t i, t
    type.n_slots = 1
    type.n_traced = 0
    type.width = type.holds = 0
    if type.kind == HT_FUNC:
        return
    for i in range(type.n_fields):
        t = type.valtypes[i]
        type.places[i] = type.n_slots
        type.n_slots += slots_of(t)
        if t & VT_REF:
            type.traced[type.n_traced] = type.places[i] | (TRACED_FUNC if top_of(t & VT_HEAP) == HT_FUNC else 0)
            type.n_traced += 1
    if type.kind == HT_ARRAY:
        t = type.valtypes[0]
        type.width = 0 if t == VT_I8 else 1 if t == VT_I16 else 2 if t == VT_I32 or t == VT_F32 else 4 if t == VT_V128 else 3
        if type.n_traced:
            type.holds = HOLDS_FUNCS if type.traced[0] & TRACED_FUNC else HOLDS_OBJECTS


cdef uint32_t closed(uint32_t t, uint32_t first) noexcept nogil:
    """A value type of a group whose first type has this number, with a number in the place of a position."""
    t &= ~<uint32_t>GROUP_MUT
    if t & VT_REF and t & GROUP_SELF:
        return (t & (VT_REF | VT_NULL)) | (HT_DEFINED + first + (t & (GROUP_SELF - 1)))
    return t


cdef void set_parent(Type* type, const uint32_t* words) noexcept nogil:
    """A supertype that does not come earlier counts as none: it is invalid, and reported as such."""
    cdef Type* parent = NULL
    cdef Type* far
    if words[0] >> 16:
        if not words[1] & GROUP_SELF:
            parent = type_of(words[1])
        elif words[1] & (GROUP_SELF - 1) < type.index:
            parent = &type.group.types[words[1] & (GROUP_SELF - 1)]
    type.parent = parent
    if parent == NULL:
        type.depth = 0
        type.jump = type
        return
    far = parent.jump
    type.depth = parent.depth + 1
    type.jump = far.jump if parent.depth - far.depth == far.depth - far.jump.depth else parent


cdef Type* type_of(uint32_t heap) noexcept nogil:
    """The defined type that a heap type from HT_DEFINED on is."""
    return NUMBERED[(heap - HT_DEFINED) // CHUNK][(heap - HT_DEFINED) % CHUNK]


cdef Type* func_type(const uint32_t* valtypes, uint32_t n_params, uint32_t n_results) noexcept nogil:
    """The function type that stands for itself: final, without supertype, in a group of its own. NULL when memory is out."""
    cdef uint32_t small[SMALL + GROUP_HEAD]
    cdef uint64_t n = <uint64_t>n_params + n_results
    cdef uint32_t* words = &small[0]
    cdef Group* group
    if n > SMALL:
        words = <uint32_t*>malloc((n + GROUP_HEAD) * 4)
    if words == NULL:
        return NULL
    words[0] = HT_FUNC | 1 << 8
    words[1] = 0
    words[2] = n_params
    words[3] = n_results
    memcpy(words + GROUP_HEAD, valtypes, n * 4)
    group = intern_group(words, n + GROUP_HEAD, 1)
    if n > SMALL:
        free(words)
    return group.types if group != NULL else NULL


cdef Type* body_type(Type* type) noexcept nogil:
    """[] -> the results of a function type: what its body is as a block."""
    if type.body == NULL:
        type.body = func_type(type.valtypes + type.n_params, 0, type.n_results)
    return type.body


cdef Type* block_result(uint32_t valtype) noexcept nogil:
    """[] -> [valtype], and [] -> [] for VT_BOT."""
    cdef Type* type
    if valtype & VT_REF:
        return func_type(&valtype, 0, 1)
    type = RESULTS[valtype]
    if type == NULL:
        type = RESULTS[valtype] = func_type(&valtype, 0, 1 if valtype else 0)
    return type


# ---------------------------------------------------------------------------------------------- matching

ABOVE[:] = [
    1 << HT_FUNC, 1 << HT_EXTERN, 1 << HT_ANY, 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_I31 | 1 << HT_EQ | 1 << HT_ANY, 1 << HT_STRUCT | 1 << HT_EQ | 1 << HT_ANY, 1 << HT_ARRAY | 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_NONE | 1 << HT_I31 | 1 << HT_STRUCT | 1 << HT_ARRAY | 1 << HT_EQ | 1 << HT_ANY,
    1 << HT_NOFUNC | 1 << HT_FUNC, 1 << HT_EXN, 1 << HT_NOEXN | 1 << HT_EXN, 1 << HT_NOEXTERN | 1 << HT_EXTERN,
    0xffff,
]
# Each abstract heap type with all that it matches, itself included.


cdef bint is_subtype(Type* sub, Type* above) noexcept nogil:
    """Is the second the first, or one of its declared supertypes at any distance?"""
    while sub.depth > above.depth:
        sub = sub.jump if sub.jump.depth >= above.depth else sub.parent
    return sub == above


cdef bint match_heap(uint32_t h1, uint32_t h2) noexcept nogil:
    if h1 == h2:
        return True
    if h1 >= HT_DEFINED:
        if h2 >= HT_DEFINED:
            return is_subtype(type_of(h1), type_of(h2))
        return ABOVE[type_of(h1).kind] >> h2 & 1
    if h2 >= HT_DEFINED:
        return h1 == HT_BOT or h1 == (HT_NOFUNC if type_of(h2).kind == HT_FUNC else HT_NONE)
    return ABOVE[h1] >> h2 & 1


cdef bint match_field(Type* t1, Type* t2, uint32_t i) noexcept nogil:
    """A field that can be written has to match both ways."""
    cdef uint32_t v1 = t1.valtypes[i]
    cdef uint32_t v2 = t2.valtypes[i]
    if t1.muts[i] != t2.muts[i] or not match(v1, v2):
        return False
    return not t1.muts[i] or match(v2, v1)


cdef bint match_comp(Type* t1, Type* t2) noexcept nogil:
    """Does the structure of the first type, whatever its supertypes are, fit where that of the second is expected?"""
    cdef uint32_t i
    if t1.kind != t2.kind:
        return False
    if t1.kind == HT_FUNC:
        if t1.n_params != t2.n_params or t1.n_results != t2.n_results:
            return False
        return (matches(t2.valtypes, t1.valtypes, t1.n_params)
                and matches(t1.valtypes + t1.n_params, t2.valtypes + t1.n_params, t1.n_results))
    if t1.n_fields < t2.n_fields:
        return False
    for i in range(t2.n_fields):
        if not match_field(t1, t2, i):
            return False
    return True


cdef uint32_t top_of(uint32_t heap) noexcept nogil:
    """The largest heap type of the hierarchy that a heap type belongs to; HT_BOT is its own."""
    if heap >= HT_DEFINED:
        heap = type_of(heap).kind
    if heap == HT_NOFUNC or heap == HT_FUNC:
        return HT_FUNC
    if heap == HT_NOEXN or heap == HT_EXN:
        return HT_EXN
    if heap == HT_NOEXTERN or heap == HT_EXTERN:
        return HT_EXTERN
    return HT_BOT if heap == HT_BOT else HT_ANY
