"""See waiting.pxd. One queue for all, under one lock: whoever waits is about to sleep and has the time.

A waiter sleeps on a lock of its own, in slices, so that the stop flag and signals are seen. Whoever wakes it takes it out of the queue
under the common lock, so that it counts exactly once.
"""

import os

from libc.stdint cimport int64_t, uint32_t, uint64_t
from pywasm_ref._fastcore.atomics cimport atomic_load32, atomic_load64
from pywasm_ref._fastcore.clock cimport now
from pywasm_ref._fastcore.gil cimport gil_give
from pywasm_ref._fastcore.layout cimport TRAP_STACK, Ctx, Mem, S, W, trap
from pywasm_ref._fastcore.locks cimport PyThread_acquire_lock, PyThread_release_lock, PyThread_type_lock, lock_new

cdef extern from "pythread.h" nogil:
    PyThread_type_lock PyThread_allocate_lock()
    void PyThread_free_lock(PyThread_type_lock)
    int PyThread_acquire_lock_timed(PyThread_type_lock, long long microseconds, int)
    unsigned long PyThread_get_thread_ident()

cdef enum:
    WOKEN, NOT_EQUAL, TIMED_OUT
    SLICE = 20000000            # nanoseconds between two looks at the stop flag

cdef struct Waiter:
    Mem* memory
    uint64_t ea
    PyThread_type_lock asleep
    Waiter* next
    unsigned long thread
    bint woken

cdef Waiter* QUEUE = NULL
cdef PyThread_type_lock LOCK = lock_new()


cdef void enqueue(Waiter* waiter) noexcept nogil:
    global QUEUE
    cdef Waiter** end = &QUEUE
    while end[0] != NULL:
        end = &end[0].next
    end[0] = waiter


cdef void dequeue(Waiter* waiter) noexcept nogil:
    global QUEUE
    cdef Waiter** at = &QUEUE
    while at[0] != NULL and at[0] != waiter:
        at = &at[0].next
    if at[0] != NULL:
        at[0] = waiter.next


cdef int wait_at(Ctx* ctx, Mem* memory, uint64_t ea, int size, uint64_t expected, int64_t timeout, W* pc, S* fp) noexcept nogil:
    """Sleep until notified: 0 when woken, 1 when memory holds something else, 2 when the time is over; -1 when the guest is stopped."""
    cdef Waiter waiter
    cdef uint64_t found
    cdef int result = -1
    gil_give(ctx.thread)
    waiter.memory = memory
    waiter.ea = ea
    waiter.next = NULL
    waiter.thread = PyThread_get_thread_ident()
    waiter.woken = False
    waiter.asleep = PyThread_allocate_lock()
    if waiter.asleep == NULL:
        trap(ctx, pc, fp, TRAP_STACK)
        return -1
    PyThread_acquire_lock(waiter.asleep, 1)
    PyThread_acquire_lock(LOCK, 1)
    found = atomic_load32(<uint32_t*>(memory.base + ea)) if size == 4 else atomic_load64(<uint64_t*>(memory.base + ea))
    if found == expected:
        enqueue(&waiter)
    PyThread_release_lock(LOCK)
    result = sleep(ctx, &waiter, timeout, pc, fp) if found == expected else NOT_EQUAL
    PyThread_free_lock(waiter.asleep)
    return result


cdef int sleep(Ctx* ctx, Waiter* waiter, int64_t timeout, W* pc, S* fp) noexcept nogil:
    cdef int64_t start = now()
    cdef int64_t left = SLICE
    cdef int result = -1
    while result < 0:
        if timeout >= 0:
            left = min(<int64_t>SLICE, timeout - (now() - start))
        PyThread_acquire_lock_timed(waiter.asleep, max(left, <int64_t>0) // 1000, 0)
        PyThread_acquire_lock(LOCK, 1)
        if waiter.woken:
            result = WOKEN
        elif timeout >= 0 and now() - start >= timeout:
            dequeue(waiter)
            result = TIMED_OUT
        PyThread_release_lock(LOCK)
        if result < 0 and ctx.look(ctx, pc, fp) != 0:
            PyThread_acquire_lock(LOCK, 1)
            dequeue(waiter)
            PyThread_release_lock(LOCK)
            return -1
    PyThread_acquire_lock(waiter.asleep, 0)
    PyThread_release_lock(waiter.asleep)
    return result


cdef uint32_t notify_at(Mem* memory, uint64_t ea, uint32_t count) noexcept nogil:
    """Wake at most as many as that, those that came first; how many they were."""
    global QUEUE
    cdef Waiter** at = &QUEUE
    cdef Waiter* waiter
    cdef uint32_t woken = 0
    PyThread_acquire_lock(LOCK, 1)
    while at[0] != NULL and woken < count:
        waiter = at[0]
        if waiter.memory == memory and waiter.ea == ea:
            at[0] = waiter.next
            waiter.woken = True
            PyThread_release_lock(waiter.asleep)
            woken += 1
        else:
            at = &waiter.next
    PyThread_release_lock(LOCK)
    return woken


def forget_others():
    """In a process that was forked no other thread waits: their places in the queue are on stacks that are gone."""
    cdef Waiter** at = &QUEUE
    while at[0] != NULL:
        if at[0].thread != PyThread_get_thread_ident():
            at[0] = at[0].next
        else:
            at = &at[0].next


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_others)
