"""Modules of one instruction: its operands come from outside, and are the interesting ones.

Nothing is done about NaNs, since `allowed` knows which ones there may be. Where a host has numbers of Python or JavaScript only, floats and
vectors come and go as integers of the same bits, so that none of those is lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

from pywasm_ref.features import Features
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Expr, Instr, Op
from pywasm_ref.syntax.modules import Active, Data, Export, ExternKind, Func, Mem, Module
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, FuncType, Limits, MemType, RecType, RefType, SubType, ValType
from pywasm_ref.tools.difftest.generate import Generated, Profile, Seeded
from pywasm_ref.tools.difftest.generate.body import NUMBERS, lanes
from pywasm_ref.tools.difftest.generate.choices import Choices
from pywasm_ref.tools.difftest.generate.operands import WIDTHS, number
from pywasm_ref.tools.difftest.generate.signatures import SIGNATURES, Signature
from pywasm_ref.tools.difftest.generate.space import PAGE, const, instr, make
from pywasm_ref.tools.difftest.jobs import Call

COMBINATIONS = 40
GROWTH = "memory.grow"
PATTERN = bytes((37 * k + 128) & 255 for k in range(32))
"""What memory holds at its beginning and at its end."""

DISTANCES = (0, 1, 2, 3, 8, 17, PAGE // 2)
OFFSETS = (0, 0, 0, 1, 8, PAGE - 1, 2**32 - 1)
CARRIERS: dict[ValType, tuple[ValType, ...]] = {F32: (I32,), F64: (I64,), V128: (I64, I64)}
"""What a value comes and goes as where the host is a plain one."""


# Which instructions


@lru_cache(maxsize=1024)
def signature(op: Op) -> Signature | None:
    """The type of a row on numbers, an address being an i32."""
    if op in SIGNATURES:
        return SIGNATURES[op]
    if op.mnemonic != GROWTH and (not op.access or op.immediates[0] != "memarg"):
        return None
    sides = [re.findall(r"\S+", side.replace("at", "i32")) for side in op.type.split("->")]
    return Signature(*([NUMBERS[word] for word in side] for side in sides))


@lru_cache(maxsize=16)
def rows(features: Features) -> tuple[Op, ...]:
    """The instructions that take numbers and give a number or write one to memory."""
    return tuple(op for op in OPS if op.feature in features and _numbers(op))


def _numbers(op: Op) -> bool:
    found = signature(op)
    if found is None or any(isinstance(t, RefType) for t in (*found.params, *found.results)):
        return False
    return len(found.results) == 1 or op.access > 0


# The module around one


def around(i: Instr, plain: bool) -> Module:
    """The module whose `f` is that instruction, and whose `peek` shows what memory holds."""
    found = signature(i.op) or Signature([], [])
    code: list[Instr] = []
    params: list[ValType] = []
    for t in found.params:
        code += _given(t, len(params), plain)
        params += _carrier(t, plain)
    code.append(i)
    for t in found.results:
        code += _shown(t, len(params), plain)
    results = [part for t in found.results for part in _carrier(t, plain)]
    scratch = ((1, V128),) if plain and V128 in found.results else ()
    funcs, exports = [Func(0, scratch, Expr(tuple(code)))], [Export("f", ExternKind.FUNC, 0)]
    types = [FuncType(tuple(params), tuple(results))]
    if not _touches_memory(i.op):
        return Module(types=_types(types), funcs=tuple(funcs), exports=tuple(exports))
    funcs.append(Func(1, (), Expr((make("local.get", 0), make("i64.load", 0, 0, 0)))))
    exports += [Export("peek", ExternKind.FUNC, 1), Export("memory0", ExternKind.MEM, 0)]
    datas = (_data(0), _data(PAGE - len(PATTERN)))
    mems = (Mem(MemType(I32, Limits(1, 3))),)
    return Module(types=_types([*types, FuncType((I32,), (I64,))]), mems=mems, funcs=tuple(funcs), exports=tuple(exports), datas=datas)


def _touches_memory(op: Op) -> bool:
    return op.access > 0 or op.mnemonic == GROWTH


def _types(types: Sequence[FuncType]) -> tuple[RecType, ...]:
    return tuple(RecType((SubType(True, (), t),)) for t in types)


def _data(at: int) -> Data:
    return Data(PATTERN, Active(0, Expr((const(I32, at),))))


def _carrier(t: ValType, plain: bool) -> tuple[ValType, ...]:
    return CARRIERS.get(t, (t,)) if plain else (t,)


def _given(t: ValType, x: int, plain: bool) -> list[Instr]:
    """The parameter that stands at `x`, as the value that it carries."""
    code = [make("local.get", x)]
    if plain and t in CARRIERS:
        if t is V128:
            return [*code, make("i64x2.splat"), make("local.get", x + 1), make("i64x2.replace_lane", 1)]
        code.append(make("f32.reinterpret_i32" if t is F32 else "f64.reinterpret_i64"))
    return code


def _shown(t: ValType, scratch: int, plain: bool) -> list[Instr]:
    if not plain or t not in CARRIERS:
        return []
    if t is V128:
        value = make("local.get", scratch)
        return [make("local.set", scratch), value, make("i64x2.extract_lane", 0), value, make("i64x2.extract_lane", 1)]
    return [make("i32.reinterpret_f32" if t is F32 else "i64.reinterpret_f64")]


def carried(t: ValType, bits: int, plain: bool) -> tuple[int, ...]:
    """A value in the parts that it comes and goes in."""
    return (bits & 2**64 - 1, bits >> 64) if plain and t is V128 else (bits,)


# A number's module


def single(seed: int, profile: Profile) -> Generated:
    """The instruction of that number, numbers beyond the last starting again with other operands."""
    choices = Seeded(f"single {seed}")
    known = rows(profile.features)
    op = known[seed % len(known)]
    i = instr(op, *(part for kind in op.immediates for part in _immediate(choices, op, kind)))
    params = (signature(op) or Signature([], [])).params
    calls = []
    for operands in _operands(choices, i, params):
        parts = tuple(part for t, bits in zip(params, operands, strict=True) for part in carried(t, bits, profile.plain_host))
        calls.append(Call("f", parts))
        if op.access and "store" in op.mnemonic and not profile.fresh:
            calls.append(Call("peek", (min(operands[0] + getattr(i, "offset", 0), PAGE - 8) & ~7,)))
    return Generated(around(i, profile.plain_host), tuple(calls), profile.features, False)


def _operands(choices: Choices, i: Instr, params: Sequence[ValType]) -> Iterator[tuple[int, ...]]:
    if not _touches_memory(i.op):
        yield from _extremes(params)
    for _ in range(COMBINATIONS if params else 1):
        drawn = tuple(number(choices, t) for t in params)
        yield (_address(choices, i), *drawn[1:]) if _touches_memory(i.op) else drawn


def _address(choices: Choices, i: Instr) -> int:
    """Mostly near an end of memory, as often just outside as just inside; of growth, a few pages."""
    if i.op.mnemonic == GROWTH:
        return choices.choose((0, 0, 1, 1, 2, 3, PAGE - 1, PAGE, 2**32 - 1))
    if choices.chance(10):
        return number(choices, I32)
    offset = getattr(i, "offset", 0)
    end = PAGE - i.op.access - offset + choices.choose((0, 0, 1, -1, -2, 2))
    return (choices.choose(DISTANCES) if choices.chance(40) else end) % 2**32


def _extremes(params: Sequence[ValType]) -> Iterator[tuple[int, ...]]:
    """For two integers, all pairs of those that operators treat apart: 0, 1, -1, and the least and the greatest."""
    if len(params) != 2 or params[0] is not params[1] or params[0] not in (I32, I64):
        return
    least = 1 << WIDTHS[params[0]] - 1
    yield from product((0, 1, 2 * least - 1, least, least - 1), repeat=2)


def _immediate(choices: Choices, op: Op, kind: str) -> tuple[object, ...]:
    if kind == "memidx":
        return (0,)
    if kind == "memarg":
        return 0, choices.between(0, op.access.bit_length() - 1), choices.choose(OFFSETS)
    if kind == "laneidx":
        return (choices.below(lanes(op)),)
    if kind == "laneidx*16":
        return (tuple(choices.below(32) for _ in range(16)),)
    return (number(choices, NUMBERS[kind]),)


# The way back


def instruction_of(module: Module) -> tuple[Instr, bool] | None:
    """The instruction that a module's `f` stands around, and whether for a plain host; None for any other module. Of what stands beside
    that function something may have been left out: what the instruction gives does not come from there."""
    if not module.funcs or module.imports or module.start is not None:
        return None
    for i in module.funcs[0].body.body:
        for plain in (False, True):
            if signature(i.op) is not None and _remains(module, around(i, plain)):
                return i, plain
    return None


def _remains(module: Module, whole: Module) -> bool:
    """Whether this is what some parts were left out of, and its first function, under its name, is none of them."""
    parts = ("funcs", "mems", "exports", "datas")
    return (
        module.types[:1] == whole.types[:1]
        and module.funcs[0] == whole.funcs[0]
        and Export("f", ExternKind.FUNC, 0) in module.exports
        and all(entry in getattr(whole, name) for name in parts for entry in getattr(module, name))
    )
