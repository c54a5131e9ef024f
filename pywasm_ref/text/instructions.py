"""Instructions and expressions, plain and folded, in one loop over the tokens.

What is still open lies on a stack of constructs, never on Python's, so that a text may nest as deep as it likes. Instructions
are put down in the order of the linear code: the operands of a folded instruction before it.

Spec    text/instructions.html
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pywasm_ref.isa import BY_MNEMONIC, op
from pywasm_ref.syntax.instructions import BlockType, Expr, Instr, Instrs, LegacyCatch, Op
from pywasm_ref.text.immediates import READ, catches, reference, results
from pywasm_ref.text.names import Context
from pywasm_ref.text.types import blocktype

# Plain instructions


def make(c: Context, row: Op, parts: tuple[Any, ...]) -> Instr:
    """An instruction; equal ones of a text are one object."""
    key = (row, parts)
    instr = c.instrs.get(key)
    if instr is None:
        new: Callable[..., Instr] = row.form
        instr = c.instrs[key] = new(row, *parts)
    return instr


def _plain(read: Callable[[Context, Op], tuple[Any, ...]], row: Op, c: Context) -> Instr:
    return make(c, row, read(c, row))


def _select(c: Context) -> Instr:
    """Two rows for one keyword: with and without types."""
    types = results(c, _SELECT)
    return make(c, _SELECT if types[0] is None else _SELECT_TYPED, types)


def _by_null(row: Op, row_null: Op, c: Context) -> Instr:
    """Two rows for one keyword: by whether the type includes null."""
    parts = reference(c, row)
    return make(c, row_null if parts[0].null else row, parts)


_SELECT, _SELECT_TYPED = BY_MNEMONIC["select"]
_STRUCTURED = ("block", "loop", "if", "try_table", "try")

PLAIN: dict[str, Callable[[Context], Instr]] = {
    mnemonic: partial(_plain, READ[rows[0].immediates], rows[0]) for mnemonic, rows in BY_MNEMONIC.items() if mnemonic not in _STRUCTURED
}
"""What reads the immediates of an instruction whose keyword is stepped over."""

PLAIN["select"] = _select
PLAIN.update((mnemonic, partial(_by_null, BY_MNEMONIC[mnemonic][0], BY_MNEMONIC[mnemonic][1])) for mnemonic in ("ref.test", "ref.cast"))


# Constructs that are open


class Construct:
    """Something that waits for its end: `end` or, where it is folded, the closing parenthesis.

    `outside` are the instructions before it, to which it will be added.
    """

    __slots__ = ("outside",)

    outside: list[Instr]
    operands_only = False

    def word(self, body: Body, word: str) -> bool:
        """Whether a word that is no instruction belongs here; it is stepped over."""
        return False

    def clause(self, body: Body, word: str) -> bool:
        """Whether a parenthesis with that word in it opens a clause; both are stepped over."""
        return False

    def close(self, body: Body) -> None:
        """The closing parenthesis is here."""
        raise body.c.tokens.unexpected()


class Operands(Construct):
    """A folded plain instruction, in the middle of its operands."""

    __slots__ = ("at", "instr")

    operands_only = True

    def __init__(self, instr: Instr, at: int) -> None:
        self.instr = instr
        self.at = at

    def close(self, body: Body) -> None:
        """The operands are all there; now the instruction itself."""
        body.pop()
        body.emit(self.instr, self.at)


class Block(Construct):
    """`block`, `loop`, `try_table`."""

    __slots__ = ("folded", "immediates", "name", "row")

    def __init__(self, row: Op, folded: bool, name: str | None, *immediates: Any) -> None:
        self.row = row
        self.folded = folded
        self.name = name
        self.immediates = immediates

    def word(self, body: Body, word: str) -> bool:
        """`end`"""
        if word == "end" and not self.folded:
            body.delimiter(self.name)
            self.finish(body)
            return True
        return False

    def close(self, body: Body) -> None:
        """As good as `end`, where the block is folded."""
        if not self.folded:
            raise body.c.tokens.unexpected()
        body.note_place()
        self.finish(body)

    def finish(self, body: Body) -> None:
        """Add the block to what is outside of it."""
        inside = tuple(body.out)
        body.c.labels.leave()
        body.pop()
        body.add(self.row, *self.immediates, inside)


class If(Construct):
    """`if … else … end`"""

    __slots__ = ("name", "row", "then", "type")

    def __init__(self, row: Op, name: str | None, type_: BlockType) -> None:
        self.row = row
        self.name = name
        self.type = type_
        self.then: Instrs | None = None

    def word(self, body: Body, word: str) -> bool:
        """`else` or `end`"""
        if word == "else" and self.then is None:
            body.delimiter(self.name)
            self.then = body.cut()
        elif word == "end":
            if self.then is not None:
                body.forget_empty_else(body.out)
            body.delimiter(self.name)
            self.finish(body)
        else:
            return False
        return True

    def finish(self, body: Body) -> None:
        """Add the instruction to what is outside of it."""
        last = body.cut()
        then, orelse = (last, ()) if self.then is None else (self.then, last)
        body.c.labels.leave()
        body.pop()
        body.add(self.row, self.type, then, orelse)


class FoldedIf(Construct):
    """`(if … condition* (then …) (else …)?)`; until `then` its condition belongs to what is outside."""

    __slots__ = ("at", "name", "orelse", "row", "then", "type")

    operands_only = True

    def __init__(self, row: Op, at: int, name: str | None, type_: BlockType) -> None:
        self.row = row
        self.at = at
        self.name = name
        self.type = type_
        self.then: Instrs | None = None
        self.orelse: Instrs | None = None

    def clause(self, body: Body, word: str) -> bool:
        """`(then` once, then `(else` at most once; nothing else after that."""
        if self.then is None and word == "then":
            body.places.append(self.at)
            body.c.labels.enter(self.name)
            body.open_clause(self, "then")
        elif self.then is not None and self.orelse is None and word == "else":
            body.places.append(body.c.tokens.starts[body.c.tokens.i + 1])
            body.open_clause(self, "orelse")
        elif self.then is not None:
            raise body.unexpected_after_parenthesis()
        else:
            return False
        return True

    def close(self, body: Body) -> None:
        """Add the instruction to what is outside of it."""
        if self.then is None:
            raise body.c.tokens.unexpected()
        if self.orelse is not None:
            body.forget_empty_else(self.orelse)
        body.note_place()
        body.c.labels.leave()
        body.pop()
        body.add(self.row, self.type, self.then, self.orelse or ())


class Clause(Construct):
    """`(then …)` and its like: instructions that a folded construct will own."""

    __slots__ = ("owner", "part")

    def __init__(self, owner: Construct, part: str) -> None:
        self.owner = owner
        self.part = part

    def close(self, body: Body) -> None:
        """Hand over what is inside."""
        inside = body.cut()
        body.pop()
        setattr(self.owner, self.part, inside)


class Try(Construct):
    """The legacy `try … catch … catch_all … end`, or `try … delegate`."""

    __slots__ = ("catches", "do", "name", "row", "tag", "type")

    def __init__(self, row: Op, name: str | None, type_: BlockType) -> None:
        self.row = row
        self.name = name
        self.type = type_
        self.do: Instrs | None = None
        self.tag: int | None = None
        self.catches: list[LegacyCatch] = []

    def word(self, body: Body, word: str) -> bool:
        """A clause, or the end."""
        if word in ("catch", "catch_all") and not self.has_catch_all():
            self.cut(body)
            body.note_place()
            body.c.tokens.i += 1
            self.tag = body.c.index(body.c.tags) if word == "catch" else None
        elif word == "delegate" and self.do is None:
            self.cut(body)
            body.note_place()
            body.c.tokens.i += 1
            self.finish(body, delegates=True)
        elif word == "end":
            self.cut(body)
            body.delimiter(self.name)
            self.finish(body, delegates=False)
        else:
            return False
        return True

    def has_catch_all(self) -> bool:
        """Nothing may follow a `catch_all`."""
        return self.do is not None and self.tag is None

    def cut(self, body: Body) -> None:
        """What came since the last clause began is complete."""
        inside = body.cut()
        if self.do is None:
            self.do = inside
        else:
            self.catches.append(LegacyCatch(self.tag, inside))

    def finish(self, body: Body, delegates: bool) -> None:
        """Add the instruction to what is outside of it; `delegate` counts labels from there."""
        body.c.labels.leave()
        delegate = body.c.index(body.c.labels) if delegates else None
        body.pop()
        body.add(self.row, self.type, self.do, tuple(self.catches), delegate)


class FoldedTry(Construct):
    """`(try … (do …) (catch x …)* (catch_all …)?)`, or `(try … (do …) (delegate l))`."""

    __slots__ = ("catches", "complete", "delegate", "do", "name", "row", "tag", "type")

    operands_only = True

    def __init__(self, row: Op, name: str | None, type_: BlockType) -> None:
        self.row = row
        self.name = name
        self.type = type_
        self.do: Instrs | None = None
        self.tag: int | None = None
        self.catches: list[LegacyCatch] = []
        self.delegate: int | None = None
        self.complete = False

    @property
    def handler(self) -> Instrs:
        """The body of the latest clause; only its assignment matters."""
        return self.catches[-1].body

    @handler.setter
    def handler(self, inside: Instrs) -> None:
        self.catches.append(LegacyCatch(self.tag, inside))

    def clause(self, body: Body, word: str) -> bool:
        """One of the four clauses, in their order."""
        c = body.c
        if self.do is None and word == "do":
            body.open_clause(self, "do")
        elif self.do is not None and not self.complete and word in ("catch", "catch_all"):
            body.places.append(c.tokens.starts[c.tokens.i + 1])
            body.open_clause(self, "handler")
            self.tag = c.index(c.tags) if word == "catch" else None
            self.complete = word == "catch_all"
        elif self.do is not None and not self.complete and not self.catches and word == "delegate":
            body.places.append(c.tokens.starts[c.tokens.i + 1])
            c.tokens.i += 2
            c.labels.leave()
            self.delegate = c.index(c.labels)
            c.tokens.expect(")")
            self.complete = True
        else:
            raise body.unexpected_after_parenthesis()
        return True

    def close(self, body: Body) -> None:
        """Add the instruction to what is outside of it."""
        if self.do is None:
            raise body.c.tokens.unexpected()
        if self.delegate is None:
            body.note_place()
            body.c.labels.leave()
        body.pop()
        body.add(self.row, self.type, self.do, tuple(self.catches), self.delegate)


# The loop


class Body:
    """The instructions of one expression, while they are read."""

    __slots__ = ("c", "out", "places", "stack")

    def __init__(self, c: Context) -> None:
        self.c = c
        self.out: list[Instr] = []
        self.places = array("I")
        self.stack: list[Construct] = []

    # What is open

    def push(self, construct: Construct, inside: bool) -> None:
        """Open a construct; its instructions are collected apart if they are `inside` of it."""
        construct.outside = self.out
        self.stack.append(construct)
        if inside:
            self.out = []

    def pop(self) -> None:
        """The innermost construct is complete; what follows comes after it."""
        self.out = self.stack.pop().outside

    def cut(self) -> Instrs:
        """What was collected, and start anew."""
        inside = tuple(self.out)
        self.out = []
        return inside

    def open_clause(self, owner: Construct, part: str) -> None:
        """Step over `(then` or its like, and collect what is in it."""
        self.c.tokens.i += 2
        self.push(Clause(owner, part), inside=True)

    # What is done

    def emit(self, instr: Instr, at: int) -> None:
        """One plain instruction."""
        self.out.append(instr)
        self.places.append(at)

    def add(self, row: Op, *parts: Any) -> None:
        """One structured instruction, whose places are noted already."""
        new: Callable[..., Instr] = row.form
        self.out.append(new(row, *parts))

    def note_place(self) -> None:
        """The current token is an opcode of the linear code."""
        self.places.append(self.c.tokens.at)

    def forget_empty_else(self, inside: Sequence[Instr]) -> None:
        """An `else` with nothing after it is not in the abstract syntax, and so has no place."""
        if not inside:
            self.places.pop()

    def delimiter(self, name: str | None) -> None:
        """`end` or `else`, and the label that may be repeated after it."""
        tokens = self.c.tokens
        self.note_place()
        tokens.i += 1
        at = tokens.at
        repeated = tokens.identifier()
        if repeated is not None and repeated != name:
            raise tokens.error("mismatching label", at)

    def unexpected_after_parenthesis(self) -> Exception:
        """The failure of the token after this parenthesis."""
        self.c.tokens.i += 1
        return self.c.tokens.unexpected()

    # The steps

    def sequence(self) -> Expr:
        """Instructions up to the parenthesis that closes what is around them, which stays."""
        texts, tokens = self.c.tokens.texts, self.c.tokens
        while self.stack or (texts[tokens.i] != ")" and texts[tokens.i]):
            self.step()
        if not texts[tokens.i]:
            raise tokens.unexpected()
        self.note_place()
        return Expr(tuple(self.out), self.places)

    def single(self) -> Expr:
        """One folded instruction with all its operands."""
        tokens = self.c.tokens
        if tokens.text != "(":
            raise tokens.unexpected()
        self.step()
        while self.stack:
            self.step()
        self.places.append(tokens.starts[tokens.i - 1])
        return Expr(tuple(self.out), self.places)

    def step(self) -> None:
        """Read on by one instruction, or to the next part of a construct."""
        tokens = self.c.tokens
        text = tokens.texts[tokens.i]
        if text == "(":
            self.parenthesis(tokens.texts[tokens.i + 1])
        elif text == ")":
            self.stack[-1].close(self)
            tokens.i += 1
        elif self.stack and self.stack[-1].operands_only:
            raise tokens.unexpected()
        elif text in PLAIN:
            at = tokens.starts[tokens.i]
            tokens.i += 1
            self.emit(PLAIN[text](self.c), at)
        elif text in _OPENERS:
            _OPENERS[text](self, op(text), False)
        elif not (self.stack and self.stack[-1].word(self, text)):
            raise tokens.unexpected()

    def parenthesis(self, word: str) -> None:
        """A folded instruction, or a clause of one."""
        tokens = self.c.tokens
        if self.stack and self.stack[-1].clause(self, word):
            return
        if word not in PLAIN and word not in _OPENERS:
            raise self.unexpected_after_parenthesis()
        tokens.i += 1
        if word in _OPENERS:
            _OPENERS[word](self, op(word), True)
            return
        at = tokens.starts[tokens.i]
        tokens.i += 1
        instr = PLAIN[word](self.c)
        if tokens.texts[tokens.i] == ")":
            tokens.i += 1
            self.emit(instr, at)
        else:
            self.push(Operands(instr, at), inside=False)


# Structured instructions; each starts at its keyword


def _open_block(body: Body, row: Op, folded: bool) -> None:
    name = _opening(body)
    body.push(Block(row, folded, name, blocktype(body.c)), inside=True)
    body.c.labels.enter(name)


def _open_try_table(body: Body, row: Op, folded: bool) -> None:
    name = _opening(body)
    type_ = blocktype(body.c)
    body.push(Block(row, folded, name, type_, catches(body.c)), inside=True)
    body.c.labels.enter(name)


def _open_if(body: Body, row: Op, folded: bool) -> None:
    tokens = body.c.tokens
    at = tokens.at
    if folded:
        tokens.i += 1
        name = tokens.identifier()
        body.push(FoldedIf(row, at, name, blocktype(body.c)), inside=False)
    else:
        name = _opening(body)
        body.push(If(row, name, blocktype(body.c)), inside=True)
        body.c.labels.enter(name)


def _open_try(body: Body, row: Op, folded: bool) -> None:
    name = _opening(body)
    type_ = blocktype(body.c)
    body.push(FoldedTry(row, name, type_) if folded else Try(row, name, type_), inside=not folded)
    body.c.labels.enter(name)


def _opening(body: Body) -> str | None:
    """Step over the keyword and the label."""
    body.note_place()
    body.c.tokens.i += 1
    return body.c.tokens.identifier()


_OPENERS: dict[str, Callable[[Body, Op, bool], None]] = {
    "block": _open_block,
    "loop": _open_block,
    "if": _open_if,
    "try_table": _open_try_table,
    "try": _open_try,
}

# Expressions


def expression(c: Context) -> Expr:
    """Instructions up to a closing parenthesis, which stays: it is their `end`."""
    return Body(c).sequence()


def folded(c: Context) -> Expr:
    """One folded instruction as an expression."""
    return Body(c).single()
