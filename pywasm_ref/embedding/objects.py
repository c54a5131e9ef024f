"""Modules and their instances as Python objects, and `instantiate`, which does it all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

from pywasm_ref.embedding import engine as protocols
from pywasm_ref.embedding import functions, words
from pywasm_ref.embedding.alive import Fixed, check_store
from pywasm_ref.embedding.exports import Exports
from pywasm_ref.embedding.hints import add_hint
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.embedding.linking import Imports, resolve
from pywasm_ref.embedding.selection import chosen
from pywasm_ref.embedding.serialized import Bytes, pack, unpack
from pywasm_ref.embedding.signature import lift_exception
from pywasm_ref.embedding.sources import ModuleSource, load
from pywasm_ref.embedding.store import Store, checked
from pywasm_ref.errors import Malformed, WasmError, WasmException
from pywasm_ref.features import Choice, Features
from pywasm_ref.features import features as chosen_features
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import ExternType

keep = object.__setattr__


class Making:
    """The lock that is held while a part of an instance is made that is made late, since threads may ask for it at the same time."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Also in the child of a process that forked, where the thread that held the lock is not."""
        self.lock = RLock()


MAKING = Making()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MAKING.begin)


@dataclass(frozen=True, slots=True)
class ImportType:
    """What a module asks for; `str` is in the words of the text format: `env.log (func (param i32))`."""

    module: str
    name: str
    type: ExternType

    def __str__(self) -> str:
        return f"{words.imported(self.module, self.name)} {self.type}"


@dataclass(frozen=True, slots=True)
class ExportType:
    """What a module gives; `str` is in the words of the text format: `fib (func (param i32) (result i32))`."""

    name: str
    type: ExternType

    def __str__(self) -> str:
        return f"{words.name(self.name)} {self.type}"


class Module(Fixed):
    """A module, read and validated once; it may be instantiated often, in any store of its engine.

    The source is a text, a path or bytes. A str that begins with a parenthesis or holds a line break or `(module` is a text, any other a
    path. Bytes that begin with a zero byte, no bytes, and files called .wasm are binaries, any others texts in UTF-8.

    `features` says what the module may use; None is all of 3.0. A feature, by name or as a member of `Feature`, is added to 3.0, or to the
    release that is named beside it: `"threads"`, `"2.0"`, `["2.0", Feature.SIMD]`, on the command line and here `"2.0,simd"`. Only a set of
    nothing but members of `Feature`, as `module.features` is, is exactly what it holds. What is empty is 3.0 too.

    Fails   Malformed, Invalid; OSError for a file that cannot be read
    """

    __slots__ = ("__weakref__", "_engine", "_features", "_raw")
    _what = "a module"
    _parts = frozenset({*__slots__, "engine", "features", "raw"})
    _engine: protocols.Engine
    _features: Features
    _raw: protocols.Module

    def __init__(
        self,
        source: ModuleSource,
        engine: str | protocols.Engine = "auto",
        features: Choice = None,
    ) -> None:
        keep(self, "_engine", chosen(engine))
        keep(self, "_features", chosen_features(features))
        keep(self, "_raw", self._read(load(source)))

    def _read(self, source: Source) -> protocols.Module:
        try:
            if isinstance(source.data, bytes):
                module = functions.module_decode(self._engine, source, self._features)
            else:
                module = functions.module_parse(self._engine, source, self._features)
            functions.module_validate(module)
        except WasmError as error:
            if isinstance(error, Malformed) and isinstance(source.data, bytes):
                add_hint(error, source.data, self._features)
            error.source = source  # what the file is called is known here only
            raise
        return module

    def serialize(self, key: Bytes | None = None) -> bytes:
        """The module as bytes for `deserialize`, with its names, and without the text or the name of the file that it came from.

        Without a key these are little more than its binary. With a key of 16 bytes or more they have the code that the native engine made
        of it, so that `deserialize` need not validate and lower it again.

        Fails   ValueError for a key that is too short
        """
        return pack(self._raw, key)

    @classmethod
    def deserialize(cls, data: Bytes, engine: str | protocols.Engine = "auto", key: Bytes | None = None) -> Module:
        """A module that was serialized, with the features that it had.

        It is safe for bytes of any origin. Without a key the module is validated again. Code that was lowered is believed when a key, which
        has to stay secret, proves that whoever wrote it had the key too; it suits only the build of the engine that made it.

        Fails   Malformed for bytes that are something else, damaged, of another version, engine or build, or that were made with another
                key, or with none; Invalid for a module that is not valid; ValueError for a key that is too short
        """
        module = cls.__new__(cls)
        keep(module, "_engine", chosen(engine))
        kept = unpack(data, key, module._engine)
        keep(module, "_features", kept.features)
        source = Source("<serialized>", kept.binary)
        if len(kept.code) and isinstance(module._engine, protocols.KeepingEngine):
            keep(module, "_raw", module._engine.load(source, kept.features, kept.code))
        else:
            keep(module, "_raw", module._read(source))
        return module

    @property
    def engine(self) -> protocols.Engine:
        return self._engine

    @property
    def features(self) -> Features:
        """What it was allowed to use when it was read."""
        return self._features

    @property
    def raw(self) -> protocols.Module:
        """The engine's own module, for the functions of `pywasm_ref.embedding.functions`."""
        return self._raw

    @property
    def name(self) -> str | None:
        """What the module calls itself, if it does."""
        return self._raw.names.module

    @property
    def imports(self) -> tuple[ImportType, ...]:
        """What an instance has to be given, in order."""
        return tuple(ImportType(*entry) for entry in functions.module_imports(self._raw))

    @property
    def exports(self) -> tuple[ExportType, ...]:
        """What an instance has to give, in order."""
        return tuple(ExportType(*entry) for entry in functions.module_exports(self._raw))

    def custom_sections(self, name: str) -> list[bytes]:
        """The contents of all custom sections of that name, in order."""
        return [data for found, data in self._raw.customs if found == name]

    def __repr__(self) -> str:
        return f"<Module{f' {words.name(self.name)}' if self.name else ''} {self.engine.name}>"


class Instance(Fixed):
    """An instance of a module; what it exports is in `exports`. It is freed when nobody refers to it or to its exports.

    Traps   when a segment does not fit, or in the start function
    Fails   Unlinkable when an import is missing or does not fit, WasmException from the start function; ValueError for a module of
            another engine
    """

    __slots__ = ("__weakref__", "_module", "_raw", "_raw_store", "exports", "store")
    _what = "an instance"
    _parts = frozenset({*__slots__, "module", "raw"})
    exports: Exports
    store: Store
    _module: Module
    _raw: protocols.Instance
    _raw_store: protocols.Store

    def __init__(self, store: Store, module: Module, imports: Imports | None = None) -> None:
        check_store(store)
        if not isinstance(module, Module):
            raise TypeError(f"a Module is expected, not {words.given(module)}; instantiate() takes texts and paths too")
        if store.engine is not module.engine:
            raise ValueError(f"the module belongs to the engine {module.engine.name}, the store to {store.engine.name}")
        wanted = module.raw.imports
        externs = resolve(store, wanted, {} if imports is None else imports) if wanted or imports is not None else []
        keep(self, "store", store)
        self._start(Instance._make, module, externs, store.raw)

    def _show(self) -> None:
        show = getattr(self.module.engine, "show", None)
        if show is not None:
            show(self)

    def _start(self, make: Callable[..., object], *given: object) -> None:
        """Call what gives the instance its parts, and lift what the start function throws."""
        try:
            make(self, *given)
        except WasmException as error:
            thrown = lift_exception(self._store_of(self._raw_store), error)
        else:
            return
        try:
            raise thrown  # see `Func.__call__`
        finally:
            del thrown

    def _make(self, module: Module, externs: list[protocols.Extern], store: protocols.Store) -> None:
        raw = module._raw
        if raw.field_names:
            self._store_of(store).name_fields(raw.field_names)
        keep(self, "_module", module)
        keep(self, "_raw_store", store)
        keep(self, "_raw", store.module_instantiate(raw, externs))

    def _store_of(self, raw: protocols.Store) -> Store:
        """The face of the store, from now on."""
        try:
            return object.__getattribute__(self, "store")  # type: ignore[no-any-return]
        except AttributeError:
            keep(self, "store", Store.wrap(raw))
        return self.store

    if not TYPE_CHECKING:  # a type checker that sees it would take any name for granted

        def __getattr__(self, name: str) -> Exports | Store:
            """Two parts are made when somebody asks for them: of a hundred thousand instances, few are. As properties they would cost each
            `instance.exports.f()` as much as the call."""
            if name not in ("exports", "store"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self._show()
            with MAKING.lock:
                try:
                    return object.__getattribute__(self, name)  # another thread was sooner
                except AttributeError:
                    keep(self, name, Exports(self.store, self._module.raw, self._raw) if name == "exports" else Store.wrap(self._raw_store))
            return object.__getattribute__(self, name)

    @property
    def module(self) -> Module:
        return self._module

    @property
    def raw(self) -> protocols.Instance:
        """The engine's own instance, for the functions of `pywasm_ref.embedding.functions`."""
        self._show()
        return self._raw

    def __repr__(self) -> str:
        return f"<Instance of {self.module!r}>"


def instantiate(
    source: ModuleSource | Module,
    imports: Imports | None = None,
    *,
    store: Store | None = None,
    engine: str | protocols.Engine | None = None,
    limits: Limits | None = None,
    features: Choice = None,
) -> Instance:
    """An instance of a module: of it or of its source, in a store of its own unless one is given.

        instance = instantiate("greet.wasm", {"env": {"log": print}})
        instance.exports.greet()

    source    a `Module`, or what one is read from: a path, a text in the text format, or bytes
    imports   by the name of a module what it has: a mapping of names, another instance, or an object whose attributes without a leading `_`
              are lent. Each thing is a callable for a function, a value for an immutable global, or a Func, Memory, Table, Global or Tag
    store     where it lives; instances that share something live in the same one
    engine    "fast", "reference" or "auto"; that of the module or of the store where one is given
    limits    of its own store: `Limits`
    features  what the module may use, as `Module` takes it

    Fails   as `Module` and `Instance` do; TypeError when a store is given together with limits, or a `Module` with features
    """
    plain = store is None and imports is None and engine is None and features is None
    if plain and isinstance(source, Module) and not source._raw.imports:
        return alone(source, limits)  # the short way, for those who start very many
    if isinstance(source, Module) and features is not None:
        raise TypeError("features belong to a Module: it was read with some already")
    if store is not None:
        check_store(store)
    if store is not None and limits is not None:
        raise TypeError("limits belong to a store: give either")
    if engine is None:
        engine = source.engine if isinstance(source, Module) else store.engine if store else "auto"
    module = source if isinstance(source, Module) else Module(source, engine, features)
    return Instance(store or Store(engine, limits), module, imports)


def alone(module: Module, limits: Limits | None) -> Instance:
    """An instance of a module that imports nothing, in a store of its own. Nothing can lead back to it until somebody asks for its store or
    its exports, since what it refers to cannot be exchanged: so an engine that can hide it from Python's collector makes it all."""
    limits = checked(limits)
    instance = object.__new__(Instance)
    engine = module._engine
    begin = getattr(engine, "begin", None)  # of a `BeginningEngine`; to ask whether it is one takes longer than a start
    if begin is not None and type(module) is Module and not module._raw.field_names:
        Instance._start(instance, begin, module, module._raw, limits)  # `instance._start` would go through `__getattr__`
    else:
        instance._start(Instance._make, module, [], engine.store(limits))
    return instance
