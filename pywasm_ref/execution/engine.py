"""The reference engine as the embedding's protocols see it: every operation of the appendix, on the runtime structure itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from threading import get_ident
from typing import Any, Protocol

from pywasm_ref.binary import decode, encode
from pywasm_ref.errors import Exhaustion, Interrupted, Trap, TrapReason
from pywasm_ref.execution import modules
from pywasm_ref.execution.allocation import allocmem, alloctable, growmem, growtable, memtype, tabletype
from pywasm_ref.execution.machine import invoke
from pywasm_ref.execution.runtime import (
    I31,
    ArrayInst,
    ExnInst,
    ExternRef,
    FuncInst,
    GlobalInst,
    HostFunc,
    HostRef,
    MemInst,
    ModuleInst,
    Store,
    StructInst,
    TableInst,
    TagInst,
    Value,
)
from pywasm_ref.features import Features
from pywasm_ref.source import Source
from pywasm_ref.syntax.modules import Module, Names
from pywasm_ref.syntax.types import AbsHeapType, DefType, ExternType, GlobalType, MemType, RefType, TableType, TagType
from pywasm_ref.validation.modules import ModuleType, validate
from pywasm_ref.validation.types import deftypes


class Limits(Protocol):
    """What a store may use; see `embedding/limits.py`."""

    @property
    def fuel(self) -> int | None: ...
    @property
    def memory_pages(self) -> int: ...
    @property
    def table_entries(self) -> int: ...
    @property
    def call_depth(self) -> int: ...
    @property
    def heap(self) -> int: ...


class ReferenceModule:
    """A module that was read, and its type once it is known."""

    def __init__(self, engine: ReferenceEngine, module: Module, features: Features) -> None:
        self.engine = engine
        self.module = module
        self.features = features

    @cached_property
    def type(self) -> ModuleType:
        """Imports and exports in closed types.

        Fails   Invalid
        """
        return validate(self.module, self.features)

    @cached_property
    def types(self) -> list[DefType]:
        """The defined types of a valid module, by index."""
        return deftypes(self.module.types)

    def validate(self) -> None:
        _ = self.type

    @cached_property
    def imports(self) -> list[tuple[str, str, ExternType]]:
        return [(entry.module, entry.name, xt) for entry, xt in zip(self.module.imports, self.type.imports, strict=True)]

    @cached_property
    def exports(self) -> list[tuple[str, ExternType]]:
        return [(entry.name, xt) for entry, xt in zip(self.module.exports, self.type.exports, strict=True)]

    @property
    def binary(self) -> bytes:
        source = self.module.source
        return source.data if source is not None and isinstance(source.data, bytes) else encode(self.module, names=True)

    @property
    def customs(self) -> list[tuple[str, bytes]]:
        return [(custom.name, custom.data) for custom in self.module.customs]

    @property
    def names(self) -> Names:
        return self.module.names

    @property
    def source(self) -> Source | None:
        return self.module.source

    @cached_property
    def field_names(self) -> dict[DefType, dict[str, int]]:
        named = self.module.names.fields
        return {self.types[x]: {name: i for i, name in names.items()} for x, names in named.items() if x < len(self.types)}


class ReferenceInstance:
    """A module instance whose exports can be looked up."""

    __slots__ = ("__weakref__", "moduleinst")

    def __init__(self, moduleinst: ModuleInst) -> None:
        self.moduleinst = moduleinst

    @property
    def exports(self) -> Mapping[str, Any]:
        return self.moduleinst.exports


class ReferenceStore(Store):
    """A store with all that a host can do with it."""

    __slots__ = ("engine", "limits", "turns")

    def __init__(self, engine: ReferenceEngine, limits: Limits) -> None:
        super().__init__(limits.call_depth, limits.memory_pages, limits.table_entries, limits.fuel, limits.heap)
        self.engine = engine
        self.limits = limits
        self.turns: list[int] = []
        """The thread of each call that is under way; and, for a moment, of those that are refused because they are not of the first's."""

    def begin(self) -> None:
        """Take a turn, which ends when this thread is removed from `turns`.

        Fails   RuntimeError when another thread is at work here
        """
        me = get_ident()
        self.turns.append(me)
        if self.turns[0] != me:
            self.turns.remove(me)
            raise elsewhere()

    # Modules

    def module_instantiate(self, module: ReferenceModule, externs: Sequence[Any]) -> ReferenceInstance:
        module.validate()
        self.begin()
        try:
            if self.stop:
                raise Interrupted("interrupted")
            return ReferenceInstance(modules.instantiate(self, module.module, list(externs), module.types))
        finally:
            self.turns.remove(get_ident())

    # Functions

    def func_alloc(self, type: DefType, code: Callable[[Sequence[Value]], Sequence[Value]]) -> HostFunc:
        return HostFunc(type, code)

    def func_type(self, func: FuncInst | HostFunc) -> DefType:
        return func.type

    def func_invoke(self, func: FuncInst | HostFunc, args: Sequence[Value]) -> list[Value]:
        self.begin()
        try:
            return invoke(self, func, args)
        finally:
            self.turns.remove(get_ident())

    # Tables

    def table_alloc(self, type: TableType, init: Value) -> TableInst:
        return alloctable(self, type, init)

    def table_type(self, table: TableInst) -> TableType:
        return tabletype(table)

    def table_read(self, table: TableInst, i: int) -> Value:
        if not 0 <= i < len(table.refs):
            raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)
        return table.refs[i]

    def table_write(self, table: TableInst, i: int, ref: Value) -> None:
        if not 0 <= i < len(table.refs):
            raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)
        table.refs[i] = ref

    def table_size(self, table: TableInst) -> int:
        return len(table.refs)

    def table_grow(self, table: TableInst, n: int, init: Value) -> None:
        if growtable(table, n, init) is None:
            raise Exhaustion(f"a table of {len(table.refs)} entries cannot grow by {n}")

    # Memories

    def mem_alloc(self, type: MemType) -> MemInst:
        return allocmem(self, type)

    def mem_type(self, memory: MemInst) -> MemType:
        return memtype(memory)

    def mem_read(self, memory: MemInst, i: int) -> int:
        if not 0 <= i < len(memory.data):
            raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
        return memory.data[i]

    def mem_write(self, memory: MemInst, i: int, byte: int) -> None:
        if not 0 <= i < len(memory.data):
            raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
        memory.data[i] = byte

    def mem_size(self, memory: MemInst) -> int:
        return len(memory.data) >> memory.type.page_bits

    def mem_grow(self, memory: MemInst, n: int) -> None:
        if growmem(memory, n) is None:
            raise Exhaustion(f"a memory of {self.mem_size(memory)} pages cannot grow by {n}")

    def mem_view(self, memory: MemInst) -> memoryview:
        return memoryview(memory.data)

    # Tags and exceptions

    def tag_alloc(self, type: TagType) -> TagInst:
        return TagInst(type)

    def tag_type(self, tag: TagInst) -> TagType:
        return tag.type

    def exn_alloc(self, tag: TagInst, values: Sequence[Value]) -> ExnInst:
        return ExnInst(tag, tuple(values))

    def exn_tag(self, exn: ExnInst) -> TagInst:
        return exn.tag

    def exn_read(self, exn: ExnInst) -> tuple[Value, ...]:
        return exn.fields

    # Globals

    def global_alloc(self, type: GlobalType, value: Value) -> GlobalInst:
        return GlobalInst(type, value)

    def global_type(self, variable: GlobalInst) -> GlobalType:
        return variable.type

    def global_read(self, variable: GlobalInst) -> Value:
        return variable.value

    def global_write(self, variable: GlobalInst, value: Value) -> None:
        if not variable.type.mut:
            raise TypeError("immutable global")
        variable.value = value

    # References

    def ref_type(self, ref: Value) -> RefType:
        return NULL if ref is None else REF_TYPES[type(ref)](ref)

    def extern_type(self, extern: Any) -> ExternType:
        return modules.externtype(extern)

    def host_alloc(self, value: object) -> ExternRef:
        return ExternRef(HostRef(value))

    def host_read(self, ref: Value) -> object:
        inner = ref.ref if isinstance(ref, ExternRef) else ref
        if not isinstance(inner, HostRef):
            raise TypeError("the reference does not stand for an object of the host")
        return inner.value

    def i31_alloc(self, value: int) -> I31:
        return I31(value)

    def i31_read(self, ref: I31) -> int:
        return ref.value

    def extern_internalize(self, ref: ExternRef | None) -> Value:
        return None if ref is None else ref.ref

    def extern_externalize(self, ref: Value) -> ExternRef | None:
        return None if ref is None else ExternRef(ref)

    def aggregate_size(self, ref: StructInst | ArrayInst) -> int:
        return len(ref.fields)

    def aggregate_read(self, ref: StructInst | ArrayInst, i: int) -> Value:
        return ref.fields[i]

    def aggregate_write(self, ref: StructInst | ArrayInst, i: int, value: Value) -> None:
        ref.fields[i] = value

    # Control

    def interrupt(self) -> None:
        self.stop = True

    def resume(self) -> None:
        self.stop = False

    def observe(self, observer: Any) -> None:
        self.observer = observer

    @property
    def fuel(self) -> int | None:
        return self.fuel_left

    @fuel.setter
    def fuel(self, fuel: int | None) -> None:
        if self.turns and self.turns[0] != get_ident():
            raise elsewhere()
        if self.machines and self.fuel_left is None and fuel is not None:
            raise RuntimeError("a store without fuel gets none while a guest runs, whose instructions are not counted")
        self.fuel_left = fuel


def elsewhere() -> RuntimeError:
    return RuntimeError("the store is running in another thread")


def _concrete(ref: StructInst | ArrayInst | FuncInst | HostFunc) -> RefType:
    return RefType(False, ref.type)


def _abstract(heap: AbsHeapType) -> Callable[[Any], RefType]:
    type = RefType(False, heap)
    return lambda ref: type


NULL = RefType(True, AbsHeapType.NONE)

REF_TYPES: dict[type[Any], Callable[[Any], RefType]] = {
    StructInst: _concrete,
    ArrayInst: _concrete,
    FuncInst: _concrete,
    HostFunc: _concrete,
    I31: _abstract(AbsHeapType.I31),
    ExnInst: _abstract(AbsHeapType.EXN),
    HostRef: _abstract(AbsHeapType.ANY),
    ExternRef: _abstract(AbsHeapType.EXTERN),
}


class ReferenceEngine:
    """The engine that reads like the specification."""

    name = "reference"
    func_parts: type | None = None

    def decode(self, source: Source, features: Features) -> ReferenceModule:
        """Fails   Malformed"""
        if not isinstance(source.data, bytes):
            raise TypeError("a binary is bytes, not a text")
        return self.adopt(replace(decode(source.data, features), source=source), features)

    def adopt(self, module: Module, features: Features) -> ReferenceModule:
        return ReferenceModule(self, module, features)

    def store(self, limits: Limits) -> ReferenceStore:
        return ReferenceStore(self, limits)


ENGINE = ReferenceEngine()
"""The one engine of this kind; `embedding/selection.py` finds it here."""
