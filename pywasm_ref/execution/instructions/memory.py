"""Memory instructions on numbers, and on memories as a whole; those on vectors are in `vector.py`.

The codecs check the bounds as they read and write, so that the common case pays for no comparison.

Spec    exec/instructions.html#memory-instructions
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.allocation import growmem, mem_can_grow
from pywasm_ref.execution.instructions import bulk
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import Bytes
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32, NumType

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

U16, U32, U64, TWO_U64 = Struct("<H"), Struct("<I"), Struct("<Q"), Struct("<QQ")
MASK64 = 2**64 - 1

OUT_OF_BOUNDS = (struct.error, IndexError, OverflowError)
"""What the codecs raise at an address past the end; OverflowError at one that no machine has."""


def unpack_byte(data: bytes | Bytes, ea: int) -> tuple[int]:
    """The byte at an address."""
    return (data[ea],)


def pack_byte(data: Bytes, ea: int, c: int) -> None:
    """Write the byte at an address."""
    data[ea] = c


def unpack_vector(data: bytes | Bytes, ea: int) -> tuple[int]:
    """The 16 bytes at an address as one integer."""
    low, high = TWO_U64.unpack_from(data, ea)
    return (low | high << 64,)


def pack_vector(data: Bytes, ea: int, c: int) -> None:
    """Write an integer as the 16 bytes at an address."""
    TWO_U64.pack_into(data, ea, c & MASK64, c >> 64)


def _by_access(codecs: dict[int, Callable[..., Any]]) -> tuple[Any, ...]:
    return tuple(codecs.get(n) for n in range(17))


# Indexed by the number of bytes that an instruction accesses: an index into a tuple is cheaper than a look-up.
UNPACK = _by_access({1: unpack_byte, 2: U16.unpack_from, 4: U32.unpack_from, 8: U64.unpack_from, 16: unpack_vector})
PACK = _by_access({1: pack_byte, 2: U16.pack_into, 4: U32.pack_into, 8: U64.pack_into, 16: pack_vector})


def load_case(z: Machine, i: form.Access) -> bool:
    """Whether an access whose address is the last operand is out of bounds."""
    return bool(z.values[-1] + i.offset + i.op.access > len(z.module.mems[i.memory].data))


def store_case(z: Machine, i: form.Access) -> bool:
    """Whether an access whose address is the last operand but one is out of bounds."""
    return bool(z.values[-2] + i.offset + i.op.access > len(z.module.mems[i.memory].data))


@reduces(form.Load, "Step_read/load-num-val", "Step_read/load-num-oob", case=load_case)
def load(z: Machine, i: form.Load) -> None:
    """Traps   "out of bounds memory access"

    Spec    exec/instructions.html#exec-load-val
    """
    values = z.values
    try:
        values[-1] = UNPACK[i.op.access](z.module.mems[i.memory].data, values[-1] + i.offset)[0]
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None


@reduces(form.LoadPack, "Step_read/load-pack-val", "Step_read/load-pack-oob", case=load_case)
def load_pack(z: Machine, i: form.LoadPack) -> None:
    """Load a narrow integer and extend it.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-load-pack
    """
    values = z.values
    op = i.op
    try:
        c = UNPACK[op.access](z.module.mems[i.memory].data, values[-1] + i.offset)[0]
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None
    values[-1] = c if op.primitive is None else op.primitive(c)


@reduces(form.Store, "Step/store-num-val", "Step/store-num-oob", case=store_case)
def store(z: Machine, i: form.Store) -> None:
    """Traps   "out of bounds memory access"

    Spec    exec/instructions.html#exec-store-val
    """
    values = z.values
    c = values.pop()
    try:
        PACK[i.op.access](z.module.mems[i.memory].data, values.pop() + i.offset, c)
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None


@reduces(form.StorePack, "Step/store-pack-val", "Step/store-pack-oob", case=store_case)
def store_pack(z: Machine, i: form.StorePack) -> None:
    """Store the low bytes of an integer.

    Traps   "out of bounds memory access"
    Spec    exec/instructions.html#exec-store-pack
    """
    values = z.values
    c = values.pop()
    n = i.op.access
    try:
        PACK[n](z.module.mems[i.memory].data, values.pop() + i.offset, c & (1 << 8 * n) - 1)
    except OUT_OF_BOUNDS:
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY) from None


@reduces(form.MemorySize, "Step_read/memory.size")
def memory_size(z: Machine, i: form.MemorySize) -> None:
    """Units   pages

    Spec    exec/instructions.html#exec-memory-size
    """
    mem = z.module.mems[i.memory]
    z.values.append(len(mem.data) >> mem.type.page_bits)


def _grow_case(z: Machine, i: form.MemoryGrow) -> bool:
    return not mem_can_grow(z.module.mems[i.memory], z.values[-1])


@reduces(form.MemoryGrow, "Step/memory.grow-succeed", "Step/memory.grow-fail", case=_grow_case)
def memory_grow(z: Machine, i: form.MemoryGrow) -> None:
    """The size before, or -1 when the memory cannot grow.

    Spec    exec/instructions.html#exec-memory-grow
    """
    mem = z.module.mems[i.memory]
    size = growmem(mem, z.values[-1])
    z.values[-1] = minus_one(mem.type.addr) if size is None else size


def minus_one(addr: NumType) -> int:
    """The result of a growth that failed."""
    return 2**32 - 1 if addr is I32 else 2**64 - 1


def _fill_case(z: Machine, i: form.MemoryFill) -> int:
    start, _, n = z.values[-3:]
    return 0 if start + n > len(z.module.mems[i.memory].data) else 2 if n else 1


@reduces(form.MemoryFill, "Step_read/memory.fill-oob", "Step_read/memory.fill-zero", "Step_read/memory.fill-succ", case=_fill_case)
def memory_fill(z: Machine, i: form.MemoryFill) -> None:
    """All steps of the rule at once.

    Traps   "out of bounds memory access"  before anything is written
    Spec    exec/instructions.html#exec-memory-fill
    """
    values = z.values
    n, value, start = values.pop(), values.pop(), values.pop()
    data = z.module.mems[i.memory].data
    check_bounds(data, start, n)
    bulk.fill(z, data, start, bytes((value & 0xFF,)), n)


def check_bounds(data: bytes | Bytes, start: int, n: int) -> None:
    """Traps   "out of bounds memory access"  when the range is not inside"""
    if start + n > len(data):
        raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)


def _copy_case(z: Machine, i: form.MemoryCopy) -> int:
    target, source, n = z.values[-3:]
    mems = z.module.mems
    if target + n > len(mems[i.target].data) or source + n > len(mems[i.source].data):
        return 0
    return 1 if n == 0 else 2 if target <= source else 3


@reduces(
    form.MemoryCopy,
    "Step_read/memory.copy-oob", "Step_read/memory.copy-zero", "Step_read/memory.copy-le", "Step_read/memory.copy-gt",
    case=_copy_case,
)  # fmt: skip
def memory_copy(z: Machine, i: form.MemoryCopy) -> None:
    """All steps of the rule at once; the ranges may overlap.

    Traps   "out of bounds memory access"  before anything is written
    Spec    exec/instructions.html#exec-memory-copy
    """
    values = z.values
    n, start, to = values.pop(), values.pop(), values.pop()
    target, source = z.module.mems[i.target].data, z.module.mems[i.source].data
    check_bounds(target, to, n)
    check_bounds(source, start, n)
    bulk.copy(z, target, to, source, start, n)


def _init_case(z: Machine, i: form.MemoryInit) -> int:
    to, start, n = z.values[-3:]
    if to + n > len(z.module.mems[i.memory].data) or start + n > len(z.module.datas[i.data].data):
        return 0
    return 2 if n else 1


@reduces(form.MemoryInit, "Step_read/memory.init-oob", "Step_read/memory.init-zero", "Step_read/memory.init-succ", case=_init_case)
def memory_init(z: Machine, i: form.MemoryInit) -> None:
    """All steps of the rule at once.

    Traps   "out of bounds memory access"  before anything is written
    Spec    exec/instructions.html#exec-memory-init
    """
    values = z.values
    n, start, to = values.pop(), values.pop(), values.pop()
    target, source = z.module.mems[i.memory].data, z.module.datas[i.data].data
    check_bounds(target, to, n)
    check_bounds(source, start, n)
    bulk.copy(z, target, to, source, start, n)


@reduces(form.DataDrop, "Step/data.drop")
def data_drop(z: Machine, i: form.DataDrop) -> None:
    """Spec    exec/instructions.html#exec-data-drop"""
    z.module.datas[i.data].data = b""
