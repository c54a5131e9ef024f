"""Types and values in a person's words, for messages and `repr`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import cast

from pywasm_ref.syntax.types import (
    I32,
    ArrayType,
    CompType,
    DefType,
    ExternType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    Limits,
    MemType,
    PackType,
    StorageType,
    StructType,
    TableType,
    TagType,
    TypeIdx,
    ValType,
)
from pywasm_ref.validation.notation import resulttype_words, valtype_words
from pywasm_ref.validation.types import expand

LONGEST = 60
MOST_BITS = 256
MOST_NAMES = 2_000


def valtype(t: StorageType) -> str:
    """`i32`, `externref`, `(ref <struct>)`. A defined type is told by its kind, since its structure may be endless."""
    return str(t.value) if isinstance(t, PackType) else valtype_words(t, ())


def resulttype(ts: Sequence[ValType]) -> str:
    """`[i32 i64]`."""
    return resulttype_words(ts, ())


def functype(t: FuncType) -> str:
    """`[i32 i32] -> [i64]`."""
    return f"{resulttype(t.params)} -> {resulttype(t.results)}"


def comptype(t: CompType) -> str:
    match t:
        case FuncType():
            return functype(t)
        case StructType(fields):
            return f"struct {{{', '.join(('mut ' if field.mut else '') + valtype(field.storage) for field in fields)}}}"
        case ArrayType(field):
            return f"array [{'mut ' if field.mut else ''}{valtype(field.storage)}]"


def limits(t: Limits, one: str, several: str) -> str:
    """`1 page`, `1 to 3 pages`."""
    return f"{t.min}{'' if t.max is None else f' to {t.max}'} {one if t.max in (None, 1) and t.min == 1 else several}"


def externtype(t: ExternType) -> str:
    """`function [i32] -> []`, `memory of 1 to 2 pages`, `mutable global i32`."""
    match t:
        case FuncTypeUse(type):
            return f"function {_signature(type)}"
        case TagType(type):
            return f"tag {_signature(type)}"
        case GlobalType(mut, type):
            return f"{'mutable' if mut else 'immutable'} global {valtype(type)}"
        case MemType(addr, size, shared, page_bits):
            pages = "" if page_bits == 16 else f" of {plural(2**page_bits, 'byte')}"
            return f"{'shared ' if shared else ''}{_wide(addr is not I32)}memory of {limits(size, 'page', 'pages')}{pages}"
        case TableType(addr, size, elem):
            return f"{_wide(addr is not I32)}table of {limits(size, f'{valtype(elem)} entry', f'{valtype(elem)} entries')}"


def _wide(wide: bool) -> str:
    return "64-bit " if wide else ""


def _signature(type: TypeIdx | DefType) -> str:
    return comptype(expand(type)) if isinstance(type, DefType) else f"type {type}"


def given(value: object) -> str:
    """What a Python object is, and its value where that is safe and short to show: `str 'four'`, `function greet`."""
    kind = type(value).__name__
    if value is None or (isinstance(value, int) and abs(value) >> MOST_BITS):
        return "None" if value is None else f"{kind} of {value.bit_length()} bits"
    if type(value) in (bool, int, float):  # of these, and not of a class below them, what `repr` does is known
        return f"{kind} {value!r}"
    if type(value) in (str, bytes):
        return f"{kind} {cast(str, value)[:LONGEST]!r}"
    called = getattr(value, "__qualname__", None) if callable(value) else None
    return f"{kind} {name(called)}" if isinstance(called, str) else kind


def integer(i: int) -> str:
    """`-5`; of one that is too long to be read, and for Python to print, how large it is: `about -2**20000`."""
    return f"about {'-' if i < 0 else ''}2**{i.bit_length() - 1}" if abs(i) >> MOST_BITS else format(int(i))


def name(text: str) -> str:
    """A name that a module has, as it stands in a message: what could command a terminal is escaped, and a long one is cut."""
    shown = _cut(text)
    return shown if shown.isprintable() else repr(shown)[1:-1]


def quoted(text: str) -> str:
    """The same in quotation marks."""
    return repr(_cut(text))


def imported(module: str, called: str) -> str:
    """`env.log`."""
    return f"{name(module)}.{name(called)}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def plural(count: int, noun: str) -> str:
    return f"{integer(count)} {noun}{'' if count == 1 else 's'}"


def suggestion(wanted: str, known: Iterable[str]) -> str:
    """`; did you mean 'log'?` where a known name is near, else nothing. A long list is not searched to its end."""
    near = get_close_matches(wanted[:LONGEST], islice(known, MOST_NAMES), n=1)
    return f"; did you mean {quoted(near[0])}?" if near else ""
