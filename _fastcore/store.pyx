"""See store.pxd."""

import cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from pywasm_ref._fastcore.clock cimport now
from pywasm_ref._fastcore.cstack cimport CStack, own_cstack
from pywasm_ref._fastcore.depth cimport marks_free, use_stack
from pywasm_ref._fastcore.frames cimport end_of_frame
from pywasm_ref._fastcore.fuel cimport Pause, give_ticks, is_alone, pause, pay, proceed, take_ticks, unlimited
from pywasm_ref._fastcore.gil cimport gil_give, gil_take
from pywasm_ref._fastcore.heap cimport box_free, box_new, collect, heap_close
from pywasm_ref._fastcore.layout cimport *
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new
from pywasm_ref._fastcore.pages cimport slab_new, slot_clear, slot_use, space_free
from pywasm_ref._fastcore.types cimport held_drop, held_new
from pywasm_ref._fastcore.watching cimport WATCHING

from pywasm_ref.errors import Exhaustion, Interrupted

cdef enum:
    LEFT_ALONE = 1          # anything above 0: the reason is in `ctx.trap`
    KEPT = 64               # stacks that stores hold on to while they are idle
    SOON = 1000000          # nanoseconds between two looks for signals, at least
    LATE = 100000000        # and at most
    PATIENCE = 20           # times as long as it took to get the GIL
    SPARES = 64             # that nobody holds
    CLEAN = 0x2000          # slots of a spare one whose pages it keeps

cdef S* SPARE[SPARES]       # stacks that nobody has
cdef uint32_t N_SPARE = 0
cdef uint32_t STACKS = 0    # that stores have
cdef PyThread_type_lock LOCK = lock_new()


cdef S* stack_new(uint64_t slots) noexcept:
    """Pages, so that what is not used takes no room; where AddressSanitizer looks on, something that it knows the end of."""
    cdef S* stack
    if WATCHING:
        return <S*>calloc(slots, sizeof(S))
    stack = <S*>slab_new(slots * sizeof(S))
    return stack if stack != NULL and slot_use(stack, slots * sizeof(S)) else NULL


cdef void stack_free(S* stack, uint64_t slots) noexcept:
    if WATCHING:
        free(stack)
    else:
        space_free(stack, slots * sizeof(S))


cdef S* stack_take(uint64_t slots) noexcept:
    """A value stack, or NULL when memory is out. What stands in it is nobody's business: frames write before they read."""
    global N_SPARE, STACKS
    cdef S* stack = NULL
    PyThread_acquire_lock(LOCK, 1)
    if N_SPARE and slots == STACK_SLOTS:
        N_SPARE -= 1
        stack = SPARE[N_SPARE]
    STACKS += 1
    PyThread_release_lock(LOCK)
    if stack == NULL:
        stack = stack_new(slots)
        if stack == NULL:
            STACKS -= 1
    return stack


cdef void stack_give(S* stack, uint64_t slots, bint deep) noexcept:
    """Nobody has it any more. Of one that was used `deep` the pages go back to the system: there may be many spare ones for a long time."""
    global N_SPARE, STACKS
    cdef bint keep = slots == STACK_SLOTS
    if keep and deep and not WATCHING:
        keep = slot_clear(stack + CLEAN, (slots - CLEAN) * sizeof(S)) and slot_use(stack + CLEAN, (slots - CLEAN) * sizeof(S))
    PyThread_acquire_lock(LOCK, 1)
    STACKS -= 1
    if keep and N_SPARE < SPARES:
        SPARE[N_SPARE] = stack
        N_SPARE += 1
        stack = NULL
    PyThread_release_lock(LOCK)
    if stack != NULL:
        stack_free(stack, slots)


cdef dict HOLDERS = {}       # addresses of the stores that have objects of the host in their heaps


cdef list holders():
    """Those stores."""
    return [<object><PyObject*><uint64_t>address for address in HOLDERS]


@cython.no_gc_clear
cdef class Room:
    """One thread of execution: the value stack, the stop flag, and what a host function raised."""

    def __cinit__(self):        # what classes above take besides, Cython lets go by
        self.shared.room = <void*><PyObject*>self
        self.shared.heap_most = 10000000
        self.allow_calls(4000)
        self.shared.memory.most = <uint64_t>65536 << 16
        self.shared.tables.most = 10000000
        self.limit(None)
        unwatched(<PyObject*>self)

    def __dealloc__(self):
        HOLDERS.pop(<uint64_t><PyObject*>self, None)
        heap_close(self.shared.heap)
        self.leave_stack()
        held_drop(self.held)
        if self.kept is not None:
            for address in self.kept:
                held_drop(<Held*><uint64_t>address)

    cdef Held* own_types(self) except NULL:
        """What holds the types of what the host makes."""
        if self.held == NULL:
            self.held = held_new()
            if self.held == NULL:
                raise MemoryError
        return self.held

    cdef int keep(self, Held* held) except -1:
        """Keep the types of a module to the end of the store: an instance is gone, and objects, tags and functions of the host may be left."""
        if self.kept is None:
            self.kept = set()
        if <uint64_t>held not in self.kept:
            held.refs += 1
            self.kept.add(<uint64_t>held)
        return 0

    cdef int allow_calls(self, uint64_t n) except -1:
        """So many calls there may be that have not returned, if their frames are not much larger than usual."""
        self.slots = min(max(n * FRAME, <uint64_t>STACK_SLOTS), <uint64_t>MOST_SLOTS)
        self.shared.call_depth = n
        return 0

    cdef bint prepare(self) except False:
        """Have a stack, until `rest`. A store is used by one thread at a time: the GIL is free meanwhile."""
        cdef CStack* own = own_cstack()
        if self.pins != 0 and self.thread != own:
            raise elsewhere()
        self.thread = own
        self.stirred = True
        if self.stack == NULL:
            self.stack = self.top = stack_take(self.slots)
            if self.stack == NULL:
                raise MemoryError
            self.end = self.stack + self.slots
            use_stack(&self.shared, self.stack, self.end)
        self.pins += 1
        return True

    cdef int rest(self) except -1:
        """The results are read. A few stores keep their stacks, the others share: a hundred thousand would need as many."""
        self.pins -= 1
        if STACKS > KEPT and self.pins == 0 and self.depth == 0:
            self.leave_stack()
        return self.settle() if self.owed else 0

    cdef void leave_stack(self) noexcept:
        """Where marks were made, frames were beyond `shallow`, and so behind what a spare stack keeps; or `run` has seen such a frame."""
        cdef bint deep = self.deep or self.shared.spare != NULL
        marks_free(&self.shared)
        if self.stack != NULL:
            stack_give(self.stack, self.end - self.stack, deep)
        self.stack = self.top = self.end = NULL
        self.deep = False

    cdef int settle(self) except -1:
        """What was left for a time at which values are nowhere but in Python and in their places. A collection waits until it is worth it."""
        if self.pins != 0 or self.depth != 0:
            return 0
        if self.debt != 0 and (self.shared.heap == NULL or self.debt >= self.shared.heap.cost):
            self.debt = 0
            collect(&self.shared)
        self.owed = self.debt != 0
        return self.tidy()

    cdef int tidy(self) except -1:
        """Let go of what the last collection found. This may run anything."""
        cdef Heap* heap = self.shared.heap
        cdef Box* box
        gone = self.dropped
        self.dropped = None
        del gone
        while heap != NULL and heap.dead != NULL:
            box = heap.dead
            heap.dead = box.next
            value = self.boxes.pop(<uint64_t>box)
            del self.box_of[id(value)]
            box_free(box)
            del value
        return 0

    cdef int watch(self) except -1:
        """From now on the store may be part of a circle through Python, so that Python's collector has to see it and its instances."""
        cdef Ctx* ctx = self.shared.first
        if self.watched:
            return 0
        self.watched = True
        watched(<PyObject*>self)
        while ctx != NULL:
            watched(<PyObject*>ctx.owner)
            ctx = ctx.next
        return 0

    cdef int follow(self) except -1:
        """Python has collected: so objects of the host that only garbage in the heap refers to are let go of. This may run anything."""
        if not self.stirred or self.pins != 0 or self.depth != 0 or self.busy != 0:
            return 0
        self.stirred = False
        self.debt = 0
        collect(&self.shared)
        self.tidy()
        if not self.boxes:
            HOLDERS.pop(<uint64_t><PyObject*>self, None)
        return 0

    cdef uint64_t box(self, object value) except 0:
        """The reference that stands for an object of the host.

        Fails   Exhaustion
        """
        cdef Box* box
        cdef int status
        self.not_elsewhere()
        self.tidy()
        if self.boxes is None:
            self.boxes = {}
            self.box_of = {}
            self.watch()
        found = self.box_of.get(id(value))
        if found is not None:
            return found
        box = box_new(&self.shared, <void*><PyObject*>value, &status)
        if box == NULL:
            raise exhausted(&self.shared, status)
        self.boxes[<uint64_t>box] = value
        HOLDERS[<uint64_t><PyObject*>self] = True
        self.box_of[id(value)] = <uint64_t>box
        return <uint64_t>box

    cdef int not_elsewhere(self) except -1:
        """Refuse what would change under the feet of a guest that runs in another thread."""
        if self.pins != 0 and self.thread != own_cstack():
            raise elsewhere()
        return 0

    cdef int not_stopped(self) except -1:
        """Refuse what would run while nothing may."""
        if self.stopped:
            raise Interrupted("interrupted")
        return 0

    cdef void wait_on_top(self, ExnInst* exn) noexcept:
        """Keep an exception that nobody else refers to in a slot, where a collector sees it. With no slot left no guest runs meanwhile."""
        if exn != NULL and self.top < self.end:
            self.top[0].v = exn
            self.top += 1

    cdef void wait_no_more(self, S* slot) noexcept:
        """Forget what may wait in a slot, which a later frame may hold without writing to it."""
        if self.top > slot:
            slot.v = NULL
            self.top = slot

    cdef object left(self):
        """What guests may still use, None for no end."""
        if not self.limited:
            return None
        return max(self.shared.fuel, 0) + self.beyond

    cdef int limit(self, object fuel) except -1:
        """Say what guests may use. What is more than a counter holds is kept apart."""
        self.limited = fuel is not None
        self.shared.fuel = unlimited() if fuel is None else min(fuel, unlimited())
        self.beyond = 0 if fuel is None else fuel - self.shared.fuel
        return 0

    def interrupt(self):
        """Stop the guests of this store at once, from any thread."""
        self.stopped = True

    def resume(self):
        self.stopped = False


cdef object elsewhere():
    return RuntimeError("the store is running in another thread")


cdef bint refers(object it) except *:
    """May an object refer to others? A number or a string does not, nor what has no room for anything; what is of a class that is derived
    from theirs may."""
    return PyObject_IS_GC(<PyObject*>it) and (type(it).__basicsize__ > object.__basicsize__ or hasattr(it, "__dict__"))


cdef object exhausted(Thread* thread, int status):
    """The exception for TRAP_HEAP, and for memory that is out."""
    if status == TRAP_HEAP:
        return Exhaustion(f"out of memory: the heap of {thread.heap.most} is too full for {thread.heap.wanted} more")
    return Exhaustion("out of memory")


cdef int poll(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """The ticks are used up: look whether to go on."""
    cdef int status
    if is_alone(ctx, pc, fp):
        return LEFT_ALONE
    status = look(ctx, pc, fp)
    take_ticks(ctx)
    if status == 0 and ctx.thread.fuel < 0:
        status = pay(ctx, pc, fp)
    give_ticks(ctx, False)
    return status


cdef int look(Ctx* ctx, W* pc, S* fp) noexcept nogil:
    """Has somebody said stop, or is there a signal? Memory 0 may have moved afterwards.

    Signals are seen with the GIL only. A thread that wants it as well keeps it for Python's whole interval, five milliseconds, in which a
    guest comes here twenty times and more; so the longer it took to get, the longer nobody asks again.
    """
    cdef int status
    cdef Pause was
    cdef int64_t asked
    ctx.bulk = BULK
    if ctx.thread.away != NULL and is_quiet(ctx.store):
        return 0
    pause(ctx, &was)
    asked = now()
    gil_take(ctx.thread)
    with gil:
        status = poll_store(ctx, <Room><PyObject*>ctx.store, pc, fp, asked)
    gil_give(ctx.thread)
    proceed(ctx, &was)
    return status


cdef inline bint is_quiet(void* store) noexcept nogil:
    return not (<Room><PyObject*>store).stopped and now() < (<Room><PyObject*>store).quiet


cdef int64_t next_look(int64_t asked) noexcept:
    """When to ask again, by when it was asked for what one has now."""
    cdef int64_t taken = now()
    return taken + min(max(<int64_t>SOON, PATIENCE * (taken - asked)), <int64_t>LATE)


cdef int poll_store(Ctx* ctx, Room store, W* pc, S* fp, int64_t asked) noexcept:
    """What Python does about a signal may call guests: above this frame, where an exception that is on its way waits meanwhile."""
    cdef S* top = store.top
    cdef S* slot
    cdef ExnInst* raised = store.shared.raised
    cdef Suspended here
    store.quiet = next_look(asked)
    if store.stopped:
        return trap(ctx, pc, fp, TRAP_INTERRUPTED)
    store.top = slot = end_of_frame(ctx, pc, fp)
    here.ctx = ctx
    here.pc = pc
    here.fp = fp
    here.calls = False
    here.outer = store.shared.suspended
    store.shared.suspended = &here
    store.wait_on_top(raised)
    store.shared.raised = NULL
    try:
        PyErr_CheckSignals()
    except BaseException as error:
        store.raised = error
        return trap(ctx, pc, fp, TRAP_HOST)
    finally:
        store.wait_no_more(slot)
        store.top = top
        store.shared.raised = raised
        store.shared.suspended = here.outer
    return 0
