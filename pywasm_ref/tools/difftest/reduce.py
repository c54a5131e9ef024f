"""Making a find small, without ever leaving the valid modules: remove, replace, unwrap, as long as the same thing happens.

Code is taken as a list of opcodes, `else` and `end` among them; parts of it are left out or replaced by a value, and whatever our own
validator refuses is not tried on the engines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.instructions import Block, Expr, If, Instr, Instrs, Loop, TryTable
from pywasm_ref.syntax.modules import Func, Module
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType
from pywasm_ref.tools.difftest.generate.module import UNREACHABLE, Generated
from pywasm_ref.tools.difftest.generate.space import const, make
from pywasm_ref.tools.difftest.jobs import Call, Job
from pywasm_ref.validation import validate

T = TypeVar("T")
Token = Instr | str
"""An instruction, its own instructions left out; `else`, or `end`."""

FILLERS: tuple[tuple[Token, ...], ...] = (
    (),
    (const(I32, 0),),
    (const(I64, 0),),
    (const(F32, 0),),
    (const(F64, 0),),
    (const(V128, 0),),
    (make("drop"),),
    (make("unreachable"),),
    (make("ref.null", AbsHeapType.FUNC),),
    (make("ref.null", AbsHeapType.EXTERN),),
    (make("ref.null", AbsHeapType.NONE),),
)
"""What may stand for a part that is left out."""


def reduce(start: Generated, shows: Callable[[Job], bool], seconds: float = 120.0) -> Generated:
    """The smallest candidate that was found in that time and still shows the thing."""
    reducer = Reducer(start, shows, time.monotonic() + seconds)
    reducer.run()
    return reducer.best


class Reducer:
    """The best candidate so far, and attempts to better it."""

    def __init__(self, start: Generated, shows: Callable[[Job], bool], deadline: float) -> None:
        self.best = start
        self.shows = shows
        self.deadline = deadline
        self.attempts = 0

    def run(self) -> None:
        """Coarse steps first, then finer ones, until a whole round betters nothing."""
        self.calls()
        self.whole_functions()
        before = None
        while before != (self.best.module, self.best.calls) and self.in_time():
            before = (self.best.module, self.best.calls)
            for x in range(len(self.best.module.funcs)):
                self.body(x)
            self.calls()
            self.parts()
            self.constants()

    def in_time(self) -> bool:
        return time.monotonic() < self.deadline

    def attempt(self, module: Module, calls: tuple[Call, ...] | None = None) -> bool:
        """Take this for the best, if it is valid and shows the thing."""
        if not self.in_time():
            return False
        candidate = replace(self.best, module=module, calls=self.best.calls if calls is None else calls)
        try:
            validate(module, candidate.features)
        except (WasmError, IndexError, ValueError):
            return False
        self.attempts += 1
        if not self.shows(candidate.job()):
            return False
        self.best = candidate
        return True

    # Calls and functions

    def calls(self) -> None:
        for kept in shorter(self.best.calls):
            if kept(self.best.calls) != self.best.calls:
                self.attempt(self.best.module, tuple(kept(self.best.calls)))

    def whole_functions(self) -> None:
        """Functions that may as well trap."""
        for x, func in enumerate(self.best.module.funcs):
            self.attempt(with_func(self.best.module, x, replace(func, body=Expr(UNREACHABLE), locals=())))

    def body(self, x: int) -> None:
        """Leave out more and more, from large parts to single opcodes."""
        size = max(1, len(self.tokens(x)) // 2)
        while self.in_time():
            start = 0
            while start < len(self.tokens(x)) and self.in_time():
                if not self._cut(x, start, size):
                    start += max(1, size // 2)
            if size == 1:
                break
            size //= 2
        self._unwrap(x)
        self._forget(x)

    def tokens(self, x: int) -> list[Token]:
        return flatten(self.best.module.funcs[x].body.body)

    def _cut(self, x: int, start: int, size: int) -> bool:
        tokens = self.tokens(x)
        removed = tokens[start : start + size]
        for filler in FILLERS:
            if len(filler) >= len(removed) and (len(filler) > len(removed) or not _simpler(filler, removed)):
                continue
            if self._try_tokens(x, [*tokens[:start], *filler, *tokens[start + size :]]):
                return True
        return False

    def _try_tokens(self, x: int, tokens: list[Token]) -> bool:
        body = nest(tokens)
        if body is None:
            return False
        return self.attempt(with_func(self.best.module, x, replace(self.best.module.funcs[x], body=Expr(body))))

    def _unwrap(self, x: int) -> None:
        """A block without its frame, each that there is."""
        start = 0
        while start < len(self.tokens(x)) and self.in_time():
            tokens = self.tokens(x)
            if isinstance(tokens[start], Block | Loop | TryTable):
                end = matching(tokens, start)
                if self._try_tokens(x, [*tokens[:start], *tokens[start + 1 : end], *tokens[end + 1 :]]):
                    continue
            start += 1

    def _forget(self, x: int) -> None:
        """Something, together with the drops of what it makes, which may stand far behind it."""
        start = 0
        while start < len(self.tokens(x)) and self.in_time():
            tokens = self.tokens(x)
            drops = [i for i in range(start + 1, len(tokens)) if _drops(tokens[i])]
            ways = () if _drops(tokens[start]) else range(1, min(4, len(drops) + 1))
            if not any(self._try_tokens(x, _but(tokens, {start, *drops[:n]})) for n in ways):
                start += 1

    # The rest of the module

    def parts(self) -> None:
        """What stands beside code: from the end, since indices count from the start."""
        for name in ("exports", "datas", "elems", "customs", "funcs", "globals", "tables", "mems", "tags", "imports", "types"):
            entries = getattr(self.best.module, name)
            for i in range(len(entries) - 1, -1, -1):
                kept = getattr(self.best.module, name)
                changes: dict[str, Any] = {name: (*kept[:i], *kept[i + 1 :])}
                self.attempt(replace(self.best.module, **changes))
        self.attempt(replace(self.best.module, start=None))
        for x, func in enumerate(self.best.module.funcs):
            self._locals(x, func)

    def _locals(self, x: int, func: Func) -> None:
        for kept in shorter(func.locals):
            self.attempt(with_func(self.best.module, x, replace(self.best.module.funcs[x], locals=tuple(kept(func.locals)))))

    def constants(self) -> None:
        """Arguments of calls, made 0 where that changes nothing."""
        for i, call in enumerate(self.best.calls):
            for k, arg in enumerate(call.args):
                if arg not in (0, None):
                    simpler = replace(call, args=(*self.best.calls[i].args[:k], 0 if isinstance(arg, int) else None, *call.args[k + 1 :]))
                    self.attempt(self.best.module, (*self.best.calls[:i], simpler, *self.best.calls[i + 1 :]))


def shorter(items: Sequence[T]) -> Iterator[Callable[[Sequence[T]], Sequence[T]]]:
    """Ways to leave out a part of a sequence, halves first."""
    size = max(1, len(items) // 2)
    while items:
        for start in range(len(items) - size, -1, -size):
            yield partial(_without, start, size)
        if size == 1:
            return
        size //= 2


def _drops(token: Token) -> bool:
    return isinstance(token, Instr) and token.op.mnemonic == "drop"


def _but(tokens: Sequence[Token], left_out: set[int]) -> list[Token]:
    return [token for i, token in enumerate(tokens) if i not in left_out]


def _without(start: int, size: int, items: Sequence[T]) -> Sequence[T]:
    return (*items[:start], *items[start + size :])


def _simpler(filler: tuple[Token, ...], removed: Sequence[Token]) -> bool:
    """Whether one opcode may stand for one: a value for an operation that makes it, and never one value for another."""
    names = [token.op.mnemonic for token in (*filler, *removed) if isinstance(token, Instr)]
    return (
        len(names) == 2 and names[0] != names[1] and not names[1].endswith((".const", ".null")) and names[1] not in ("unreachable", "drop")
    )


def with_func(module: Module, x: int, func: Func) -> Module:
    return replace(module, funcs=(*module.funcs[:x], func, *module.funcs[x + 1 :]))


# Code as a list


def flatten(instrs: Instrs) -> list[Token]:
    """Instructions as the binary format has them, one after the other. Nesting is as deep as generated modules are."""
    tokens: list[Token] = []
    for i in instrs:
        if isinstance(i, If):
            tokens += [replace(i, then=(), orelse=()), *flatten(i.then)]
            tokens += ["else", *flatten(i.orelse)] if i.orelse else []
            tokens.append("end")
        elif isinstance(i, Block | Loop | TryTable):
            tokens += [replace(i, body=()), *flatten(i.body), "end"]
        else:
            tokens.append(i)
    return tokens


def nest(tokens: Sequence[Token]) -> Instrs | None:
    """The instructions again; None where blocks do not close."""
    open_blocks: list[tuple[Instr, list[Instr], list[Instr] | None]] = []
    current: list[Instr] = []
    for token in tokens:
        if isinstance(token, Block | Loop | If | TryTable):
            open_blocks.append((token, current, None))
            current = []
        elif isinstance(token, Instr):
            current.append(token)
        elif not open_blocks:
            return None
        elif token == "else":
            opener, outer, then = open_blocks.pop()
            if not isinstance(opener, If) or then is not None:
                return None
            open_blocks.append((opener, outer, current))
            current = []
        else:
            opener, outer, then = open_blocks.pop()
            outer.append(_closed(opener, current, then))
            current = outer
    return None if open_blocks else tuple(current)


def _closed(opener: Instr, inside: list[Instr], then: list[Instr] | None) -> Instr:
    if isinstance(opener, If):
        return replace(opener, then=tuple(inside if then is None else then), orelse=() if then is None else tuple(inside))
    changes: dict[str, Any] = {"body": tuple(inside)}
    return replace(opener, **changes)


def matching(tokens: Sequence[Token], start: int) -> int:
    """Where the block that opens at `start` ends."""
    depth = 0
    for i in range(start, len(tokens)):
        depth += isinstance(tokens[i], Block | Loop | If | TryTable)
        depth -= tokens[i] == "end"
        if depth == 0:
            return i
    return len(tokens) - 1
