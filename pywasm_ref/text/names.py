"""Names: the index spaces that `$identifiers` are looked up in, and the context that a text is read in.

Spec    text/conventions.html#contexts
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pywasm_ref.errors import Malformed
from pywasm_ref.features import WASM_3, Features
from pywasm_ref.syntax.instructions import Instr, Op
from pywasm_ref.syntax.modules import IndexNames, Names
from pywasm_ref.syntax.types import FuncType, RecType, SubType, TypeIdx
from pywasm_ref.text.lexer import Kind, Tokens
from pywasm_ref.text.printer_names import identifier
from pywasm_ref.text.spelling import near


class Space:
    """An index space: how many entries it has, and what they are called.

    `names` is where the identifiers are handed on to, index by index.
    """

    __slots__ = ("category", "count", "ids", "names")

    def __init__(self, category: str, names: IndexNames) -> None:
        self.category = category
        self.count = 0
        self.ids: dict[str, int] = {}
        self.names = names

    def bind(self, name: str | None) -> int:
        """The index of a new entry."""
        index = self.count
        if name is not None:
            if name in self.ids:
                raise Malformed(f"duplicate {self.category} {identifier(name)}")
            self.ids[name] = index
            self.names[index] = name
        self.count += 1
        return index

    def lookup(self, name: str) -> int:
        """The index that an identifier stands for."""
        if name not in self.ids:
            meant = near(name, self.ids)
            hint = f"; did you mean {identifier(meant)}?" if meant else ""
            raise Malformed(f"unknown {self.category} {identifier(name)}{hint}")
        return self.ids[name]


class Labels:
    """The labels in scope, counted from the innermost; an inner one hides an outer one of the same name."""

    __slots__ = ("entered", "names", "positions", "stack")

    def __init__(self, names: IndexNames) -> None:
        self.names = names
        self.entered = 0
        self.stack: list[str | None] = []
        self.positions: dict[str, list[int]] = {}

    def enter(self, name: str | None) -> None:
        """A new innermost label."""
        if name is not None:
            self.positions.setdefault(name, []).append(len(self.stack))
            self.names[self.entered] = name
        self.stack.append(name)
        self.entered += 1

    def leave(self) -> None:
        """The innermost label goes out of scope."""
        name = self.stack.pop()
        if name is not None:
            self.positions[name].pop()

    def lookup(self, name: str) -> int:
        """How many labels further out that one is."""
        positions = self.positions.get(name)
        if not positions:
            raise Malformed(f"unknown label {identifier(name)}")
        return len(self.stack) - 1 - positions[-1]


@dataclass(slots=True)
class Context:
    """What is known while a text is read: its tokens, and the names of everything."""

    tokens: Tokens
    features: Features = WASM_3
    names: Names = field(default_factory=Names)
    fields: dict[TypeIdx, Space] = field(default_factory=dict)
    subtypes: list[SubType] = field(default_factory=list)
    rectypes: list[RecType] = field(default_factory=list)
    functypes: dict[FuncType, TypeIdx] = field(default_factory=dict)
    annotated: dict[int, str] = field(default_factory=dict)
    instrs: dict[tuple[Op, tuple[Any, ...]], Instr] = field(default_factory=dict)
    uses_data: bool = False
    types: Space = field(init=False)
    tags: Space = field(init=False)
    globals: Space = field(init=False)
    mems: Space = field(init=False)
    tables: Space = field(init=False)
    funcs: Space = field(init=False)
    datas: Space = field(init=False)
    elems: Space = field(init=False)
    locals: Space = field(init=False)
    labels: Labels = field(init=False)

    def __post_init__(self) -> None:
        names = self.names
        self.types = Space("type", names.types)
        self.tags = Space("tag", names.tags)
        self.globals = Space("global", names.globals)
        self.mems = Space("memory", names.mems)
        self.tables = Space("table", names.tables)
        self.funcs = Space("function", names.funcs)
        self.datas = Space("data segment", names.datas)
        self.elems = Space("elem segment", names.elems)
        self.enter_constant()

    def enter_constant(self) -> None:
        """Expressions outside functions have no locals, and labels of their own."""
        self.locals = Space("local", {})
        self.labels = Labels({})

    def enter_func(self) -> None:
        """A function has locals and labels of its own; its body is itself a label."""
        self.enter_constant()
        self.labels.stack.append(None)

    def leave_func(self, index: int) -> None:
        """Hand on the names of what the function had."""
        if self.locals.names:
            self.names.locals[index] = self.locals.names
        if self.labels.names:
            self.names.labels[index] = self.labels.names

    def has_index(self) -> bool:
        """Whether an index stands here, as a number or as an identifier."""
        return self.tokens.kind in (Kind.NAT, Kind.ID)

    def index(self, space: Space | Labels) -> int:
        """An index into a space, as a number or as an identifier."""
        tokens = self.tokens
        i = tokens.i
        kind, text = tokens.kinds[i], tokens.texts[i]
        if kind is Kind.NAT:
            tokens.i = i + 1
            return int(text) if len(text) < 9 and text.isdecimal() else self._long_index(i)
        if kind is not Kind.ID:
            raise tokens.unexpected("an index")
        tokens.i = i + 1
        try:
            return space.lookup(text[1:])
        except Malformed as error:
            raise tokens.error(error.message, tokens.starts[i]) from None

    def _long_index(self, i: int) -> int:
        self.tokens.i = i
        return self.tokens.natural(32)

    def optional_index(self, space: Space) -> int:
        """An index that is 0 where it is left out."""
        return self.index(space) if self.has_index() else 0

    def bind(self, space: Space) -> int:
        """A new entry, with the identifier and the name annotation that may stand here."""
        i = self.tokens.i
        name = self.tokens.identifier()
        index = self.tokens.placed(lambda _: space.bind(name), i)
        self.annotate(space.names, index)
        return index

    def annotate(self, names: IndexNames, index: int) -> None:
        """A name annotation here takes precedence over the identifier."""
        name = self.annotated.pop(self.tokens.i, None)
        if name is not None:
            names[index] = name

    def define_rectype(self, rectype: RecType) -> None:
        """Append the types of a group; their names are bound already."""
        if len(rectype.subtypes) == 1:
            sub = rectype.subtypes[0]
            if sub.final and not sub.supers and isinstance(sub.comp, FuncType):
                self.functypes.setdefault(sub.comp, len(self.subtypes))
        self.subtypes.extend(rectype.subtypes)
        self.rectypes.append(rectype)

    def implicit_type(self, functype: FuncType) -> TypeIdx:
        """The first type that is this function type alone; it is appended where there is none.

        Spec    text/modules.html#abbreviations
        """
        if functype not in self.functypes:
            self.types.bind(None)
            self.define_rectype(RecType((SubType(True, (), functype),)))
        return self.functypes[functype]

    def functype(self, x: TypeIdx, at: int) -> FuncType:
        """What a type use refers to; `at` is the place of the complaint if that is no function type."""
        if x >= len(self.subtypes):
            raise self.tokens.error(f"unknown type {x}", at)
        comp = self.subtypes[x].comp
        if not isinstance(comp, FuncType):
            raise self.tokens.error(f"non-function type {x}", at)
        return comp
