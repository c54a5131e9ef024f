"""What makes a Python function one of WASI: its core type, read from its annotations, and errors turned into errnos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pywasm_ref.syntax.types import I32, I64, FuncType
from pywasm_ref.wasi.abi import I64_NAMES, Errno
from pywasm_ref.wasi.faults import Fault, ProcExit

if TYPE_CHECKING:
    from pywasm_ref.wasi.context import Wasi

Code = TypeVar("Code", bound=Callable[..., Any])

RESULTS: tuple[tuple[int], ...] = tuple((int(code),) for code in Errno)
"""What the engine is given for each errno."""


@dataclass(frozen=True, slots=True)
class WasiFunction:
    """A function, its name and core type. `params` are the names and types of its parameters as they are written."""

    name: str
    type: FuncType
    params: tuple[tuple[str, str], ...]
    code: Callable[..., Any]


PREVIEW1: dict[str, WasiFunction] = {}
"""The functions of wasi_snapshot_preview1, filled by the decorator."""

DIFFERENT: dict[str, WasiFunction] = {}
"""Those of wasi_unstable that are not the same."""


Shortcut = Callable[["Wasi", Callable[[Sequence[Any]], Sequence[Any]]], Callable[[Sequence[Any]], Sequence[Any]]]
"""From a guest and the function in full to one that does the same, and common cases of it sooner."""

SHORTCUTS: dict[str, Shortcut] = {}


def wasi_function(code: Code) -> Code:
    """Make a function known as the one of preview 1 that has its name."""
    PREVIEW1[code.__name__] = described(code)
    return code


def unstable_function(code: Code) -> Code:
    """Make a function known as what `wasi_unstable` has under its name."""
    DIFFERENT[code.__name__] = described(code)
    return code


def described(code: Callable[..., Any]) -> WasiFunction:
    """The first parameter is the guest's `Wasi`, the others are those of the core; an `Errno` is returned as i32."""
    annotations: dict[str, str] = dict(code.__annotations__)
    result = annotations.pop("return")
    params = tuple(annotations.items())[1:]
    types = tuple(I64 if type in I64_NAMES else I32 for _, type in params)
    return WasiFunction(code.__name__, FuncType(types, (I32,) if result == "Errno" else ()), params, code)


def bound(wasi: Wasi, function: WasiFunction) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The function for one guest, as an engine calls it."""
    call = function.code

    def code(args: Sequence[Any]) -> Sequence[Any]:
        try:
            return RESULTS[call(wasi, *args)]
        except Fault as fault:
            return RESULTS[fault.errno]
        except OSError as error:
            return RESULTS[wasi.failed(function.name, error)]
        except MemoryError:
            return RESULTS[Errno.NOMEM]

    if wasi.audit is not None:
        return audited(wasi, function, code)
    prepare = SHORTCUTS.get(function.name)
    return code if prepare is None else prepare(wasi, code)


def audited(wasi: Wasi, function: WasiFunction, code: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The same, and each use is told to the guest's audit."""

    def watched(args: Sequence[Any]) -> Sequence[Any]:
        subjects = wasi.subjects(function, args)
        try:
            results = code(args)
        except BaseException as end:  # its own, or it is stopped, or something that was lent raised an error
            wasi.note(function.name, subjects, Errno.SUCCESS if isinstance(end, ProcExit) else Errno.CANCELED)
            raise
        wasi.note(function.name, subjects, Errno(results[0]))
        return results

    return watched
