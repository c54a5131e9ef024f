"""Modules, written: always in the shortest form, and the same bytes for the same module.

Spec    binary/modules.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from pywasm_ref.binary.cursor import Writer
from pywasm_ref.binary.custom import BRANCH_HINTS, NAME_SECTION, FuncHints, write_branch_hints, write_names
from pywasm_ref.binary.instructions import Marks, write_expr
from pywasm_ref.binary.modules import EXTERN_KINDS, FUNCS, NULLABLE_FUNCS, TABLE_WITH_INIT
from pywasm_ref.binary.sections import CODE, CUSTOM, DATACOUNT, MAGIC, ORDER, TAG, VERSION
from pywasm_ref.binary.types import (
    write_externtype,
    write_globaltype,
    write_memtype,
    write_rectype,
    write_reftype,
    write_tabletype,
    write_tagtype,
    write_valtype,
)
from pywasm_ref.errors import Malformed
from pywasm_ref.syntax.instructions import Expr, RefFunc
from pywasm_ref.syntax.modules import Active, Custom, Data, Elem, Export, Func, Global, Import, LocalType, Mode, Module, Table
from pywasm_ref.syntax.types import FuncTypeUse

T = TypeVar("T")


def encode(module: Module, *, names: bool = False) -> bytes:
    """The module as bytes; with `names`, a name section too, unless the module has one among its custom sections.

    Fails   Malformed   something in the module has no binary form
    """
    code, uses_data, hints = write_code(module)
    contents = known_sections(module)
    if module.funcs:
        contents[CODE] = code
    if module.has_data_count or uses_data:
        contents[DATACOUNT] = Writer()
        contents[DATACOUNT].length(len(module.datas))
    customs = place_customs(module, hints, names)
    out = Writer()
    out.put(MAGIC + VERSION)
    for section in (CUSTOM, *ORDER):
        if section == CODE and hints:
            write_custom(out, Custom(BRANCH_HINTS, write_branch_hints(hints)))
        if section in contents:
            out.byte(section)
            out.string(contents[section].data)
        for custom in customs.get(section, ()):
            write_custom(out, custom)
    return bytes(out.data)


def known_sections(module: Module) -> dict[int, Writer]:
    """The content of all sections but code and data count, those without content left out."""
    contents: dict[int, Writer] = {}

    def section(number: int, entries: Sequence[T], write: Callable[[Writer, T], object]) -> None:
        if entries:
            contents[number] = Writer()
            contents[number].vector(entries, write)

    section(1, module.types, write_rectype)
    section(2, module.imports, write_import)
    section(3, module.funcs, lambda w, func: w.unsigned(func.type))
    section(4, module.tables, write_table)
    section(5, module.mems, lambda w, mem: write_memtype(w, mem.type))
    section(TAG, module.tags, lambda w, tag: write_tagtype(w, tag.type))
    section(6, module.globals, write_global)
    section(7, module.exports, write_export)
    section(9, module.elems, write_elem)
    section(11, module.datas, write_data)
    if module.start is not None:
        contents[8] = Writer()
        contents[8].unsigned(module.start)
    return contents


def place_customs(module: Module, hints: Sequence[FuncHints], names: bool) -> dict[int, list[Custom]]:
    """The custom sections by the section that they follow."""
    customs: defaultdict[int, list[Custom]] = defaultdict(list)
    for custom in module.customs:
        if custom.after != CUSTOM and custom.after not in ORDER:
            raise Malformed("malformed section id")
        customs[custom.after].append(custom)
    if names and not any(custom.name == NAME_SECTION for custom in module.customs):
        content = write_names(module.names)
        if content:
            customs[ORDER[-1]].append(Custom(NAME_SECTION, content))
    return customs


def write_custom(w: Writer, custom: Custom) -> None:
    content = Writer()
    content.name(custom.name)
    content.put(custom.data)
    w.byte(CUSTOM)
    w.string(content.data)


# Entries


def write_import(w: Writer, entry: Import) -> None:
    w.name(entry.module)
    w.name(entry.name)
    write_externtype(w, entry.type)


def write_table(w: Writer, table: Table) -> None:
    if table.init is not None:
        w.byte(TABLE_WITH_INIT)
        w.byte(0)
    write_tabletype(w, table.type)
    if table.init is not None:
        write_expr(w, table.init)


def write_global(w: Writer, entry: Global) -> None:
    write_globaltype(w, entry.type)
    write_expr(w, entry.init)


def write_export(w: Writer, export: Export) -> None:
    w.name(export.name)
    w.byte(EXTERN_KINDS.index(export.kind))
    w.unsigned(export.index)


def write_elem(w: Writer, elem: Elem) -> None:
    indices = elem.type == FUNCS and all(map(is_index, elem.inits))
    flags = 0 if indices else 4
    mode = elem.mode
    if isinstance(mode, Mode):
        flags |= 3 if mode is Mode.DECLARE else 1
        w.unsigned(flags)
    else:
        if mode.index != 0 or elem.type != (FUNCS if indices else NULLABLE_FUNCS):
            flags |= 2
        w.unsigned(flags)
        if flags & 2:
            w.unsigned(mode.index)
        write_expr(w, mode.offset)
    if indices:
        if flags & 3:
            w.byte(0)
        w.vector(elem.inits, write_elem_index)
    else:
        if flags & 3:
            write_reftype(w, elem.type)
        w.vector(elem.inits, write_expr)


def is_index(expr: Expr) -> bool:
    """Can it be written as a function index?"""
    return len(expr.body) == 1 and isinstance(expr.body[0], RefFunc)


def write_elem_index(w: Writer, expr: Expr) -> None:
    instr = expr.body[0]
    if isinstance(instr, RefFunc):
        w.unsigned(instr.func)


def write_data(w: Writer, data: Data) -> None:
    if not isinstance(data.mode, Active):
        w.unsigned(1)
    else:
        w.unsigned(2 if data.mode.index else 0)
        if data.mode.index:
            w.unsigned(data.mode.index)
        write_expr(w, data.mode.offset)
    w.string(data.init)


# Code


def write_code(module: Module) -> tuple[Writer, bool, list[FuncHints]]:
    """The code section; whether it names data segments; and the branch hints with the offsets that they come to stand at."""
    w = Writer()
    w.length(len(module.funcs))
    uses_data = False
    wanted = hints_by_func(module)
    found: list[FuncHints] = []
    imported = sum(isinstance(entry.type, FuncTypeUse) for entry in module.imports)
    for index, func in enumerate(module.funcs, imported):
        marks: Marks | None = [] if index in wanted else None
        body = Writer()
        uses_data = write_func(body, func, marks) or uses_data
        w.string(body.data)
        if marks is not None:
            found.append((index, [(marks[place], hint) for place, hint in wanted[index] if place < len(marks)]))
    return w, uses_data, found


def hints_by_func(module: Module) -> dict[int, list[tuple[int, int]]]:
    """Index into `places` and hint, in order; none where the module has the section as bytes."""
    hints: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    if not any(custom.name == BRANCH_HINTS for custom in module.customs):
        for func, place, hint in sorted(module.branch_hints):
            hints[func].append((place, hint))
    return hints


def write_func(w: Writer, func: Func, marks: Marks | None) -> bool:
    w.vector(func.locals, write_locals)
    return write_expr(w, func.body, marks)


def write_locals(w: Writer, run: LocalType) -> None:
    count, t = run
    w.unsigned(count)
    write_valtype(w, t)
