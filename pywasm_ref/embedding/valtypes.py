"""The value types by their names, which a program can write in a call or as an annotation of a host function.

    def scale(x: wasm.i64, by: wasm.f32) -> wasm.f64: ...

A plain `int` stands for i32, `float` for f64, `bool` for i32, `bytes` for v128, `object` or `Any` for externref, `tuple[…]` for several
results and None for none. To a type checker `wasm.i32` is `int`, and so on.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.syntax import types as syntax
from pywasm_ref.syntax.types import FuncType, ResultType, ValType

if TYPE_CHECKING:
    i32 = int
    i64 = int
    f32 = float
    f64 = float
    v128 = bytes
    funcref = Any
    externref = Any
    anyref = Any
    eqref = Any
    i31ref = Any
    structref = Any
    arrayref = Any
    exnref = Any
else:
    i32, i64, f32, f64, v128 = syntax.I32, syntax.I64, syntax.F32, syntax.F64, syntax.V128
    funcref, externref, anyref, exnref = syntax.FUNCREF, syntax.EXTERNREF, syntax.ANYREF, syntax.EXNREF
    eqref, i31ref, structref, arrayref = (
        syntax.RefType(True, heap)
        for heap in (syntax.AbsHeapType.EQ, syntax.AbsHeapType.I31, syntax.AbsHeapType.STRUCT, syntax.AbsHeapType.ARRAY)
    )

VALTYPES = (syntax.NumType, syntax.VecType, syntax.RefType)
PLAIN: dict[Any, ValType] = {
    int: syntax.I32,
    bool: syntax.I32,
    float: syntax.F64,
    bytes: syntax.V128,
    object: syntax.EXTERNREF,
    Any: syntax.EXTERNREF,
}


def valtype(hint: object) -> ValType:
    """The value type that a name of this file or a plain Python type stands for.

    Fails   TypeError for anything else
    """
    if isinstance(hint, VALTYPES):
        return hint
    found = PLAIN.get(hint) if isinstance(hint, type) or hint is Any else None
    if found is None:
        raise TypeError(f"{words.given(hint)} stands for no value type; write wasm.i32, i64, f32, f64, v128, externref, funcref, …")
    return found


def functype(params: Iterable[object], results: Iterable[object] = ()) -> FuncType:
    """A function type from the types of its parameters and results: `functype([i32, i32], [i64])`.

    Fails   TypeError for what is no sequence of types
    """
    return FuncType(resulttype(params, "the parameters"), resulttype(results, "the results"))


def resulttype(hints: object, what: str) -> ResultType:
    """Several value types; `what` is for the message.

    Fails   TypeError for anything else, such as one type
    """
    if isinstance(hints, str) or not isinstance(hints, Iterable):
        given = f"the type {words.valtype(hints)}" if isinstance(hints, VALTYPES) else words.given(hints)
        raise TypeError(f"{what} are a sequence of types, such as [i32], not {given}")
    return tuple(map(valtype, hints))


def hinted(function: Callable[..., Any]) -> FuncType:
    """The function type that the annotations of a Python function say.

    Fails   TypeError when a parameter or the result has no annotation, or one that stands for no value type
    """
    hints = _hints(function)
    names = _positional(function)
    missing = [name for name in [*names, "return"] if name not in hints]
    if missing:
        raise TypeError(f"{words.given(function)} has no annotation for {', '.join(missing)}; annotate it, or give its type")
    return functype((hints[name] for name in names), _results(hints["return"]))


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    target = function if hasattr(function, "__annotations__") or isinstance(function, type) else type(function).__call__
    try:
        return typing.get_type_hints(target)
    except NameError as error:
        raise TypeError(f"an annotation of {words.given(function)} names something unknown: {error}") from None


def _results(hint: object) -> Iterable[object]:
    if hint is type(None):
        return ()
    return typing.get_args(hint) if typing.get_origin(hint) is tuple else (hint,)


def _positional(function: Callable[..., Any]) -> list[str]:
    parameters = parameters_of(function)
    if parameters is None or any(p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters):
        raise TypeError(f"the parameters of {words.given(function)} cannot be told; give its type")
    return [p.name for p in parameters]


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The parameters of a callable, or None where Python does not know them, as of some built-in functions."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
