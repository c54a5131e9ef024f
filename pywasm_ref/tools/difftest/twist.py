"""Modules that can be read and mostly do not make sense: an instruction left out, doubled, moved, or changed into a relative."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Expr, Instr, Op
from pywasm_ref.syntax.modules import Module
from pywasm_ref.tools.difftest.reduce import Token, flatten, nest, with_func

RELATIVES: dict[Any, list[Op]] = {}
for _op in OPS:
    RELATIVES.setdefault((_op.form, _op.immediates), []).append(_op)


def twisted(rng: random.Random, module: Module) -> Module:
    """The module with one to three twists in its code."""
    for _ in range(rng.randint(1, 3)):
        x = rng.randrange(len(module.funcs))
        tokens = flatten(module.funcs[x].body.body)
        if tokens:
            rng.choice(_TWISTS)(rng, tokens)
        body = nest(tokens)
        if body is not None:
            module = with_func(module, x, replace(module.funcs[x], body=Expr(body)))
    return module


def _leave_out(rng: random.Random, tokens: list[Token]) -> None:
    del tokens[rng.randrange(len(tokens))]


def _double(rng: random.Random, tokens: list[Token]) -> None:
    i = rng.randrange(len(tokens))
    tokens.insert(i, tokens[i])


def _move(rng: random.Random, tokens: list[Token]) -> None:
    token = tokens.pop(rng.randrange(len(tokens)))
    tokens.insert(rng.randint(0, len(tokens)), token)


def _relative(rng: random.Random, tokens: list[Token]) -> None:
    """Another row of the same form and immediates."""
    i = rng.randrange(len(tokens))
    token = tokens[i]
    if isinstance(token, Instr):
        tokens[i] = replace(token, op=rng.choice(RELATIVES[token.op.form, token.op.immediates]))


def _immediate(rng: random.Random, tokens: list[Token]) -> None:
    """A number among the immediates that is a little off, or far."""
    i = rng.randrange(len(tokens))
    token = tokens[i]
    if not isinstance(token, Instr):
        return
    numbers = [part.name for part in fields(token) if isinstance(getattr(token, part.name), int)]
    if numbers:
        name = rng.choice(numbers)
        changes: dict[str, Any] = {name: rng.choice((0, 1, 2, getattr(token, name) + 1, max(0, getattr(token, name) - 1), 255))}
        tokens[i] = replace(token, **changes)


_TWISTS: tuple[Callable[[random.Random, list[Token]], None], ...] = (
    _leave_out,
    _double,
    _move,
    _relative,
    _relative,
    _immediate,
    _immediate,
)
