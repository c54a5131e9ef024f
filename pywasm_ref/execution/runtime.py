"""The runtime structure: the store, the instances of what a module defines, and references to things.

Where the specification has addresses into the store, objects refer to each other, so that Python's collector frees what nobody
reaches. None is the null reference of every type; numbers are plain integers (see `syntax/values.py`).

Spec    exec/runtime.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from mmap import mmap
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from pywasm_ref.syntax.modules import Func, Module
from pywasm_ref.syntax.types import AbsHeapType, DefType, GlobalType, HeapType, MemType, RefType, TableType, TagType

if TYPE_CHECKING:
    from threading import Condition

    from pywasm_ref.execution.code import Code
    from pywasm_ref.execution.machine import Machine

CALL_DEPTH = 10_000
MEMORY_PAGES = 1 << 16
TABLE_ENTRIES = 10_000_000
VALUES = 1 << 22
"""On the operand stack of one machine, and as many in locals."""
HEAP = 10_000_000
MACHINES = 50
"""At work at once in one store; each that a host function starts costs eleven calls in Python or more, of which there may be 1000."""

Bytes = bytearray | mmap | memoryview
"""What a memory keeps its bytes in: a mapping where it is so large that pages should cost nothing before they are touched, and the part
that is in use of the reserve of a shared memory."""

Value = Any
"""A number or vector as an unsigned integer, or a reference."""


class Store:
    """What instances share: the limits of this host, and the switch that stops a guest.

    `stop` may be set by any thread; the guest raises Interrupted at its next transfer of control, and the flag stays until it is
    cleared. `fuel_left` is None for no limit.

    Units   `memory_pages` in pages of 64 KiB, for all memories together; `table_entries` for all tables together; `fuel_left` in
            instructions; `heap` as in `Heap`
    """

    __slots__ = ("__weakref__", "ballast", "call_depth", "fuel_left", "heap", "machines", "memory", "observer", "stop", "tables")

    def __init__(
        self,
        call_depth: int = CALL_DEPTH,
        memory_pages: int = MEMORY_PAGES,
        table_entries: int = TABLE_ENTRIES,
        fuel: int | None = None,
        heap: int = HEAP,
    ) -> None:
        self.call_depth = call_depth
        self.memory = Quota(memory_pages << 16)
        """Units   bytes"""
        self.tables = Quota(table_entries)
        """Units   entries"""
        self.fuel_left = fuel
        self.stop = False
        self.observer: Any = None
        self.heap = Heap(heap)
        self.ballast: Bytes | None = None
        """Thrown overboard when memory runs out, so that there is room for saying so."""
        self.machines: list[Machine] = []
        """Those at work: one inside the other through host functions, or one in each thread."""


class Quota:
    """So many of some kind of unit a store may have in use at once."""

    __slots__ = ("elements", "most", "searched")

    def __init__(self, most: int) -> None:
        self.most = most
        self.elements = 0
        """In use; see `Share`."""
        self.searched = -1
        """What was in use when a search for garbage last found too little."""


class Heap(Quota):
    """What the structures, arrays and exceptions of a store live in. Each of them refers to it, so that the number of its references is
    the number of those that are alive: a count that Python keeps anyway.

    Units   `most` in things that are alive, and fields or elements of large ones; `elements` in the large ones, all together
    """

    __slots__ = ()


class ModuleInst:
    """A module that has come to life.

    Spec    exec/runtime.html#module-instances
    """

    __slots__ = ("__weakref__", "datas", "elems", "exports", "funcs", "globals", "mems", "module", "tables", "tags", "types")

    def __init__(self, module: Module, types: Sequence[DefType]) -> None:
        self.module = module
        self.types = types
        self.tags: list[TagInst] = []
        self.globals: list[GlobalInst] = []
        self.mems: list[MemInst] = []
        self.tables: list[TableInst] = []
        self.funcs: list[FuncInst | HostFunc] = []
        self.datas: list[DataInst] = []
        self.elems: list[ElemInst] = []
        self.exports: dict[str, ExternInst] = {}


class FuncInst:
    """A function of a module; `index` is its place in the module's index space.

    Spec    exec/runtime.html#function-instances
    """

    __slots__ = ("__weakref__", "code", "index", "module", "prepared", "type")

    def __init__(self, type: DefType, module: ModuleInst, code: Func, index: int = -1) -> None:
        self.type = type
        self.module = module
        self.code = code
        self.index = index
        self.prepared: Code | None = None
        """The body as the machine runs it, from the first call on."""


class HostFunc:
    """A function of the host: called with a list of arguments, gives as many results as its type says.

    It may call back into the store, raise Trap or WasmException as the guest's own, or any exception of Python, which passes
    through the guest to whoever called it.

    Spec    exec/runtime.html#function-instances
    """

    __slots__ = ("__weakref__", "code", "name", "type")
    prepared: ClassVar[None] = None
    """What tells it from a function of a module when it is called."""

    def __init__(self, type: DefType, code: Callable[[list[Value]], Sequence[Value]], name: str = "") -> None:
        self.type = type
        self.code = code
        self.name = name


class TableInst:
    """A table. `share` is what it takes of the entries of the store that made it.

    Spec    exec/runtime.html#table-instances
    """

    __slots__ = ("__weakref__", "refs", "share", "type")

    def __init__(self, type: TableType, refs: list[Ref], share: Share) -> None:
        self.type = type
        self.refs = refs
        self.share = share


class MemInst:
    """A memory. When it grows while somebody holds a view of `data`, it moves, and the view keeps the old bytes; but a shared one stays
    where it is, in a `reserve` of all the bytes that it may ever have, since threads are at work in it. `share` is what it takes of
    the bytes of the store that made it.

    Spec    exec/runtime.html#memory-instances
    """

    __slots__ = ("__weakref__", "data", "lock", "parked", "reserve", "share", "type")

    def __init__(self, type: MemType, data: Bytes, share: Share, reserve: mmap | None = None) -> None:
        self.type = type
        self.data = data
        self.share = share
        self.reserve = reserve
        self.lock = Lock()
        """Held by an atomic access, and while the memory grows."""
        self.parked: dict[int, list[Condition]] = {}
        """Threads that wait at an address, in the order in which they came."""


class GlobalInst:
    """Spec    exec/runtime.html#global-instances"""

    __slots__ = ("__weakref__", "type", "value")

    def __init__(self, type: GlobalType, value: Value) -> None:
        self.type = type
        self.value = value


class TagInst:
    """Spec    exec/runtime.html#tag-instances"""

    __slots__ = ("__weakref__", "type")

    def __init__(self, type: TagType) -> None:
        self.type = type


class DataInst:
    """Spec    exec/runtime.html#data-instances"""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class ElemInst:
    """Spec    exec/runtime.html#element-instances"""

    __slots__ = ("refs", "type")

    def __init__(self, type: RefType, refs: list[Ref]) -> None:
        self.type = type
        self.refs = refs


class I31:
    """A reference that is a number: `value` is unsigned, below 2**31.

    Spec    exec/runtime.html#syntax-ref
    """

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, I31) and self.value == other.value

    def __hash__(self) -> int:
        return hash((I31, self.value))


class StructInst:
    """A structure; a packed field holds its narrow unsigned value. `share` is what it takes of its store's heap.

    Spec    exec/runtime.html#aggregate-instances
    """

    __slots__ = ("__weakref__", "fields", "share", "type")

    def __init__(self, type: DefType, fields: list[Value], share: Heap | Share | None = None) -> None:
        self.type = type
        self.fields = fields
        self.share = share


class ArrayInst:
    """An array; packed elements hold their narrow unsigned values. `share` is what it takes of its store's heap.

    Spec    exec/runtime.html#aggregate-instances
    """

    __slots__ = ("__weakref__", "fields", "share", "type")

    def __init__(self, type: DefType, fields: list[Value], share: Heap | Share | None = None) -> None:
        self.type = type
        self.fields = fields
        self.share = share


class Share:
    """A number of units that count against a quota, for as long as this object lives."""

    __slots__ = ("elements", "quota")

    def __init__(self, quota: Quota, elements: int) -> None:
        self.quota = quota
        self.elements = elements
        quota.elements += elements

    def grow(self, elements: int) -> None:
        """Take so many more."""
        self.elements += elements
        self.quota.elements += elements

    def __del__(self) -> None:
        self.quota.elements -= self.elements


class ExnInst:
    """An exception that was thrown. `share` is what one that the guest made takes of its store's heap.

    Spec    exec/runtime.html#exception-instances
    """

    __slots__ = ("__weakref__", "fields", "share", "tag")

    def __init__(self, tag: TagInst, fields: tuple[Value, ...], share: Heap | Share | None = None) -> None:
        self.tag = tag
        self.fields = fields
        self.share = share


class HostRef:
    """An object of the host, seen as a reference of type `any`.

    Spec    exec/runtime.html#syntax-ref
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class ExternRef:
    """A reference of type `extern`: what is inside is one of type `any`, mostly a HostRef.

    Spec    exec/runtime.html#syntax-ref
    """

    __slots__ = ("ref",)

    def __init__(self, ref: Ref) -> None:
        self.ref = ref


Ref = I31 | StructInst | ArrayInst | FuncInst | HostFunc | ExnInst | HostRef | ExternRef | None
ExternInst = FuncInst | HostFunc | TableInst | MemInst | GlobalInst | TagInst

_ABSTRACT: dict[type, AbsHeapType] = {
    I31: AbsHeapType.I31,
    ExnInst: AbsHeapType.EXN,
    HostRef: AbsHeapType.ANY,
    ExternRef: AbsHeapType.EXTERN,
}


def heaptype(ref: Any) -> HeapType:
    """The most precise heap type of a reference that is not null.

    Spec    valid/values.html
    """
    abstract = _ABSTRACT.get(ref.__class__)
    if abstract is not None:
        return abstract
    type: DefType = ref.type
    return type
