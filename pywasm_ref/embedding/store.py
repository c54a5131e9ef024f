"""The store as a Python object: what instances share, its limits, and the switch that stops them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from pywasm_ref.embedding import engine as protocols
from pywasm_ref.embedding import words
from pywasm_ref.embedding.alive import Home
from pywasm_ref.embedding.externs import Func, Global, Table, Tag
from pywasm_ref.embedding.limits import DEFAULT, Limits
from pywasm_ref.embedding.memory import Memory
from pywasm_ref.embedding.references import Reference, converters
from pywasm_ref.embedding.selection import chosen
from pywasm_ref.embedding.signature import Signature
from pywasm_ref.embedding.values import ToPython, ToWasm
from pywasm_ref.syntax.types import DefType, FuncTypeUse, GlobalType, MemType, StorageType, TableType, TagType
from pywasm_ref.validation.types import functype

WRAP: dict[type, Callable[[Store, Any, str], Reference]] = {}
"""The face of an extern, by the class of its type; filled below, when the classes are there."""


def checked(limits: Limits | None) -> Limits:
    """The limits of a store.

    Fails   TypeError for limits that are none
    """
    if limits is None:
        return DEFAULT
    if not isinstance(limits, Limits):
        raise TypeError(f"limits are Limits, not {words.given(limits)}")
    return limits


class Store(Home):
    """What instances share. A store is used by one thread at a time; only `interrupt` may be called from any other.

    `fuel` is what is left of the instructions that guests may run, and may be set; None means that there is no end. A host function may
    set it while a guest waits for it, which then goes on with that. But where it was None, it is set while no guest runs, since code is not
    counted that began without it: RuntimeError.
    """

    __slots__ = ("__weakref__", "_converters", "_signatures", "field_names", "raw")

    def __init__(self, engine: str | protocols.Engine = "auto", limits: Limits | None = None) -> None:
        self._fill(chosen(engine).store(checked(limits)))

    def _fill(self, raw: protocols.Store) -> None:
        self.raw = raw
        """The engine's own store, for the functions of `pywasm_ref.embedding.functions`."""
        self.field_names: dict[DefType, Mapping[str, int]] = {}
        """What the modules of this store call the fields of structures; the first one to name a type wins."""
        self._converters: dict[StorageType, tuple[ToWasm, ToPython]] = {}
        self._signatures: dict[DefType, Signature] = {}

    @classmethod
    def wrap(cls, raw: protocols.Store) -> Store:
        """The face of a store that the engine has already, and that has no other."""
        store = cls.__new__(cls)
        store._fill(raw)
        return store

    @property
    def engine(self) -> protocols.Engine:
        return self.raw.engine

    @property
    def limits(self) -> Limits:
        return cast(Limits, self.raw.limits)  # it keeps those that it was made with

    @property
    def fuel(self) -> int | None:
        return self.raw.fuel

    @fuel.setter
    def fuel(self, fuel: int | None) -> None:
        self.raw.fuel = Limits(fuel=fuel).fuel

    def interrupt(self) -> None:
        """Stop the guests at once, from any thread: each call raises `Interrupted` until `resume`, and so does `instantiate`.

        A guest that waits for a host function is stopped when that returns, or throws a `WasmException`, which it does not catch any more;
        whatever else the function raises goes on to the caller as always.
        """
        self.raw.interrupt()

    def resume(self) -> None:
        """Let guests run again after `interrupt`."""
        self.raw.resume()

    def observe(self, observer: protocols.Observer | None) -> None:
        """Tell an observer of each rule that is applied; None for no more. Some engines cannot be observed.

        Fails   TypeError for what is no `Observer`; NotImplementedError on an engine that cannot be observed
        """
        if observer is not None and not callable(getattr(observer, "step", None)):
            raise TypeError(f"an observer has a method step(configuration, instruction, rule), and {words.given(observer)} has none")
        self.raw.observe(observer)

    # What the other objects ask of it

    def converters(self, t: StorageType) -> tuple[ToWasm, ToPython]:
        """The two functions that take values of a type to the engine and back."""
        found = self._converters.get(t)
        if found is None:
            found = self._converters[t] = converters(self, t)
        return found

    def signature(self, type: DefType) -> Signature:
        """The function type behind a defined type, with its converters."""
        found = self._signatures.get(type)
        if found is None:
            found = self._signatures[type] = Signature.of(self, functype(type))
        return found

    def face(self, raw: protocols.Extern, name: str = "") -> Reference:
        """The face of an extern of the engine; `name` is for messages."""
        return WRAP[type(self.raw.extern_type(raw))](self, raw, name)

    def name_fields(self, names: Mapping[DefType, Mapping[str, int]]) -> None:
        """What another module calls the fields of its structures."""
        for type, fields in names.items():
            self.field_names.setdefault(type, fields)

    def wrap_func(self, raw: protocols.Func) -> Func:
        return Func.wrap(self, raw)

    def wrap_tag(self, raw: protocols.Tag) -> Tag:
        return Tag.wrap(self, raw)

    def tag(self, value: object) -> Tag:
        """The tag that a program named in an exception.

        Fails   TypeError when it is none
        """
        if not isinstance(value, Tag):
            raise TypeError(f"the tag of an exception is a Tag, not {words.given(value)}")
        return value

    def __repr__(self) -> str:
        return f"<Store {self.engine.name}>"


WRAP.update({FuncTypeUse: Func.wrap, TableType: Table.wrap, MemType: Memory.wrap, GlobalType: Global.wrap, TagType: Tag.wrap})
