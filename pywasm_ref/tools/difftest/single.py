"""Modules of one instruction: its operands come from outside, and are the interesting ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

from pywasm_ref.features import Features
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Expr, Op
from pywasm_ref.syntax.modules import Export, ExternKind, Func, Module
from pywasm_ref.syntax.types import I32, I64, V128, FuncType, RecType, RefType, SubType, ValType
from pywasm_ref.tools.difftest.generate import Generated, Profile, Seeded
from pywasm_ref.tools.difftest.generate.body import NUMBERS, lanes
from pywasm_ref.tools.difftest.generate.choices import Choices
from pywasm_ref.tools.difftest.generate.operands import WIDTHS, number
from pywasm_ref.tools.difftest.generate.signatures import SIGNATURES, fixed
from pywasm_ref.tools.difftest.generate.space import instr, make
from pywasm_ref.tools.difftest.jobs import Call

COMBINATIONS = 40


@lru_cache(maxsize=16)
def rows(features: Features, relaxed: bool, plain: bool) -> tuple[Op, ...]:
    """The instructions that take numbers and give numbers; those on vectors only where a host has them."""
    known = [op for op in OPS if op.feature in features and fixed(op) and (relaxed or "relaxed" not in op.mnemonic)]
    return tuple(op for op in known if _numbers(op, plain))


def _numbers(op: Op, plain: bool) -> bool:
    params, results = SIGNATURES[op]
    return not any(isinstance(t, RefType) or (plain and t is V128) for t in (*params, *results)) and bool(results)


def single(seed: int, profile: Profile) -> Generated:
    """The instruction of that number, numbers beyond the last starting again with other operands."""
    choices = Seeded(f"single {seed}")
    known = rows(profile.features, profile.relaxed, profile.plain_host)
    op = known[seed % len(known)]
    params, results = SIGNATURES[op]
    body = [make("local.get", x) for x in range(len(params))]
    body.append(instr(op, *(_immediate(choices, op, kind) for kind in op.immediates)))
    module = Module(
        types=(RecType((SubType(True, (), FuncType(tuple(params), tuple(results))),)),),
        funcs=(Func(0, (), Expr(tuple(body))),),
        exports=(Export("f", ExternKind.FUNC, 0),),
    )
    calls = tuple(Call("f", operands) for operands in _extremes(params))
    calls += tuple(Call("f", tuple(number(choices, t) for t in params)) for _ in range(COMBINATIONS if params else 1))
    return Generated(module, calls, profile.features, profile.canonical)


def _extremes(params: Sequence[ValType]) -> Iterator[tuple[int, ...]]:
    """For two integers, all pairs of those that operators treat apart: 0, 1, -1, and the least and the greatest."""
    if len(params) != 2 or params[0] is not params[1] or params[0] not in (I32, I64):
        return
    least = 1 << WIDTHS[params[0]] - 1
    yield from product((0, 1, 2 * least - 1, least, least - 1), repeat=2)


def _immediate(choices: Choices, op: Op, kind: str) -> object:
    if kind == "laneidx":
        return choices.below(lanes(op))
    if kind == "laneidx*16":
        return tuple(choices.below(32) for _ in range(16))
    return number(choices, NUMBERS[kind])
