"""Allocation and growth of what a store holds.

Spec    exec/modules.html#allocation
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from mmap import mmap

from pywasm_ref.errors import Exhaustion
from pywasm_ref.execution.runtime import ArrayInst, Bytes, MemInst, Ref, Share, Store, TableInst, Value
from pywasm_ref.syntax.types import I32, DefType, MemType, TableType

if sys.platform != "win32":
    from mmap import MAP_ANONYMOUS, MAP_PRIVATE

PAGE_BITS = 16
LAZY_BYTES = 1 << 26
"""A memory from this size on is mapped rather than allocated: it is there at once, but a store to it takes a little longer."""

LARGE_ARRAY = 1 << 10
MOST_ELEMENTS = 1 << 25
"""In all large arrays of a store together. What is small takes many instructions to fill a machine, so fuel is the limit there."""


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
        return MemInst(type, zeros(type.limits.min << type.page_bits))
    except (MemoryError, OSError):
        raise Exhaustion(f"memory of {type.limits.min} pages is more than there is") from None


def alloctable(store: Store, type: TableType, ref: Ref) -> TableInst:
    """A table of the same reference everywhere.

    Fails   Exhaustion when the least it may have is more than the store allows
    Spec    exec/modules.html#alloc-table
    """
    if type.limits.min > max_entries(store, type):
        raise Exhaustion(f"table of {type.limits.min} entries is more than the limit of this store")
    return TableInst(type, [ref] * type.limits.min)


def allocarray(store: Store, type: DefType, n: int, fields: Callable[[], list[Value]]) -> ArrayInst:
    """An array of that many elements; a large one counts against what the store allows for as long as it lives.

    Fails   Exhaustion when it is larger than what is left
    Spec    exec/instructions.html#exec-array-new
    """
    if n < LARGE_ARRAY:
        return ArrayInst(type, fields())
    if store.elements + n > MOST_ELEMENTS:
        raise Exhaustion(f"out of memory: array of {n} elements")
    return ArrayInst(type, fields(), Share(store, n))


def mem_can_grow(store: Store, mem: MemInst, n: int) -> bool:
    """Whether type and limits allow that many pages more."""
    return (len(mem.data) >> mem.type.page_bits) + n <= max_pages(store, mem.type)


def table_can_grow(store: Store, table: TableInst, n: int) -> bool:
    """Whether type and limits allow that many entries more."""
    return len(table.refs) + n <= max_entries(store, table.type)


def growmem(store: Store, mem: MemInst, n: int) -> bool:
    """Add pages of zeros, or say that it cannot be done.

    Spec    exec/modules.html#grow-mem
    """
    if not mem_can_grow(store, mem, n):
        return False
    try:
        mem.data = extended(mem.data, len(mem.data) + (n << mem.type.page_bits))
    except (MemoryError, OSError):
        return False
    return True


def zeros(size: int) -> Bytes:
    """That many zero bytes; of many, only those that are touched take room.

    Fails   MemoryError, OSError when there is no room
    """
    if size < LAZY_BYTES:
        return bytearray(size)
    if sys.platform == "win32":
        return mmap(-1, size)
    return mmap(-1, size, flags=MAP_PRIVATE | MAP_ANONYMOUS)  # a shared mapping would not be extended by `resize`


def extended(data: Bytes, size: int) -> Bytes:
    """The bytes and zeros behind them: the same object where it can be extended in place, as it cannot while somebody views it.

    Fails   MemoryError, OSError when there is no room
    """
    try:
        if isinstance(data, mmap):
            data.resize(size)
            return data
        if size < LAZY_BYTES:
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
    table.refs.extend([ref] * n)
    return True


def memtype(mem: MemInst) -> MemType:
    """The type of a memory as it is now: its size is the least it will have."""
    size = len(mem.data) >> mem.type.page_bits
    return replace(mem.type, limits=replace(mem.type.limits, min=size))


def tabletype(table: TableInst) -> TableType:
    """The type of a table as it is now: its size is the least it will have."""
    return replace(table.type, limits=replace(table.type.limits, min=len(table.refs)))
