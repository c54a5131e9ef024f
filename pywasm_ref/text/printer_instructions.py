"""Instructions as a text spells them: one on each line, indented by block, with a function for each kind of immediate.

Nesting is a list, not recursion. A label is given by its number; the comment behind it is the number that the comment at its block has.

Spec    text/instructions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from itertools import chain
from operator import attrgetter
from typing import Any

from pywasm_ref.isa import OPS
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import BlockType, Catch, CatchKind, Expr, Instr, Op
from pywasm_ref.syntax.modules import IndexNames
from pywasm_ref.syntax.types import HeapType, RefType, ValType
from pywasm_ref.text import printer_types as types
from pywasm_ref.text import printer_values as values
from pywasm_ref.text.printer_names import NO_IDENTIFIERS, Identifiers, Spaces

INDENT = "  "
DEEPEST_INDENT = 20
"""Deeper blocks stay in line, or the spaces would outgrow everything else."""
HINTS = ('(@metadata.code.branch_hint "\\00") ', '(@metadata.code.branch_hint "\\01") ')
NESTED = ("instr*", "legacycatch*")


class Printer:
    """What instructions refer to: the index spaces of the module and of the function, and the blocks around."""

    def __init__(self, spaces: Spaces, locals_: Identifiers = NO_IDENTIFIERS, labels: IndexNames | None = None) -> None:
        self.spaces = spaces
        self.locals = locals_
        self.names = Identifiers(labels, max(labels) + 1) if labels else NO_IDENTIFIERS
        self.blocks: list[int] = []
        self.entered = 0
        self.uses_data = False
        """Whether some instruction so far has named a data segment."""

    def label(self, index: int) -> str:
        """A label: its name, or how many blocks further out it is."""
        if index >= len(self.blocks):
            return str(index)
        number = self.blocks[-1 - index]
        return self.names.ids.get(number) or f"{index} (;@{number};)"

    def enter(self) -> str:
        """A new innermost label, as its block introduces it."""
        number = self.entered
        self.entered += 1
        self.blocks.append(number)
        return self.names.ids.get(number) or f"(;@{number};)"


# Immediates. Each begins with the space that separates it from what stands before.

Immediate = Callable[..., str]


def labelidx(p: Printer, x: int) -> str:
    return f" {p.label(x)}"


def labels(p: Printer, xs: tuple[int, ...]) -> str:
    return "".join([f" {p.label(x)}" for x in xs])


def typeidx(p: Printer, x: int) -> str:
    return f" {p.spaces.types.use(x)}"


def funcidx(p: Printer, x: int) -> str:
    return f" {p.spaces.funcs.use(x)}"


def tableidx(p: Printer, x: int) -> str:
    return f" {p.spaces.tables.use(x)}"


def globalidx(p: Printer, x: int) -> str:
    return f" {p.spaces.globals.use(x)}"


def localidx(p: Printer, x: int) -> str:
    return f" {p.locals.use(x)}"


def tagidx(p: Printer, x: int) -> str:
    return f" {p.spaces.tags.use(x)}"


def dataidx(p: Printer, x: int) -> str:
    p.uses_data = True
    return f" {p.spaces.datas.use(x)}"


def elemidx(p: Printer, x: int) -> str:
    return f" {p.spaces.elems.use(x)}"


def number(p: Printer, n: int) -> str:
    return f" {n}"


def memidx(p: Printer, x: int) -> str:
    """The first memory goes without saying."""
    return f" {p.spaces.mems.use(x)}" if x else ""


def two_mems(p: Printer, x: int, y: int) -> str:
    return f" {p.spaces.mems.use(x)} {p.spaces.mems.use(y)}" if x or y else ""


def table_and_type(p: Printer, x: int, y: int) -> str:
    table = f" {p.spaces.tables.use(x)}" if x else ""
    return f"{table} {types.typeuse(p.spaces, y)}"


def mem_and_data(p: Printer, x: int, y: int) -> str:
    return memidx(p, x) + dataidx(p, y)


def table_and_elem(p: Printer, x: int, y: int) -> str:
    return tableidx(p, x) + elemidx(p, y)


def type_and_field(p: Printer, x: int, y: int) -> str:
    return f" {p.spaces.types.use(x)} {p.spaces.fields_of(x).use(y)}"


def blocktype(p: Printer, t: BlockType) -> str:
    return types.blocktype(p.spaces, t)


_CATCHES = {
    CatchKind.CATCH: "catch",
    CatchKind.CATCH_REF: "catch_ref",
    CatchKind.CATCH_ALL: "catch_all",
    CatchKind.CATCH_ALL_REF: "catch_all_ref",
}


def catches(p: Printer, clauses: tuple[Catch, ...]) -> str:
    """Their labels are those around the block, which is why they are printed before it is entered."""
    texts = []
    for clause in clauses:
        tag = "" if clause.tag is None else tagidx(p, clause.tag)
        texts.append(f" ({_CATCHES[clause.kind]}{tag} {p.label(clause.label)})")
    return "".join(texts)


def lanes(p: Printer, indices: tuple[int, ...]) -> str:
    return "".join([f" {lane}" for lane in indices])


def constant(spell: Callable[[int], str]) -> Immediate:
    return lambda p, value: f" {spell(value)}"


def heaptype(p: Printer, t: HeapType) -> str:
    return f" {types.heaptype(p.spaces, t)}"


def reftype(p: Printer, t: RefType) -> str:
    return f" {types.reftype(p.spaces, t)}"


def results(p: Printer, ts: tuple[ValType, ...] | None) -> str:
    return f" (result {types.valtypes(p.spaces, ts)})" if ts else " (result)"


def castop(p: Printer, label: int, source: RefType, target: RefType) -> str:
    return labelidx(p, label) + reftype(p, source) + reftype(p, target)


def nothing(p: Printer) -> str:
    return ""


IMMEDIATES: dict[str, Immediate] = {
    "labelidx": labelidx,
    "labelidx*": labels,
    "typeidx": typeidx,
    "funcidx": funcidx,
    "tableidx": tableidx,
    "memidx": memidx,
    "globalidx": globalidx,
    "localidx": localidx,
    "tagidx": tagidx,
    "dataidx": dataidx,
    "elemidx": elemidx,
    "u32": number,
    "laneidx": number,
    "laneidx*16": lanes,
    "tableidx typeidx": table_and_type,
    "memidx dataidx": mem_and_data,
    "tableidx elemidx": table_and_elem,
    "memidx memidx": two_mems,
    "typeidx fieldidx": type_and_field,
    "blocktype": blocktype,
    "catch*": catches,
    "i32": constant(values.i32),
    "i64": constant(values.i64),
    "f32": constant(values.f32),
    "f64": constant(values.f64),
    "v128": constant(values.v128),
    "heaptype": heaptype,
    "ref heaptype": reftype,
    "ref null heaptype": reftype,
    "valtype*": results,
    "labelidx castop": castop,
    "zero": nothing,
}
PARTS = {"tableidx typeidx": 2, "memidx dataidx": 2, "tableidx elemidx": 2, "memarg": 3, "labelidx castop": 3, "zero": 0}
"""How many parts a kind has that has not one."""
JOINED = {("memidx", "memidx"): "memidx memidx", ("typeidx", "fieldidx"): "typeidx fieldidx"}
"""Immediates of which one says how to print the other."""


def memarg(op: Op) -> Immediate:
    """Memory, offset and alignment, each only where it is not what goes without saying."""
    natural = op.access.bit_length() - 1

    def spell(p: Printer, memory: int, align: int, offset: int) -> str:
        text = memidx(p, memory)
        if offset:
            text += f" offset={offset}"
        return text if align == natural else f"{text} align={1 << align}"

    return spell


class Speller:
    """How to print the instructions of one row: its keyword, a function that takes them apart, and one for each immediate."""

    __slots__ = ("keyword", "parts", "steps")

    def __init__(self, op: Op) -> None:
        self.keyword = op.mnemonic
        self.steps: list[tuple[Immediate, int, int]] = []
        kinds = tuple(kind for kind in op.immediates if kind not in NESTED)
        count = 0
        if kinds in JOINED:
            self.steps.append((IMMEDIATES[JOINED[kinds[0], kinds[1]]], 0, 2))
            count = 2
        else:
            for kind in kinds:
                following = count + PARTS.get(kind, 1)
                self.steps.append((memarg(op) if kind == "memarg" else IMMEDIATES[kind], count, following))
                count = following
        names = [field.name for field in fields(op.form)][1 : count + 1]
        self.parts: Callable[[Instr], Any] | None = attrgetter(*names) if names else None

    def immediates(self, p: Printer, instr: Instr) -> str:
        if self.parts is None:
            return ""
        parts = self.parts(instr)
        if len(self.steps) == 1:
            spell, _, count = self.steps[0]
            return spell(p, parts) if count == 1 else spell(p, *parts)
        return "".join([spell(p, *parts[first:last]) for spell, first, last in self.steps])


SPELLERS: dict[Op, Speller] = {op: Speller(op) for op in OPS}
STRUCTURED = frozenset(op for op in OPS if "instr*" in op.immediates)


class Delimiter(Enum):
    """What separates or closes the parts of a block."""

    ELSE = "else"
    CATCH_ALL = "catch_all"
    END = "end"


@dataclass(frozen=True, slots=True)
class Catching:
    """A `catch` of the legacy `try`."""

    tag: int


@dataclass(frozen=True, slots=True)
class Delegating:
    """A `delegate`, which closes a legacy `try`."""

    label: int


Item = Instr | Delimiter | Catching | Delegating


def lines(p: Printer, expr: Expr, hints: Mapping[int, int] | None = None) -> Iterator[tuple[int, str]]:
    """The linear code: how deep each line stands, and its text. The closing `end` of the expression is not among them.

    `hints` are branch hints, by the number of the opcode in the linear code.
    """
    stack: list[Iterator[Item]] = [iter(expr.body)]
    opcode = 0
    while stack:
        for item in stack[-1]:
            hint = HINTS[hints[opcode]] if hints and opcode in hints else ""
            opcode += 1
            if not isinstance(item, Instr):
                yield len(stack) - 2, delimiter(p, item)
                continue
            op = item.op
            speller = SPELLERS[op]
            if op not in STRUCTURED:
                yield len(stack) - 1, hint + speller.keyword + speller.immediates(p, item)
                continue
            immediates = speller.immediates(p, item)
            yield len(stack) - 1, f"{hint}{speller.keyword} {p.enter()}{immediates}"
            stack.append(bodies(item))
            break
        else:
            stack.pop()


def bodies(instr: Instr) -> Iterator[Item]:
    """What stands in a block, with what separates and closes it."""
    match instr:
        case form.If(_, _, then, orelse):
            return chain(then, (Delimiter.ELSE, *orelse) if orelse else (), (Delimiter.END,))
        case form.Try(_, _, body, clauses, delegate):
            parts: Iterator[Item] = chain.from_iterable(
                (Delimiter.CATCH_ALL if clause.tag is None else Catching(clause.tag), *clause.body) for clause in clauses
            )
            return chain(body, parts, (Delimiter.END if delegate is None else Delegating(delegate),))
        case form.Block(_, _, body) | form.Loop(_, _, body) | form.TryTable(_, _, _, body):
            return chain(body, (Delimiter.END,))
        case _:
            return iter(())


def delimiter(p: Printer, item: Delimiter | Catching | Delegating) -> str:
    """The line; a block is left where it is closed."""
    match item:
        case Catching(tag):
            return f"catch{tagidx(p, tag)}"
        case Delegating(label):
            p.blocks.pop()
            return f"delegate {p.label(label)}"
        case Delimiter.END:
            p.blocks.pop()
            return "end"
        case _:
            return str(item.value)


def block_of_lines(p: Printer, expr: Expr, depth: int, hints: Mapping[int, int] | None = None) -> list[str]:
    """Indented lines, each with its line break before it."""
    margins = ["\n" + INDENT * (depth + more) for more in range(DEEPEST_INDENT)]
    deepest = DEEPEST_INDENT - 1
    return [margins[more if more < deepest else deepest] + text for more, text in lines(p, expr, hints)]


def on_one_line(p: Printer, expr: Expr) -> str:
    """An expression within something else: in parentheses when it is one plain instruction."""
    if len(expr.body) == 1 and expr.body[0].op not in STRUCTURED:
        return "".join([f"({text})" for _, text in lines(p, expr)])
    return " ".join([text for _, text in lines(p, expr)])
