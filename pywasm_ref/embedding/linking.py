"""Finding what a module imports among what a program provides, and saying what is wrong when it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import Extern
from pywasm_ref.embedding.exports import Exports
from pywasm_ref.embedding.externs import Func, Global, Table, Tag, extern_type
from pywasm_ref.embedding.hosts import PythonCode, misfit
from pywasm_ref.embedding.memory import Memory
from pywasm_ref.embedding.references import Reference
from pywasm_ref.errors import Unlinkable
from pywasm_ref.syntax.types import DefType, ExternType, FuncTypeUse, GlobalType
from pywasm_ref.validation.matching import match_externtype

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store

Namespace = Any
"""A mapping from names to values, an `Instance`, its `exports`, or an object whose public attributes are lent: a guest finds none
whose name begins with `_`. What is of a built-in class is no namespace, nor is a `Func`, `Memory` and the like."""

Imports = Mapping[str, Namespace]
"""Modules by name; in each, a value is a `Func`, `Memory`, `Table`, `Global` or `Tag`, a plain callable for a function, or the content of
an immutable global."""

MISSING = object()
EXTERNS = (Func, Table, Memory, Global, Tag)


def resolve(store: Store, wanted: Iterable[tuple[str, str, ExternType]], imports: Imports) -> list[Extern]:
    """An extern of the engine for each import, in order.

    Fails   Unlinkable  "unknown import"            nothing is provided under that name
                        "incompatible import type"  something else is
    """
    if not isinstance(imports, Mapping):
        raise TypeError(f"imports are a mapping from module names, not {words.given(imports)}")
    return [_resolve(store, module, name, type, _look_up(imports, module, name, type)) for module, name, type in wanted]


def _look_up(imports: Imports, module: str, name: str, type: ExternType) -> Any:
    """What is provided under a name.

    Fails   Unlinkable  "unknown import"
    """
    if module not in imports:
        raise _unknown(module, name, type, f"no module {module!r} is provided{words.suggestion(module, imports)}")
    namespace = imports[module]
    check_namespace(module, namespace)
    names, read = _names(namespace)
    value = read(name)
    if value is MISSING:
        raise _unknown(module, name, type, f"module {module!r} does not have it{words.suggestion(name, names)}")
    return value


def _unknown(module: str, name: str, type: ExternType, why: str) -> Unlinkable:
    return Unlinkable(f"unknown import {module}.{name}: {words.externtype(type)} is needed, and {why}")


def _names(namespace: Namespace) -> tuple[Iterable[str], Callable[[str], Any]]:
    """The names that a namespace has, and the function that looks one up."""
    if isinstance(namespace, Mapping):
        return namespace, lambda name: namespace.get(name, MISSING)
    exports = namespace if isinstance(namespace, Exports) else getattr(namespace, "exports", None)
    if isinstance(exports, Exports):
        return exports, lambda name: _exported(exports, name)
    return filter(_is_public, dir(namespace)), lambda name: getattr(namespace, name, MISSING) if _is_public(name) else MISSING


def _is_public(name: str) -> bool:
    """Whether an attribute is meant for others; the rest leads to the object's secrets, and to the whole of Python."""
    return not name.startswith("_")


def check_namespace(module: str, namespace: object) -> None:
    """Refuse what has no names to lend, such as None.

    Fails   TypeError
    """
    built_in = type(namespace).__module__ == "builtins" and not isinstance(namespace, Mapping | ModuleType | type)
    if built_in or isinstance(namespace, Reference):
        raise TypeError(f"module {module!r} is a mapping, an instance or an object with attributes, not {words.given(namespace)}")


def _exported(exports: Exports, name: str) -> Any:
    try:
        return exports[name]
    except KeyError:
        return MISSING


def _resolve(store: Store, module: str, name: str, type: ExternType, value: Any) -> Extern:
    who = f"{module}.{name}"
    if isinstance(type, GlobalType) and not isinstance(value, Global):
        return _constant(store, who, type, value)
    if isinstance(value, Reference):
        return _existing(store, who, type, value)
    if isinstance(type, FuncTypeUse) and isinstance(type.type, DefType) and callable(value):
        return _host_function(store, who, type.type, value)
    raise _incompatible(who, type, words.given(value))


def _existing(store: Store, who: str, type: ExternType, value: Reference) -> Extern:
    try:
        raw: Extern = value.raw_in(store)
    except ValueError as error:
        raise _incompatible(who, type, f"{words.given(value)}: {error}") from None
    if not isinstance(value, EXTERNS):
        raise _incompatible(who, type, words.given(value))
    given = extern_type(store, value)
    if given != type and not match_externtype(given, type):
        raise _incompatible(who, type, words.externtype(given))
    return raw


def _host_function(store: Store, who: str, type: DefType, value: Callable[..., Any]) -> Extern:
    signature = store.signature(type)
    problem = misfit(value, len(signature.type.params))
    if problem:
        raise _incompatible(who, FuncTypeUse(type), f"{words.given(value)}, but {problem}")
    return store.raw.func_alloc(type, PythonCode(store, value, signature, who))


def _constant(store: Store, who: str, type: GlobalType, value: Any) -> Extern:
    if type.mut:
        raise _incompatible(who, type, f"{words.given(value)}; give a Global, which others can share")
    try:
        content = store.converters(type.type)[0](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _incompatible(who, type, f"{words.given(value)}: {error}") from None
    return store.raw.global_alloc(type, content)


def _incompatible(who: str, type: ExternType, given: str) -> Unlinkable:
    return Unlinkable(f"incompatible import type for {who}: {words.externtype(type)} is needed, given is {given}")
