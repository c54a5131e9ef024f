"""What a binary holds: its sections, what it imports, exports and defines, and the features that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pywasm_ref import binary
from pywasm_ref.binary.cursor import Reader
from pywasm_ref.embedding import words
from pywasm_ref.syntax.modules import ExternKind, Module
from pywasm_ref.syntax.types import (
    ExternType,
    FuncTypeUse,
    GlobalType,
    MemType,
    SubType,
    TableType,
    TagType,
    TypeIdx,
)
from pywasm_ref.tools.features_used import features_used

CODE = 10

KINDS: dict[type, ExternKind] = {
    FuncTypeUse: ExternKind.FUNC,
    TableType: ExternKind.TABLE,
    MemType: ExternKind.MEM,
    GlobalType: ExternKind.GLOBAL,
    TagType: ExternKind.TAG,
}


@dataclass(frozen=True, slots=True)
class SectionRow:
    """`offset` is where the content starts."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ImportRow:
    module: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class ExportRow:
    name: str
    kind: str
    index: int
    type: str


@dataclass(frozen=True, slots=True)
class FuncRow:
    """A function that the module defines; `offset` and `size` are those of its code, in bytes."""

    index: int
    name: str | None
    type: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Inspection:
    size: int
    sections: list[SectionRow]
    imports: list[ImportRow]
    exports: list[ExportRow]
    functions: list[FuncRow]
    features: list[str]


def inspect(data: bytes, module: Module) -> Inspection:
    """Look into a binary and the module that it was decoded to, which need not be valid."""
    types = [sub for rectype in module.types for sub in rectype.subtypes]
    spaces = index_spaces(module)
    return Inspection(
        len(data),
        [SectionRow(s.name, s.start, s.size) for s in binary.sections(data)],
        [ImportRow(i.module, i.name, type_words(i.type, types)) for i in module.imports],
        [ExportRow(e.name, e.kind.value, e.index, _type_at(spaces[e.kind], e.index, types)) for e in module.exports],
        list(_functions(data, module, types)),
        [feature.value for feature in features_used(module)],
    )


def index_spaces(module: Module) -> dict[ExternKind, list[ExternType]]:
    """The types of everything that can be exported, imports first."""
    spaces: dict[ExternKind, list[ExternType]] = {kind: [] for kind in ExternKind}
    for i in module.imports:
        spaces[KINDS[type(i.type)]].append(i.type)
    spaces[ExternKind.FUNC] += [FuncTypeUse(func.type) for func in module.funcs]
    spaces[ExternKind.TABLE] += [table.type for table in module.tables]
    spaces[ExternKind.MEM] += [mem.type for mem in module.mems]
    spaces[ExternKind.GLOBAL] += [variable.type for variable in module.globals]
    spaces[ExternKind.TAG] += [tag.type for tag in module.tags]
    return spaces


def type_words(t: ExternType, types: Sequence[SubType]) -> str:
    """The type of an import or export in words."""
    if isinstance(t, FuncTypeUse | TagType) and isinstance(t.type, TypeIdx):
        kind = "function" if isinstance(t, FuncTypeUse) else "tag"
        return f"{kind} {words.comptype(types[t.type].comp)}" if t.type < len(types) else f"{kind} of unknown type {t.type}"
    return words.externtype(t)


def _type_at(space: Sequence[ExternType], index: int, types: Sequence[SubType]) -> str:
    return type_words(space[index], types) if index < len(space) else f"unknown index {index}"


def _functions(data: bytes, module: Module, types: Sequence[SubType]) -> Iterator[FuncRow]:
    imported = sum(isinstance(i.type, FuncTypeUse) for i in module.imports)
    for k, (func, (offset, size)) in enumerate(zip(module.funcs, _code(data), strict=False)):
        t = type_words(FuncTypeUse(func.type), types).removeprefix("function ")
        yield FuncRow(imported + k, module.names.funcs.get(imported + k), t, offset, size)


def _code(data: bytes) -> Iterator[tuple[int, int]]:
    """Offset and size of each function's code, in a binary that can be decoded."""
    for section in binary.sections(data):
        if section.id == CODE:
            reader = Reader(data, pos=section.start)
            for _ in range(reader.u32()):
                size = reader.u32()
                yield reader.pos, size
                reader.pos += size
