"""Modules: what a module consists of.

Names for people (the `name` section, `$identifiers` of a text) ride along in `names` and never take part in a comparison.

Spec    syntax/modules.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from pywasm_ref.source import Source
from pywasm_ref.syntax.instructions import Expr
from pywasm_ref.syntax.types import (
    ExternType,
    GlobalType,
    MemType,
    RecType,
    RefType,
    TableType,
    TagType,
    TypeIdx,
    ValType,
)

LocalType = tuple[int, ValType]
"""A run of locals: how many, and of what type. Four billion locals are one run, not a list."""


@dataclass(frozen=True, slots=True)
class Tag:
    type: TagType


@dataclass(frozen=True, slots=True)
class Global:
    type: GlobalType
    init: Expr


@dataclass(frozen=True, slots=True)
class Mem:
    type: MemType


@dataclass(frozen=True, slots=True)
class Table:
    """`init` is None where the table starts out with nulls."""

    type: TableType
    init: Expr | None = None


@dataclass(frozen=True, slots=True)
class Func:
    """`locals` in runs; the parameters come first in the index space and are not among them."""

    type: TypeIdx
    locals: tuple[LocalType, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Active:
    """A segment that is copied when the module is instantiated; `index` is the memory or table."""

    index: int
    offset: Expr


class Mode(Enum):
    PASSIVE = "passive"
    DECLARE = "declare"


@dataclass(frozen=True, slots=True)
class Data:
    init: bytes
    mode: Active | Mode


@dataclass(frozen=True, slots=True)
class Elem:
    """A segment of references, each an expression of its own; function indices are read as `ref.func`."""

    type: RefType
    inits: tuple[Expr, ...]
    mode: Active | Mode


class ExternKind(Enum):
    """The value is the keyword of the text format."""

    FUNC = "func"
    TABLE = "table"
    MEM = "memory"
    GLOBAL = "global"
    TAG = "tag"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    name: str
    type: ExternType


@dataclass(frozen=True, slots=True)
class Export:
    name: str
    kind: ExternKind
    index: int


@dataclass(frozen=True, slots=True)
class Custom:
    """A custom section. `after` is the id of the section that it follows (0: it stands before all others)."""

    name: str
    data: bytes
    after: int = 0


BranchHint = tuple[int, int, int]
"""Function index, index into the function's `places`, and the hint: 0 unlikely, 1 likely."""

IndexNames = dict[int, str]


@dataclass(slots=True)
class Names:
    """What the `name` section or the `$identifiers` of a text call things; indices without a name are missing."""

    module: str | None = None
    funcs: IndexNames = field(default_factory=dict)
    locals: dict[int, IndexNames] = field(default_factory=dict)
    labels: dict[int, IndexNames] = field(default_factory=dict)
    types: IndexNames = field(default_factory=dict)
    tables: IndexNames = field(default_factory=dict)
    mems: IndexNames = field(default_factory=dict)
    globals: IndexNames = field(default_factory=dict)
    elems: IndexNames = field(default_factory=dict)
    datas: IndexNames = field(default_factory=dict)
    fields: dict[int, IndexNames] = field(default_factory=dict)
    tags: IndexNames = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a module stand in its source, as byte offset or character index; in order within each part."""

    parts: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def of(self, part: str, index: int) -> int | None:
        """The place of the `index`-th entry of a part (`types`, `imports`, `funcs`, …), or None where nobody noted it."""
        places = self.parts.get(part, ())
        return places[index] if index < len(places) else None


@dataclass(frozen=True, slots=True)
class Module:
    types: tuple[RecType, ...] = ()
    imports: tuple[Import, ...] = ()
    tags: tuple[Tag, ...] = ()
    globals: tuple[Global, ...] = ()
    mems: tuple[Mem, ...] = ()
    tables: tuple[Table, ...] = ()
    funcs: tuple[Func, ...] = ()
    datas: tuple[Data, ...] = ()
    elems: tuple[Elem, ...] = ()
    start: int | None = None
    exports: tuple[Export, ...] = ()
    customs: tuple[Custom, ...] = field(default=(), compare=False)
    branch_hints: tuple[BranchHint, ...] = field(default=(), compare=False)
    has_data_count: bool = field(default=False, compare=False)
    names: Names = field(default_factory=Names, compare=False, repr=False)
    source: Source | None = field(default=None, compare=False, repr=False)
    places: Places = field(default_factory=Places, compare=False, repr=False)
