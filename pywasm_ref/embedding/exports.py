"""The exports of an instance, by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import engine as protocols
from pywasm_ref.embedding import words
from pywasm_ref.embedding.alive import Alive
from pywasm_ref.embedding.references import FuncReference, Reference

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store

MOST_SHOWN = 20
keep = object.__setattr__
MAPPING = frozenset({"get", "items", "keys", "values"})


class Exports(Alive):
    """The exports of an instance: `exports.fib`, `exports["odd name"]`, `for name in exports`, `len`, `in`, `dir`."""

    __slots__ = ("__dict__", "_found", "_instance", "_module", "_store")
    _store: Store
    _module: protocols.Module
    _instance: protocols.Instance
    _found: dict[str, Reference]

    def __init__(self, store: Store, module: protocols.Module, instance: protocols.Instance) -> None:
        keep(self, "_store", store)
        keep(self, "_module", module)
        keep(self, "_instance", instance)
        keep(self, "_found", {})

    def __getitem__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            raw = self._instance.exports[name]
            found = self._found[name] = self._store.face(raw, name)
            if isinstance(found, FuncReference):
                keep(found, "_module", self._module)  # for its `__signature__`
        return found

    def __getattr__(self, name: str) -> Any:
        if name in Exports.__slots__:  # asked for before they are set, by `copy` and `pickle`
            raise AttributeError(name)
        try:
            found = self[name]
        except KeyError:
            if name in MAPPING:  # an export may be called so, and comes first; so these cannot be methods
                near = "; for all of them, write {name: exports[name] for name in exports}"
            else:
                near = words.suggestion(name, self._instance.exports)
            raise AttributeError(f"the instance has no export {words.quoted(name)}{near}") from None
        keep(self, name, found)  # where Python looks first, from now on
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"exports cannot be set: {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"exports cannot be deleted: {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._instance.exports)

    def __len__(self) -> int:
        return len(self._instance.exports)

    def __contains__(self, name: object) -> bool:
        return name in self._instance.exports

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._instance.exports]

    def __repr__(self) -> str:
        shown = [f"{words.name(name)}: {self[name]!r}" for name in islice(self, MOST_SHOWN)]
        return f"<Exports {', '.join(shown)}{', …' if len(self) > MOST_SHOWN else ''}>"
