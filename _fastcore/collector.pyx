"""Where a collection begins: at what runs, at what Python holds, and at the instances that Python holds. Loaded by `engine`.

What may be a reference is looked for in every slot of the value stack below its top, frames that no longer matter to anybody included. In
the frame that runs, an operation that makes an object says where values end that are still wanted. What is above is made zero: frames that
come to stand there must not find old references. All else is exact. The GIL is held throughout, so that nobody makes or drops a door
meanwhile.
"""

import gc
import os

from cpython.object cimport PyObject
from cpython.ref cimport Py_REFCNT
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset
from pywasm_ref._fastcore.dispatch cimport handler_word
from pywasm_ref._fastcore.externs cimport Door, Global, Ref, Table
from pywasm_ref._fastcore.frames cimport Place, stand
from pywasm_ref._fastcore.functions cimport Func
from pywasm_ref._fastcore.heap cimport set_collector, set_stress
from pywasm_ref._fastcore.instances cimport Instance
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.marking cimport *
from pywasm_ref._fastcore.store cimport Room, holders
from pywasm_ref._fastcore.tables cimport OP_ARRAY_NEW_ELEM, OP_STRUCT_NEW_0, OP_STRUCT_NEW_3, tables
from pywasm_ref._fastcore.unit cimport Unit, global_offset

cdef extern from "Python.h":
    int PyGC_Enable()
    int PyGC_Disable()

cdef enum:
    CLEARED = 2048              # slots above the top of the stack that are made zero


cdef class Family:
    """The orphans of a store, and the references to instances and doors that come from nobody but them."""

    cdef dict held              # id of a door -> how often orphans import it
    cdef dict only              # id of a door that nobody else refers to
    cdef dict internal          # id of an instance -> references from such doors

    def __cinit__(self):
        self.held = {}
        self.only = {}
        self.internal = {}

    cdef bint is_root(self, Room store, object owner, bint orphan) except -1:
        """Does anybody else refer to an instance, or a function of the host? One reference is that of the caller."""
        cdef Py_ssize_t known = 1 + orphan + self.internal.get(id(owner), 0)
        if store.dying == <PyObject*>owner:
            known += store.dying_refs
        return Py_REFCNT(owner) > known


cdef Family family_of(Room store):
    cdef Family family = Family()
    for owner in store.orphans.values():
        if isinstance(owner, Instance):
            for extern in (<Instance>owner).imported:
                if isinstance(extern, Door):
                    family.held[id(extern)] = family.held.get(id(extern), 0) + 1
    extern = None
    for owner in store.orphans.values():
        if isinstance(owner, Instance):
            for extern in (<Instance>owner).imported:
                if isinstance(extern, Door) and id(extern) not in family.only and Py_REFCNT(extern) == 1 + family.held[id(extern)]:
                    family.only[id(extern)] = True
                    of = id((<Door>extern).owner)
                    family.internal[of] = family.internal.get(of, 0) + 1
    return family


# ---------------------------------------------------------------------------------------------- roots

cdef uint32_t live_slots(Code* code, W* pc) noexcept nogil:
    """How many slots of the frame that runs are wanted by what comes after this operation, or by itself."""
    cdef uint32_t op
    for op in range(OP_STRUCT_NEW_0, OP_ARRAY_NEW_ELEM + 1):
        if op != OP_STRUCT_NEW_3 and pc.u == handler_word(tables().variants[op * 32]):
            return pc[1].h[3]
    return code.frame


cdef void clear(S* start, S* end) noexcept nogil:
    """Make slots zero up to the end of the stack, or so many as frames come to stand in soon."""
    if start < end:
        memset(start, 0, min(<uint64_t>(end - start), <uint64_t>CLEARED) * sizeof(S))


cdef int mark_stack(Room store, Heap* heap, Ctx* ctx, W* pc, S* fp) except -1:
    """Up to where values end in the frame that runs. When none does, a host function that was called has moved `store.top` up behind all."""
    cdef S* top = store.top
    cdef Place place
    cdef Suspended* outer = store.shared.suspended
    if ctx != NULL and stand(&place, ctx, pc, fp):
        top = fp + live_slots(place.code, place.pc)
    if store.stack != NULL:
        mark_slots(heap, store.stack, top)
        clear(top, store.shared.stack_end)
    if store.shared.raised != NULL:
        mark_word(heap, <uint64_t>store.shared.raised)
    if not heap.funcs:
        return 0
    if ctx != NULL:
        mark_ctx(heap, ctx)
    while outer != NULL:
        mark_ctx(heap, outer.ctx)
        outer = outer.outer
    mark_owners(store, heap, store.stack, top)
    return 0


cdef int mark_owners(Room store, Heap* heap, S* start, S* end) except -1:
    """The same for words that may be functions of who is no root, or its context: in a frame between two instances."""
    cdef Ctx* ctx = store.shared.first
    cdef Fn* fn
    while ctx != NULL:
        if ctx.epoch != heap.epoch and stands_in(ctx, start, end):
            mark_ctx(heap, ctx)
        ctx = ctx.next
    for owner in store.orphans.values():
        if isinstance(owner, Func):
            fn = (<Func>owner).fn
            if find(start, end, <uint64_t>fn, <uint64_t>(fn + 1)):
                of_host(fn).epoch = heap.epoch
    return 0


cdef bint find(S* at, S* end, uint64_t low, uint64_t high) noexcept nogil:
    """Is there a word from `low` on, below `high`?"""
    while at < end:
        if low <= at.u64 < high:
            return True
        at += 1
    return False


cdef bint stands_in(Ctx* ctx, S* start, S* end) noexcept nogil:
    if ctx.fns != NULL and find(start, end, <uint64_t>ctx.fns, <uint64_t>(ctx.fns + (<Unit*>ctx.unit).n_codes)):
        return True
    return find(start, end, <uint64_t>ctx, <uint64_t>ctx + 1)


cdef int mark_door(Heap* heap, object door) except -1:
    """What a door keeps by itself: a reference, or the content of what the host made."""
    if isinstance(door, Ref):
        mark_word(heap, (<Ref>door).word)
    elif (<Door>door).owner is not None:
        return 0
    elif isinstance(door, Global):
        mark_value(heap, (<Global>door).slots, (<Global>door).valtype)
    elif isinstance(door, Table):
        mark_table(heap, (<Table>door).tab)
    elif isinstance(door, Func):
        of_host((<Func>door).fn).epoch = heap.epoch
    return 0


cdef int mark_doors(Room store, Heap* heap, Family family) except -1:
    for address in store.doors.values() if store.doors is not None else ():
        door = <object><PyObject*><uint64_t>address
        if family is None or id(door) not in family.only:
            if not (isinstance(door, Func) and family is not None and (<Door>door).owner is None):
                mark_door(heap, door)
    return 0


cdef int mark_instances(Room store, Heap* heap, Family family) except -1:
    cdef Ctx* ctx = store.shared.first
    while ctx != NULL:
        if family is None or family.is_root(store, <object><PyObject*>ctx.owner, ctx.orphan):
            mark_ctx(heap, ctx)
        ctx = ctx.next
    if family is not None:
        for owner in store.orphans.values():
            if not isinstance(owner, Instance) and family.is_root(store, owner, True):
                of_host((<Func>owner).fn).epoch = heap.epoch
    return 0


cdef int mark_rest(Heap* heap, Family family) except -1:
    """What follows from the roots. An instance keeps what it imports."""
    cdef Ctx* ctx
    cdef Door door
    drain(heap)
    while heap.gray != NULL:
        ctx = heap.gray
        heap.gray = ctx.gray
        mark_instance(heap, ctx)
        if family is not None:
            for extern in (<Instance><PyObject*>ctx.owner).imported:
                if isinstance(extern, Door):
                    door = extern
                    mark_door(heap, door)
                    if isinstance(door.owner, Instance):
                        mark_ctx(heap, (<Instance>door.owner).ctx)
        drain(heap)
    return 0


# ---------------------------------------------------------------------------------------------- the end of orphans

cdef int disown(Room store, Heap* heap) except -1:
    """Let go of the orphans that nobody has a function of, and empty every instance that is only theirs: its objects are gone."""
    cdef Ctx* ctx = store.shared.first
    while ctx != NULL:
        if ctx.epoch != heap.epoch:
            empty(ctx)
        ctx = ctx.next
    for key in list(store.orphans):
        owner = store.orphans[key]
        if isinstance(owner, Instance):
            if (<Instance>owner).ctx.epoch == heap.epoch:
                continue
            (<Instance>owner).ctx.orphan = False
        elif of_host((<Func>owner).fn).epoch == heap.epoch:
            continue
        store.dropped.append(owner)
        del store.orphans[key]
    if not store.orphans:
        store.orphans = None
    return 0


cdef void empty(Ctx* ctx) noexcept:
    """Its references are null. Somebody who still finds the instance finds nothing in it."""
    cdef Unit* unit = <Unit*>ctx.unit
    cdef uint32_t i
    for i in range(unit.imported_globals, unit.n_globals):
        if unit.globals[i].type & VT_REF:
            (<S*>(<char*>ctx + global_offset(unit, i))).u64 = 0
    if ctx.tables != NULL:
        for i in range(unit.imported_tables, unit.n_tables):
            if ctx.tables[i] != NULL:
                ctx.tables[i].size = 0
    if ctx.elems != NULL:
        for i in range(unit.n_elems):
            ctx.elems[i].size = 0


cdef int collect_store(Room store, Ctx* ctx, W* pc, S* fp) except -1:
    cdef Heap* heap = store.shared.heap
    cdef Family family = None
    if store.dropped is None:
        store.dropped = []
    if store.orphans is not None:
        family = family_of(store)
    heap.funcs = family is not None
    mark_instances(store, heap, family)
    mark_doors(store, heap, family)
    mark_stack(store, heap, ctx, pc, fp)
    mark_rest(heap, family)
    if family is not None:
        disown(store, heap)
    finish(heap)
    heap.cost = heap.units + store.shared.n_instances + (0 if store.doors is None else len(store.doors))
    if heap.dead != NULL or store.dropped:
        store.owed = True
    return 0


cdef void collect(Thread* thread, Ctx* ctx, W* pc, S* fp) noexcept nogil:
    with gil:
        collect_or_not(<Room><PyObject*>thread.room, ctx, pc, fp)


cdef void collect_or_not(Room store, Ctx* ctx, W* pc, S* fp) noexcept:
    """When Python has no memory for the little that it takes, nothing is collected. Python's own collector would run finalizers meanwhile,
    and these whatever they like: it waits."""
    cdef int enabled = PyGC_Disable()
    begin(store.shared.heap)
    try:
        collect_store(store, ctx, pc, fp)
    except MemoryError:
        abandon(store.shared.heap)
    if enabled:
        PyGC_Enable()


def follow_python(phase, info):
    """Behind a full collection of Python's, stores whose heaps hold Python's objects collect as well, if no guest runs and anything has changed:
    what Python has just let go of may have been the last to refer to them."""
    if phase == "stop" and info["generation"] == 2:
        for store in holders():
            (<Room>store).follow()


def tune(stress=False, work=None):
    """For tests: a collection before every allocation, and so few entries in the list of what waits."""
    set_stress(stress)
    set_most_work(~<uint64_t>0 if work is None else work)


set_collector(collect)
gc.callbacks.append(follow_python)
tune(stress=os.environ.get("PYWASM_FASTCORE_GC") == "stress")
