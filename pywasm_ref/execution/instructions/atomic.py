"""Atomic memory instructions.

Threads of the host may share a memory, each with a store of its own, so an access holds the lock of its memory. They may also wait
for each other: each waiter has a condition of its own, in a queue by address that belongs to the memory and has the same lock.

Spec    the threads proposal, exec/instructions.html#atomic-memory-instructions
"""

from __future__ import annotations

from threading import Condition
from time import monotonic
from typing import TYPE_CHECKING

from pywasm_ref.errors import Interrupted, Trap, TrapReason
from pywasm_ref.execution.instructions.memory import PACK, UNPACK
from pywasm_ref.execution.rules import Computing, reduces
from pywasm_ref.execution.runtime import MemInst
from pywasm_ref.syntax import instructions as form

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

WOKEN, NOT_EQUAL, TIMED_OUT = 0, 1, 2
SLICE = 0.05
"""Units   seconds between two looks at the stop switch while waiting"""


def address(z: Machine, i: form.Access, base: int) -> tuple[MemInst, int]:
    """The memory, and the address in it that an access is for.

    Traps   "unaligned atomic", "out of bounds memory access"
    """
    mem = z.module.mems[i.memory]
    ea = base + i.offset
    if ea % i.op.access:
        raise Trap(TrapReason.UNALIGNED_ATOMIC)
    if ea + i.op.access > len(mem.data):
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
    return mem, ea


@reduces(form.AtomicFence)
def atomic_fence(z: Machine, i: form.AtomicFence) -> None:
    """Nothing to do: steps are never reordered."""


@reduces(form.AtomicLoad)
def atomic_load(z: Machine, i: form.AtomicLoad) -> None:
    """Traps   "unaligned atomic", "out of bounds memory access" """
    mem, ea = address(z, i, z.values[-1])
    with mem.lock:
        z.values[-1] = UNPACK[i.op.access](mem.data, ea)[0]


@reduces(form.AtomicStore)
def atomic_store(z: Machine, i: form.AtomicStore) -> None:
    """Traps   "unaligned atomic", "out of bounds memory access" """
    c = z.values.pop()
    mem, ea = address(z, i, z.values.pop())
    with mem.lock:
        PACK[i.op.access](mem.data, ea, c & (1 << 8 * i.op.access) - 1)


@reduces(form.AtomicRmw)
def atomic_rmw(z: Machine, i: Computing) -> None:
    """Combine the operand with what is in memory, and leave what was there before.

    Traps   "unaligned atomic", "out of bounds memory access"
    """
    c = z.values.pop()
    mem, ea = address(z, i, z.values[-1])
    n = i.op.access
    with mem.lock:
        before = UNPACK[n](mem.data, ea)[0]
        PACK[n](mem.data, ea, i.op.primitive(before, c) & (1 << 8 * n) - 1)
    z.values[-1] = before


@reduces(form.AtomicCmpxchg)
def atomic_cmpxchg(z: Machine, i: form.AtomicCmpxchg) -> None:
    """Replace what is in memory if it is what was expected, and leave what was there before.

    Traps   "unaligned atomic", "out of bounds memory access"
    """
    replacement, expected = z.values.pop(), z.values.pop()
    mem, ea = address(z, i, z.values[-1])
    n = i.op.access
    with mem.lock:
        before = UNPACK[n](mem.data, ea)[0]
        if before == expected:
            PACK[n](mem.data, ea, replacement & (1 << 8 * n) - 1)
    z.values[-1] = before


@reduces(form.AtomicWait)
def atomic_wait(z: Machine, i: form.AtomicWait) -> None:
    """Sleep until notified: 0 when woken, 1 when memory holds something else already, 2 when the time is over.

    Traps   "unaligned atomic", "out of bounds memory access", "expected shared memory"
    Fails   Interrupted when the store is stopped meanwhile
    Blocks  until notified, or for the time that the operand says; for ever when it is negative
    Units   nanoseconds
    """
    timeout, expected = z.values.pop(), z.values.pop()
    mem, ea = address(z, i, z.values[-1])
    if not mem.type.shared:
        raise Trap(TrapReason.EXPECTED_SHARED_MEMORY)
    with mem.lock:
        if UNPACK[i.op.access](mem.data, ea)[0] != expected:
            z.values[-1] = NOT_EQUAL
            return
        waiter = Condition(mem.lock)
        mem.parked.setdefault(ea, []).append(waiter)
        deadline = None if timeout >> 63 else monotonic() + timeout / 1e9
        z.values[-1] = sleep(z, mem, ea, waiter, deadline)


def sleep(z: Machine, mem: MemInst, ea: int, waiter: Condition, deadline: float | None) -> int:
    """Wait in slices, so that the stop switch and Ctrl-C are seen; whoever wakes a waiter takes it out of the queue."""
    queue = mem.parked[ea]
    try:
        while waiter in queue:
            left = SLICE if deadline is None else min(SLICE, deadline - monotonic())
            if left <= 0:
                return TIMED_OUT
            if z.store.stop:
                raise Interrupted("interrupted")
            waiter.wait(left)
        return WOKEN
    finally:
        if waiter in queue:
            queue.remove(waiter)
        if not queue and mem.parked.get(ea) is queue:
            del mem.parked[ea]


@reduces(form.AtomicNotify)
def atomic_notify(z: Machine, i: form.AtomicNotify) -> None:
    """Wake at most as many waiters as the operand says, those that came first; the result is their number.

    Traps   "unaligned atomic", "out of bounds memory access"
    """
    count = z.values.pop()
    mem, ea = address(z, i, z.values[-1])
    with mem.lock:
        queue = mem.parked.get(ea, [])
        woken, queue[:count] = queue[:count], []
        for waiter in woken:
            waiter.notify()
        z.values[-1] = len(woken)
