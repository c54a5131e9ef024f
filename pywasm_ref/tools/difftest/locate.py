"""Where two engines part: the first instruction that gives something else, or that only one of them reaches.

Code is put into a module that hashes the place and result of every instruction up to a limit, as often as it is executed. Two engines that
have the same hash agree so far, and the limit from which they do not is found by bisection. Only functions, globals and locals are added,
all of them behind those that there are, so that nothing has to be renumbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pywasm_ref.syntax.instructions import Expr, Instr, Instrs
from pywasm_ref.syntax.modules import Export, ExternKind, Func, Global, Module
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, FuncType, FuncTypeUse, GlobalType, RecType, SubType, ValType
from pywasm_ref.tools.difftest.crew import Crew
from pywasm_ref.tools.difftest.generate.module import Generated
from pywasm_ref.tools.difftest.generate.space import const, make
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job
from pywasm_ref.tools.difftest.reduce import Token, flatten, nest
from pywasm_ref.tools.difftest.single import signature

COUNT, HASH, LAST, LIMIT = range(4)
"""The globals that are added, in this order; those that can be asked for stand first."""

ASKED = ("probe count", "probe hash", "probe last")
SPREAD = 0x9E37_79B9_7F4A_7C15
NO_LIMIT = 2**62
AS_I64: dict[ValType, Sequence[tuple[Instr, ...]]] = {
    I32: [(make("i64.extend_i32_u"),)],
    I64: [()],
    F32: [(make("i32.reinterpret_f32"), make("i64.extend_i32_u"))],
    F64: [(make("i64.reinterpret_f64"),)],
    V128: [(make("i64x2.extract_lane", 0),), (make("i64x2.extract_lane", 1),)],
}
"""A value as numbers that can be hashed: code for each of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """An opcode of a function, counted in the order of the binary format; or what that opcode has given."""

    func: int
    opcode: int
    given: bool
    name: str

    def __str__(self) -> str:
        what = "the result of " if self.given else ""
        return f"{what}{self.name} (opcode {self.opcode} of function {self.func})"


@dataclass(frozen=True, slots=True)
class State:
    """What one engine did up to a limit: how many steps in all, their hash, and the number of the last place."""

    count: int
    hash: int
    last: int


def parting(found: Generated, team: Crew, first: str, second: str) -> str:
    """Where the second engine parts from the first, in a sentence; nothing where that cannot be seen from inside, as where each call meets
    a new instance, which has forgotten the steps of the one before."""
    if team.fresh:
        return ""
    module, places = probed(found.module)

    def states(limit: int) -> tuple[State, State] | None:
        job = _job(replace(found, module=_limited(module, limit)))
        answers = team.answers(job)
        one, other = (_state(answers[name], len(job.calls)) for name in (first, second))
        return (one, other) if one is not None and other is not None else None

    whole = states(NO_LIMIT)
    if whole is None or whole[0] == whole[1]:
        return ""
    low, high = 0, 1 + min(whole[0].count, whole[1].count)
    while high - low > 1:
        middle = (low + high) // 2
        seen = states(middle)
        if seen is None:
            return ""
        same = seen[0].hash == seen[1].hash
        low, high = (middle, high) if same else (low, middle)
    before, after = states(low), states(high)
    return _told(places, (first, second), high, before, after) if before is not None and after is not None else ""


def _told(places: Sequence[Place], names: tuple[str, str], step: int, before: tuple[State, State], after: tuple[State, State]) -> str:
    ended = [name for name, state in zip(names, after, strict=True) if state.count < step]
    if ended:
        return f"They part at step {step}: {ended[0]} ends behind {places[before[0].last]}, {_other(names, ended[0])} goes on."
    if after[0].last == after[1].last:
        return f"They part at step {step}: they differ in {places[after[0].last]}."
    one, other = (places[state.last] for state in after)
    return f"They part at step {step}, behind {places[before[0].last]}: {names[0]} goes to {one}, {names[1]} to {other}."


def _other(names: tuple[str, str], name: str) -> str:
    return names[1] if name == names[0] else names[0]


def _job(found: Generated) -> Job:
    """The job, with the globals asked for at the end."""
    return replace(found, calls=(*found.calls, *(Call(name, ()) for name in ASKED))).job()


def _state(answer: Answer, calls: int) -> State | None:
    """What the last calls told; None when not all of them were made."""
    told = answer.calls[-len(ASKED) :]
    if len(answer.calls) < calls or any(outcome.kind != "returned" for outcome in told):
        return None
    return State(*(int(outcome.values[0].partition(":")[2], 16) for outcome in told))


# Probes


def probed(module: Module) -> tuple[Module, list[Place]]:
    """The module with probes before and behind opcodes, and the places by their numbers. The first number stands for none yet."""
    imported = [entry.type for entry in module.imports]
    first_global = len(module.globals) + sum(isinstance(t, GlobalType) for t in imported)
    first_func = sum(isinstance(t, FuncTypeUse) for t in imported)
    flat = [sub.comp for group in module.types for sub in group.subtypes]
    note = first_func + len(module.funcs)
    places = [Place(0, 0, False, "the beginning")]
    funcs = [_with_probes(func, first_func + k, flat[func.type], note, places) for k, func in enumerate(module.funcs)]
    types = [FuncType((I64, I64), ()), FuncType((), (I64,))]
    funcs.append(Func(len(flat), (), Expr(_note(first_global))))
    funcs += [Func(len(flat) + 1, (), Expr((make("global.get", first_global + k),))) for k in range(len(ASKED))]
    added = tuple(Global(GlobalType(True, I64), Expr((const(I64, 0),))) for _ in (COUNT, HASH, LAST, LIMIT))
    exports = tuple(Export(name, ExternKind.FUNC, note + 1 + k) for k, name in enumerate(ASKED))
    made = replace(
        module,
        types=(*module.types, *(RecType((SubType(True, (), t),)) for t in types)),
        funcs=tuple(funcs),
        globals=(*module.globals, *added),
        exports=(*module.exports, *exports),
    )
    return made, places


def _limited(module: Module, limit: int) -> Module:
    return replace(module, globals=(*module.globals[:-1], Global(GlobalType(True, I64), Expr((const(I64, limit),)))))


def _note(base: int) -> Instrs:
    """The function that takes a place and a number into the hash, until the limit is reached."""
    count, hashed, last, limit = (base + k for k in (COUNT, HASH, LAST, LIMIT))
    taking = (
        *(make("global.get", hashed), make("local.get", 0), make("i64.xor"), const(I64, SPREAD), make("i64.mul")),
        *(make("local.get", 1), make("i64.xor"), const(I64, SPREAD), make("i64.mul"), const(I64, 29), make("i64.rotl")),
        *(make("global.set", hashed), make("local.get", 0), make("global.set", last)),
        *(make("global.get", count), const(I64, 1), make("i64.add"), make("global.set", count)),
    )
    return (make("global.get", count), make("global.get", limit), make("i64.lt_u"), make("if", None, taking, ()))


def _with_probes(func: Func, x: int, comp: object, note: int, places: list[Place]) -> Func:
    scratch: dict[ValType, int] = {}
    first = (len(comp.params) if isinstance(comp, FuncType) else 0) + sum(n for n, _ in func.locals)
    code: list[Token] = []
    for k, token in enumerate(flatten(func.body.body)):
        if not isinstance(token, Instr):
            code.append(token)
            continue
        code += [const(I64, len(places)), const(I64, 0), make("call", note), token]
        places.append(Place(x, k, False, token.op.mnemonic))
        t = _result(token)
        if t is not None:
            code += _shown(scratch.setdefault(t, first + len(scratch)), t, note, len(places))
            places.append(Place(x, k, True, token.op.mnemonic))
    body = nest(code)
    if body is None:
        raise ValueError("blocks that do not close")
    return replace(func, locals=(*func.locals, *((1, t) for t in scratch)), body=Expr(body))


def _result(i: Instr) -> ValType | None:
    """The type of a number that an instruction gives, where its row says so."""
    found = signature(i.op)
    if found is None or len(found.results) != 1 or i.op.mnemonic.endswith(".const"):
        return None
    t = found.results[0]
    return t if t in AS_I64 else None


def _shown(x: int, t: ValType, note: int, place: int) -> list[Instr]:
    """The value on top of the stack, noted and left there."""
    code = [make("local.set", x)]
    for part in AS_I64[t]:
        code += [const(I64, place), make("local.get", x), *part, make("call", note)]
    return [*code, make("local.get", x)]
