"""Instructions and expressions, read and written.

Nesting is a list here, not recursion: any depth is fine. An instruction is made once for a module and used wherever it occurs.

Spec    binary/instructions.html
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

from pywasm_ref.binary.cursor import Reader, Writer
from pywasm_ref.binary.immediates import NESTED, PARTS, READ, WRITE, Parts
from pywasm_ref.features import Feature, Features
from pywasm_ref.isa import OPS
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Code, Expr, Instr, Instrs, LegacyCatch, Op

END, ELSE = 0x0B, 0x05
CATCH, DELEGATE, CATCH_ALL = 0x07, 0x18, 0x19
PREFIXES = (0xFB, 0xFC, 0xFD, 0xFE)
STRUCTURED = frozenset(op for op in OPS if "instr*" in op.immediates)
USES_DATA = frozenset(op for op in OPS if any("dataidx" in kind for kind in op.immediates))

LEBS: dict[str, int] = {
    "labelidx": 1,
    "funcidx": 1,
    "tableidx": 1,
    "memidx": 1,
    "globalidx": 1,
    "localidx": 1,
    "typeidx": 1,
    "tagidx": 1,
    "i32": 1,
    "i64": 1,
    "memarg": 2,
    "tableidx typeidx": 2,
}
"""How many LEB128 integers an immediate mostly is; a memarg with a memory index has one more."""
SIZES: dict[str, int] = {"f32": 4, "f64": 8}


def _shape(op: Op) -> int:
    """How to find the end of an instruction without understanding it.

    Positive: so many bytes; negative: so many integers after the opcode; 0: not that simply.
    """
    if not op.immediates:
        return 1
    if len(op.immediates) > 1:
        return 0
    kind = op.immediates[0]
    return 1 + SIZES[kind] if kind in SIZES else -LEBS.get(kind, 0)


@lru_cache(maxsize=64)
def rows(features: Features) -> Mapping[Code, Op]:
    """The rows of the table that are on."""
    return {op.code: op for op in OPS if op.feature in features}


@lru_cache(maxsize=64)
def shapes(features: Features) -> tuple[int, ...]:
    """By opcode byte; 0 for all that `Body.other` has to read."""
    known = {op.code: _shape(op) for op in rows(features).values() if op not in STRUCTURED}
    return tuple(known.get(byte, 0) for byte in range(256))


def read_expr(s: Reader) -> Expr:
    """Instructions up to the `end` that closes them.

    The loop knows only where an instruction ends, and takes it from the memo by its bytes; the first of its kind, and all that
    nests or has a prefix, is read by `Body`.
    """
    data, pos, shape_of = s.data, s.pos, shapes(s.features)
    recall = s.memo.get
    body = Body(s)
    place = body.places.append
    append = body.instrs.append
    try:
        while True:
            place(pos)
            shape = shape_of[data[pos]]
            if shape == 0:
                s.pos = pos
                body.other()
                pos = s.pos
                if body.closed:
                    break
                append = body.instrs.append
                continue
            end = pos + 1
            if shape > 0:
                end = pos + shape
            while shape < 0:
                while data[end] > 0x7F:
                    end += 1
                end += 1
                shape += 1
            instr = recall(data[pos:end])
            if instr is None:
                s.pos = pos
                instr = body.first_of_its_kind()
                end = s.pos
            append(instr)
            pos = end
    except IndexError:
        s.pos = pos
        body.first_of_its_kind()  # has a better word for an integer that is too long before it ends
        raise s.unexpected_end() from None
    return Expr(tuple(body.instrs), body.places)


class Block:
    """A block that has been opened and not yet closed."""

    __slots__ = ("around", "clauses", "op", "parts", "tag", "then")

    def __init__(self, op: Op, parts: Parts, around: list[Instr]) -> None:
        self.op = op
        self.parts = parts
        self.around = around
        self.then: Instrs | None = None
        self.clauses: list[LegacyCatch] = []
        self.tag: int | None = None


class Body:
    """The expression that is being read: the instructions of the innermost open block, and the blocks around it."""

    def __init__(self, s: Reader) -> None:
        self.s = s
        self.rows = rows(s.features)
        self.places: array[int] = array("I")
        self.instrs: list[Instr] = []
        self.blocks: list[Block] = []
        self.closed = False

    def op(self) -> Op:
        """The row that the opcode selects."""
        s = self.s
        at = s.pos
        byte = s.byte()
        code: Code = (byte, s.u32()) if byte in PREFIXES else byte
        op = self.rows.get(code)
        if op is None:
            raise s.fail("illegal opcode " + (f"{byte:02x} {code[1]:02x}" if isinstance(code, tuple) else f"{byte:02x}"), at)
        return op

    def parts(self, op: Op) -> Parts:
        """The immediates that the row asks for, nested instructions left out."""
        s = self.s
        return tuple([part for kind in op.immediates if kind not in NESTED for part in READ[kind](s)])

    def first_of_its_kind(self) -> Instr:
        """An instruction that is in no memo by its bytes. Other bytes may have meant the same."""
        s = self.s
        at = s.pos
        op = self.op()
        instr = self.memoised(op, self.parts(op))
        s.memo[s.data[at : s.pos]] = instr
        return instr

    def memoised(self, op: Op, parts: Parts) -> Instr:
        key = (op, parts)
        instr: Instr | None = self.s.memo.get(key)
        if instr is None:
            instr = self.s.memo[key] = op.form(op, *parts)
            self.s.uses_data = self.s.uses_data or op in USES_DATA
        return instr

    def other(self) -> None:
        """What nests, what separates, and what has no simple shape."""
        byte = self.s.data[self.s.pos]
        if byte == END:
            self.s.pos += 1
            self.end()
        elif byte == ELSE:
            self.s.pos += 1
            self.orelse()
        elif byte in LEGACY and Feature.LEGACY_EXCEPTIONS in self.s.features:
            self.s.pos += 1
            LEGACY[byte](self)
        else:
            op = self.op()
            parts = self.parts(op)
            if op in STRUCTURED:
                self.blocks.append(Block(op, parts, self.instrs))
                self.instrs = []
            else:
                self.instrs.append(self.memoised(op, parts))

    def end(self) -> None:
        if not self.blocks:
            self.closed = True
            return
        block = self.blocks.pop()
        body = tuple(self.instrs)
        op = block.op
        if op.form is form.If:
            if block.then is not None and not body:
                del self.places[-2]  # an `else` with nothing after it is as good as none
            bodies: Parts = (body, ()) if block.then is None else (block.then, body)
        elif op.form is form.Try:
            bodies = self.legacy_bodies(block, body, None)
        else:
            bodies = (body,)
        self.close(block, bodies)

    def close(self, block: Block, bodies: Parts) -> None:
        self.instrs = block.around
        self.instrs.append(block.op.form(block.op, *block.parts, *bodies))

    def orelse(self) -> None:
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.op.form is not form.If or block.then is not None:
            raise self.s.fail("END opcode expected")
        block.then = tuple(self.instrs)
        self.instrs = []

    # Legacy exceptions

    def legacy_bodies(self, block: Block, body: Instrs, delegate: int | None) -> Parts:
        """What a `try` consists of when it is closed after `body`."""
        if block.then is None:
            return body, (), delegate
        return block.then, (*block.clauses, LegacyCatch(block.tag, body)), delegate

    def clause(self, tag: int | None) -> None:
        """A `catch` or `catch_all` closes what stands before it; nothing may follow a `catch_all`."""
        block = self.legacy_try()
        if block.then is None:
            block.then = tuple(self.instrs)
        elif block.tag is None:
            raise self.s.fail("END opcode expected")
        else:
            block.clauses.append(LegacyCatch(block.tag, tuple(self.instrs)))
        block.tag = tag
        self.instrs = []

    def legacy_try(self) -> Block:
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.op.form is not form.Try:
            raise self.s.fail("END opcode expected")
        return block

    def catch(self) -> None:
        self.legacy_try()
        self.clause(self.s.u32())

    def catch_all(self) -> None:
        self.clause(None)

    def delegate(self) -> None:
        block = self.legacy_try()
        if block.then is not None:
            raise self.s.fail("END opcode expected")
        label = self.s.u32()
        self.blocks.pop()
        self.close(block, self.legacy_bodies(block, tuple(self.instrs), label))


LEGACY: dict[int, Callable[[Body], None]] = {CATCH: Body.catch, DELEGATE: Body.delegate, CATCH_ALL: Body.catch_all}


# Writing


def _code_bytes(code: Code) -> bytes:
    w = Writer()
    if isinstance(code, tuple):
        w.byte(code[0])
        w.unsigned(code[1])
    else:
        w.byte(code)
    return bytes(w.data)


class Recipe:
    """How to write the instructions of one row: the opcode, a function that takes them apart, and a writer for each immediate."""

    __slots__ = ("code", "parts", "steps")

    def __init__(self, op: Op) -> None:
        self.code = _code_bytes(op.code)
        self.steps: list[tuple[Callable[..., None], int, int]] = []
        count = 0
        for kind in op.immediates:
            if kind not in NESTED:
                following = count + PARTS.get(kind, 1)
                self.steps.append((WRITE[kind], count, following))
                count = following
        names = [field.name for field in fields(op.form)][1 : count + 1]
        self.parts: Callable[[Instr], Any] | None = attrgetter(*names) if names else None

    def write(self, w: Writer, instr: Instr) -> None:
        w.data += self.code
        if self.parts is None:
            parts: Parts = ()
        else:
            found = self.parts(instr)
            parts = found if len(self.steps) > 1 or self.steps[0][2] > 1 else (found,)
        for write, first, last in self.steps:
            write(w, *parts[first:last])


RECIPES: dict[Op, Recipe] = {op: Recipe(op) for op in OPS}

Marks = list[int]
"""Where each opcode of the linear code was written, as `Expr.places` has them."""


def write_expr(w: Writer, expr: Expr, marks: Marks | None = None) -> bool:
    """Instructions and the `end` that closes them; says whether one of them names a data segment."""
    uses_data = False
    stack: list[Iterator[Instr | bytes]] = [chain(expr.body, (_END,))]
    while stack:
        for item in stack[-1]:
            if marks is not None:
                marks.append(len(w.data))
            if isinstance(item, bytes):
                w.data += item
                continue
            op = item.op
            uses_data = uses_data or op in USES_DATA
            RECIPES[op].write(w, item)
            if op in STRUCTURED:
                stack.append(_bodies(item))
                break
        else:
            stack.pop()
    return uses_data


_END = bytes([END])
_ELSE = bytes([ELSE])


def _bodies(instr: Instr) -> Iterator[Instr | bytes]:
    """What follows the immediates of a block: its instructions, with the delimiters as bytes."""
    match instr:
        case form.If(_, _, then, orelse):
            return chain(then, (_ELSE, *orelse) if orelse else (), (_END,))
        case form.Try(_, _, body, catches, delegate):
            clauses: Iterator[Instr | bytes] = chain.from_iterable((_clause(clause.tag), *clause.body) for clause in catches)
            closing = _END if delegate is None else _delimiter(DELEGATE, delegate)
            return chain(body, clauses, (closing,))
        case form.Block(_, _, body) | form.Loop(_, _, body) | form.TryTable(_, _, _, body):
            return chain(body, (_END,))
        case _:
            return iter(())


def _clause(tag: int | None) -> bytes:
    return bytes([CATCH_ALL]) if tag is None else _delimiter(CATCH, tag)


def _delimiter(code: int, index: int) -> bytes:
    w = Writer()
    w.byte(code)
    w.unsigned(index)
    return bytes(w.data)
