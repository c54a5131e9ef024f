"""Finding what a module imports among what a program provides, and saying what is wrong when it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
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

Reader = Callable[[str, object], Any]
"""Looks up a name; the second argument is the answer where there is none."""

MISSING = object()
EXTERNS = (Func, Table, Memory, Global, Tag)


def resolve(store: Store, wanted: Iterable[tuple[str, str, ExternType]], imports: Imports) -> list[Extern]:
    """An extern of the engine for each import, in order.

    Fails   Unlinkable  "unknown import"            nothing is provided under that name
                        "incompatible import type"  something else is
    """
    if not isinstance(imports, Mapping):
        raise TypeError(f"imports are a mapping from module names, not {words.given(imports)}")
    check_names(imports, "the name of a module that is provided")
    readers: dict[str, Reader] = {}
    found: list[Extern] = []
    func_type = store.raw.func_type
    for module, name, type in wanted:
        read = readers.get(module)
        if read is None:
            read = readers[module] = _reader(imports, module, name, type)
        value = read(name, MISSING)
        if value is MISSING:
            near = words.suggestion(name, _names(imports[module]))
            raise _unknown(module, name, type, f"module {words.quoted(module)} does not have it{near}")
        if isinstance(value, Func) and value.owner is store and isinstance(type, FuncTypeUse) and func_type(value._raw) is type.type:
            found.append(value._raw)  # exactly what is wanted needs nothing more: large modules import many
        else:
            found.append(_resolve(store, module, name, type, value))
    return found


def _reader(imports: Imports, module: str, name: str, type: ExternType) -> Reader:
    """The function that looks up a name among what is provided as a module.

    Fails   Unlinkable  "unknown import"
    """
    if module not in imports:
        raise _unknown(module, name, type, f"no module {words.quoted(module)} is provided{words.suggestion(module, imports)}")
    namespace = imports[module]
    check_namespace(module, namespace)
    if isinstance(namespace, Mapping):
        return namespace.get
    exports = _exports(namespace)
    if exports is not None:
        return partial(_exported, exports)  # it has no method `get`: an export may be called so
    return lambda name, otherwise: getattr(namespace, name, otherwise) if _is_public(name) else otherwise


def _exports(namespace: Namespace) -> Exports | None:
    """Those of an instance, or themselves."""
    exports = namespace if isinstance(namespace, Exports) else getattr(namespace, "exports", None)
    return exports if isinstance(exports, Exports) else None


def _unknown(module: str, name: str, type: ExternType, why: str) -> Unlinkable:
    return Unlinkable(f"unknown import {words.imported(module, name)}: {words.externtype(type)} is needed, and {why}")


def _names(namespace: Namespace) -> Iterable[str]:
    """The names that a namespace has."""
    return namespace if isinstance(namespace, Mapping) else _exports(namespace) or filter(_is_public, dir(namespace))


def _is_public(name: str) -> bool:
    """Whether an attribute is meant for others; the rest leads to the object's secrets, and to the whole of Python."""
    return not name.startswith("_")


def check_namespace(module: str, namespace: object) -> None:
    """Refuse what has no names to lend, such as None.

    Fails   TypeError
    """
    built_in = type(namespace).__module__ == "builtins" and not isinstance(namespace, Mapping | ModuleType | type)
    if built_in or isinstance(namespace, Reference):
        wanted = "a mapping, an instance or an object with attributes"
        raise TypeError(f"module {words.quoted(module)} is {wanted}, not {words.given(namespace)}")
    if isinstance(namespace, dict):  # of a mapping of another class nobody knows what it costs to list it
        check_names(namespace, f"a name in module {words.quoted(module)}")


def check_names(names: Iterable[object], what: str) -> None:
    """Refuse a name that no module can ask for; `what` is for the message.

    Fails   TypeError
    """
    if not {str}.issuperset(map(type, names)):
        for name in names:
            if not isinstance(name, str):
                raise TypeError(f"{what} is a str, not {words.given(name)}")


def _resolve(store: Store, module: str, name: str, type: ExternType, value: Any) -> Extern:
    who = f"{module}.{name}"
    if isinstance(type, GlobalType) and not isinstance(value, Global):
        return _constant(store, who, type, value)
    if isinstance(value, Reference):
        return _existing(store, who, type, value)
    if isinstance(type, FuncTypeUse) and isinstance(type.type, DefType) and callable(value):
        return _host_function(store, who, type.type, value)
    raise _incompatible(who, type, words.given(value))


def _exported(exports: Exports, name: str, otherwise: object) -> Any:
    try:
        return exports[name]
    except KeyError:
        return otherwise


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
    return Unlinkable(f"incompatible import type for {words.name(who)}: {words.externtype(type)} is needed, given is {given}")
