"""Modules: the header, and sections in their order.

A section is read from the whole of the bytes and its size compared afterwards, as the specification's grammar has it; so the first
thing that is wrong is what the error names.

Spec    binary/modules.html
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, TypeVar

from pywasm_ref.binary.cursor import Reader
from pywasm_ref.binary.custom import BRANCH_HINTS, NAME_SECTION, read_branch_hints, read_names
from pywasm_ref.binary.instructions import read_expr
from pywasm_ref.binary.sections import CODE, CUSTOM, DATACOUNT, KNOWN, MAGIC, ORDER, TAG, VERSION
from pywasm_ref.binary.types import (
    has_tags,
    read_externtype,
    read_globaltype,
    read_memtype,
    read_rectype,
    read_reftype,
    read_tabletype,
    read_tagtype,
    read_valtype,
)
from pywasm_ref.errors import Malformed
from pywasm_ref.features import WASM_3, Feature, Features
from pywasm_ref.isa import op
from pywasm_ref.syntax.instructions import Expr, RefFunc
from pywasm_ref.syntax.modules import (
    Active,
    Custom,
    Data,
    Elem,
    Export,
    ExternKind,
    Func,
    Global,
    Import,
    LocalType,
    Mem,
    Mode,
    Module,
    Names,
    Places,
    Table,
    Tag,
)
from pywasm_ref.syntax.types import AbsHeapType, FuncTypeUse, RefType, TypeIdx, ValType
from pywasm_ref.syntax.values import U32_MAX

T = TypeVar("T")

FUNCS = RefType(False, AbsHeapType.FUNC)
NULLABLE_FUNCS = RefType(True, AbsHeapType.FUNC)
EXTERN_KINDS = (ExternKind.FUNC, ExternKind.TABLE, ExternKind.MEM, ExternKind.GLOBAL, ExternKind.TAG)
"""By the byte of the binary format."""
TABLE_WITH_INIT = 0x40


def decode(data: bytes, features: Features = WASM_3) -> Module:
    """The module that the bytes are.

    Fails   Malformed   they are none, with these features
    """
    if len(data) > U32_MAX:
        raise Malformed("length out of bounds", U32_MAX)
    return ModuleReader(Reader(bytes(data), features)).module()


class ModuleReader:
    """Reads the sections one after the other and keeps what they held until all are there."""

    def __init__(self, s: Reader) -> None:
        self.s = s
        self.parts: dict[str, Any] = {}
        self.places: dict[str, tuple[int, ...]] = {}
        self.customs: list[Custom] = []
        self.typeidxs: tuple[TypeIdx, ...] = ()
        self.start: int | None = None
        self.data_count: int | None = None

    def module(self) -> Module:
        self.header()
        after = CUSTOM
        self.custom_sections(after)
        for section in ORDER:
            if self.s.peek() == section and self.is_known(section):
                self.s.pos += 1
                self.sized(SECTIONS[section])
                after = section
                self.custom_sections(after)
        if not self.s.at_end():
            raise self.s.fail("unexpected content after last section", self.s.pos)
        return self.finish()

    def header(self) -> None:
        if self.s.take(4) != MAGIC:
            raise self.s.fail("magic header not detected", 0)
        if self.s.take(4) != VERSION:
            raise self.s.fail("unknown binary version", 4)

    def is_known(self, section: int) -> bool:
        """Two sections came with a feature."""
        if section == TAG:
            return has_tags(self.s.features)
        return section != DATACOUNT or Feature.BULK_MEMORY in self.s.features

    def sized(self, read: Callable[[ModuleReader], None]) -> None:
        size = self.s.length()
        start = self.s.pos
        read(self)
        if self.s.pos != start + size:
            raise self.s.fail("section size mismatch", start)

    def custom_sections(self, after: int) -> None:
        """The custom sections that stand here; what follows them must be a section that there is."""
        while (section := self.s.peek()) == CUSTOM:
            self.s.pos += 1
            size = self.s.length()
            end = self.s.pos + size
            name = self.s.name()
            self.customs.append(Custom(name, self.s.take(max(end - self.s.pos, 0)), after))
            if self.s.pos != end:
                raise self.s.unexpected_end()
        if section is not None and not (section in KNOWN and self.is_known(section)):
            raise self.s.fail("malformed section id", self.s.pos)

    def vector(self, part: str, read: Callable[[Reader], T]) -> tuple[T, ...]:
        """The entries of a section; where each of them stands is noted."""
        s = self.s
        entries: list[T] = []
        places = array("I")
        for _ in range(s.length()):
            places.append(s.pos)
            entries.append(read(s))
        self.places[part] = tuple(places)
        return tuple(entries)

    def finish(self) -> Module:
        """What only the whole module can tell."""
        s = self.s
        codes: tuple[tuple[tuple[LocalType, ...], Expr], ...] = self.parts.pop("funcs", ())
        if len(self.typeidxs) != len(codes):
            raise s.fail("function and code section have inconsistent lengths", len(s.data))
        if self.data_count is not None and self.data_count != len(self.parts.get("datas", ())):
            raise s.fail("data count and data section have inconsistent lengths", len(s.data))
        if self.data_count is None and s.uses_data:
            raise s.fail("data count section required", len(s.data))
        funcs = tuple([Func(x, *code) for x, code in zip(self.typeidxs, codes, strict=True)])
        hints = self.branch_hints(funcs)
        return Module(
            **self.parts,
            funcs=funcs,
            start=self.start,
            customs=tuple(self.customs),
            branch_hints=hints,
            has_data_count=self.data_count is not None,
            names=self.names(),
            places=Places(self.places),
        )

    def names(self) -> Names:
        section = next((custom for custom in self.customs if custom.name == NAME_SECTION), None)
        return read_names(section.data) if section else Names()

    def branch_hints(self, funcs: tuple[Func, ...]) -> tuple[tuple[int, int, int], ...]:
        """The hints; their section is dropped from the custom sections then, since it will be made from them again."""
        sections = [custom for custom in self.customs if custom.name == BRANCH_HINTS]
        if len(sections) != 1:
            return ()
        imported = sum(isinstance(entry.type, FuncTypeUse) for entry in self.parts.get("imports", ()))
        hints = read_branch_hints(sections[0].data, imported, funcs, self.places.get("funcs", ()), self.s.data)
        if hints:
            self.customs.remove(sections[0])
        return hints


# Sections


def type_section(m: ModuleReader) -> None:
    m.parts["types"] = m.vector("types", read_rectype)


def import_section(m: ModuleReader) -> None:
    m.parts["imports"] = m.vector("imports", read_import)


def func_section(m: ModuleReader) -> None:
    m.typeidxs = m.s.vector(Reader.u32)


def table_section(m: ModuleReader) -> None:
    m.parts["tables"] = m.vector("tables", read_table)


def mem_section(m: ModuleReader) -> None:
    m.parts["mems"] = m.vector("mems", lambda s: Mem(read_memtype(s)))


def tag_section(m: ModuleReader) -> None:
    m.parts["tags"] = m.vector("tags", lambda s: Tag(read_tagtype(s)))


def global_section(m: ModuleReader) -> None:
    m.parts["globals"] = m.vector("globals", read_global)


def export_section(m: ModuleReader) -> None:
    m.parts["exports"] = m.vector("exports", read_export)


def start_section(m: ModuleReader) -> None:
    m.places["start"] = (m.s.pos,)
    m.start = m.s.u32()


def elem_section(m: ModuleReader) -> None:
    m.parts["elems"] = m.vector("elems", read_elem)


def datacount_section(m: ModuleReader) -> None:
    m.data_count = m.s.u32()


def code_section(m: ModuleReader) -> None:
    """A function stands where its locals begin, behind its size: what counts bytes in a function counts from there."""
    s = m.s
    codes = []
    places = array("I")
    for _ in range(s.length()):
        size = s.length()
        start = s.pos
        codes.append((read_locals(s), read_expr(s)))
        if s.pos != start + size:
            raise s.fail("section size mismatch", start)
        places.append(start)
    m.parts["funcs"] = tuple(codes)
    m.places["funcs"] = tuple(places)


def data_section(m: ModuleReader) -> None:
    m.parts["datas"] = m.vector("datas", read_data)


SECTIONS: dict[int, Callable[[ModuleReader], None]] = {
    1: type_section,
    2: import_section,
    3: func_section,
    4: table_section,
    5: mem_section,
    6: global_section,
    7: export_section,
    8: start_section,
    9: elem_section,
    CODE: code_section,
    11: data_section,
    DATACOUNT: datacount_section,
    TAG: tag_section,
}


# Entries


def read_import(s: Reader) -> Import:
    module = s.name()
    name = s.name()
    return Import(module, name, read_externtype(s))


def read_table(s: Reader) -> Table:
    if s.peek() != TABLE_WITH_INIT or Feature.FUNCTION_REFERENCES not in s.features:
        return Table(read_tabletype(s))
    s.pos += 1
    s.zero()
    t = read_tabletype(s)
    return Table(t, read_expr(s))


def read_global(s: Reader) -> Global:
    t = read_globaltype(s)
    return Global(t, read_expr(s))


def read_export(s: Reader) -> Export:
    name = s.name()
    kind = s.byte()
    if kind >= len(EXTERN_KINDS) or (EXTERN_KINDS[kind] is ExternKind.TAG and not has_tags(s.features)):
        raise s.fail("malformed export kind")
    return Export(name, EXTERN_KINDS[kind], s.u32())


def read_locals(s: Reader) -> tuple[LocalType, ...]:
    """Runs of locals, neighbours of one type made one run; runs of none are left out."""
    at = s.pos
    runs: list[LocalType] = []
    total = 0
    last: ValType | None = None
    for _ in range(s.length()):
        count = s.u32()
        t = read_valtype(s)
        total += count
        if count and t == last:
            runs[-1] = (runs[-1][0] + count, t)
        elif count:
            runs.append((count, t))
            last = t
    if total > U32_MAX:
        raise s.fail("too many locals", at)
    return tuple(runs)


def read_elem(s: Reader) -> Elem:
    """Bit 0: not active; bit 1: a table index, or declarative; bit 2: expressions instead of function indices."""
    flags = s.u32()
    if flags > (7 if Feature.BULK_MEMORY in s.features else 0):
        raise s.fail("malformed elements segment kind")
    mode: Active | Mode
    if flags & 1:
        mode = Mode.DECLARE if flags & 2 else Mode.PASSIVE
    else:
        index = s.u32() if flags & 2 else 0
        mode = Active(index, read_expr(s))
    if flags & 4:
        t = read_reftype(s) if flags & 3 else NULLABLE_FUNCS
        return Elem(t, s.vector(read_expr), mode)
    if flags & 3:
        read_elemkind(s)
    return Elem(FUNCS, s.vector(read_elem_index), mode)


def read_elemkind(s: Reader) -> None:
    if s.byte() != 0:
        raise s.fail("malformed element kind")


_REF_FUNC = op("ref.func")


def read_elem_index(s: Reader) -> Expr:
    """A function index stands for a reference to it. It has no opcodes of its own, so no places."""
    index = s.u32()
    key = (FUNCS, index)
    expr: Expr | None = s.memo.get(key)
    if expr is None:
        expr = s.memo[key] = Expr((RefFunc(_REF_FUNC, index),))
    return expr


def read_data(s: Reader) -> Data:
    flags = s.u32()
    if flags > (2 if Feature.BULK_MEMORY in s.features else 0):
        raise s.fail("malformed data segment kind")
    if flags == 1:
        return Data(s.string(), Mode.PASSIVE)
    index = s.u32() if flags == 2 else 0
    offset = read_expr(s)
    return Data(s.string(), Active(index, offset))
