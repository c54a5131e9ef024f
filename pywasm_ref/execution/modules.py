"""Instantiation: imports are matched, instances allocated, segments copied, and the start function is called.

Spec    exec/modules.html
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pywasm_ref.errors import Trap, TrapReason, Unlinkable
from pywasm_ref.execution.allocation import allocmem, alloctable, memtype, tabletype
from pywasm_ref.execution.machine import evaluate, invoke
from pywasm_ref.execution.runtime import (
    DataInst,
    ElemInst,
    ExternInst,
    FuncInst,
    GlobalInst,
    HostFunc,
    MemInst,
    ModuleInst,
    Store,
    TableInst,
    TagInst,
    Value,
)
from pywasm_ref.syntax.instructions import Const, Expr, RefFunc
from pywasm_ref.syntax.modules import Active, ExternKind, Import, Mode, Module
from pywasm_ref.syntax.types import DefType, ExternType, FuncTypeUse
from pywasm_ref.validation.matching import match_externtype
from pywasm_ref.validation.types import close, deftypes


def instantiate(store: Store, module: Module, imports: Sequence[ExternInst], types: Sequence[DefType] | None = None) -> ModuleInst:
    """Bring a valid module to life. `types` are the defined types of its type section, where they were made already.

    Traps   when a segment does not fit, or as the start function does; what was written before stays written
    Fails   Unlinkable when the imports are not as many, or not of such types, as the module says;
            Exhaustion when a memory or table is larger than the store allows
    Spec    exec/modules.html#instantiation
    """
    inst = ModuleInst(module, deftypes(module.types) if types is None else types)
    link(inst, imports)
    allocate(store, inst)
    inst.exports = {export.name: spaces(inst)[export.kind][export.index] for export in module.exports}
    elements(inst, store)
    datas(inst, store)
    if module.start is not None:
        invoke(store, inst.funcs[module.start], [])
    return inst


# Imports


def link(inst: ModuleInst, imports: Sequence[ExternInst]) -> None:
    """Put the imports into the index spaces, each matched with the type that the module wants."""
    wanted = inst.module.imports
    if len(imports) != len(wanted):
        raise Unlinkable(f"unknown import: {len(imports)} given, {len(wanted)} wanted")
    for extern, import_ in zip(imports, wanted, strict=True):
        if not match_externtype(externtype(extern), close(import_.type, inst.types)):
            raise incompatible(import_)
        SPACE_OF[extern.__class__](inst).append(extern)


def incompatible(import_: Import) -> Unlinkable:
    """The refusal of an import of the wrong type."""
    return Unlinkable(f'incompatible import type for "{import_.module}" "{import_.name}"')


SPACE_OF = {
    FuncInst: lambda inst: inst.funcs,
    HostFunc: lambda inst: inst.funcs,
    TableInst: lambda inst: inst.tables,
    MemInst: lambda inst: inst.mems,
    GlobalInst: lambda inst: inst.globals,
    TagInst: lambda inst: inst.tags,
}


def spaces(inst: ModuleInst) -> dict[ExternKind, Sequence[ExternInst]]:
    """The index spaces that can be exported from."""
    return {
        ExternKind.FUNC: inst.funcs,
        ExternKind.TABLE: inst.tables,
        ExternKind.MEM: inst.mems,
        ExternKind.GLOBAL: inst.globals,
        ExternKind.TAG: inst.tags,
    }


def externtype(extern: ExternInst) -> ExternType:
    """The type that an instance has now, for matching it with an import.

    Spec    valid/modules.html#external-addresses
    """
    match extern:
        case FuncInst() | HostFunc():
            return FuncTypeUse(extern.type)
        case TableInst():
            return tabletype(extern)
        case MemInst():
            return memtype(extern)
        case GlobalInst() | TagInst():
            return extern.type


# Allocation


def allocate(store: Store, inst: ModuleInst) -> None:
    """Make what the module defines, in an order in which each initial value can refer to what stands before it.

    Spec    exec/modules.html#alloc-module
    """
    module, closed = inst.module, partial(close, deftypes=inst.types)
    inst.tags.extend(TagInst(closed(tag.type)) for tag in module.tags)
    start = len(inst.funcs)
    inst.funcs.extend(FuncInst(inst.types[func.type], inst, func, index) for index, func in enumerate(module.funcs, start))
    for definition in module.globals:
        inst.globals.append(GlobalInst(closed(definition.type), value(store, inst, definition.init)))
    for mem in module.mems:
        inst.mems.append(allocmem(store, mem.type))
    for definition_ in module.tables:
        ref = None if definition_.init is None else value(store, inst, definition_.init)
        inst.tables.append(alloctable(store, closed(definition_.type), ref))
    for elem in module.elems:
        inst.elems.append(ElemInst(closed(elem.type), [value(store, inst, init) for init in elem.inits]))
    inst.datas.extend(DataInst(data.init) for data in module.datas)


def value(store: Store, inst: ModuleInst, expr: Expr) -> Value:
    """The value of a constant expression; the two commonest kinds need no machine."""
    if len(expr.body) == 1 and store.observer is None:
        i = expr.body[0]
        if isinstance(i, Const):
            return i.value
        if isinstance(i, RefFunc):
            return inst.funcs[i.func]
    return evaluate(store, inst, expr.body)


# Segments


def elements(inst: ModuleInst, store: Store) -> None:
    """Copy the active element segments into their tables; those and the declarative ones are dropped.

    Traps   "out of bounds table access"  when one does not fit; those before it stay copied
    """
    for k, (elem, segment) in enumerate(zip(inst.elems, inst.module.elems, strict=True)):
        if isinstance(segment.mode, Active):
            refs = inst.tables[segment.mode.index].refs
            offset = value(store, inst, segment.mode.offset)
            if offset + len(elem.refs) > len(refs):
                raise misfit(inst, TrapReason.OUT_OF_BOUNDS_TABLE, "elems", k)
            refs[offset : offset + len(elem.refs)] = elem.refs
        if segment.mode is not Mode.PASSIVE:
            elem.refs = []


def datas(inst: ModuleInst, store: Store) -> None:
    """Copy the active data segments into their memories, and drop them.

    Traps   "out of bounds memory access"  when one does not fit; those before it stay copied
    """
    for k, (data, segment) in enumerate(zip(inst.datas, inst.module.datas, strict=True)):
        if isinstance(segment.mode, Active):
            target = inst.mems[segment.mode.index].data
            offset = value(store, inst, segment.mode.offset)
            if offset + len(data.data) > len(target):
                raise misfit(inst, TrapReason.OUT_OF_BOUNDS_MEMORY, "datas", k)
            target[offset : offset + len(data.data)] = data.data
            data.data = b""


def misfit(inst: ModuleInst, reason: TrapReason, part: str, index: int) -> Trap:
    """The trap of a segment that does not fit, at the place of the segment."""
    error = Trap(reason)
    error.at, error.source = inst.module.places.of(part, index), inst.module.source
    return error
