"""Python callables as functions of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import CO_VARARGS
from types import FunctionType
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.embedding.signature import Signature, lower_exception
from pywasm_ref.embedding.valtypes import parameters_of
from pywasm_ref.errors import WasmException

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store


class PythonCode:
    """What the engine calls for a Python function: it converts, calls, and converts back. A WasmException becomes one of the guest.

    An engine that converts numbers by itself may call `python_function`, when no reference is in the type, and hand what comes of it to
    `results` and `exception`.
    """

    __slots__ = ("_name", "_signature", "_store", "python_function")

    def __init__(self, store: Store, function: Callable[..., Any], signature: Signature, name: str) -> None:
        self.python_function = function
        self._store = store
        self._signature = signature
        self._name = name

    def __call__(self, args: Sequence[Any]) -> Sequence[Any]:
        try:
            result = self.python_function(*self._signature.params.lift(args))
        except WasmException as error:
            raise self.exception(error) from error
        return self.results(result)

    def results(self, result: Any) -> Sequence[Any]:
        """The engine's values for what the function returned.

        Fails   TypeError, OverflowError or ValueError when it does not fit the type
        """
        row = self._signature.results
        count = len(row.types)
        if count == 1:
            return row.lower((result,), self._name, "result")
        if count == 0 and result is None:
            return ()
        return row.lower(_several(result, count, self._name), self._name, "result")

    def exception(self, error: WasmException) -> WasmException:
        """The engine's exception for the one that the function raised.

        Fails   as `lower_exception`
        """
        return lower_exception(self._store, error)


def _several(result: Any, count: int, name: str) -> Sequence[Any]:
    if isinstance(result, tuple | list):
        return result
    wanted = f"a tuple of {count} results" if count else "no result"
    raise TypeError(f"{words.name(name)} returned {words.given(result)}, and its type has {wanted}")


def plainly_takes(function: Callable[..., Any], count: int) -> bool:
    """Whether that can be told from the code of a function alone, which is sooner done than reading its signature."""
    if type(function) is not FunctionType or function.__dict__:  # where a decorator would leave another signature
        return False
    code = function.__code__
    least = code.co_argcount - len(function.__defaults__ or ())
    return least <= count and (count <= code.co_argcount or bool(code.co_flags & CO_VARARGS)) and not code.co_kwonlyargcount


def misfit(function: Callable[..., Any], count: int) -> str | None:
    """Why a callable cannot take that many arguments, or None when it can, or when Python does not know."""
    if plainly_takes(function, count):
        return None
    parameters = parameters_of(function)
    if parameters is None:
        return None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    open_ended = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    least = sum(p.default is p.empty for p in positional)
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if named:
        return f"it must be given {named[0]} by name"
    if least <= count and (open_ended or count <= len(positional)):
        return None
    return f"it takes {least if least == len(positional) else f'{least} to {len(positional)}'} arguments"
