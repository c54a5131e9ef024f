"""Memory instructions.

Spec    valid/instructions.html#memory-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import I32
from pywasm_ref.validation.context import Checker
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.instructions.signatures import SIGNATURES, apply
from pywasm_ref.validation.instructions.table import smaller


def access(c: Checker, i: form.Access) -> None:
    """Any load or store: the table says the types, the memory says what an address is.

    Fails   Invalid  "unknown memory", "alignment must not be larger than natural", "offset out of range", "type mismatch"
    Spec    valid/instructions.html#memory-arguments
    """
    mt = c.memory(i.memory)
    if i.align >= i.op.access.bit_length():
        raise Invalid(f"alignment must not be larger than natural: 2**{i.align} for an access of {i.op.access} bytes")
    if i.offset > 0xFFFF_FFFF and mt.addr is I32:
        raise Invalid(f"offset out of range: {i.offset} for a memory with 32-bit addresses")
    apply(c, SIGNATURES[mt.addr][i.op])


types(form.Load, "Instr_ok/load-val")(access)
types(form.LoadPack, "Instr_ok/load-pack")(access)
types(form.Store, "Instr_ok/store-val")(access)
types(form.StorePack, "Instr_ok/store-pack")(access)
types(form.VLoad, "Instr_ok/vload-val")(access)
types(form.VLoadPack, "Instr_ok/vload-pack")(access)
types(form.VLoadSplat, "Instr_ok/vload-splat")(access)
types(form.VLoadZero, "Instr_ok/vload-zero")(access)
types(form.VStore, "Instr_ok/vstore")(access)


@types(form.MemorySize, "Instr_ok/memory.size")
def memory_size(c: Checker, i: form.MemorySize) -> None:
    c.push(c.memory(i.memory).addr)


@types(form.MemoryGrow, "Instr_ok/memory.grow")
def memory_grow(c: Checker, i: form.MemoryGrow) -> None:
    at = c.memory(i.memory).addr
    c.pop(at)
    c.push(at)


@types(form.MemoryFill, "Instr_ok/memory.fill")
def memory_fill(c: Checker, i: form.MemoryFill) -> None:
    at = c.memory(i.memory).addr
    c.pop_vals((at, I32, at))


@types(form.MemoryCopy, "Instr_ok/memory.copy")
def memory_copy(c: Checker, i: form.MemoryCopy) -> None:
    target, source = c.memory(i.target).addr, c.memory(i.source).addr
    c.pop_vals((target, source, smaller(target, source)))


@types(form.MemoryInit, "Instr_ok/memory.init")
def memory_init(c: Checker, i: form.MemoryInit) -> None:
    at = c.memory(i.memory).addr
    c.data(i.data)
    c.pop_vals((at, I32, I32))


@types(form.DataDrop, "Instr_ok/data.drop")
def data_drop(c: Checker, i: form.DataDrop) -> None:
    c.data(i.data)
