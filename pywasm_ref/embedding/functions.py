"""The specification's embedding interface, function by function and in its order, exact to the bit.

Where the specification says `error`, a function here raises: `Malformed`, `Invalid`, `Unlinkable`, `Trap`, `Exhaustion`, and for an
argument that breaks a pre-condition TypeError or ValueError. Where it says `exception`, `WasmException` is raised. A store is changed in
place instead of being returned. Addresses are objects of the engine, see `engine.py`.

Spec    appendix/embedding.html
"""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref import text
from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import Engine, Extern, Func, Global, HostCode, Instance, Memory, Module, Ref, Store, Table, Tag, Value
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Unlinkable
from pywasm_ref.features import WASM_3, Features, complete
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import (
    F32,
    F64,
    I8,
    I32,
    I64,
    V128,
    CompType,
    DefType,
    ExternType,
    FuncType,
    GlobalType,
    MemType,
    RefType,
    ResultType,
    StorageType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.validation import matching, types

# Store


def store_init(engine: Engine, limits: Limits | None = None) -> Store:
    """An empty store; the limits are this host's, not the specification's."""
    return engine.store(limits or Limits())


# Modules


def module_decode(engine: Engine, data: bytes | Source, features: Features = WASM_3) -> Module:
    """The module that the bytes are in the binary format. A `Source` gives them a name for messages.

    Fails   Malformed
    """
    return engine.decode(data if isinstance(data, Source) else Source("<binary>", data), complete(features))


def module_parse(engine: Engine, source: str | Source, features: Features = WASM_3) -> Module:
    """The module that the characters are in the text format. A `Source` gives them a name for messages.

    Fails   Malformed
    """
    features = complete(features)
    return engine.adopt(text.parse(source, features), features)


def module_validate(module: Module) -> None:
    """Nothing, when the module is valid.

    Fails   Invalid
    """
    module.validate()


def module_instantiate(store: Store, module: Module, externs: Sequence[Extern]) -> Instance:
    """A new instance of a valid module, whose start function has run; one extern for each import. The store may be changed even on error.

    Traps   when a segment does not fit, or in the start function
    Fails   Unlinkable for an extern that does not match, WasmException from the start function
    """
    return store.module_instantiate(module, externs)


def module_imports(module: Module) -> Sequence[tuple[str, str, ExternType]]:
    """What a valid module imports: module, name and type, in order."""
    return module.imports


def module_exports(module: Module) -> Sequence[tuple[str, ExternType]]:
    """What a valid module exports: name and type, in order."""
    return module.exports


# Module instances


def instance_export(instance: Instance, name: str) -> Extern:
    """The export of that name.

    Fails   Unlinkable "unknown export"
    """
    try:
        return instance.exports[name]
    except KeyError:
        raise Unlinkable(f"unknown export {words.quoted(name)}") from None


# Functions


def func_alloc(store: Store, type: DefType, code: HostCode) -> Func:
    """A function of the host: `code` takes the sequence of all arguments and returns that of all results."""
    return store.func_alloc(type, code)


def func_type(store: Store, func: Func) -> DefType:
    """A defined type that expands to a function type."""
    return store.func_type(func)


def func_invoke(store: Store, func: Func, args: Sequence[Value]) -> Sequence[Value]:
    """The results of a call.

    Traps   where a rule of execution does
    Fails   TypeError when the arguments do not fit the type, WasmException for an exception that nobody caught, Exhaustion, Interrupted
    """
    check_values(store, types.functype(store.func_type(func)).params, args)
    return store.func_invoke(func, args)


# Tables


def table_alloc(store: Store, type: TableType, init: Ref) -> Table:
    check_values(store, (type.elem,), (init,))
    return store.table_alloc(type, init)


def table_type(store: Store, table: Table) -> TableType:
    """The type whose minimum is the present size."""
    return store.table_type(table)


def table_read(store: Store, table: Table, i: int) -> Ref:
    """The entry at `i`.

    Traps   "out of bounds table access"
    """
    return store.table_read(table, i)


def table_write(store: Store, table: Table, i: int, ref: Ref) -> None:
    """Set the entry at `i`.

    Traps   "out of bounds table access"
    """
    check_values(store, (store.table_type(table).elem,), (ref,))
    store.table_write(table, i, ref)


def table_size(store: Store, table: Table) -> int:
    """The number of entries."""
    return store.table_size(table)


def table_grow(store: Store, table: Table, n: int, init: Ref) -> None:
    """Add `n` entries.

    Fails   Exhaustion when the type's maximum or the store's limit would be passed
    """
    check_values(store, (I64, store.table_type(table).elem), (n, init))
    store.table_grow(table, n, init)


# Memories


def mem_alloc(store: Store, type: MemType) -> Memory:
    return store.mem_alloc(type)


def mem_type(store: Store, memory: Memory) -> MemType:
    """The type whose minimum is the present size."""
    return store.mem_type(memory)


def mem_read(store: Store, memory: Memory, i: int) -> int:
    """The byte at `i`.

    Traps   "out of bounds memory access"
    """
    return store.mem_read(memory, i)


def mem_write(store: Store, memory: Memory, i: int, byte: int) -> None:
    """Set the byte at `i`.

    Traps   "out of bounds memory access"
    """
    check_values(store, (I8,), (byte,))
    store.mem_write(memory, i, byte)


def mem_size(store: Store, memory: Memory) -> int:
    """The size.

    Units   pages of the memory's type
    """
    return store.mem_size(memory)


def mem_grow(store: Store, memory: Memory, n: int) -> None:
    """Add `n` pages.

    Units   pages of the memory's type
    Fails   Exhaustion when the type's maximum or the store's limit would be passed
    """
    check_values(store, (I64,), (n,))
    store.mem_grow(memory, n)


# Tags


def tag_alloc(store: Store, type: TagType) -> Tag:
    return store.tag_alloc(type)


def tag_type(store: Store, tag: Tag) -> TagType:
    return store.tag_type(tag)


# Exceptions


def exn_alloc(store: Store, tag: Tag, values: Sequence[Value]) -> Ref:
    """An exception that nobody has thrown yet."""
    if isinstance(deftype := store.tag_type(tag).type, DefType):
        check_values(store, types.functype(deftype).params, values)
    return store.exn_alloc(tag, values)


def exn_tag(store: Store, exn: Ref) -> Tag:
    return store.exn_tag(exn)


def exn_read(store: Store, exn: Ref) -> Sequence[Value]:
    """The values that an exception carries."""
    return store.exn_read(exn)


# Globals


def global_alloc(store: Store, type: GlobalType, value: Value) -> Global:
    check_values(store, (type.type,), (value,))
    return store.global_alloc(type, value)


def global_type(store: Store, variable: Global) -> GlobalType:
    return store.global_type(variable)


def global_read(store: Store, variable: Global) -> Value:
    return store.global_read(variable)


def global_write(store: Store, variable: Global, value: Value) -> None:
    """Set a mutable global.

    Fails   TypeError "immutable global"
    """
    check_values(store, (store.global_type(variable).type,), (value,))
    store.global_write(variable, value)


# Values


def ref_type(store: Store, ref: Ref) -> RefType:
    """The most precise type of a reference. Null has many; `(ref null none)` is told for it."""
    return store.ref_type(ref)


WIDTHS: dict[StorageType, int] = {I8: 8, I32: 32, F32: 32, I64: 64, F64: 64, V128: 128}


def check_values(store: Store, types: Sequence[StorageType], values: Sequence[Value]) -> None:
    """Refuse values that are not of these types: too wide or negative as bits, or a reference of another type.

    Fails   TypeError
    """
    if len(types) != len(values):
        raise TypeError(f"{len(types)} values are expected, and {len(values)} were given")
    for t, value in zip(types, values, strict=True):
        if not (_is_ref(store, t, value) if isinstance(t, RefType) else isinstance(value, int) and 0 <= value < 1 << WIDTHS[t]):
            raise TypeError(f"{words.given(value)} is not the bits of {words.valtype(t)}")


def _is_ref(store: Store, t: RefType, value: Value) -> bool:
    return t.null if value is None else matching.match_reftype(store.ref_type(value), t)


def val_default(type: ValType) -> Value:
    """Zero, or null.

    Fails   TypeError for a reference type without null
    """
    if not types.defaultable(type):
        raise TypeError(f"{type!r} has no default value")
    return None if isinstance(type, RefType) else 0


# Matching


def match_valtype(t1: ValType, t2: ValType) -> bool:
    """Whether `t1` is a subtype of `t2`."""
    return matching.match_valtype(t1, t2)


def match_externtype(xt1: ExternType, xt2: ExternType) -> bool:
    """Whether something of type `xt1` can be given where `xt2` is imported."""
    return matching.match_externtype(xt1, xt2)


# Types: what the appendix takes for granted, making and opening defined types


def functype(params: ResultType, results: ResultType) -> DefType:
    """The defined type of a function type on its own, of closed parameters and results."""
    return types.functype_deftype(FuncType(params, results))


def expand(type: DefType) -> CompType:
    """The function, structure or array type that a defined type stands for, closed."""
    return types.expand(type)


def extern_type(store: Store, extern: Extern) -> ExternType:
    """The type of anything that can be imported or exported; its class tells what it is."""
    return store.extern_type(extern)
