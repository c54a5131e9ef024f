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
from pywasm_ref.execution.runtime import ArrayInst, Bytes, Heap, MemInst, Ref, Share, Store, TableInst, Value
from pywasm_ref.syntax.types import I32, DefType, MemType, TableType

if sys.platform != "win32":
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE

PAGE_BITS = 16
LAZY_BYTES = 1 << 26
"""A memory from this size on is mapped rather than allocated: it is there at once, but a store to it takes a little longer."""

BALLAST = 1 << 22
LARGE = 64
"""From so many fields or elements on they count one by one in the heap; what is smaller counts as one."""


def max_pages(store: Store, type: MemType) -> int:
    """The pages a memory may have: by its type, by what its addresses can reach, and by the limit of the store."""
    reach = 1 << ((32 if type.addr is I32 else 64) - type.page_bits)
    allowed = (store.memory_pages << PAGE_BITS) >> type.page_bits
    return min(reach if type.limits.max is None else type.limits.max, reach, allowed)


def max_entries(store: Store, type: TableType) -> int:
    """The entries a table may have: by its type, by what its indices can reach, and by the limit of the store."""
    reach = (1 << (32 if type.addr is I32 else 64)) - 1
    return min(reach if type.limits.max is None else type.limits.max, store.table_entries)


def allocmem(store: Store, type: MemType) -> MemInst:
    """A memory of zeros.

    Fails   Exhaustion when the least it may have is more than the store allows, or than this machine has
    Spec    exec/modules.html#alloc-mem
    """
    if type.limits.min > max_pages(store, type):
        raise Exhaustion(f"memory of {type.limits.min} pages is more than the limit of this store")
    try:
        size = type.limits.min << type.page_bits
        reserve = reserved(max_pages(store, type) << type.page_bits) if type.shared else None
        return MemInst(type, zeros(size) if reserve is None else memoryview(reserve)[:size], reserve)
    except (MemoryError, OSError):
        raise Exhaustion(f"memory of {type.limits.min} pages is more than there is") from None


def alloctable(store: Store, type: TableType, ref: Ref) -> TableInst:
    """A table of the same reference everywhere.

    Fails   Exhaustion when the least it may have is more than the store allows, or than this machine has
    Spec    exec/modules.html#alloc-table
    """
    if type.limits.min > max_entries(store, type):
        raise Exhaustion(f"table of {type.limits.min} entries is more than the limit of this store")
    try:
        return TableInst(type, [ref] * type.limits.min)
    except MemoryError:
        raise Exhaustion(f"table of {type.limits.min} entries is more than there is") from None


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


def mem_can_grow(store: Store, mem: MemInst, n: int) -> bool:
    """Whether type and limits allow that many pages more."""
    return (len(mem.data) >> mem.type.page_bits) + n <= max_pages(store, mem.type)


def table_can_grow(store: Store, table: TableInst, n: int) -> bool:
    """Whether type and limits allow that many entries more."""
    return len(table.refs) + n <= max_entries(store, table.type)


def growmem(store: Store, mem: MemInst, n: int) -> int | None:
    """Add pages of zeros: the pages before, or None when it cannot be done.

    Spec    exec/modules.html#grow-mem
    """
    with mem.lock:
        before = len(mem.data)
        size = before + (n << mem.type.page_bits)
        if not mem_can_grow(store, mem, n) or (mem.reserve is not None and size > len(mem.reserve)):
            return None
        try:
            mem.data = extended(mem.data, size) if mem.reserve is None else memoryview(mem.reserve)[:size]
        except (MemoryError, OSError):
            return None
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


def growtable(store: Store, table: TableInst, n: int, ref: Ref) -> bool:
    """Add entries, or say that it cannot be done.

    Spec    exec/modules.html#grow-table
    """
    if not table_can_grow(store, table, n):
        return False
    try:
        table.refs.extend([ref] * n)
    except MemoryError:
        return False
    return True


def memtype(mem: MemInst) -> MemType:
    """The type of a memory as it is now: its size is the least it will have."""
    size = len(mem.data) >> mem.type.page_bits
    return replace(mem.type, limits=replace(mem.type.limits, min=size))


def tabletype(table: TableInst) -> TableType:
    """The type of a table as it is now: its size is the least it will have."""
    return replace(table.type, limits=replace(table.type.limits, min=len(table.refs)))
