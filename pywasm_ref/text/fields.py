"""The fields of a module, each read from its opening parenthesis to its closing one, and put into a draft of the module.

An abbreviation that stands for several fields becomes those fields here.

Spec    text/modules.html
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pywasm_ref.isa import op
from pywasm_ref.syntax.instructions import Expr, Instr
from pywasm_ref.syntax.modules import (
    Active,
    BranchHint,
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
    Places,
    Table,
    Tag,
)
from pywasm_ref.syntax.types import (
    FUNCREF,
    AbsHeapType,
    ExternType,
    FuncType,
    FuncTypeUse,
    Limits,
    MemType,
    NumType,
    RefType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.text.annotations import Annotations
from pywasm_ref.text.instructions import expression, folded, make
from pywasm_ref.text.lexer import Kind
from pywasm_ref.text.names import Context, Space
from pywasm_ref.text.types import (
    addrtype,
    globaltype,
    memtype,
    named_or_many,
    pagesize,
    rectype,
    reftype,
    tabletype,
    typeuse,
)

SPACES = {"func": "funcs", "table": "tables", "memory": "mems", "global": "globals", "tag": "tags"}
"""Where the context keeps the index space of a keyword."""

_FUNCREF = RefType(False, AbsHeapType.FUNC)


@dataclass(slots=True)
class Draft:
    """A module in the making."""

    c: Context
    annotations: Annotations
    imports: list[Import] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    mems: list[Mem] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    funcs: list[Func] = field(default_factory=list)
    datas: list[Data] = field(default_factory=list)
    elems: list[Elem] = field(default_factory=list)
    start: int | None = None
    exports: list[Export] = field(default_factory=list)
    branch_hints: list[BranchHint] = field(default_factory=list)
    places: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    defined: str = ""

    def enter(self, space: Space) -> int:
        """Step over the identifier of the next entry of a space; it was bound in the first round."""
        index = self.counts[space.category]
        self.counts[space.category] += 1
        self.c.tokens.identifier()
        self.c.annotate(space.names, index)
        return index

    def add(self, part: str, at: int, entry: Any) -> None:
        """An entry of the module, and its place."""
        getattr(self, part).append(entry)
        self.places[part].append(at)

    def define(self, part: str, space: Space, at: int, entry: Any) -> None:
        """An entry of an index space that imports must come first in."""
        self.defined = space.category
        self.add(part, at, entry)

    def do_import(self, at: int, module: str, name: str, type_: ExternType) -> None:
        """An import, which may not follow a definition."""
        if self.defined:
            raise self.c.tokens.error(f"import after {self.defined} definition", at)
        self.add("imports", at, Import(module, name, type_))

    def module(self, name: str | None, field_starts: set[int]) -> Module:
        """The finished module."""
        c = self.c
        if name is not None and c.names.module is None:
            c.names.module = name
        return Module(
            types=tuple(c.rectypes),
            imports=tuple(self.imports),
            tags=tuple(self.tags),
            globals=tuple(self.globals),
            mems=tuple(self.mems),
            tables=tuple(self.tables),
            funcs=tuple(self.funcs),
            datas=tuple(self.datas),
            elems=tuple(self.elems),
            start=self.start,
            exports=tuple(self.exports),
            customs=self.annotations.custom_sections(field_starts),
            branch_hints=tuple(sorted(self.branch_hints)),
            has_data_count=c.uses_data or self.annotations.data_count,
            names=c.names,
            source=c.tokens.source,
            places=Places({part: tuple(places) for part, places in self.places.items()}),
        )


# Types


def _types(c: Context, draft: Draft) -> None:
    draft.places["types"].append(c.tokens.at)
    c.define_rectype(rectype(c))


TYPE_FIELDS = {"type": _types, "rec": _types}

# Imports and exports


def _start_of(c: Context) -> int:
    """Step over the parenthesis and the keyword; the place of the field."""
    at = c.tokens.at
    c.tokens.i += 2
    return at


def _inline_exports(c: Context, draft: Draft, kind: ExternKind, index: int) -> None:
    tokens = c.tokens
    while tokens.opens("export"):
        at = tokens.at
        tokens.i += 2
        draft.add("exports", at, Export(tokens.name(), kind, index))
        tokens.expect(")")


def _inline_import(c: Context) -> tuple[str, str] | None:
    tokens = c.tokens
    if not tokens.enter("import"):
        return None
    names = tokens.name(), tokens.name()
    tokens.expect(")")
    return names


def _import(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    module, name = tokens.name(), tokens.name()
    tokens.expect("(")
    kind = tokens.text
    if kind not in _EXTERN_TYPES:
        raise tokens.unexpected("func, table, memory, global or tag")
    tokens.i += 1
    x = draft.enter(getattr(c, SPACES[kind]))
    draft.do_import(at, module, name, _EXTERN_TYPES[kind](c, x))
    tokens.expect(")")
    tokens.expect(")")


def _imported_func(c: Context, x: int) -> ExternType:
    """The names of parameters are names of locals, even though there is no body."""
    c.enter_func()
    type_ = FuncTypeUse(typeuse(c, c.locals))
    c.leave_func(x)
    return type_


_EXTERN_TYPES: dict[str, Callable[[Context, int], ExternType]] = {
    "func": _imported_func,
    "table": lambda c, x: tabletype(c, addrtype(c)),
    "memory": lambda c, x: memtype(c, addrtype(c)),
    "global": lambda c, x: globaltype(c),
    "tag": lambda c, x: _tagtype(c),
}


def _tagtype(c: Context) -> TagType:
    c.enter_constant()
    return TagType(typeuse(c, c.locals))


# Functions


def _func(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    first, at = tokens.i, _start_of(c)
    x = draft.enter(c.funcs)
    _inline_exports(c, draft, ExternKind.FUNC, x)
    names = _inline_import(c)
    if names is not None:
        draft.do_import(at, *names, _imported_func(c, x))
    else:
        func = _defined_func(c, x)
        draft.define("funcs", c.funcs, at, func)
        draft.branch_hints += draft.annotations.branch_hints(x, func, first, tokens.i)
    tokens.expect(")")


def _defined_func(c: Context, x: int) -> Func:
    c.enter_func()
    at = c.tokens.at
    type_ = typeuse(c, c.locals)
    _count_params(c, type_, at)
    types: list[ValType] = []
    while c.tokens.enter("local"):
        named_or_many(c, c.locals, types)
    body = expression(c)
    c.leave_func(x)
    return Func(type_, _runs(types), body)


def _count_params(c: Context, type_: int, at: int) -> None:
    """A type use without parameters still gives the function those of the type.

    A type that does not exist is a matter of validation, unless names of locals depend on it.
    """
    if c.locals.count:
        return
    tokens = c.tokens
    if type_ < len(c.subtypes) and isinstance(c.subtypes[type_].comp, FuncType):
        c.locals.count = len(c.functype(type_, at).params)
    elif tokens.opens("local") and tokens.kinds[tokens.i + 2] is Kind.ID:
        c.functype(type_, at)


def _runs(types: list[ValType]) -> tuple[LocalType, ...]:
    """Neighbours of the same type are one entry."""
    runs: list[LocalType] = []
    for t in types:
        if runs and runs[-1][1] == t:
            runs[-1] = (runs[-1][0] + 1, t)
        else:
            runs.append((1, t))
    return tuple(runs)


# Tags, globals, memories, tables


def _tag(c: Context, draft: Draft) -> None:
    at = _start_of(c)
    x = draft.enter(c.tags)
    _inline_exports(c, draft, ExternKind.TAG, x)
    names = _inline_import(c)
    type_ = _tagtype(c)
    if names is not None:
        draft.do_import(at, *names, type_)
    else:
        draft.define("tags", c.tags, at, Tag(type_))
    c.tokens.expect(")")


def _global(c: Context, draft: Draft) -> None:
    at = _start_of(c)
    x = draft.enter(c.globals)
    _inline_exports(c, draft, ExternKind.GLOBAL, x)
    names = _inline_import(c)
    type_ = globaltype(c)
    if names is not None:
        draft.do_import(at, *names, type_)
    else:
        draft.define("globals", c.globals, at, Global(type_, _constant(c)))
    c.tokens.expect(")")


def _constant(c: Context) -> Expr:
    c.enter_constant()
    return expression(c)


def _memory(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    x = draft.enter(c.mems)
    _inline_exports(c, draft, ExternKind.MEM, x)
    names = _inline_import(c)
    addr = addrtype(c)
    if names is not None:
        draft.do_import(at, *names, memtype(c, addr))
    elif tokens.kind is Kind.NAT:
        draft.define("mems", c.mems, at, Mem(memtype(c, addr)))
    else:
        _memory_with_data(c, draft, x, addr, at)
    tokens.expect(")")


def _memory_with_data(c: Context, draft: Draft, x: int, addr: NumType, at: int) -> None:
    """`(data "…")` inline: a memory of just that size, and an active segment."""
    tokens = c.tokens
    bits = pagesize(c)
    inline = tokens.at
    if not tokens.enter("data"):
        raise tokens.unexpected()
    data = tokens.strings()
    pages = len(data) + (1 << bits) - 1 >> bits
    draft.enter(c.datas)
    draft.define("mems", c.mems, at, Mem(MemType(addr, Limits(pages, pages), False, bits)))
    draft.add("datas", inline, Data(data, Active(x, _zero(c, addr, inline))))
    tokens.expect(")")


def _zero(c: Context, addr: NumType, at: int) -> Expr:
    """The offset of an inline segment."""
    return _one(make(c, op(f"{addr.value}.const"), (0,)), at)


def _one(instr: Instr, at: int) -> Expr:
    """An expression that an abbreviation stands for; there is but one place to point to."""
    return Expr((instr,), array("I", (at, at)))


def _table(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    x = draft.enter(c.tables)
    _inline_exports(c, draft, ExternKind.TABLE, x)
    names = _inline_import(c)
    addr = addrtype(c)
    if names is not None:
        draft.do_import(at, *names, tabletype(c, addr))
    elif tokens.kind is Kind.NAT:
        type_ = tabletype(c, addr)
        init = None if tokens.text == ")" else _constant(c)
        draft.define("tables", c.tables, at, Table(type_, init))
    else:
        _table_with_elems(c, draft, x, addr, at)
    tokens.expect(")")


def _table_with_elems(c: Context, draft: Draft, x: int, addr: NumType, at: int) -> None:
    """`(elem …)` inline: a table of just that size, and an active segment. Function indices for a table of functions are a segment as
    earlier releases had it, whose references are not null."""
    tokens = c.tokens
    type_ = reftype(c)
    inline = tokens.at
    if not tokens.enter("elem"):
        raise tokens.unexpected()
    indices = tokens.text != "("
    inits = _elem_indices(c) if indices else _elem_exprs(c)
    held = _FUNCREF if indices and type_ == FUNCREF else type_
    draft.enter(c.elems)
    draft.define("tables", c.tables, at, Table(TableType(addr, Limits(len(inits), len(inits)), type_)))
    draft.add("elems", inline, Elem(held, inits, Active(x, _zero(c, addr, inline))))
    tokens.expect(")")


# Segments


def _data(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    draft.enter(c.datas)
    mode: Active | Mode = Mode.PASSIVE
    if tokens.text == "(" or c.has_index():
        mode = Active(_use(c, "memory", c.mems), _offset(c))
    draft.add("datas", at, Data(tokens.strings(), mode))
    tokens.expect(")")


def _use(c: Context, keyword: str, space: Space) -> int:
    """`(memory x)` or `(table x)`, which may be left out; release 1.0 had just `x`."""
    if not c.tokens.enter(keyword):
        return c.optional_index(space)
    x = c.index(space)
    c.tokens.expect(")")
    return x


def _offset(c: Context) -> Expr:
    return _expr_in(c, "offset")


def _expr_in(c: Context, keyword: str) -> Expr:
    """`(offset …)`, or `(item …)`, or a folded instruction on its own."""
    c.enter_constant()
    if not c.tokens.enter(keyword):
        return folded(c)
    expr = expression(c)
    c.tokens.expect(")")
    return expr


def _elem(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    draft.enter(c.elems)
    mode: Active | Mode = Mode.PASSIVE
    short = False
    if tokens.accept("declare"):
        mode = Mode.DECLARE
    elif c.has_index() or (tokens.text == "(" and not tokens.opens("ref")):
        explicit = tokens.opens("table")
        mode = Active(_use(c, "table", c.tables), _offset(c))
        short = not explicit and (c.has_index() or tokens.text == ")")
    type_, inits = (_FUNCREF, _elem_indices(c)) if short else _elem_list(c)
    draft.add("elems", at, Elem(type_, inits, mode))
    tokens.expect(")")


def _elem_list(c: Context) -> tuple[RefType, tuple[Expr, ...]]:
    """`func x*`, or a reference type and expressions."""
    if c.tokens.accept("func"):
        return _FUNCREF, _elem_indices(c)
    return reftype(c), _elem_exprs(c)


def _elem_indices(c: Context) -> tuple[Expr, ...]:
    """Function indices, each of which stands for `ref.func`."""
    exprs = []
    ref_func = op("ref.func")
    while c.has_index():
        at = c.tokens.at
        exprs.append(_one(make(c, ref_func, (c.index(c.funcs),)), at))
    return tuple(exprs)


def _elem_exprs(c: Context) -> tuple[Expr, ...]:
    exprs = []
    while c.tokens.text == "(":
        exprs.append(_expr_in(c, "item"))
    return tuple(exprs)


# Start and exports


def _start(c: Context, draft: Draft) -> None:
    at = _start_of(c)
    if draft.start is not None:
        raise c.tokens.error("multiple start sections", at)
    draft.start = c.index(c.funcs)
    draft.places["start"].append(at)
    c.tokens.expect(")")


_KINDS = {kind.value: kind for kind in ExternKind}


def _export(c: Context, draft: Draft) -> None:
    tokens = c.tokens
    at = _start_of(c)
    name = tokens.name()
    tokens.expect("(")
    kind = _KINDS.get(tokens.text)
    if kind is None:
        raise tokens.unexpected("func, table, memory, global or tag")
    tokens.i += 1
    draft.add("exports", at, Export(name, kind, c.index(getattr(c, SPACES[kind.value]))))
    tokens.expect(")")
    tokens.expect(")")


FIELDS: dict[str, Callable[[Context, Draft], None]] = {
    "import": _import,
    "func": _func,
    "table": _table,
    "memory": _memory,
    "global": _global,
    "tag": _tag,
    "elem": _elem,
    "data": _data,
    "start": _start,
    "export": _export,
}
