"""Linking several modules: names are defined first, instances are made from them after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.embedding.alive import Alive, check_store
from pywasm_ref.embedding.linking import Namespace, check_names, check_namespace
from pywasm_ref.embedding.objects import Instance, Module
from pywasm_ref.embedding.sources import ModuleSource

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store


class Linker(Alive):
    """Modules by name, for the instances of one store.

        linker = Linker(store)
        linker.define("env", "log", print)
        library = linker.instantiate("library.wasm", "library")
        program = linker.instantiate("program.wasm")

    A name that is defined twice is an error, unless `allow_shadowing` says that the later one counts.

    Fails   ValueError for a name that is defined already, TypeError for one that is no str
    """

    __slots__ = ("_modules", "allow_shadowing", "store")

    def __init__(self, store: Store, *, allow_shadowing: bool = False) -> None:
        check_store(store)
        self.store = store
        self.allow_shadowing = allow_shadowing
        self._modules: dict[str, Namespace] = {}

    def define(self, module: str, name: str, value: Any) -> None:
        """Provide one thing under two names: anything that `instantiate` takes as an import."""
        check_names((module,), "the name of a module")
        check_names((name,), f"a name in module {words.quoted(module)}")
        names = self._modules.setdefault(module, {})
        if not isinstance(names, dict):
            raise ValueError(f"{words.quoted(module)} is defined as a whole; nothing can be added to it")
        if name in names and not self.allow_shadowing:
            raise ValueError(f"{words.imported(module, name)} is defined already")
        names[name] = value

    def define_module(self, module: str, namespace: Namespace) -> None:
        """Provide all that a mapping, an instance or an object has; of an object, the attributes without a leading `_`."""
        check_names((module,), "the name of a module")
        check_namespace(module, namespace)
        if module in self._modules and not self.allow_shadowing:
            raise ValueError(f"module {words.quoted(module)} is defined already")
        self._modules[module] = dict(namespace) if isinstance(namespace, dict) else namespace

    def instantiate(self, source: Module | ModuleSource, name: str | None = None) -> Instance:
        """An instance whose imports are what is defined so far; under a name, its exports are defined too."""
        if name is not None:
            check_names((name,), "the name of a module")
        if name in self._modules and not self.allow_shadowing:
            raise ValueError(f"module {words.quoted(name)} is defined already")
        module = source if isinstance(source, Module) else Module(source, self.store.engine)
        instance = Instance(self.store, module, self._modules)
        if name is not None:
            self._modules[name] = instance
        return instance
