"""See types.pxd. Code compares types by address.

A group is spelled in words in which a type of an earlier group is its number, and one of the group itself its position there. So
equal groups have equal words, and neither comparing nor hashing follows a reference, however long the chain of types is.

A group lives as long as somebody holds it or another group mentions it, and then a little longer: programs that read a module for each
request would make the same types again and again. Whatever else has a Type*, or the number of a type, has it from a module that is there,
or is in a store that holds it (`Room.keep`).
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
    NO_NUMBER = 0xffffffffU
    MOST_IDLE = 0x20000         # bytes of groups that nobody refers to

cdef Group** BUCKETS = NULL
cdef uint64_t N_BUCKETS = 0
cdef uint64_t N_GROUPS = 0
cdef Type** NUMBERED[CHUNKS]
cdef uint32_t N_TYPES = 0           # numbers that were used once
cdef uint32_t FREE = NO_NUMBER      # the first of those that are free again; in the place of its type each has the next, twice and one more
cdef uint32_t N_FREE = 0
cdef Group* OLDEST = NULL           # of those that nobody refers to
cdef Group* NEWEST = NULL
cdef uint64_t IDLE_BYTES = 0        # of those
cdef forgetting FORGET = NULL       # what Python's side does when a group goes
cdef PyThread_type_lock LOCK = lock_new()
cdef Type* RESULTS[8]


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


cdef Group* intern_group(Held* held, const uint32_t* words, uint64_t n_words, uint32_t n_types) noexcept nogil:
    """The group that the words spell, held; NULL when memory is out. What it mentions is held meanwhile."""
    cdef uint64_t hash = hash_of(words, n_words)
    cdef Group* group
    PyThread_acquire_lock(LOCK, 1)
    group = BUCKETS[hash & (N_BUCKETS - 1)] if N_BUCKETS else NULL
    while group != NULL and not (group.hash == hash and group.n_words == n_words and memcmp(group.words, words, n_words * 4) == 0):
        group = group.next
    if group == NULL:
        group = add_group(words, n_words, n_types, hash)
    if group != NULL and not add_held(held, group):
        group = NULL
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
    count_mentioned(group, True)
    leave(group)
    return group


cdef bint number_types(uint32_t n) noexcept nogil:
    """Is there room for the numbers of so many more types?"""
    cdef uint32_t chunk
    n -= min(n, N_FREE)
    if n > MAX_TYPES - N_TYPES:
        return False
    for chunk in range(N_TYPES // CHUNK, (N_TYPES + n) // CHUNK + 1):
        if NUMBERED[chunk] == NULL:
            NUMBERED[chunk] = <Type**>calloc(CHUNK, sizeof(Type*))
            if NUMBERED[chunk] == NULL:
                return False
    return True


cdef uint32_t take_number(Type* type) noexcept nogil:
    global N_TYPES, FREE, N_FREE
    cdef uint32_t number = FREE
    if number == NO_NUMBER:
        number = N_TYPES
        N_TYPES += 1
    else:
        FREE = <uint32_t>(<uint64_t>NUMBERED[number // CHUNK][number % CHUNK] >> 1)
        N_FREE -= 1
    NUMBERED[number // CHUNK][number % CHUNK] = type
    return number


cdef void give_number(uint32_t number) noexcept nogil:
    global FREE, N_FREE
    NUMBERED[number // CHUNK][number % CHUNK] = <Type*>(<uint64_t>FREE << 1 | 1)
    FREE = number
    N_FREE += 1


cdef Group* new_group(const uint32_t* words, uint64_t n_words, uint32_t n_types) noexcept nogil:
    """All of a group is one piece of memory: itself, its types, its words; value types, places and two bytes for each field."""
    cdef uint64_t n_vals = n_words - <uint64_t>n_types * GROUP_HEAD
    cdef uint64_t size = sizeof(Group) + n_types * sizeof(Type) + n_words * 4 + n_vals * 13
    cdef Group* group
    cdef uint32_t* vals
    cdef uint8_t* muts
    cdef uint32_t i
    if not number_types(n_types):
        return NULL
    group = <Group*>malloc(size)
    if group == NULL:
        return NULL
    group.size = size
    group.refs = 0
    group.mentions = False
    group.types = <Type*>(group + 1)
    group.words = <uint32_t*>(group.types + n_types)
    vals = group.words + n_words
    muts = <uint8_t*>(vals + 3 * n_vals)
    memcpy(group.words, words, n_words * 4)
    group.n_words = n_words
    group.n_types = n_types
    for i in range(n_types):
        group.types[i].heap = HT_DEFINED + take_number(&group.types[i])
    for i in range(n_types):
        words = new_type(group, i, words, &vals, &muts)
    for i in range(n_types):
        lay_out(&group.types[i])
    return group


cdef const uint32_t* new_type(Group* group, uint32_t index, const uint32_t* words, uint32_t** vals, uint8_t** muts) noexcept nogil:
    """Fill in the type that the words begin with; the words behind it."""
    cdef Type* type = &group.types[index]
    cdef uint32_t n, i
    type.group = group
    type.index = index
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
    set_parent(type, words)
    n = words[2] + words[3]
    for i in range(n):
        vals[0][i] = closed(group, words[GROUP_HEAD + i])
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


cdef uint32_t closed(Group* group, uint32_t t) noexcept nogil:
    """A value type of a group, with a number in the place of a position."""
    t &= ~<uint32_t>GROUP_MUT
    if t & VT_REF and t & GROUP_SELF:
        return (t & (VT_REF | VT_NULL)) | group.types[t & (GROUP_SELF - 1)].heap
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


cdef Type* result_type(Held* held, const uint32_t* valtypes, uint32_t n) noexcept nogil:
    """[] -> valtypes, the function type that stands for itself: final, without supertype, in a group of its own. NULL when memory is out."""
    cdef uint32_t small[SMALL + GROUP_HEAD]
    cdef uint32_t* words = &small[0]
    cdef Group* group
    if n > SMALL:
        words = <uint32_t*>malloc((<uint64_t>n + GROUP_HEAD) * 4)
    if words == NULL:
        return NULL
    words[0] = HT_FUNC | 1 << 8
    words[1] = 0
    words[2] = 0
    words[3] = n
    memcpy(words + GROUP_HEAD, valtypes, <uint64_t>n * 4)
    group = intern_group(held, words, <uint64_t>n + GROUP_HEAD, 1)
    if n > SMALL:
        free(words)
    return group.types if group != NULL else NULL


cdef Type* body_type(Held* held, Type* type) noexcept nogil:
    """[] -> the results of a function type: what its body is as a block."""
    if type.n_results > 1:
        return result_type(held, type.valtypes + type.n_params, type.n_results)
    return block_result(held, type.valtypes[type.n_params] if type.n_results else VT_BOT)


cdef Type* block_result(Held* held, uint32_t valtype) noexcept nogil:
    """[] -> [valtype], and [] -> [] for VT_BOT. Those of numbers are kept for ever."""
    cdef Type* type
    if valtype & VT_REF:
        return result_type(held, &valtype, 1)
    type = RESULTS[valtype]
    if type == NULL:
        type = RESULTS[valtype] = result_type(NULL, &valtype, 1 if valtype else 0)
    return type


# ---------------------------------------------------------------------------------------------- who keeps them

cdef Held* held_new() noexcept nogil:
    """None yet, with one reference; NULL when memory is out."""
    cdef Held* held = <Held*>calloc(1, sizeof(Held))
    if held != NULL:
        held.refs = 1
    return held


cdef bint hold(Held* held, Group* group) noexcept nogil:
    """Keep a group that is there. False when memory is out."""
    cdef bint done
    PyThread_acquire_lock(LOCK, 1)
    done = add_held(held, group)
    PyThread_release_lock(LOCK)
    return done


cdef bint add_held(Held* held, Group* group) noexcept nogil:
    """Part of `hold`. Without anybody who holds it, the group is kept for ever."""
    cdef Group** place
    if held != NULL:
        if held.n * 2 >= held.cap and not grow_held(held):
            return False
        place = place_of(held, group)
        if place[0] != NULL:
            return True
        place[0] = group
        held.n += 1
    refer(group)
    return True


cdef Group** place_of(Held* held, Group* group) noexcept nogil:
    """Where a group is in the set, or would be."""
    cdef uint64_t i = group.hash
    while held.table[i & (held.cap - 1)] != NULL and held.table[i & (held.cap - 1)] != group:
        i += 1
    return &held.table[i & (held.cap - 1)]


cdef bint grow_held(Held* held) noexcept nogil:
    cdef Group** old = held.table
    cdef uint64_t cap = held.cap
    cdef uint64_t i
    cdef Group** grown = <Group**>calloc(cap * 2 if cap else 8, sizeof(Group*))
    if grown == NULL:
        return False
    held.table = grown
    held.cap = cap * 2 if cap else 8
    for i in range(cap):
        if old[i] != NULL:
            place_of(held, old[i])[0] = old[i]
    free(old)
    return True


cdef void refer(Group* group) noexcept nogil:
    """One reference more; the first takes it from among those that nobody refers to."""
    global OLDEST, NEWEST, IDLE_BYTES
    if group.refs == 0:
        if group.older == NULL:
            OLDEST = group.newer
        else:
            group.older.newer = group.newer
        if group.newer == NULL:
            NEWEST = group.older
        else:
            group.newer.older = group.older
        IDLE_BYTES -= group.size
    group.refs += 1


cdef void leave(Group* group) noexcept nogil:
    """Nobody refers to it. One that mentions others would keep these, however many, and so is the next to go."""
    global OLDEST, NEWEST, IDLE_BYTES
    group.older = NULL if group.mentions else NEWEST
    group.newer = OLDEST if group.mentions else NULL
    if group.older == NULL:
        OLDEST = group
    else:
        group.older.newer = group
    if group.newer == NULL:
        NEWEST = group
    else:
        group.newer.older = group
    IDLE_BYTES += group.size


cdef void let_go(Group* group) noexcept nogil:
    group.refs -= 1
    if group.refs == 0:
        leave(group)


cdef void count_mentioned(Group* group, bint more) noexcept nogil:
    """A group refers to each other one that it mentions, as often as it does; or does no more."""
    cdef uint32_t* words = group.words
    cdef uint32_t i, k, n
    for i in range(group.n_types):
        n = words[2] + words[3]
        if words[0] >> 16:
            count_one(group, words[1], more)
        for k in range(n):
            if words[GROUP_HEAD + k] & VT_REF:
                count_one(group, words[GROUP_HEAD + k] & VT_HEAP, more)
        words += GROUP_HEAD + n


cdef void count_one(Group* group, uint32_t heap, bint more) noexcept nogil:
    if heap < HT_DEFINED or heap & GROUP_SELF:
        return
    group.mentions = True
    if more:
        refer(type_of(heap).group)
    else:
        let_go(type_of(heap).group)


cdef Group* take_away() noexcept nogil:
    """Of the groups that nobody refers to, take the oldest away until few bytes are left, and all that mention others: a list by `next`."""
    cdef Group* gone = NULL
    cdef Group* group
    cdef Group** place
    global N_GROUPS
    while IDLE_BYTES > MOST_IDLE or (OLDEST != NULL and OLDEST.mentions):
        group = OLDEST
        refer(group)
        count_mentioned(group, False)
        place = &BUCKETS[group.hash & (N_BUCKETS - 1)]
        while place[0] != group:
            place = &place[0].next
        place[0] = group.next
        N_GROUPS -= 1
        group.next = gone
        gone = group
    return gone


cdef void forget_by(forgetting function) noexcept:
    global FORGET
    FORGET = function


cdef void held_drop(Held* held) noexcept nogil:
    """One reference less; the last lets go of the groups.

    From the moment at which nobody refers to a group until Python has forgotten it, the GIL is held and no code of Python's runs, so that
    nobody finds it there. Its address and its numbers are free only then. Whoever has the lock does not wait for the GIL.
    """
    if held != NULL:
        with gil:
            held.refs -= 1
            if held.refs == 0:
                drop_last(held)


cdef int drop_last(Held* held) except -1:
    cdef list objects = []
    cdef Group* gone
    cdef Group* group
    cdef uint64_t i
    PyThread_acquire_lock(LOCK, 1)
    for i in range(held.cap):
        if held.table[i] != NULL:
            let_go(held.table[i])
    gone = take_away()
    PyThread_release_lock(LOCK)
    free(held.table)
    free(held)
    group = gone
    while group != NULL:
        FORGET(group, objects)
        group = group.next
    free_all(gone)
    return 0


cdef void free_all(Group* group) noexcept nogil:
    cdef Group* next
    cdef uint32_t i
    PyThread_acquire_lock(LOCK, 1)
    while group != NULL:
        next = group.next
        for i in range(group.n_types):
            give_number(group.types[i].heap - HT_DEFINED)
        free(group)
        group = next
    PyThread_release_lock(LOCK)


def census():
    """How many groups there are, how many numbers of types were ever used at the same time, and the bytes of groups that nobody refers to."""
    return N_GROUPS, N_TYPES, IDLE_BYTES
