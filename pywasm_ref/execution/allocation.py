"""Allocation and growth of what a store holds.

Spec    exec/modules.html#allocation
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from mmap import mmap
from sys import getrefcount

from pywasm_ref.errors import Exhaustion
from pywasm_ref.execution.runtime import ArrayInst, Bytes, Heap, MemInst, Quota, Ref, Share, Store, TableInst, Value
from pywasm_ref.syntax.types import I32, DefType, MemType, TableType

if sys.platform != "win32":
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE

LAZY_BYTES = 1 << 26
"""A memory from this size on is mapped rather than allocated: it is there at once, but a store to it takes a little longer."""

BALLAST = 1 << 22

NO_ROOM = (MemoryError, OSError, OverflowError)
"""What Python raises when it cannot make something so large; OverflowError when no machine could."""

LARGE = 64
"""From so many fields or elements on they count one by one in the heap; what is smaller counts as one."""


def max_pages(type: MemType) -> int:
    """The pages a memory may have: by its type, and by what its addresses can reach."""
    reach = 1 << ((32 if type.addr is I32 else 64) - type.page_bits)
    return reach if type.limits.max is None else min(type.limits.max, reach)


def max_entries(type: TableType) -> int:
    """The entries a table may have: by its type, and by what its indices can reach."""
    reach = (1 << (32 if type.addr is I32 else 64)) - 1
    return reach if type.limits.max is None else min(type.limits.max, reach)


def fits(quota: Quota, n: int) -> bool:
    """Whether there is room for so many, when cycles that nobody reaches are collected."""
    if quota.elements + n <= quota.most:
        return True
    if n > quota.most:
        return False
    gc.collect()
    quota.searched = quota.elements
    return quota.elements + n <= quota.most


def can_take(share: Share, n: int) -> bool:
    """Whether there is room for so many more. A guest may ask again and again, so garbage is searched only where something has changed."""
    quota = share.quota
    if quota.elements in (share.elements, quota.searched):
        return quota.elements + n <= quota.most
    return fits(quota, n)


def allocmem(store: Store, type: MemType) -> MemInst:
    """A memory of zeros.

    Fails   Exhaustion when the least it may have is more than what is left to the store, or to this machine
    Spec    exec/modules.html#alloc-mem
    """
    size = type.limits.min << type.page_bits
    if type.limits.min > max_pages(type) or not fits(store.memory, size):
        raise Exhaustion(f"memory of {type.limits.min} pages is more than the limit of this store")
    try:
        reserve = reserved(min(max_pages(type) << type.page_bits, store.memory.most)) if type.shared else None
        return MemInst(type, zeros(size) if reserve is None else memoryview(reserve)[:size], Share(store.memory, size), reserve)
    except NO_ROOM:
        raise Exhaustion(f"memory of {type.limits.min} pages is more than there is") from None


def alloctable(store: Store, type: TableType, ref: Ref) -> TableInst:
    """A table of the same reference everywhere.

    Fails   Exhaustion when the least it may have is more than what is left to the store, or to this machine
    Spec    exec/modules.html#alloc-table
    """
    size = type.limits.min
    if size > max_entries(type) or not fits(store.tables, size):
        raise Exhaustion(f"table of {size} entries is more than the limit of this store")
    try:
        return TableInst(type, [ref] * size, Share(store.tables, size))
    except NO_ROOM:
        raise Exhaustion(f"table of {size} entries is more than there is") from None


def share(store: Store, n: int) -> Heap | Share:
    """A place in the heap for something of `n` fields or elements, taken for as long as somebody refers to it.

    Cycles that nobody reaches are in the heap until Python's collector finds them, so it is asked before the heap is called full. It
    must then find more than a little, lest a heap that is nearly full be searched for each new thing.

    Fails   Exhaustion  "out of memory"
    """
    heap = store.heap
    if n < LARGE:
        if getrefcount(heap) + heap.elements > heap.most:
            make_room(heap, 1)
        return heap
    if getrefcount(heap) + heap.elements + n > heap.most:
        make_room(heap, n)
    return Share(heap, n)


def make_room(heap: Heap, n: int) -> None:
    """Collect cycles, so that something of that size fits.

    Fails   Exhaustion  "out of memory"
    """
    if n <= heap.most:
        gc.collect()
    if getrefcount(heap) + heap.elements + n > heap.most - heap.most // 16:
        raise Exhaustion(f"out of memory: the heap of {heap.most} is too full for {n} more")


def allocarray(store: Store, type: DefType, n: int, fields: Callable[[], list[Value]]) -> ArrayInst:
    """An array of that many elements.

    Fails   Exhaustion when it is larger than what is left of the heap
    Spec    exec/instructions.html#exec-array-new
    """
    taken = share(store, n)
    return ArrayInst(type, fields(), taken)


def mem_can_grow(mem: MemInst, n: int) -> bool:
    """Whether its type, and the limit of the store that made it, allow that many pages more."""
    bits = mem.type.page_bits
    return (len(mem.data) >> bits) + n <= max_pages(mem.type) and can_take(mem.share, n << bits)


def table_can_grow(table: TableInst, n: int) -> bool:
    """Whether its type, and the limit of the store that made it, allow that many entries more."""
    return len(table.refs) + n <= max_entries(table.type) and can_take(table.share, n)


def growmem(mem: MemInst, n: int) -> int | None:
    """Add pages of zeros: the pages before, or None when it cannot be done.

    Spec    exec/modules.html#grow-mem
    """
    with mem.lock:
        before, more = len(mem.data), n << mem.type.page_bits
        size = before + more
        if not mem_can_grow(mem, n) or (mem.reserve is not None and size > len(mem.reserve)):
            return None
        try:
            mem.data = extended(mem.data, size) if mem.reserve is None else memoryview(mem.reserve)[:size]
        except NO_ROOM:
            return None
        mem.share.grow(more)
    return before >> mem.type.page_bits


def zeros(size: int) -> Bytes:
    """That many zero bytes; of many, only those that are touched take room.

    Fails   MemoryError, OSError when there is no room
    """
    return bytearray(size) if size < LAZY_BYTES else mapped(size)


def mapped(size: int) -> mmap:
    """Zero bytes that are there at once, and take room one page at a time when they are touched.

    Fails   OSError when there is no room
    """
    if sys.platform == "win32":
        return mmap(-1, size)
    return mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)  # a shared mapping would not be extended by `resize`


def reserved(size: int) -> mmap | None:
    """Zero bytes for a memory that must not move, where the platform has room for so many."""
    try:
        return mapped(size) if size else None
    except (OSError, OverflowError, ValueError):
        return None


def ballast() -> Bytes:
    """Room that costs nothing, to be given back when there is none left.

    Fails   Exhaustion
    """
    try:
        return mapped(BALLAST)
    except OSError:
        raise Exhaustion("out of memory") from None


def extended(data: Bytes, size: int) -> Bytes:
    """The bytes and zeros behind them: the same object where it can be extended in place, as it cannot while somebody views it.

    Fails   MemoryError, OSError when there is no room
    """
    try:
        if isinstance(data, mmap):
            data.resize(size)
            return data
        if isinstance(data, bytearray) and size < LAZY_BYTES:
            data.extend(bytes(size - len(data)))
            return data
    except (BufferError, SystemError, ValueError):  # the latter two where the platform cannot resize
        pass
    moved = zeros(size)
    moved[: len(data)] = data[:]
    return moved


def growtable(table: TableInst, n: int, ref: Ref) -> int | None:
    """Add entries: how many there were before, or None when it cannot be done.

    Spec    exec/modules.html#grow-table
    """
    if not table_can_grow(table, n):
        return None
    size = len(table.refs)
    try:
        table.refs.extend([ref] * n)
    except NO_ROOM:
        return None
    table.share.grow(n)
    return size


def memtype(mem: MemInst) -> MemType:
    """The type of a memory as it is now: its size is the least it will have."""
    size = len(mem.data) >> mem.type.page_bits
    return replace(mem.type, limits=replace(mem.type.limits, min=size))


def tabletype(table: TableInst) -> TableType:
    """The type of a table as it is now: its size is the least it will have."""
    return replace(table.type, limits=replace(table.type.limits, min=len(table.refs)))
