"""Modules as a text: for any module one that reads back as the same module.

Types, imports and definitions stand in the order of their index spaces, each with its number as a comment. Names are used as
identifiers where they can be. Every function says its type by index, so that reading makes no types of its own.

Spec    text/modules.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pywasm_ref.errors import Exhaustion
from pywasm_ref.syntax.instructions import Expr, RefFunc
from pywasm_ref.syntax.modules import Active, Custom, Data, Elem, Export, Func, Global, Import, IndexNames, Mode, Module, Table
from pywasm_ref.syntax.types import (
    AbsHeapType,
    FuncType,
    FuncTypeUse,
    GlobalType,
    HeapType,
    MemType,
    RecType,
    RefType,
    TableType,
    ValType,
)
from pywasm_ref.text import printer_types as types
from pywasm_ref.text.annotations import BRANCH_HINT, DATA_COUNT
from pywasm_ref.text.printer_instructions import INDENT, Printer, block_of_lines, on_one_line
from pywasm_ref.text.printer_names import Identifiers, Spaces, identifier
from pywasm_ref.text.printer_values import quoted, quoted_name

T = TypeVar("T")

FUNCS = RefType(False, AbsHeapType.FUNC)
PLACES = {
    1: "type",
    2: "import",
    3: "func",
    4: "table",
    5: "memory",
    6: "global",
    7: "export",
    8: "start",
    9: "elem",
    10: "code",
    11: "data",
    12: "datacount",
    13: "tag",
}
"""What a text calls the sections that a custom section can follow."""

MOST_LOCALS = 10_000_000
"""In one text. A binary can have billions of locals in a few bytes; a text names each of them."""


def print_module(module: Module, *, customs: bool = True) -> str:
    """The text of a module, with its custom sections as annotations unless those are not wanted.

    The name section is one of them: without it the identifiers still say what it said.

    Fails   Exhaustion   there are more locals than a text can list
    """
    return "".join(_chunks(ModulePrinter(module), customs))


def _chunks(p: ModulePrinter, customs: bool) -> Iterator[str]:
    module = p.module
    yield "(module" + _module_name(module.names.module)
    yield from p.types()
    yield from p.imports()
    yield from p.numbered(module.tables, p.spaces.imported_tables, p.table)
    yield from p.numbered(module.mems, p.spaces.imported_mems, lambda x, mem: f"(memory {p.spaces.mems.bind(x)} {mem.type.spelled})")
    yield from p.numbered(module.tags, p.spaces.imported_tags, lambda x, tag: f"(tag {p.spaces.tags.bind(x)}{p.typeuse(tag.type.type)})")
    yield from p.numbered(module.globals, p.spaces.imported_globals, p.global_)
    yield from p.numbered(module.exports, 0, p.export)
    if module.start is not None:
        yield f"\n{INDENT}(start {p.spaces.funcs.use(module.start)})"
    yield from p.numbered(module.elems, 0, p.elem)
    yield from p.numbered(module.funcs, p.spaces.imported_funcs, p.func)
    yield from p.numbered(module.datas, 0, p.data)
    if module.has_data_count and not p.uses_data:
        yield f"\n{INDENT}(@{DATA_COUNT})"
    if customs:
        yield from p.numbered(module.customs, 0, lambda _, section: custom(section))
    yield ")\n"


def _module_name(name: str | None) -> str:
    if name is None:
        return ""
    return f" {identifier(name)}" if name else ' (@name "")'


def custom(section: Custom) -> str:
    place = f"(after {PLACES[section.after]})" if section.after in PLACES else "(before first)"
    return f"(@custom {quoted_name(section.name)} {place} {quoted(section.data)})"


class ModulePrinter:
    """Prints the fields of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.spaces = Spaces(module)
        self.constant = Printer(self.spaces)
        self.locals_left = MOST_LOCALS
        self.uses_data = False
        self.hints: defaultdict[int, dict[int, int]] = defaultdict(dict)
        if not any(section.name == BRANCH_HINT for section in module.customs):
            for func, opcode, hint in module.branch_hints:
                self.hints[func][opcode] = hint

    def numbered(self, entries: tuple[T, ...], first: int, print_entry: Callable[[int, T], str]) -> Iterator[str]:
        """A line for each entry; `first` is the index of the first in its space."""
        for index, entry in enumerate(entries, first):
            yield f"\n{INDENT}{print_entry(index, entry)}"

    # Types and imports

    def types(self) -> Iterator[str]:
        index = 0
        for rec in self.module.types:
            yield f"\n{INDENT}{self.rectype(index, rec)}"
            index += len(rec.subtypes)

    def rectype(self, first: int, rec: RecType) -> str:
        subtypes = [types.subtype(self.spaces, index, sub) for index, sub in enumerate(rec.subtypes, first)]
        if len(subtypes) == 1:
            return subtypes[0]
        return "(rec" + "".join([f"\n{INDENT * 2}{sub}" for sub in subtypes]) + ")"

    def imports(self) -> Iterator[str]:
        counts: defaultdict[type, int] = defaultdict(int)
        for entry in self.module.imports:
            kind = type(entry.type)
            yield f"\n{INDENT}{self.import_(entry, counts[kind])}"
            counts[kind] += 1

    def import_(self, entry: Import, index: int) -> str:
        spaces, t = self.spaces, entry.type
        match t:
            case FuncTypeUse():
                what = f"func {spaces.funcs.bind(index)}{self.typeuse(t.type)}"
            case TableType():
                what = f"table {spaces.tables.bind(index)} {types.tabletype(spaces, t)}"
            case MemType():
                what = f"memory {spaces.mems.bind(index)} {t.spelled}"
            case GlobalType():
                what = f"global {spaces.globals.bind(index)} {types.globaltype(spaces, t)}"
            case _:
                what = f"tag {spaces.tags.bind(index)}{self.typeuse(t.type)}"
        return f"(import {quoted_name(entry.module)} {quoted_name(entry.name)} ({what}))"

    def typeuse(self, t: HeapType) -> str:
        """With the space that separates it from what stands before."""
        return f" {types.typeuse(self.spaces, t)}"

    # Tables, globals, exports

    def expr(self, expr: Expr) -> str:
        return on_one_line(self.constant, expr)

    def table(self, index: int, table: Table) -> str:
        init = "" if table.init is None else f" {self.expr(table.init)}"
        return f"(table {self.spaces.tables.bind(index)} {types.tabletype(self.spaces, table.type)}{init})"

    def global_(self, index: int, entry: Global) -> str:
        return f"(global {self.spaces.globals.bind(index)} {types.globaltype(self.spaces, entry.type)} {self.expr(entry.init)})"

    def export(self, _: int, export: Export) -> str:
        spaces = {"func": self.spaces.funcs, "table": self.spaces.tables, "memory": self.spaces.mems, "global": self.spaces.globals}
        space = spaces.get(export.kind.value, self.spaces.tags)
        return f"(export {quoted_name(export.name)} ({export.kind.value} {space.use(export.index)}))"

    # Segments

    def active(self, mode: Active | Mode, word: str, space: Identifiers) -> str:
        """The table or memory and the offset of an active segment, or the mode of another."""
        if isinstance(mode, Mode):
            return " declare" if mode is Mode.DECLARE else ""
        where = f" ({word} {space.use(mode.index)})" if mode.index else ""
        return f"{where} (offset {self.expr(mode.offset)})"

    def elem(self, index: int, elem: Elem) -> str:
        opening = f"(elem {self.spaces.elems.bind(index)}{self.active(elem.mode, 'table', self.spaces.tables)}"
        funcs = [expr.body[0].func for expr in elem.inits if len(expr.body) == 1 and isinstance(expr.body[0], RefFunc)]
        if elem.type == FUNCS and len(funcs) == len(elem.inits):
            return f"{opening} func" + "".join([f" {self.spaces.funcs.use(x)}" for x in funcs]) + ")"
        items = "".join([f" (item {self.expr(expr)})" for expr in elem.inits])
        return f"{opening} {types.reftype(self.spaces, elem.type)}{items})"

    def data(self, index: int, data: Data) -> str:
        return f"(data {self.spaces.datas.bind(index)}{self.active(data.mode, 'memory', self.spaces.mems)} {quoted(data.init)})"

    # Functions

    def func(self, index: int, func: Func) -> str:
        count = sum(run for run, _ in func.locals)
        params, names = self.local_names(index, func)
        locals_ = Identifiers(names, params + count)
        head = f"(func {self.spaces.funcs.bind(index)} {types.typeuse(self.spaces, func.type, locals_)}"
        printer = Printer(self.spaces, locals_, self.module.names.labels.get(index))
        hints: Mapping[int, int] = self.hints.get(index, {})
        body = "".join(block_of_lines(printer, func.body, 2, hints))
        self.uses_data = self.uses_data or printer.uses_data
        return f"{head}{self.locals(func, count, params, locals_)}{body})"

    def local_names(self, index: int, func: Func) -> tuple[int, IndexNames]:
        """How many parameters there are, and those names of locals that a text can introduce.

        It cannot for parameters that are not shown, and for nothing at all in a function whose type is none.
        """
        names = self.module.names.locals.get(index, {})
        comp = self.spaces.subtypes[func.type].comp if func.type < len(self.spaces.subtypes) else None
        if not isinstance(comp, FuncType):
            return 0, {}
        params = len(comp.params)
        if types.shown_signature(self.spaces, func.type) is None:
            names = {x: name for x, name in names.items() if x >= params}
        return params, names

    def locals(self, func: Func, count: int, first: int, names: Identifiers) -> str:
        if not count:
            return ""
        self.locals_left -= count
        if self.locals_left < 0:
            raise Exhaustion("too many locals for a text")
        listed: tuple[ValType, ...] = tuple([t for run, t in func.locals for _ in range(run)])
        return f"\n{INDENT * 2}{types.declared(self.spaces, 'local', listed, names, first).lstrip()}"
