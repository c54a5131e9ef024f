"""See orphans.pxd."""

from cpython.object cimport PyObject
from libc.stdint cimport uint32_t, uint64_t
from pywasm_ref._fastcore.externs cimport Door
from pywasm_ref._fastcore.heap cimport no_heap
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.store cimport Room
from pywasm_ref._fastcore.types cimport top_of
from pywasm_ref._fastcore.unit cimport *

cdef enum:
    DEBT = 1000                 # what an orphan may cost at once: a collection that looks at more waits for more orphans


# ---------------------------------------------------------------------------------------------- what a module can do

cdef bint is_func(uint32_t type) noexcept nogil:
    return type & VT_REF and top_of(type & VT_HEAP) == HT_FUNC


cdef bint any_func(const uint32_t* types, uint32_t n) noexcept nogil:
    cdef uint32_t i
    for i in range(n):
        if is_func(types[i]):
            return True
    return False


cdef bint leaks(Unit* unit) noexcept nogil:
    """Can references to its functions come to where nobody keeps the instance alive? Into a table, global or call of somebody else, into an
    exception or an object of the heap; or out of a table or function of its own."""
    cdef uint32_t i
    for i in range(unit.imported_tables):
        if is_func(unit.tables[i].type):
            return True
    for i in range(unit.imported_globals):
        if unit.globals[i].mutable and is_func(unit.globals[i].type):
            return True
    for i in range(unit.n_types):
        if any_func(unit.types[i].valtypes, unit.types[i].n_fields + unit.types[i].n_params + unit.types[i].n_results):
            return True
    for i in range(unit.n_exports):
        if unit.exports[i].kind == EXTERN_TABLE and is_func(unit.tables[unit.exports[i].index].type):
            return True
        if unit.exports[i].kind == EXTERN_GLOBAL and is_func(unit.globals[unit.exports[i].index].type):
            return True
    return False


# ---------------------------------------------------------------------------------------------- all instances

cdef void enlist(Room store, Ctx* ctx) noexcept:
    ctx.heap = store.shared.heap if store.shared.heap != NULL else no_heap()
    ctx.next = store.shared.first
    if ctx.next != NULL:
        ctx.next.previous = ctx
    store.shared.first = ctx
    store.shared.n_instances += 1


cdef void strike(Room store, Ctx* ctx) noexcept:
    if ctx.previous != NULL:
        ctx.previous.next = ctx.next
    else:
        store.shared.first = ctx.next
    if ctx.next != NULL:
        ctx.next.previous = ctx.previous
    store.shared.n_instances -= 1
    store.stirred = True


# ---------------------------------------------------------------------------------------------- orphans

cdef bint alone(Room store, uint64_t instances):
    """Is there nobody else who could have a reference? So many instances are no others."""
    return (store.shared.n_instances <= instances and store.orphans is None and (store.shared.heap == NULL or store.shared.heap.units == 0)
            and store.depth == 0 and store.pins == 0 and not store.lends)


cdef bint adopt(Room store, object owner, uint64_t key, bint instance):
    """The end of something that owns functions: True when it shall live on, for the store has it now."""
    if alone(store, instance):
        return False
    keep(store, owner, key)
    return True


cdef int keep(Room store, object owner, uint64_t key) except -1:
    if store.orphans is None:
        store.orphans = {}
        store.watch()
    store.orphans[key] = owner
    return 0


cdef int note_leak(Fn* fn) except -1:
    """A reference to the function is given to a guest by somebody who does not keep its owner."""
    cdef Door door
    if fn.ctx != NULL:
        fn.ctx.leaky = True
        if fn.ctx.finalized:
            adopt_again(fn.ctx)
        return 0
    door = <Door><PyObject*>fn.door
    door.leaky = True
    if door.finalized:
        keep(door.store, door, <uint64_t>fn)
    return 0


cdef int reconsider(Room store, object owner, Py_ssize_t refs) except -1:
    """So many references to an owner of functions are about to go: perhaps it can go as well."""
    store.debt += DEBT
    store.owed = True
    store.dying = <PyObject*>owner
    store.dying_refs = refs
    try:
        store.settle()
    finally:
        store.dying = NULL
        store.dying_refs = 0
    return 0


cdef int adopt_again(Ctx* ctx) except -1:
    """Python tells an object of its end once. One that came back to life meanwhile, by a weak reference or as part of a circle, is an orphan
    from then on: whoever may get hold of its functions later, it is still there."""
    if not ctx.orphan:
        keep(<Room><PyObject*>ctx.store, <object><PyObject*>ctx.owner, <uint64_t>ctx)
        ctx.orphan = True
    return 0
