"""Types in words, for messages: in the notation of the text format, with defined types by their index in the module."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref.syntax.types import AbsHeapType, DefType, HeapType, RefType, ValType

MOST_SHOWN = 20


def heaptype_words(heap: HeapType, types: Sequence[DefType]) -> str:
    """`func`, or the first index of a defined type; one that the module does not have is named by its kind."""
    if not isinstance(heap, DefType):
        return str(heap)
    return next((str(x) for x, deftype in enumerate(types) if deftype is heap), str(heap))


def valtype_words(t: ValType, types: Sequence[DefType]) -> str:
    """`i32`, `funcref`, `(ref null 3)`."""
    if not isinstance(t, RefType) or isinstance(t.heap, AbsHeapType):
        return str(t)
    return f"(ref {'null ' if t.null else ''}{heaptype_words(t.heap, types)})"


def resulttype_words(ts: Sequence[ValType], types: Sequence[DefType]) -> str:
    """`[i32 i64]`; of a long list the last ones, which are the top of the stack."""
    words = [valtype_words(t, types) for t in ts[-MOST_SHOWN:]]
    if len(ts) > MOST_SHOWN:
        words.insert(0, "…")
    return f"[{' '.join(words)}]"
