"""Python callables as functions of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import HostCode
from pywasm_ref.embedding.signature import Signature, lower_exception
from pywasm_ref.embedding.valtypes import parameters_of
from pywasm_ref.errors import WasmException

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store


def host_code(store: Store, function: Callable[..., Any], signature: Signature, name: str) -> HostCode:
    """What the engine calls: it converts, calls, and converts back. A WasmException becomes one of the guest.

    Fails   the code: TypeError, OverflowError or ValueError for a result that does not fit the type
    """
    lift, lower, count = signature.params.lift, signature.results.lower, len(signature.results.types)

    def code(args: Sequence[Any]) -> Sequence[Any]:
        try:
            result = function(*lift(args))
        except WasmException as error:
            raise lower_exception(store, error) from error
        if count == 1:
            return lower((result,), name, "result")
        if count == 0 and result is None:
            return ()
        return lower(_several(result, count, name), name, "result")

    return code


def _several(result: Any, count: int, name: str) -> Sequence[Any]:
    if isinstance(result, tuple | list):
        return result
    wanted = f"a tuple of {count} results" if count else "no result"
    raise TypeError(f"{name} returned {words.given(result)}, and its type has {wanted}")


def misfit(function: Callable[..., Any], count: int) -> str | None:
    """Why a callable cannot take that many arguments, or None when it can, or when Python does not know."""
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
