"""What Python's own tools say of a function of WebAssembly: `inspect.signature`, `help`. Nothing of it is made before somebody asks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from pywasm_ref import binary
from pywasm_ref.binary.cursor import Reader
from pywasm_ref.binary.modules import read_export
from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import Module
from pywasm_ref.features import ALL
from pywasm_ref.syntax.modules import ExternKind
from pywasm_ref.syntax.types import FuncType, ResultType

if TYPE_CHECKING:
    from pywasm_ref.embedding.externs import Func

EXPORTS = 7
"""The section of the exports."""


def signature(type: FuncType, names: Mapping[int, str]) -> inspect.Signature:
    """Parameters by position, under the names that they have, else `p0`, `p1`; their types as annotations."""
    kind = inspect.Parameter.POSITIONAL_ONLY
    taken: set[str] = set()
    parameters = [inspect.Parameter(_free(names.get(i, ""), i, taken), kind, annotation=t) for i, t in enumerate(type.params)]
    return inspect.Signature(parameters, return_annotation=_returned(type.results))


def _free(name: str, i: int, taken: set[str]) -> str:
    """A name as Python can have it, and that no other parameter has; a module's may be anything."""
    if len(name) > words.LONGEST or not name.isidentifier() or iskeyword(name):
        name = f"p{i}"
    while name in taken:
        name = f"{name}_"
    taken.add(name)
    return name


def _returned(results: ResultType) -> Any:
    if len(results) > 1:
        return tuple.__class_getitem__(results)
    return results[0] if results else None


def parameter_names(module: Module, name: str) -> Mapping[int, str]:
    """The names that a module has for the parameters of a function that it exports."""
    index = _index_of(module, name)
    return {} if index is None else module.names.locals.get(index, {})


def _index_of(module: Module, name: str) -> int | None:
    """The index of a function, which only the binary says: of the whole of it no more than the list of exports is read."""
    data = module.binary
    start = next((section.start for section in binary.sections(data) if section.id == EXPORTS), None)
    if start is None:
        return None
    reader = Reader(data, ALL, start)
    exports = (read_export(reader) for _ in range(reader.u32()))
    return next((e.index for e in exports if e.name == name and e.kind is ExternKind.FUNC), None)


class CallSignature:
    """`__signature__` of a function; of the class it is what making one takes."""

    def __get__(self, func: Func | None, _: object = None) -> inspect.Signature:
        if func is None:
            raise AttributeError("__signature__")
        module: Module | None = getattr(func, "_module", None)
        return signature(func.type, {} if module is None else parameter_names(module, func.name))


class Documentation:
    """`__doc__`: that of the class, and of a function its own signature above it."""

    def __init__(self, words: str) -> None:
        self.words = inspect.cleandoc(words)

    def __get__(self, func: Func | None, _: object = None) -> str:
        if func is None:
            return self.words
        return f"{words.name(func.name) or 'function'}{inspect.signature(func)}\n\n{self.words}"
