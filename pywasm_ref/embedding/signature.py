"""Calls across the door: arguments and results of a function type converted as a whole, and exceptions on their way through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pywasm_ref.embedding import words
from pywasm_ref.embedding.references import Exn
from pywasm_ref.embedding.values import ToPython, ToWasm
from pywasm_ref.errors import WasmException
from pywasm_ref.syntax.types import FuncType, ResultType

if TYPE_CHECKING:
    from pywasm_ref.embedding.store import Store

DEEPEST = 100
"""Calls that an exception knows of, however often it is raised again."""


@dataclass(frozen=True, slots=True)
class Row:
    """Several values at once: the parameters of a function, or its results."""

    types: ResultType
    to_wasm: tuple[ToWasm, ...]
    to_python: tuple[ToPython, ...]

    def lower(self, values: Sequence[Any], who: str, noun: str) -> list[Any]:
        """The engine's values; `who` and `noun` are for the message: `fib`, `parameter`.

        Fails   TypeError for a wrong number of values, or one of a wrong type; OverflowError, ValueError for a wrong one
        """
        if len(values) != len(self.types):
            wanted = f"{words.plural(len(self.types), noun)} {words.resulttype(self.types)}"
            raise TypeError(f"{words.name(who)} has {wanted}, and {len(values)} {'was' if len(values) == 1 else 'were'} given")
        lowered: list[Any] = []
        try:
            for to_wasm, value in zip(self.to_wasm, values, strict=True):
                lowered.append(to_wasm(value))
        except (TypeError, ValueError, OverflowError) as error:
            at = len(lowered)
            kind = next(kind for kind in (TypeError, OverflowError, ValueError) if isinstance(error, kind))
            raise kind(f"{words.name(who)}: {noun} {at + 1} ({words.valtype(self.types[at])}): {error}") from None
        return lowered

    def lift(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Python's values."""
        return tuple([to_python(value) for to_python, value in zip(self.to_python, values, strict=True)])


@dataclass(frozen=True, slots=True)
class Signature:
    """A function type and its converters in one store."""

    type: FuncType
    params: Row
    results: Row

    @classmethod
    def of(cls, store: Store, type: FuncType) -> Signature:
        return cls(type, _row(store, type.params), _row(store, type.results))


def _row(store: Store, types: ResultType) -> Row:
    pairs = [store.converters(t) for t in types]
    return Row(types, tuple(to_wasm for to_wasm, _ in pairs), tuple(to_python for _, to_python in pairs))


# Exceptions


class Lowered(WasmException):
    """What a host function raised, in the engine's terms. When no guest catches it, the caller gets `raised` itself."""

    def __init__(self, tag: Any, values: tuple[Any, ...], exn: Any, raised: WasmException) -> None:
        super().__init__(tag, values, exn)
        self.raised = raised

    def handed_on(self) -> WasmException:
        """What was raised, which now knows the calls that it went through."""
        raised = self.raised
        if raised.at is None and not raised.frames:
            raised.at, raised.source = self.at, self.source
        raised.frames = (raised.frames + self.frames)[:DEEPEST]
        return raised


def lift_exception(store: Store, error: WasmException) -> WasmException:
    """An exception that left the guest, with its tag and values in Python's terms: the same object, or what a host function raised."""
    if isinstance(error, Lowered):
        return error.handed_on()
    raw_tag, raw_values, raw_exn = error.tag, error.values, error.exn
    error.tag = store.wrap_tag(raw_tag)
    error.values = error.tag.values_to_python(raw_values)
    error.exn = None if raw_exn is None else Exn(store, raw_exn)
    error.message = f"unhandled exception {words.resulttype(error.tag.type.params)}"
    return error


def lower_exception(store: Store, error: WasmException) -> Lowered:
    """An exception that a host function raised, in the engine's terms.

    Fails   TypeError when it has no `Tag`, or values that do not fit it; ValueError when the tag belongs to another store
    """
    tag = store.tag(error.tag)
    raw_exn = error.exn.raw_in(store) if isinstance(error.exn, Exn) else None
    return Lowered(tag.raw_in(store), tuple(tag.values_to_wasm(error.values)), raw_exn, error)
