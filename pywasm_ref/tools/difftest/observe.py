"""Doing a job on an engine that satisfies the protocols of the embedding, and writing down all that can be seen.

The host that a module gets is made for it: functions that note their arguments and give numbers counted up, globals, memories, tables
and tags of just the types that are imported. So every engine meets the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import cast

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine, Extern, Func, Global, Instance, Memory, Observer, Ref, Store, Table, Tag, Value
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Exhaustion, Interrupted, Invalid, Malformed, Trap, TrapReason, Unlinkable, WasmError, WasmException
from pywasm_ref.syntax.types import (
    ArrayType,
    DefType,
    ExternType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    MemType,
    RefType,
    StorageType,
    StructType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.tools.difftest.jobs import FUEL, Answer, Argument, Call, Job, Outcome
from pywasm_ref.validation.types import functype

LIMITS = Limits(memory_pages=64, table_entries=100_000, call_depth=1_000)
MOST_ENTRIES = 24
DEEPEST = 3
ABOVE: Mapping[type, str] = {StructType: "struct", ArrayType: "array", FuncType: "func"}


GLOBAL = 7
"""The number from which the globals of the host come."""

TRAPS, THROWS = "traps", "throws"
"""How the names of functions of the host begin that do not always come back: of four calls one traps, of two one throws the host's tag."""


def host_number(t: ValType, n: int) -> int:
    """What the host gives where a number is wanted, the n-th time."""
    return (n * 0x9E37_79B9 + 1) % (1 << functions.WIDTHS[t])


@dataclass(frozen=True, slots=True)
class HostObject:
    """What a reference of the host stands for."""

    number: int


def observe(engine: Engine, job: Job, limits: Limits = LIMITS, observer: Observer | None = None) -> Answer:
    """Do the job: decode, validate, instantiate, call, look at what is left. What an engine says it has not, it need not do."""
    try:
        return _observe(engine, job, limits, observer)
    except NotImplementedError as error:
        return Answer(Outcome("unsupported", str(error)))


def _observe(engine: Engine, job: Job, limits: Limits, observer: Observer | None) -> Answer:
    try:
        module = functions.module_decode(engine, job.data, job.features)
        functions.module_validate(module)
    except WasmError as error:
        return Answer(_outcome(error))
    if not job.instantiate:
        return Answer(Outcome("returned"))
    run = Run(functions.store_init(engine, limits if job.fuel is None else replace(limits, fuel=job.fuel)))
    if observer is not None:
        run.store.observe(observer)
    try:
        instance = functions.module_instantiate(run.store, module, run.provide(functions.module_imports(module)))
    except WasmError as error:
        return Answer(run.outcome(error), host=run.calls, fuel=run.fuel())
    run.name_tags(instance)
    outcomes, fuel = [], run.fuel()
    for call in job.calls:
        run.store.fuel = job.fuel
        outcomes.append(run.call(instance, call))
        fuel += run.fuel()
    return Answer(Outcome("returned"), outcomes, run.calls, run.state(instance), fuel)


class Run:
    """One store at work, and what its host hears."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[str] = []
        self.tags: list[tuple[str, object]] = []
        self.thrown: Tag | None = None

    # The host

    def provide(self, imports: Sequence[tuple[str, str, ExternType]]) -> list[Extern]:
        return [self._extern(name, t) for _, name, t in imports]

    def _extern(self, name: str, t: ExternType) -> Extern:
        store = self.store
        match t:
            case FuncTypeUse(DefType() as deftype):
                return functions.func_alloc(store, deftype, self._function(name, functype(deftype)))
            case GlobalType():
                return functions.global_alloc(store, t, self._value(t.type, GLOBAL))
            case MemType():
                return functions.mem_alloc(store, t)
            case TableType():
                return functions.table_alloc(store, t, None)
            case TagType():
                self.thrown = functions.tag_alloc(store, t)
                return self.thrown
        raise Unlinkable(f"{name} is nothing that this host can give")

    def _function(self, name: str, t: FuncType) -> Callable[[Sequence[Value]], Sequence[Value]]:
        """A function that notes that it was called, and with what."""

        def code(args: Sequence[Value]) -> Sequence[Value]:
            n = len(self.calls)
            self.calls.append(f"{name}({', '.join(map(self.dump, t.params, args))})")
            self._fail(name, n)
            return [self._value(result, n) for result in t.results]

        return code

    def _fail(self, name: str, n: int) -> None:
        """Not come back, where the name of the function says so and it is the time for it."""
        if name.startswith(TRAPS) and n % 4 == 3:
            raise Trap(TrapReason.UNREACHABLE)
        if name.startswith(THROWS) and n % 2 and self.thrown is not None:
            deftype = cast("DefType", self.store.tag_type(self.thrown).type)
            values = [self._value(t, n) for t in functype(deftype).params]
            raise WasmException(self.thrown, tuple(values), functions.exn_alloc(self.store, self.thrown, values))

    def _value(self, t: ValType, n: int) -> Value:
        if isinstance(t, RefType):
            return None if t.null else self.store.host_alloc(HostObject(n))
        return host_number(t, n)

    def argument(self, arg: Argument) -> Value:
        if isinstance(arg, str):
            return self.store.host_alloc(HostObject(int(arg.removeprefix("extern "))))
        return arg

    # What happened

    def fuel(self) -> list[int]:
        """What is left of it, if there is an end."""
        return [] if self.store.fuel is None else [self.store.fuel]

    def name_tags(self, instance: Instance) -> None:
        self.tags = [(name, tag) for name, tag in instance.exports.items() if isinstance(self.store.extern_type(tag), TagType)]

    def call(self, instance: Instance, call: Call) -> Outcome:
        func = cast("Func", functions.instance_export(instance, call.name))
        results = functype(functions.func_type(self.store, func)).results
        try:
            values = functions.func_invoke(self.store, func, [self.argument(arg) for arg in call.args])
        except WasmError as error:
            return self.outcome(error)
        return Outcome("returned", "", tuple(self.dump(t, value) for t, value in zip(results, values, strict=True)))

    def outcome(self, error: WasmError) -> Outcome:
        if isinstance(error, WasmException) and error.exn is not None:
            return Outcome("exception", "", (self.exception(error.exn),))
        return _outcome(error)

    def state(self, instance: Instance) -> dict[str, str]:
        """What memories, globals and tables that are exported hold."""
        seen: dict[str, str] = {}
        for name, extern in instance.exports.items():
            match self.store.extern_type(extern):
                case GlobalType(type=t):
                    seen[name] = self.dump(t, functions.global_read(self.store, cast("Global", extern)))
                case MemType():
                    view = self.store.mem_view(cast("Memory", extern))
                    seen[name] = f"{len(view)} bytes {blake2b(view, digest_size=10).hexdigest()}"
                    view.release()
                case TableType() as tt:
                    seen[name] = self._table(cast("Table", extern), tt)
        return seen

    def _table(self, table: Table, tt: TableType) -> str:
        size = functions.table_size(self.store, table)
        entries = [self.dump(tt.elem, functions.table_read(self.store, table, i)) for i in range(min(size, MOST_ENTRIES))]
        return f"{size} entries {' '.join(entries)}"

    # Values in words

    def dump(self, t: StorageType, value: Value, depth: int = 0) -> str:
        return self.reference(value, depth) if isinstance(t, RefType) else f"{t.value}:{value:#x}"

    def dump_any(self, value: Value, depth: int = 0) -> str:
        return f"{value:#x}" if isinstance(value, int) else self.reference(value, depth)

    def reference(self, ref: Ref, depth: int = 0) -> str:
        """What a reference leads to, so far as every engine can tell."""
        if ref is None:
            return "null"
        heap = functions.ref_type(self.store, ref).heap
        name = ABOVE[type(functions.expand(heap))] if isinstance(heap, DefType) else str(getattr(heap, "value", heap))
        if name in ("struct", "array"):
            return self._aggregate(ref, name, depth)
        if name == "i31":
            return f"i31:{self.store.i31_read(ref):#x}"
        if name == "exn":
            return self.exception(ref, depth)
        return self._host(ref, name, depth)

    def _host(self, ref: Ref, name: str, depth: int) -> str:
        """A reference to something of the host, or an outside view of something of the guest."""
        try:
            host = self.store.host_read(ref)
        except TypeError:
            return f"extern({self.reference(self.store.extern_internalize(ref), depth)})" if name == "extern" else name
        return f"{name} {host.number if isinstance(host, HostObject) else '?'}"

    def _aggregate(self, ref: Ref, name: str, depth: int) -> str:
        size = self.store.aggregate_size(ref)
        if depth == DEEPEST:
            return "…"
        parts = [self.dump_any(self.store.aggregate_read(ref, i), depth + 1) for i in range(min(size, MOST_ENTRIES))]
        return f"{name} {size}({' '.join(parts)})"

    def exception(self, exn: Ref, depth: int = 0) -> str:
        tag = functions.exn_tag(self.store, exn)
        name = next((name for name, known in self.tags if self._same(known, tag)), "tag")
        if depth == DEEPEST:
            return name
        return f"{name}({' '.join(self.dump_any(value, depth + 1) for value in functions.exn_read(self.store, exn))})"

    def _same(self, tag: object, other: object) -> bool:
        """Whether two tags are one; an engine whose tags are no objects of their own has a way to tell."""
        same = getattr(self.store, "same_tag", None)
        return bool(same(tag, other)) if same is not None else tag == other


KINDS: Mapping[type[WasmError], str] = {
    Trap: "trap",
    WasmException: "exception",
    Exhaustion: "exhaustion",
    Interrupted: "interrupted",
    Unlinkable: "unlinkable",
    Malformed: "malformed",
    Invalid: "invalid",
}


def _outcome(error: WasmError) -> Outcome:
    kind = next((name for cls, name in KINDS.items() if isinstance(error, cls)), "error")
    if isinstance(error, Trap):
        return Outcome(kind, error.reason.value)
    if kind == "exhaustion":
        return Outcome(kind, FUEL if "fuel" in error.message else "")
    return Outcome(kind, error.message if kind in ("malformed", "invalid", "unlinkable") else "")
