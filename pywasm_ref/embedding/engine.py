"""What an engine is: the protocols that everything above this floor is written against, and nothing else about it.

An engine brings objects of its own. Functions, memories, tables, globals, tags and references are opaque here but for their
`type`; what can be done with them is asked of the store that they live in, so that an engine needs no wrapper around them and a
reference stays the same object wherever it goes.

Values at this layer are exact to the bit: an integer is its unsigned representative, a float is its bit pattern as an integer, a
v128 is an integer of 128 bits whose lowest bits are lane 0, a null reference is None, and any other reference is an object of the
engine. Types are closed: they mention `DefType` and no index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pywasm_ref.features import Features
from pywasm_ref.source import Source
from pywasm_ref.syntax import modules as syntax
from pywasm_ref.syntax.types import DefType, ExternType, GlobalType, MemType, RefType, TableType, TagType

Value = Any
"""A number as an int, None for null, or an engine's own reference."""

Ref = Any
"""None for null, or an engine's own reference."""

HostCode = Callable[[Sequence[Value]], Sequence[Value]]
"""A function of the host: it takes and gives all values at once. What it raises goes through the guest to the caller; a
`WasmException` on the way can be caught by the guest. That of a Python function is a `hosts.PythonCode`, whose parts an engine may use
to call the function directly."""


@dataclass(slots=True)
class Moves:
    """What a host function of type [i32 i32 i32 i32] -> [i32] may have as its attribute `moves`: it mostly moves one buffer between guest
    memory and something else, and an engine may do that by itself.

    The arguments are a number in `things`, an array of buffers by address and length, and the address where to write how much was moved;
    the result is 0, or what `failed` makes of an OSError or MemoryError. An engine does so only for one buffer of at most `most` bytes,
    with everything aligned, in memory and apart from what is written, where the thing has something to move to or from and its access
    allows that. It calls the function for all else. Until `memory` is set it always does.
    """

    things: Mapping[int, Movable]
    writes: bool
    most: int
    failed: Callable[[Exception], int]
    memory: Memory | None = None


class Limits(Protocol):
    """What a store asks for; `limits.Limits` is the class to use."""

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


class Func(Protocol):
    @property
    def type(self) -> DefType: ...


class Movable(Protocol):
    """Something that buffers are moved to and from: a descriptor of the system, what has one as `fileno`, or for writing a function that
    takes a buffer and gives how much it took; None where it is not for this. `access` has `revoked` and `readonly`, to be asked each
    time."""

    @property
    def read_from(self) -> Any: ...
    @property
    def write_to(self) -> Any: ...
    @property
    def access(self) -> Any: ...


class Memory(Protocol):
    @property
    def type(self) -> MemType: ...


class Table(Protocol):
    @property
    def type(self) -> TableType: ...


class Global(Protocol):
    @property
    def type(self) -> GlobalType: ...


class Tag(Protocol):
    @property
    def type(self) -> TagType: ...


Extern = Func | Memory | Table | Global | Tag
"""What can be imported and exported; `Store.extern_type` tells which it is."""


class Module(Protocol):
    """A module that an engine has read. Only a valid one has imports, exports and instances.

    Fails   Invalid, by `validate`, and by the first use that needs a valid module
    """

    @property
    def engine(self) -> Engine: ...
    @property
    def features(self) -> Features: ...
    @property
    def imports(self) -> Sequence[tuple[str, str, ExternType]]: ...
    @property
    def exports(self) -> Sequence[tuple[str, ExternType]]: ...
    @property
    def customs(self) -> Sequence[tuple[str, bytes]]: ...
    @property
    def names(self) -> syntax.Names: ...
    @property
    def field_names(self) -> Mapping[DefType, Mapping[str, int]]:
        """The names that the module has for the fields of its structures."""

    @property
    def source(self) -> Source | None: ...
    @property
    def binary(self) -> bytes:
        """The module in the binary format, with the names that it has."""

    def validate(self) -> None: ...


@runtime_checkable
class KeepableModule(Protocol):
    """What a module can do besides of which the engine makes code that can be kept."""

    def lowered(self) -> bytes:
        """The code of a valid module, for `KeepingEngine.load` of the same build."""


class Instance(Protocol):
    """An instance of a module; its exports in the order of the module."""

    @property
    def exports(self) -> Mapping[str, Extern]: ...


@runtime_checkable
class Observer(Protocol):
    """Somebody who watches a store at work and is not known to it. A watched store may be slower."""

    def step(self, configuration: Any, instruction: Any, rule: str) -> None:
        """Called for each rule before it is applied; what a configuration is, is the engine's affair."""


class Store(Protocol):
    """All that instances share, and all that can be done with them: the operations of `pywasm_ref.embedding.functions`, method
    by method.

    The methods after the appendix's list are what a host needs beyond it: references that Python can read, and control.
    """

    @property
    def engine(self) -> Engine: ...
    @property
    def limits(self) -> Limits: ...

    def module_instantiate(self, module: Module, externs: Sequence[Extern]) -> Instance: ...

    def func_alloc(self, type: DefType, code: HostCode) -> Func: ...
    def func_type(self, func: Func) -> DefType: ...
    def func_invoke(self, func: Func, args: Sequence[Value]) -> Sequence[Value]: ...

    def table_alloc(self, type: TableType, init: Ref) -> Table: ...
    def table_type(self, table: Table) -> TableType: ...
    def table_read(self, table: Table, i: int) -> Ref: ...
    def table_write(self, table: Table, i: int, ref: Ref) -> None: ...
    def table_size(self, table: Table) -> int: ...
    def table_grow(self, table: Table, n: int, init: Ref) -> None: ...

    def mem_alloc(self, type: MemType) -> Memory: ...
    def mem_type(self, memory: Memory) -> MemType: ...
    def mem_read(self, memory: Memory, i: int) -> int: ...
    def mem_write(self, memory: Memory, i: int, byte: int) -> None: ...
    def mem_size(self, memory: Memory) -> int: ...
    def mem_grow(self, memory: Memory, n: int) -> None: ...

    def tag_alloc(self, type: TagType) -> Tag: ...
    def tag_type(self, tag: Tag) -> TagType: ...
    def exn_alloc(self, tag: Tag, values: Sequence[Value]) -> Ref: ...
    def exn_tag(self, exn: Ref) -> Tag: ...
    def exn_read(self, exn: Ref) -> Sequence[Value]: ...

    def global_alloc(self, type: GlobalType, value: Value) -> Global: ...
    def global_type(self, variable: Global) -> GlobalType: ...
    def global_read(self, variable: Global) -> Value: ...
    def global_write(self, variable: Global, value: Value) -> None: ...

    def ref_type(self, ref: Ref) -> RefType: ...

    def extern_type(self, extern: Extern) -> ExternType:
        """The type of an extern as it is now: the minimum of a memory or table is its size."""

    def mem_view(self, memory: Memory) -> memoryview:
        """The bytes of a memory, writable and not copied. A view does not grow with its memory: ask again after growth, since what is
        written to an old view may be lost. A shared memory does not move, and old views of it stay true."""

    def host_alloc(self, value: object) -> Ref:
        """The external reference (`ref extern`) that stands for a Python object."""

    def host_read(self, ref: Ref) -> object:
        """The Python object that an external or internalised reference stands for.

        Fails   TypeError when the reference stands for something of the guest
        """

    def i31_alloc(self, value: int) -> Ref: ...
    def i31_read(self, ref: Ref) -> int:
        """The 31 bits, unsigned."""

    def extern_internalize(self, ref: Ref) -> Ref: ...
    def extern_externalize(self, ref: Ref) -> Ref: ...

    def aggregate_size(self, ref: Ref) -> int:
        """The fields of a structure, or the elements of an array."""

    def aggregate_read(self, ref: Ref, i: int) -> Value:
        """A field or element; packed ones unsigned."""

    def aggregate_write(self, ref: Ref, i: int, value: Value) -> None: ...

    def interrupt(self) -> None:
        """Stop the guests of this store at once, from any thread; they raise `Interrupted` until `resume`."""

    def resume(self) -> None: ...

    @property
    def fuel(self) -> int | None:
        """What is left, or None where there is no end."""

    @fuel.setter
    def fuel(self, fuel: int | None) -> None: ...

    def observe(self, observer: Observer | None) -> None: ...


class Engine(Protocol):
    """Something that can read, validate and run WebAssembly."""

    @property
    def name(self) -> str: ...

    @property
    def func_parts(self) -> type | None:
        """A base class for the face of a function, or None when Python does all of it.

        It keeps the attributes `_raw`, `owner`, `name` and `_signature`, and does the common calls by itself. The others it hands on to
        `super().__call__`, and a `WasmException` that leaves a guest to `_lifted`.
        """

    def decode(self, source: Source, features: Features) -> Module:
        """Read a binary; one that can be read and is wrong is not refused before `validate`."""

    def adopt(self, module: syntax.Module, features: Features) -> Module:
        """Take a module that was read elsewhere: parsed from text, or made by a program."""

    def store(self, limits: Limits) -> Store: ...


class BeginningEngine(Engine, Protocol):
    """What an engine can do besides: begin an instance without the embedding, and tell Python's collector what it need not look at. Of a
    hundred thousand starts these were more than half."""

    def begin(self, face: object, module: object, raw: Module, limits: Limits) -> None:
        """Make a store, and in it an instance of a module that imports nothing; `face` gets them as `_raw_store` and `_raw`, and the face
        of the module as `_module`. As long as nothing leads from there to what a program can change, `face` is no part of a circle.

        Traps   as instantiation does
        Fails   WasmException from the start function, when `_raw_store` and `_module` are there
        """

    def show(self, face: object) -> None:
        """From now on something may."""


@runtime_checkable
class KeepingEngine(Protocol):
    """What an engine can do besides whose code can be kept."""

    @property
    def build(self) -> str:
        """Code that was lowered by one build means nothing to another."""

    def load(self, source: Source, features: Features, code: memoryview) -> Module:
        """Take a binary together with the code that was made of it. Neither is validated: they are known to come from this engine.

        Fails   Malformed   when they do not fit each other
        """
