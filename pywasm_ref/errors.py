"""The ways in which WebAssembly can refuse: one tree of errors, and the reasons for a trap.

The words are those of the official test suite, so that a message can be compared with it; both engines use them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pywasm_ref.source import Source

PLAIN = int | float | bytes | str | None
"""Values of an exception that mean the same in another process."""


class WasmError(Exception):
    """Something that WebAssembly refuses, and where it stands.

    `at` is a byte offset in a binary or a character index in a text; `source` turns it into words for a person.
    Both are None where the error has no place in a source (a bad import, say).
    """

    def __init__(self, message: str, at: int | None = None, source: Source | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.source = source
        self.frames: list[tuple[str | int, int | None]] = []
        """The calls that were open, innermost first: the name or index of each function, and the place it had come to."""

    def located(self, source: Source | None) -> WasmError:
        """The same error, knowing the source that `at` counts in; a source that is already known stays."""
        self.source = self.source or source
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self._portable())

    def _portable(self) -> dict[str, Any]:
        """What goes along when the error is pickled: all that means something in another process."""
        return vars(self)

    def __str__(self) -> str:
        words = printable(self.message)
        if self.at is None:
            return words
        where = self.source.where(self.at) if self.source else f"@{self.at:#x}"
        return f"{where}: {words}"


def printable(words: str) -> str:
    """Words of a guest without what could command a terminal; the length stays."""
    return words if words.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)


def _again(kind: type[WasmError], args: tuple[Any, ...], state: dict[str, Any]) -> WasmError:
    """An error that was pickled."""
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


class Malformed(WasmError):
    """The bytes or the text are not a module at all."""


class Invalid(WasmError):
    """A module that can be read, but does not validate."""


class Unlinkable(WasmError):
    """A module whose imports were not provided, or not with a matching type."""


class Exhaustion(WasmError):
    """A limit of this host was reached: call depth, fuel, memory; not the guest's fault in the eyes of the specification."""


class Interrupted(WasmError):
    """The guest was stopped from outside, by `Store.interrupt` or Ctrl-C."""


class TrapReason(Enum):
    """Why execution trapped; the value is the message."""

    UNREACHABLE = "unreachable"
    INTEGER_DIVIDE_BY_ZERO = "integer divide by zero"
    INTEGER_OVERFLOW = "integer overflow"
    INVALID_CONVERSION = "invalid conversion to integer"
    OUT_OF_BOUNDS_MEMORY = "out of bounds memory access"
    OUT_OF_BOUNDS_TABLE = "out of bounds table access"
    OUT_OF_BOUNDS_ARRAY = "out of bounds array access"
    UNDEFINED_ELEMENT = "undefined element"
    UNINITIALIZED_ELEMENT = "uninitialized element"
    INDIRECT_CALL_TYPE_MISMATCH = "indirect call type mismatch"
    NULL_REFERENCE = "null reference"
    NULL_FUNCTION_REFERENCE = "null function reference"
    NULL_STRUCTURE_REFERENCE = "null structure reference"
    NULL_ARRAY_REFERENCE = "null array reference"
    NULL_I31_REFERENCE = "null i31 reference"
    NULL_EXCEPTION_REFERENCE = "null exception reference"
    CAST_FAILURE = "cast failure"
    UNALIGNED_ATOMIC = "unaligned atomic"
    EXPECTED_SHARED_MEMORY = "expected shared memory"


class Trap(WasmError):
    """The guest did what it must not; `reason` says what, `frames` are the calls that led there, innermost first."""

    def __init__(self, reason: TrapReason, detail: str = "") -> None:
        if not isinstance(reason, TrapReason):
            raise TypeError(f"the reason of a trap is a TrapReason, such as TrapReason.UNREACHABLE, not {type(reason).__name__}")
        super().__init__(f"{reason.value} {detail}" if detail else reason.value)
        self.reason = reason


class WasmException(WasmError):
    """An exception of the guest that nobody caught, or one that the host throws into the guest.

    `tag` is a `Tag`, and `values` are the Python values that it asks for; below the Python interface, both are the engine's own.
    Pickled, it keeps its numbers, and of references only what they were.

    Fails   TypeError for values that are no tuple
    """

    def __init__(self, tag: Any, values: tuple[Any, ...], exn: Any = None) -> None:
        if not isinstance(values, tuple | list):
            raise TypeError(f"the values of an exception are a tuple, such as (5,), not {type(values).__name__}")
        super().__init__("unhandled exception")
        self.tag = tag
        self.values = values
        self.exn = exn

    def _portable(self) -> dict[str, Any]:
        values = tuple(value if isinstance(value, PLAIN) else f"<{type(value).__name__}>" for value in self.values)
        return super()._portable() | {"tag": None, "exn": None, "values": values}
