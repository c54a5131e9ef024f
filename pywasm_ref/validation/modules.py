"""Modules: each part is checked in the context that the parts before it make up.

Spec    valid/modules.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pywasm_ref.errors import Exhaustion, Invalid
from pywasm_ref.features import WASM_3, Feature, Features
from pywasm_ref.syntax.instructions import Expr, RefFunc
from pywasm_ref.syntax.modules import Active, Data, Elem, Export, ExternKind, Func, Global, Import, Mem, Mode, Module, Table, Tag
from pywasm_ref.syntax.types import DefType, ExternType, FuncType, FuncTypeUse, GlobalType, MemType, TableType, TagType, ValType
from pywasm_ref.validation.context import Checker, Context, locals_of
from pywasm_ref.validation.expressions import Recorder, check, check_constant, check_element
from pywasm_ref.validation.gates import require
from pywasm_ref.validation.instructions.table import require_elem
from pywasm_ref.validation.typedefs import define, elemtype, externtype, function, globaltype, memtype, tabletype, tagtype
from pywasm_ref.validation.types import defaultable, functype

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ModuleType:
    """What a module asks for and what it offers, in closed types and in the order of its imports and exports."""

    imports: tuple[ExternType, ...]
    exports: tuple[ExternType, ...]


def validate(module: Module, features: Features = WASM_3) -> ModuleType:
    """The type of a module.

    Fails   Invalid  in the words of the official suite, at the place of the instruction or entry that is wrong
    Spec    valid/modules.html#valid-module
    """
    checker, imports = environment(module, features)
    each(module, "funcs", module.funcs, FuncBodies(module, checker))
    each(module, "datas", module.datas, partial(check_data, checker))
    each(module, "elems", module.elems, partial(check_elem, checker))
    each(module, "start", () if module.start is None else (module.start,), partial(check_start, checker))
    exports = each(module, "exports", module.exports, partial(exported, checker, set()))
    return ModuleType(imports, exports)


def operand_types(module: Module, funcidx: int, features: Features = WASM_3) -> list[tuple[ValType, ...]]:
    """What is known of the operand stack before each opcode of a function that the module defines.

    The entries are those of the linear code, `else` and `end` included, as in `Expr.places`. Dead code shows what it pushed itself.

    Fails   Invalid, Exhaustion  as `validate` does; IndexError for an index that no defined function has
    """
    checker, _ = environment(module, features)
    bodies, recorder = FuncBodies(module, checker), Recorder(features)
    defined = funcidx - bodies.imported
    if defined < 0:
        raise IndexError(f"function {funcidx} is imported")
    func = module.funcs[defined]
    bodies.begin(funcidx, func)
    check(checker, func.body, recorder.rules, recorder.leave)
    return recorder.seen


def environment(module: Module, features: Features) -> tuple[Checker, tuple[ExternType, ...]]:
    """A checker whose context has all that functions may name, and the types of the imports."""
    c = Context(features)
    checker = Checker(c)
    each(module, "types", module.types, partial(define, c))
    imports = each(module, "imports", module.imports, partial(check_import, c))
    c.imported_globals = len(c.globals)
    c.refs.update(references(module))
    each(module, "tags", module.tags, partial(check_tag, c))
    each(module, "funcs", module.funcs, partial(declare_func, c))
    each(module, "mems", module.mems, partial(check_mem, c))
    each(module, "tables", module.tables, partial(check_table, checker))  # of globals, these may use the imported ones only
    each(module, "globals", module.globals, partial(check_global, checker))
    c.datas = len(module.datas)
    c.elems.extend(each(module, "elems", module.elems, lambda elem: elemtype(c, elem.type)))
    return checker, imports


def each(module: Module, part: str, entries: Sequence[T], check_entry: Callable[[T], R]) -> tuple[R, ...]:
    """What a check answers for each entry of a part of the module.

    Fails   Invalid, Exhaustion  as the check does, at the place of the entry where the error has none of its own
    """
    done: list[R] = []
    try:
        for entry in entries:
            done.append(check_entry(entry))
    except (Invalid, Exhaustion) as error:
        if error.at is None:
            error.at = module.places.of(part, len(done))
        error.located(module.source)
        raise
    return tuple(done)


# References


def references(module: Module) -> Iterable[int]:
    """The functions that a module mentions outside of code: exported, or referred to by a global, table or segment."""
    for export in module.exports:
        if export.kind is ExternKind.FUNC:
            yield export.index
    for expr in constants(module):
        for i in expr.body:
            if isinstance(i, RefFunc):
                yield i.func


def constants(module: Module) -> Iterable[Expr]:
    """The expressions of globals, tables and segments."""
    yield from (entry.init for entry in module.globals)
    yield from (table.init for table in module.tables if table.init is not None)
    for mode in (segment.mode for part in (module.datas, module.elems) for segment in part):
        if isinstance(mode, Active):
            yield mode.offset
    for elem in module.elems:
        yield from elem.inits


# Imports and definitions


def check_import(c: Context, entry: Import) -> ExternType:
    """Add an import to the context.

    Fails   Invalid  as its type does, or "multiple memories", "multiple tables"
    """
    xt = externtype(c, entry.type)
    match xt:
        case FuncTypeUse(DefType() as deftype):
            add_func(c, deftype)
        case TagType(DefType() as deftype):
            c.tags.append(deftype)
        case GlobalType():
            c.globals.append(xt)
        case MemType():
            add_mem(c, xt)
        case TableType():
            add_table(c, xt)
    return xt


def add_func(c: Context, deftype: DefType) -> None:
    c.funcs.append(deftype)
    c.functypes.append(functype(deftype))


def add_mem(c: Context, mt: MemType) -> None:
    """Fails   Invalid  "multiple memories"  before there could be many"""
    c.mems.append(mt)
    if len(c.mems) > 1 and Feature.MULTI_MEMORY not in c.features:
        raise Invalid("multiple memories")


def add_table(c: Context, tt: TableType) -> None:
    """Fails   Invalid  "multiple tables"  before there could be many"""
    c.tables.append(tt)
    if len(c.tables) > 1 and Feature.REFERENCE_TYPES not in c.features:
        raise Invalid("multiple tables")


def check_tag(c: Context, tag: Tag) -> None:
    """Fails   Invalid  as its type does"""
    deftype = tagtype(c, tag.type).type
    if isinstance(deftype, DefType):
        c.tags.append(deftype)


def declare_func(c: Context, func: Func) -> None:
    """Fails   Invalid  "unknown type", "non-function type" """
    add_func(c, function(c, func.type))


def check_mem(c: Context, mem: Mem) -> None:
    """Fails   Invalid  as its type does, or "multiple memories" """
    add_mem(c, memtype(c, mem.type))


def check_table(checker: Checker, table: Table) -> None:
    """Without an initial value, entries have to have a default.

    Fails   Invalid  as its type or expression does, or "type mismatch", "multiple tables"
    """
    c = checker.context
    tt = tabletype(c, table.type)
    if table.init is not None:
        require(c.features, Feature.FUNCTION_REFERENCES, "a table with an initial value")
        check_constant(checker, table.init, tt.elem)
    elif not defaultable(tt.elem):
        raise Invalid(f"type mismatch: a table of {checker.words(tt.elem)} requires an initial value")
    add_table(c, tt)


def check_global(checker: Checker, entry: Global) -> None:
    """Fails   Invalid  as its type or expression does"""
    gt = globaltype(checker.context, entry.type)
    check_constant(checker, entry.init, gt.type)
    checker.context.globals.append(gt)


USUAL_PARAMS = 1_000
"""Other engines allow as many, and so they are not counted."""


class FuncBodies:
    """Checks the functions of a module one after the other."""

    def __init__(self, module: Module, checker: Checker) -> None:
        self.checker = checker
        self.names = module.names.funcs
        self.imported = len(checker.context.funcs) - len(module.funcs)
        self.next = self.imported

    def __call__(self, func: Func) -> None:
        self.begin(self.next, func)
        check(self.checker, func.body)
        self.next += 1

    def begin(self, x: int, func: Func) -> None:
        """Make the checker ready for a function.

        Fails   Invalid     "unknown type" of a local
                Exhaustion  as `Checker.afford` does
        """
        c = self.checker.context
        t: FuncType = c.functypes[x]
        if len(t.params) > USUAL_PARAMS:
            self.checker.afford(len(t.params))
        runs = [(count, c.valtype(local)) for count, local in func.locals]
        name = self.names.get(x)
        where = f"function {x}" if name is None else f"function {x} ${name}"
        self.checker.start(where, len(t.params), locals_of(t.params, runs), t.results)


# Segments, start, exports


SEGMENTS = {
    Mode.PASSIVE: (Feature.BULK_MEMORY, "a passive segment"),
    Mode.DECLARE: (Feature.REFERENCE_TYPES, "a declarative segment"),
}


def check_data(checker: Checker, data: Data) -> None:
    """Fails   Invalid  "unknown memory", as the offset does, or for a segment that is not active where the feature is off"""
    if isinstance(data.mode, Mode):
        require(checker.context.features, *SEGMENTS[data.mode])
    if isinstance(data.mode, Active):
        check_constant(checker, data.mode.offset, checker.memory(data.mode.index).addr)


def check_elem(checker: Checker, elem: Elem) -> None:
    """Fails   Invalid  "unknown table", "type mismatch", as the expressions do, or for a segment that is passive or declarative where the
            feature is off
    """
    if isinstance(elem.mode, Mode):
        require(checker.context.features, *SEGMENTS[elem.mode])
    t = checker.context.close(elem.type)
    for init in elem.inits:
        check_element(checker, init, t)
    if isinstance(elem.mode, Active):
        tt = checker.table(elem.mode.index)
        require_elem(checker, t, tt.elem, "element segment's type")
        check_constant(checker, elem.mode.offset, tt.addr)


def check_start(checker: Checker, x: int) -> None:
    """Fails   Invalid  "unknown function", "start function" """
    if checker.func(x) != FuncType((), ()):
        raise Invalid("start function must not have parameters or results")


def exported(checker: Checker, names: set[str], export: Export) -> ExternType:
    """The type of an export; `names` are those before it.

    Fails   Invalid  "duplicate export name", or an index that is unknown
    """
    xt = EXPORTED[export.kind](checker, export.index)
    if export.name in names:
        raise Invalid(f'duplicate export name "{export.name}"')
    names.add(export.name)
    return xt


def exported_func(checker: Checker, x: int) -> FuncTypeUse:
    checker.func(x)
    return FuncTypeUse(checker.context.funcs[x])


def exported_global(checker: Checker, x: int) -> GlobalType:
    """Fails   Invalid  "unknown global", or a mutable one where the feature is off"""
    gt = checker.global_(x)
    if gt.mut:
        require(checker.context.features, Feature.MUTABLE_GLOBALS, "the export of a mutable global")
    return gt


def exported_tag(checker: Checker, x: int) -> TagType:
    checker.tag(x)
    return TagType(checker.context.tags[x])


EXPORTED: dict[ExternKind, Callable[[Checker, int], ExternType]] = {
    ExternKind.FUNC: exported_func,
    ExternKind.TABLE: Checker.table,
    ExternKind.MEM: Checker.memory,
    ExternKind.GLOBAL: exported_global,
    ExternKind.TAG: exported_tag,
}
