"""A store of wasmtime behind our protocol: what is in it, and all that can be done with it."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Mapping, Sequence
from ctypes import POINTER, byref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pywasm_ref import binary
from pywasm_ref.embedding.engine import HostCode, Limits, Value
from pywasm_ref.errors import Exhaustion, Trap, TrapReason, Unlinkable, WasmError, WasmException
from pywasm_ref.syntax import modules as syntax
from pywasm_ref.syntax.instructions import Expr
from pywasm_ref.syntax.modules import Export, ExternKind, Module
from pywasm_ref.syntax.types import (
    AbsHeapType,
    DefType,
    ExternType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    MemType,
    RecType,
    RefType,
    SubType,
    TableType,
    TagType,
)
from pywasm_ref.tools.difftest.generate.space import const, make
from pywasm_ref.tools.difftest.wasmtime import api
from pywasm_ref.tools.difftest.wasmtime.api import Ref
from pywasm_ref.tools.difftest.wasmtime.convert import beyond_c, converter, internal
from pywasm_ref.validation.types import functype

if TYPE_CHECKING:
    from pywasm_ref.tools.difftest.wasmtime.engine import WasmtimeEngine

c: Any = api.c
FUNC, GLOBAL, TABLE, MEMORY, SHARED, TAG = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Door:
    """Something that can be imported and exported."""

    type: Any
    kind: int
    value: Any


@dataclass(frozen=True, slots=True)
class Instance:
    exports: Mapping[str, Door]


MEMBERS = {FUNC: "func", GLOBAL: "global_", TABLE: "table", MEMORY: "memory", SHARED: "sharedmemory", TAG: "tag"}


class WasmtimeStore:
    """A store; what the host makes in it comes from small modules that define and export just that."""

    def __init__(self, engine: WasmtimeEngine, limits: Limits) -> None:
        self.engine = engine
        self.limits = limits
        self.features = engine.features
        self.pointer = c.wasmtime_store_new(engine.pointer(self.features), None, api.nothing)
        self.context = c.wasmtime_store_context(self.pointer)
        c.wasmtime_store_limiter(self.pointer, limits.memory_pages << 16, limits.table_entries, -1, -1, -1)
        self.hosts: dict[int, object] = {}
        self.codes: list[Any] = []
        self.raised: BaseException | None = None
        self.fuel = limits.fuel

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            c.wasmtime_store_delete(self.pointer)

    # Fuel, which wasmtime counts in units of its own

    @property
    def fuel(self) -> int | None:
        if not self.engine.metered:
            return None
        left = ctypes.c_uint64()
        api.check(c.wasmtime_context_get_fuel(self.context, byref(left)))
        return int(left.value)

    @fuel.setter
    def fuel(self, fuel: int | None) -> None:
        if self.engine.metered:
            api.check(c.wasmtime_context_set_fuel(self.context, 2**63 if fuel is None else fuel))
        elif fuel is not None:
            raise NotImplementedError("fuel, in an engine that does not count it")

    # Modules

    def module_instantiate(self, module: Any, externs: Sequence[Any]) -> Instance:
        array = (c.wasmtime_extern_t * max(1, len(externs)))()
        for i, door in enumerate(externs):
            array[i].kind = door.kind
            setattr(array[i].of, MEMBERS[door.kind], door.value)
        raw = c.wasmtime_instance_t()
        trap = POINTER(c.wasm_trap_t)()
        error = c.wasmtime_instance_new(self.context, module.pointer, array, len(externs), byref(raw), byref(trap))
        if error:
            words = api.message(error)
            raise (Unlinkable if "import" in words else Exhaustion)(words)
        self._after(trap)
        return Instance({name: self._export(raw, name, t) for name, t in module.exports})

    def _export(self, raw: Any, name: str, t: ExternType) -> Door:
        item = c.wasmtime_extern_t()
        encoded = name.encode()
        if not c.wasmtime_instance_export_get(self.context, byref(raw), ctypes.create_string_buffer(encoded), len(encoded), byref(item)):
            raise Unlinkable(f"wasmtime does not know the export {name!r}")
        found = getattr(item.of, MEMBERS[item.kind])
        value = type(found).from_buffer_copy(found)
        return Door(t.type if isinstance(t, FuncTypeUse) else t, item.kind, value)

    def _made(self, module: Module) -> Door:
        """The only export of a module of our own."""
        made = self.engine.host_module(binary.encode(module), self.features)
        (door,) = self.module_instantiate(made, ()).exports.values()
        return door

    def _after(self, trap: Any) -> None:
        """Raise what a call ended with: an exception of the host, one of the guest, or a trap."""
        raised, self.raised = self.raised, None
        exn = c.wasmtime_exnref_t()
        pending = c.wasmtime_context_take_exception(self.context, byref(exn))
        error = api.trap_error(trap) if trap else None
        if raised is not None:
            raise raised
        if pending:
            ref = Ref(api.EXN_KIND, type(exn).from_buffer_copy(exn))
            raise WasmException(self.exn_tag(ref), tuple(self.exn_read(ref)), ref)
        if error is not None:
            raise error

    # Functions

    def func_alloc(self, type: DefType, code: HostCode) -> Door:
        t = functype(type)
        if any(map(beyond_c, (*t.params, *t.results))):
            return self._converted(type, t, code)
        return Door(type, FUNC, self._func(t, code))

    def _func(self, t: FuncType, code: HostCode) -> Any:
        pointer = api.functype(t.params, t.results)

        def callback(_env: Any, _caller: Any, args: Any, nargs: int, results: Any, nresults: int) -> int:
            try:
                given = code([api.from_val(_copy(args[i])) for i in range(nargs)])
                for i in range(nresults):
                    results[i] = api.to_val(self.context, t.results[i], given[i])
            except Exception as error:  # noqa: BLE001  whatever the host raises goes through the guest, and is raised again behind it
                return int(ctypes.cast(self._thrown(error), ctypes.c_void_p).value or 0)
            return 0

        called = c.wasmtime_func_callback_t(callback)
        self.codes.append(called)
        value = c.wasmtime_func_t()
        c.wasmtime_func_new(self.context, pointer, called, None, api.nothing, byref(value))
        c.wasm_functype_delete(pointer)
        return value

    def _converted(self, type: DefType, t: FuncType, code: HostCode) -> Door:
        """A function of the host with references of which C can make no types, behind a module that converts them."""
        module, outside = converter(t)

        def inside(args: Sequence[Value]) -> Sequence[Value]:
            given = code([self.extern_internalize(arg) if arg and internal(p) else arg for p, arg in zip(t.params, args, strict=True)])
            return [self.extern_externalize(value) if value and internal(r) else value for r, value in zip(t.results, given, strict=True)]

        made = self.engine.host_module(binary.encode(module), self.features)
        (door,) = self.module_instantiate(made, (Door(None, FUNC, self._func(outside, inside)),)).exports.values()
        return Door(type, FUNC, door.value)

    def _thrown(self, error: Exception) -> Any:
        """What a function of the host ends with: an exception that the guest can catch, or a trap."""
        if isinstance(error, WasmException) and isinstance(error.exn, Ref):
            exn = type(error.exn.value).from_buffer_copy(error.exn.value)
            return c.wasmtime_context_set_exception(self.context, byref(exn))
        self.raised = error
        return c.wasmtime_trap_new(ctypes.create_string_buffer(b"host"), 4)

    def func_type(self, func: Any) -> DefType:
        found: DefType = func.type
        return found

    def func_invoke(self, func: Any, args: Sequence[Value]) -> Sequence[Value]:
        t = functype(func.type)
        given = api.vals(self.context, t.params, args)
        results = (c.wasmtime_val_t * max(1, len(t.results)))()
        trap = POINTER(c.wasm_trap_t)()
        error = c.wasmtime_func_call(self.context, byref(func.value), given, len(args), results, len(t.results), byref(trap))
        if error:
            words = api.message(error)
            self._after(trap)
            raise Exhaustion(words)
        self._after(trap)
        return [api.from_val(_copy(results[i])) for i in range(len(t.results))]

    # Tables

    def table_alloc(self, type: TableType, init: Value) -> Door:
        door = self._made(Module(tables=(syntax.Table(type),), exports=(Export("x", ExternKind.TABLE, 0),)))
        if init is not None:
            for i in range(type.limits.min):
                self.table_write(door, i, init)
        return door

    def table_type(self, table: Any) -> TableType:
        found: TableType = table.type
        return replace(found, limits=replace(found.limits, min=self.table_size(table)))

    def table_read(self, table: Any, i: int) -> Value:
        val = c.wasmtime_val_t()
        if not c.wasmtime_table_get(self.context, byref(table.value), i, byref(val)):
            raise Trap(TrapReason.OUT_OF_BOUNDS_TABLE)
        return api.from_val(val)

    def table_write(self, table: Any, i: int, ref: Value) -> None:
        val = api.to_val(self.context, table.type.elem, ref)
        api.check(c.wasmtime_table_set(self.context, byref(table.value), i, byref(val)), lambda _: Trap(TrapReason.OUT_OF_BOUNDS_TABLE))

    def table_size(self, table: Any) -> int:
        return int(c.wasmtime_table_size(self.context, byref(table.value)))

    def table_grow(self, table: Any, n: int, init: Value) -> None:
        val = api.to_val(self.context, table.type.elem, init)
        api.check(c.wasmtime_table_grow(self.context, byref(table.value), n, byref(val), byref(ctypes.c_uint64())))

    # Memories

    def mem_alloc(self, type: MemType) -> Door:
        return self._made(Module(mems=(syntax.Mem(type),), exports=(Export("x", ExternKind.MEM, 0),)))

    def mem_type(self, memory: Any) -> MemType:
        found: MemType = memory.type
        return replace(found, limits=replace(found.limits, min=self.mem_size(memory)))

    def mem_read(self, memory: Any, i: int) -> int:
        with self.mem_view(memory) as view:
            if i >= len(view):
                raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
            return int(view[i])

    def mem_write(self, memory: Any, i: int, byte: int) -> None:
        with self.mem_view(memory) as view:
            if i >= len(view):
                raise Trap(TrapReason.OUT_OF_BOUNDS_MEMORY)
            view[i] = byte

    def mem_size(self, memory: Any) -> int:
        with self.mem_view(memory) as view:
            return len(view) >> int(memory.type.page_bits)

    def mem_grow(self, memory: Any, n: int) -> None:
        api.check(c.wasmtime_memory_grow(self.context, byref(memory.value), n, byref(ctypes.c_uint64())))

    def mem_view(self, memory: Any) -> memoryview:
        if memory.kind == SHARED:
            data, size = c.wasmtime_sharedmemory_data(memory.value), c.wasmtime_sharedmemory_data_size(memory.value)
        else:
            data = c.wasmtime_memory_data(self.context, byref(memory.value))
            size = c.wasmtime_memory_data_size(self.context, byref(memory.value))
        if size == 0:
            return memoryview(bytearray())
        return memoryview((ctypes.c_uint8 * size).from_address(ctypes.addressof(data.contents))).cast("B")

    # Globals, tags, exceptions

    def global_alloc(self, type: GlobalType, value: Value) -> Door:
        init = make("ref.null", type.type.heap) if isinstance(type.type, RefType) else const(type.type, value)
        mutable = isinstance(type.type, RefType) and value is not None
        if mutable:
            raise NotImplementedError("a global with a reference of the host")
        made = Module(globals=(syntax.Global(type, Expr((init,))),), exports=(Export("x", ExternKind.GLOBAL, 0),))
        return self._made(made)

    def global_type(self, variable: Any) -> GlobalType:
        found: GlobalType = variable.type
        return found

    def global_read(self, variable: Any) -> Value:
        val = c.wasmtime_val_t()
        c.wasmtime_global_get(self.context, byref(variable.value), byref(val))
        return api.from_val(val)

    def global_write(self, variable: Any, value: Value) -> None:
        val = api.to_val(self.context, variable.type.type, value)
        api.check(c.wasmtime_global_set(self.context, byref(variable.value), byref(val)), WasmError)

    def tag_alloc(self, type: TagType) -> Door:
        if not isinstance(type.type, DefType):
            raise TypeError("the type of a tag of a store is closed")
        types = (RecType((SubType(True, (), functype(type.type)),)),)
        made = self._made(Module(types=types, tags=(syntax.Tag(TagType(0)),), exports=(Export("x", ExternKind.TAG, 0),)))
        return Door(type, TAG, made.value)

    def tag_type(self, tag: Any) -> TagType:
        found: TagType = tag.type
        return found

    def same_tag(self, tag: Any, other: Any) -> bool:
        return bool(c.wasmtime_tag_eq(self.context, byref(tag.value), byref(other.value)))

    def exn_alloc(self, tag: Any, values: Sequence[Value]) -> Ref:
        given = api.vals(self.context, functype(tag.type.type).params, values)
        exn = c.wasmtime_exnref_t()
        api.check(c.wasmtime_exnref_new(self.context, byref(tag.value), given, len(values), byref(exn)))
        return Ref(api.EXN_KIND, exn)

    def exn_tag(self, exn: Any) -> Door:
        """A tag without its type, which C does not tell."""
        tag = c.wasmtime_tag_t()
        api.check(c.wasmtime_exnref_tag(self.context, byref(exn.value), byref(tag)))
        return Door(None, TAG, tag)

    def exn_read(self, exn: Any) -> Sequence[Value]:
        found = []
        for i in range(c.wasmtime_exnref_field_count(self.context, byref(exn.value))):
            val = c.wasmtime_val_t()
            api.check(c.wasmtime_exnref_field(self.context, byref(exn.value), i, byref(val)))
            found.append(api.from_val(val))
        return found

    # References

    def ref_type(self, ref: Any) -> RefType:
        if isinstance(ref, Door):
            return RefType(False, ref.type)
        return RefType(False, self._heap(ref))

    def _heap(self, ref: Ref) -> AbsHeapType:
        if ref.kind != api.ANY_KIND:
            return {api.FUNC_KIND: AbsHeapType.FUNC, api.EXTERN_KIND: AbsHeapType.EXTERN, api.EXN_KIND: AbsHeapType.EXN}[ref.kind]
        at = byref(ref.value)
        if c.wasmtime_anyref_i31_get_u(self.context, at, byref(ctypes.c_uint32())):  # `is_i31` says yes to objects of the host, too
            return AbsHeapType.I31
        if c.wasmtime_anyref_is_struct(self.context, at):
            return AbsHeapType.STRUCT
        return AbsHeapType.ARRAY if c.wasmtime_anyref_is_array(self.context, at) else AbsHeapType.ANY

    def extern_type(self, extern: Any) -> ExternType:
        if extern.kind == FUNC:
            return FuncTypeUse(extern.type)
        if extern.kind == TABLE:
            return self.table_type(extern)
        found: ExternType = self.mem_type(extern) if extern.kind in (MEMORY, SHARED) else extern.type
        return found

    def host_alloc(self, value: object) -> Ref:
        number = len(self.hosts) + 1
        self.hosts[number] = value
        ref = c.wasmtime_externref_t()
        if not c.wasmtime_externref_new(self.context, number, api.nothing, byref(ref)):
            raise Exhaustion("no room for a reference")
        return Ref(api.EXTERN_KIND, ref)

    def host_read(self, ref: Any) -> object:
        if isinstance(ref, Door) or ref.kind in (api.FUNC_KIND, api.EXN_KIND):
            raise TypeError("a reference to something of the guest")
        outside = self.extern_externalize(ref) if ref.kind == api.ANY_KIND else ref
        inside = self.extern_internalize(outside)
        if self._heap(inside) is not AbsHeapType.ANY:
            raise TypeError("a reference to something of the guest")
        return self.hosts[c.wasmtime_externref_data(self.context, byref(outside.value))]

    def i31_alloc(self, value: int) -> Ref:
        ref = c.wasmtime_anyref_t()
        c.wasmtime_anyref_from_i31(self.context, value, byref(ref))
        return Ref(api.ANY_KIND, ref)

    def i31_read(self, ref: Any) -> int:
        value = ctypes.c_uint32()
        if not c.wasmtime_anyref_i31_get_u(self.context, byref(ref.value), byref(value)):
            raise TypeError("no i31")
        return int(value.value)

    def extern_internalize(self, ref: Any) -> Ref:
        found = c.wasmtime_anyref_t()
        c.wasmtime_anyref_from_raw(self.context, c.wasmtime_externref_to_raw(self.context, byref(ref.value)), byref(found))
        return Ref(api.ANY_KIND, found)

    def extern_externalize(self, ref: Any) -> Ref:
        found = c.wasmtime_externref_t()
        c.wasmtime_externref_from_raw(self.context, c.wasmtime_anyref_to_raw(self.context, byref(ref.value)), byref(found))
        return Ref(api.EXTERN_KIND, found)

    def aggregate_size(self, ref: Any) -> int:
        if self._heap(ref) is AbsHeapType.ARRAY:
            n = ctypes.c_uint32()
            api.check(c.wasmtime_arrayref_len(self.context, byref(self._array(ref)), byref(n)))
            return int(n.value)
        t = c.wasmtime_structref_type(self.context, byref(self._struct(ref)))
        size = int(c.wasmtime_struct_type_num_fields(t))
        c.wasmtime_struct_type_delete(t)
        return size

    def aggregate_read(self, ref: Any, i: int) -> Value:
        val = c.wasmtime_val_t()
        if self._heap(ref) is AbsHeapType.ARRAY:
            api.check(c.wasmtime_arrayref_get(self.context, byref(self._array(ref)), i, byref(val)))
        else:
            api.check(c.wasmtime_structref_field(self.context, byref(self._struct(ref)), i, byref(val)))
        return api.from_val(val)

    def aggregate_write(self, ref: Any, i: int, value: Value) -> None:
        raise NotImplementedError("changing aggregates of wasmtime from the host")

    def _array(self, ref: Any) -> Any:
        found = c.wasmtime_arrayref_t()
        c.wasmtime_anyref_as_array(self.context, byref(ref.value), byref(found))
        return found

    def _struct(self, ref: Any) -> Any:
        found = c.wasmtime_structref_t()
        c.wasmtime_anyref_as_struct(self.context, byref(ref.value), byref(found))
        return found

    # Control

    def interrupt(self) -> None:
        raise NotImplementedError("stopping wasmtime from another thread")

    def resume(self) -> None:
        """It was never stopped."""

    def observe(self, observer: Any) -> None:
        if observer is not None:
            raise NotImplementedError("watching wasmtime at work")

    def collect(self) -> None:
        """Give back what nobody holds any more."""
        gc.collect()
        c.wasmtime_context_gc(self.context)


def _copy(val: Any) -> Any:
    """A value of its own, rooted apart from the one that a caller or an array owns."""
    own = c.wasmtime_val_t()
    c.wasmtime_val_clone(byref(val), byref(own))
    return own
