"""See locals.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc
from libc.string cimport memcpy, memset
from pywasm_ref._fastcore.layout cimport slots_of
from pywasm_ref._fastcore.operands cimport affordable, exists, value_type
from pywasm_ref._fastcore.reader cimport *
from pywasm_ref._fastcore.translator cimport *
from pywasm_ref._fastcore.types cimport defaultable

cdef enum:
    MAX_LOCALS = 50000      # that are laid out
    USUAL = 1000            # parameters, as other engines allow, cost so little that they are not counted
    FEW = 100               # locals of one type, which have entries at once; so that more slots are made zero than anybody looks at one by one


# Declaring


cdef bint declare_locals(Tr* tr) noexcept nogil:
    """Parameters, and the runs that the reader stands before."""
    cdef uint32_t groups, n
    cdef const uint8_t* at
    if not add_params(tr):
        return False
    groups = u32(tr.r)
    while groups > 0 and tr.r.fault == FAULT_NONE:
        groups -= 1
        at = tr.r.at
        n = u32(tr.r)
        if not add_locals(tr, n, value_type(tr), at):
            return False
    return tr.r.fault == FAULT_NONE


cdef bint add_params(Tr* tr) noexcept nogil:
    """All at once, since any number of functions may have the same type."""
    cdef uint32_t n = min(tr.type.n_params, <uint32_t>MAX_LOCALS)
    cdef uint32_t i
    if n > USUAL and not affordable(tr, tr.type.n_params):
        return False
    if not reserve_entries(tr, n):
        return False
    if n != 0:      # or else there may be no arrays
        memcpy(tr.local_types, tr.type.valtypes, n * sizeof(uint32_t))
        memset(tr.local_pending, 0, n * sizeof(uint32_t))
        memset(tr.local_set, 0, n)
    for i in range(n):
        tr.local_slots[i] = tr.hdr
        tr.hdr += slots_of(tr.local_types[i])
    tr.n_locals = tr.n_exact = tr.all_locals = n
    for i in range(n, tr.type.n_params):
        if not share_entry(tr, 1, tr.type.valtypes[i]):
            return False
    return True


cdef bint reserve_entries(Tr* tr, uint32_t wanted) noexcept nogil:
    return (reserve(tr, <void**>&tr.local_types, &tr.cap_locals, wanted, 4)
            and reserve(tr, <void**>&tr.local_slots, &tr.cap_locals2, wanted, 4)
            and reserve(tr, <void**>&tr.local_pending, &tr.cap_locals3, wanted, 4)
            and reserve(tr, <void**>&tr.local_set, &tr.cap_locals4, wanted, 1))


cdef bint add_locals(Tr* tr, uint64_t n, uint32_t type, const uint8_t* at) noexcept nogil:
    cdef uint64_t wanted = tr.all_locals + n
    if wanted > 0xffffffffU:
        malformed(tr.r, at, b"too many locals")
        return False
    if n == 0:
        return True
    if wanted > MAX_LOCALS or tr.giant:
        return share_entry(tr, <uint32_t>n, type)
    if n > FEW or tr.n_runs:
        return note_run(tr, <uint32_t>n, type)
    if not reserve_entries(tr, <uint32_t>wanted):
        return False
    while n > 0:
        n -= 1
        put_entry(tr, type, tr.hdr)
        tr.hdr += slots_of(type)
    tr.n_exact = tr.all_locals = <uint32_t>wanted
    return True


cdef inline void put_entry(Tr* tr, uint32_t type, uint32_t slot) noexcept nogil:
    cdef uint32_t x = tr.n_locals
    tr.local_types[x] = type
    tr.local_slots[x] = slot
    tr.local_pending[x] = 0
    tr.local_set[x] = 0
    tr.n_locals = x + 1


cdef bint note_run(Tr* tr, uint32_t n, uint32_t type) noexcept nogil:
    """So many locals of a type, which get entries when they are named."""
    if tr.entry_of == NULL:
        tr.entry_of = <uint32_t*>calloc(MAX_LOCALS, sizeof(uint32_t))
        if tr.entry_of == NULL:
            out_of_memory(tr.r)
            return False
    if not add_run(tr, type):
        return False
    tr.all_locals += n
    tr.hdr += n * slots_of(type)
    return True


cdef bint share_entry(Tr* tr, uint32_t n, uint32_t type) noexcept nogil:
    """So many more locals than are laid out. They share an entry."""
    tr.giant = True
    if not defaultable(type):
        fail(tr.r, FAULT_UNSUPPORTED, tr.at, b"too many locals without a default")
        return False
    if not add_run(tr, type) or not name_entry(tr, &tr.runs[tr.n_runs - 1], tr.all_locals):
        return False
    tr.hdr += slots_of(type)
    tr.runs[tr.n_runs - 1].shared = tr.n_locals
    tr.all_locals += n
    return True


cdef bint add_run(Tr* tr, uint32_t type) noexcept nogil:
    cdef Run* run
    if not reserve(tr, <void**>&tr.runs, &tr.cap_runs, tr.n_runs + 1, sizeof(Run)):
        return False
    run = &tr.runs[tr.n_runs]
    tr.n_runs += 1
    run.first = tr.all_locals
    run.type = type
    run.slot = tr.hdr
    run.shared = 0
    return True


cdef bint name_entry(Tr* tr, Run* run, uint32_t x) noexcept nogil:
    """An entry for a local of a run."""
    if not (reserve(tr, <void**>&tr.named, &tr.cap_named, tr.n_named + 1, 4) and reserve_entries(tr, tr.n_locals + 1)):
        return False
    put_entry(tr, run.type, run.slot + (x - run.first) * slots_of(run.type))
    tr.named[tr.n_named] = x
    tr.n_named += 1
    return True


# Naming


cdef bint local_entry(Tr* tr, uint32_t* x) noexcept nogil:
    """Read the index of a local, and find its entry. False when there is no such local, or no room."""
    cdef Run* run
    x[0] = u32(tr.r)
    if not exists(tr, b"unknown local %llu", x[0], tr.all_locals):
        return False
    if x[0] < tr.n_exact:
        return True
    run = run_of(tr, x[0])
    if run.shared:
        x[0] = run.shared - 1
        return True
    if tr.entry_of[x[0]] == 0:
        if not name_entry(tr, run, x[0]):
            return False
        tr.entry_of[x[0]] = tr.n_locals
    x[0] = tr.entry_of[x[0]] - 1
    return True


cdef Run* run_of(Tr* tr, uint32_t x) noexcept nogil:
    """The run that a local belongs to."""
    cdef uint32_t low = 0, high = tr.n_runs, middle
    while high - low > 1:
        middle = low + (high - low) // 2
        if tr.runs[middle].first <= x:
            low = middle
        else:
            high = middle
    return &tr.runs[low]


cdef void forget_locals(Tr* tr) noexcept nogil:
    """Another function begins."""
    cdef uint32_t i
    for i in range(tr.n_named):
        if tr.named[i] < MAX_LOCALS and tr.entry_of != NULL:
            tr.entry_of[tr.named[i]] = 0
    tr.n_named = tr.n_locals = tr.all_locals = tr.n_exact = tr.n_runs = 0
