"""Types as a text spells them.

Spec    text/types.html
"""

from __future__ import annotations

from collections.abc import Iterable

from pywasm_ref.syntax.instructions import BlockType
from pywasm_ref.syntax.types import (
    AbsHeapType,
    ArrayType,
    CompType,
    FieldType,
    FuncType,
    GlobalType,
    HeapType,
    RefType,
    StorageType,
    StructType,
    SubType,
    TableType,
    ValType,
    spelled_limits,
)
from pywasm_ref.text.printer_names import NO_IDENTIFIERS, Identifiers, Spaces

LONGEST_SIGNATURE = 100
"""A function repeats its signature only up to here; otherwise many functions of one long type would be a very long text."""


def heaptype(spaces: Spaces, t: HeapType) -> str:
    if isinstance(t, AbsHeapType):
        return str(t.value)
    return spaces.types.use(t) if isinstance(t, int) else repr(t)


def reftype(spaces: Spaces, t: RefType) -> str:
    if isinstance(t.heap, AbsHeapType):
        return str(t)
    return f"(ref {'null ' if t.null else ''}{heaptype(spaces, t.heap)})"


def storagetype(spaces: Spaces, t: StorageType) -> str:
    return reftype(spaces, t) if isinstance(t, RefType) else str(t.value)


def valtypes(spaces: Spaces, ts: Iterable[ValType]) -> str:
    return " ".join([storagetype(spaces, t) for t in ts])


def globaltype(spaces: Spaces, t: GlobalType) -> str:
    text = storagetype(spaces, t.type)
    return f"(mut {text})" if t.mut else text


def fieldtype(spaces: Spaces, t: FieldType) -> str:
    text = storagetype(spaces, t.storage)
    return f"(mut {text})" if t.mut else text


def declared(spaces: Spaces, word: str, ts: tuple[ValType, ...], names: Identifiers = NO_IDENTIFIERS, first: int = 0) -> str:
    """` (param t*)` or the like, one for each that has a name; nothing at all for no types.

    `first` is the index of the first of them in the space of the names.
    """
    groups: list[tuple[str, list[ValType]]] = []
    for index, t in enumerate(ts, first):
        name = names.ids.get(index, "")
        if name or not groups or groups[-1][0]:
            groups.append((name, []))
        groups[-1][1].append(t)
    return "".join([f" ({word} {name + ' ' if name else ''}{valtypes(spaces, group)})" for name, group in groups])


def signature(spaces: Spaces, t: FuncType, names: Identifiers = NO_IDENTIFIERS) -> str:
    """Parameters and results, each part with a space before it."""
    return declared(spaces, "param", t.params, names) + declared(spaces, "result", t.results)


def shown_signature(spaces: Spaces, index: HeapType) -> FuncType | None:
    """The function type that a type use repeats for the reader; None where there is none, or it is too long."""
    comp = spaces.subtypes[index].comp if isinstance(index, int) and index < len(spaces.subtypes) else None
    if not isinstance(comp, FuncType) or len(comp.params) + len(comp.results) > LONGEST_SIGNATURE:
        return None
    return comp


def typeuse(spaces: Spaces, index: HeapType, names: Identifiers = NO_IDENTIFIERS) -> str:
    shown = shown_signature(spaces, index)
    return f"(type {heaptype(spaces, index)})" + (signature(spaces, shown, names) if shown else "")


def blocktype(spaces: Spaces, t: BlockType) -> str:
    if t is None:
        return ""
    return f" (type {spaces.types.use(t)})" if isinstance(t, int) else f" (result {storagetype(spaces, t)})"


def comptype(spaces: Spaces, t: CompType, fields: Identifiers) -> str:
    if isinstance(t, FuncType):
        return f"(func{signature(spaces, t)})"
    if isinstance(t, ArrayType):
        return f"(array {fieldtype(spaces, t.field)})"
    return f"(struct{structfields(spaces, t, fields)})"


def structfields(spaces: Spaces, t: StructType, names: Identifiers) -> str:
    texts = []
    for index, field in enumerate(t.fields):
        name = names.ids.get(index)
        texts.append(f" (field {name + ' ' if name else ''}{fieldtype(spaces, field)})")
    return "".join(texts)


def subtype(spaces: Spaces, index: int, t: SubType) -> str:
    """A type definition."""
    text = comptype(spaces, t.comp, spaces.fields_of(index))
    if t.supers or not t.final:
        supers = "".join([heaptype(spaces, x) + " " for x in t.supers])
        text = f"(sub {'final ' if t.final else ''}{supers}{text})"
    return f"(type {spaces.types.bind(index)} {text})"


def tabletype(spaces: Spaces, t: TableType) -> str:
    return f"{spelled_limits(t.addr, t.limits)} {reftype(spaces, t.elem)}"
