"""Function bodies: a typed stack machine that only takes steps that are valid.

An *emitter* writes code for one instruction, operands included, and says which types it left on the stack; None when the module has not
what the instruction needs. `need` takes operands from the stack where they happen to be there; `produce` makes a value on top of
whatever there is. While a value is being produced the stack below is out of bounds, which is what `pending` counts.

Every function and every round of a loop takes one from a global, and nothing is called or repeated when that is zero, so all code ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from pywasm_ref.features import Feature
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import BlockType, Expr, Form, Instr, Instrs, Op
from pywasm_ref.syntax.modules import Func, LocalType
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, FuncType, RefType, ResultType, ValType
from pywasm_ref.tools.difftest.generate import operands
from pywasm_ref.tools.difftest.generate.addresses import address
from pywasm_ref.tools.difftest.generate.making import reference
from pywasm_ref.tools.difftest.generate.signatures import SIGNATURES, fixed
from pywasm_ref.tools.difftest.generate.space import OP, Space, const, instr, make

Left = list[ValType] | None
Emitter = Callable[["Body", Op], Left]

EMIT: dict[Form, Emitter] = {}
"""How to emit the instructions of a form; those of a fixed type that are not here go through `numeric`."""

TERMINATORS: list[Emitter] = []
"""Emitters after which nothing is reached."""


def emits(*forms: Form) -> Callable[[Emitter], Emitter]:
    """The decorated function is the emitter of these forms."""

    def register(emitter: Emitter) -> Emitter:
        EMIT.update(dict.fromkeys(forms, emitter))
        return emitter

    return register


class Menu:
    """The rows that a set of features has, sorted by kind, and by the number that they give."""

    KINDS: ClassVar[dict[str, int]] = {
        "control": 16,
        "variable": 12,
        "memory": 16,
        "table": 7,
        "reference": 16,
        "numeric": 24,
        "vector": 14,
    }

    def __init__(self, features: frozenset[Feature], relaxed: bool) -> None:
        rows = [op for op in OPS if op.feature in features and (relaxed or op.feature is not Feature.RELAXED_SIMD)]
        self.kinds: dict[str, list[Op]] = {}
        for op in rows:
            if op.form in EMIT or fixed(op):
                self.kinds.setdefault(kind_of(op), []).append(op)
        self.weights = {kind: weight for kind, weight in self.KINDS.items() if kind in self.kinds}
        self.giving: dict[ValType, list[Op]] = {}
        for op in rows:
            if fixed(op) and len(SIGNATURES[op].results) == 1:
                self.giving.setdefault(SIGNATURES[op].results[0], []).append(op)


def kind_of(op: Op) -> str:
    """The section of the specification that a row belongs to, about."""
    prefix, _, name = op.mnemonic.partition(".")
    if not name or prefix in ("call", "try"):
        return "control"
    if prefix in ("local", "global"):
        return "variable"
    if op.access or prefix in ("memory", "data"):
        return "memory"
    if prefix in ("table", "elem"):
        return "table"
    if prefix in ("ref", "struct", "array", "i31", "any", "extern"):
        return "reference"
    return "vector" if op.code.__class__ is tuple and op.feature in (Feature.SIMD, Feature.RELAXED_SIMD) else "numeric"


class Body:
    """One function as it grows."""

    def __init__(self, space: Space, menu: Menu, t: FuncType) -> None:
        self.space = space
        self.choices = space.choices
        self.types = space.types
        self.menu = menu
        self.t = t
        self.locals: list[ValType] = list(t.params)
        self.declared: list[ValType] = []
        self.unset: set[int] = set()
        self.code: list[Instr] = []
        self.stack: list[ValType] = []
        self.labels: list[ResultType] = [t.results]
        self.pending = 0
        self.depth = 0
        self.budget = space.profile.instructions

    # Writing

    def put(self, name: str, *immediates: object) -> None:
        self.add(make(name, *immediates))

    def add(self, instr: Instr) -> None:
        self.budget -= 1
        self.code.append(instr)

    def put_op(self, op: Op, *immediates: object) -> None:
        self.add(instr(op, *immediates))

    def const(self, t: ValType, bits: int) -> None:
        self.add(const(t, bits))

    def local(self, t: ValType) -> int:
        """A new local of a type that has a default."""
        self.declared.append(t)
        self.locals.append(t)
        return len(self.locals) - 1

    def tag_types(self, tag: int) -> ResultType:
        """What an exception of the tag carries."""
        return self.types.func(self.space.tags[tag]).params

    def block_type(self, params: Sequence[ValType], results: Sequence[ValType]) -> BlockType:
        """The shortest way to say it; an index where that must be, or sometimes."""
        if not params and len(results) <= 1 and not (self.space.has(Feature.MULTI_VALUE) and self.choices.chance(10)):
            return results[0] if results else None
        return self.types.block(tuple(params), tuple(results))

    # Operands

    def need(self, types: Sequence[ValType]) -> None:
        """Have these on the stack and count them as taken: a part from what is there already, the rest made now."""
        k = 0
        if self.pending == 0 and self.choices.chance(70):
            for n in range(min(len(types), len(self.stack)), 0, -1):
                if self.types.match_all(self.stack[-n:], list(types[:n])):
                    k = n
                    break
        del self.stack[len(self.stack) - k :]
        for t in types[k:]:
            self.produce(t)

    def produce(self, t: ValType) -> None:
        """A value of the type, on top; nothing below it is touched."""
        self.pending += 1
        self.depth += 1
        try:
            if not self._reuse(t):
                self._compute(t)
        finally:
            self.depth -= 1
            self.pending -= 1

    def _reuse(self, t: ValType) -> bool:
        """Read a local or a global of that type, if there is one and chance is for it."""
        known = [x for x, u in enumerate(self.locals) if x not in self.unset and self.types.match(u, t)]
        if known and self.choices.chance(60):
            self.put("local.get", self.choices.choose(known))
            return True
        readable = self.space.globals_of(t)
        if readable and self.choices.chance(25):
            self.put("global.get", self.choices.choose(readable))
            return True
        return False

    def _compute(self, t: ValType) -> None:
        if isinstance(t, RefType):
            reference(self, t)
        elif self.budget > 0 and self.depth < 5 and self.choices.chance(45):
            op = self.choices.choose(self.menu.giving[t])
            if (EMIT.get(op.form) or numeric)(self, op) is None:
                self.const(t, operands.number(self.choices, t))
        else:
            self.const(t, operands.number(self.choices, t))

    def small(self, most: int) -> None:
        """A constant i32 below that number."""
        self.const(I32, self.choices.below(most))

    def safe(self) -> bool:
        """Whether to take care that the next instruction does not trap."""
        return not self.choices.chance(self.space.profile.trap_percent)

    # Blocks

    def nested(
        self, label: ResultType, params: Sequence[ValType], results: Sequence[ValType], fill: Callable[[], None] | None = None
    ) -> Instrs:
        """The inside of a block: begun with the parameters on the stack, ended with the results."""
        outer = self.code, self.stack, self.pending
        self.code, self.stack, self.pending = [], list(params), 0
        self.labels.append(label)
        self.depth += 1
        if fill is not None:
            fill()
        else:
            self.statements(self.choices.between(1, 5))
        if len(self.labels) > 2 and self.choices.chance(8):
            self._end_early(results)
        else:
            self.settle(results)
        self.depth -= 1
        self.labels.pop()
        inside = tuple(self.code)
        self.code, self.stack, self.pending = outer
        return inside

    def _end_early(self, results: Sequence[ValType]) -> None:
        """Leave before the end. What follows is not reached, but must be valid."""
        if self.choices.choose(TERMINATORS)(self, OP["nop"]) is None:
            self.settle(results)
            return
        self.stack = []
        if self.choices.chance(30):
            self.statements(2)
        if self.stack or self.choices.chance(40):
            self.settle(results)

    def statements(self, n: int) -> None:
        for _ in range(n):
            if self.budget <= 0:
                return
            self.step()

    def step(self) -> None:
        """One instruction, chosen by kind and then by name."""
        op = self.choices.choose(self.menu.kinds[self.choices.weighted(self.menu.weights)])
        left = (EMIT.get(op.form) or numeric)(self, op)
        if left is not None:
            self.stack += left

    def settle(self, results: Sequence[ValType]) -> None:
        """Leave exactly the results: what is too much is stored somewhere, what is missing is made."""
        k = min(len(self.stack), len(results))
        while k and not self.types.match_all(self.stack[:k], list(results[:k])):
            k -= 1
        while len(self.stack) > k:
            self.sink(self.stack.pop())
        for t in results[k:]:
            self.produce(t)
        self.stack = []

    def sink(self, t: ValType) -> None:
        """Put the value on top where it can be seen later, or drop it."""
        known = [x for x, u in enumerate(self.locals) if self.types.match(t, u)]
        targets = self.space.targets_of(t)
        way = self.choices.below(10)
        if way < 4 and known:
            x = self.choices.choose(known)
            self.put("local.set", x)
        elif way < 7 and targets:
            self.put("global.set", self.choices.choose(targets))
        elif way < 9 and not isinstance(t, RefType):
            self._sink_to_memory(t)
        else:
            self.put("drop")

    def _sink_to_memory(self, t: ValType) -> None:
        x = self.local(t)
        self.put("local.set", x)
        op = OP[f"{t.value}.store"]  # type: ignore[union-attr]
        memory, memarg = address(self, op)
        self.put("local.get", x)
        self.put_op(op, memory, *memarg)

    # The whole

    def function(self, x: int) -> Func:
        """The function of type x: a way out when there is no fuel, locals, instructions, results."""
        self.guard(lambda: self.cheaply(self.t.results, "return"))
        for _ in range(self.choices.between(1, 4)):
            t = self.types.value()
            self.declared.append(t)
            self.locals.append(t)
            if isinstance(t, RefType) and not t.null:
                new = len(self.locals) - 1  # more may come while its value is made
                self.unset.add(new)
                self.produce(t)
                self.put("local.set", new)
                self.unset.discard(new)
        self.statements(self.choices.between(2, 4 + self.space.profile.instructions // 6))
        self.settle(self.t.results)
        return Func(x, runs(self.declared), Expr(tuple(self.code)))

    def guard(self, leave: Callable[[], None]) -> None:
        """Code that leaves when the fuel is used up, and else takes one."""
        fuel = self.space.fuel
        self.code += [make("global.get", fuel), make("i32.eqz")]
        outer, self.code = self.code, []
        leave()
        inside = tuple(self.code)
        self.code = outer
        self.code += [make("if", None, inside, ()), make("global.get", fuel), const(I32, 1), make("i32.sub"), make("global.set", fuel)]

    def cheaply(self, types: Sequence[ValType], name: str, *immediates: object) -> None:
        """Values without much ado, and the instruction that takes them away."""
        budget, self.budget = self.budget, 0
        for t in types:
            self.produce(t)
        self.put(name, *immediates)
        self.budget = budget


def runs(types: Sequence[ValType]) -> tuple[LocalType, ...]:
    """Locals as the abstract syntax has them: equal neighbours are one run."""
    done: list[LocalType] = []
    for t in types:
        if done and done[-1][1] == t:
            done[-1] = (done[-1][0] + 1, t)
        else:
            done.append((1, t))
    return tuple(done)


# Instructions of a fixed type

_DIVISIONS = frozenset(f"{t}.{name}" for t in ("i32", "i64") for name in ("div_s", "div_u", "rem_s", "rem_u"))
_TRUNCATIONS = frozenset(f"{i}.trunc_{f}_{s}" for i in ("i32", "i64") for f in ("f32", "f64") for s in "su")


def numeric(body: Body, op: Op) -> Left:
    """An instruction whose type stands in the table; those that may trap get operands for which they mostly do not."""
    params, results = SIGNATURES[op]
    if op.mnemonic in _DIVISIONS and body.safe():
        body.need(params)
        t = params[0]
        body.const(t, 1)
        body.put(f"{t.value}.or")  # type: ignore[union-attr]
    elif op.mnemonic in _TRUNCATIONS and body.safe():
        _in_range(body, params[0])
    else:
        body.need(params)
    body.put_op(op, *(body_immediate(body, op, kind) for kind in op.immediates))
    return list(results)


def _in_range(body: Body, t: ValType) -> None:
    """A float whose integer part is small."""
    body.produce(I32)
    body.const(I32, 0xFFFF)
    body.put("i32.and")
    body.put(f"{'f32' if t is F32 else 'f64'}.convert_i32_u")


NUMBERS: dict[str, ValType] = {"i32": I32, "i64": I64, "f32": F32, "f64": F64, "v128": V128}


def body_immediate(body: Body, op: Op, kind: str) -> object:
    """An immediate that belongs to no index space."""
    if kind == "laneidx":
        return body.choices.below(lanes(op))
    if kind == "laneidx*16":
        return tuple(body.choices.below(32) for _ in range(16))
    return operands.number(body.choices, NUMBERS[kind])


def lanes(op: Op) -> int:
    """How many lanes there are to choose from: 16 of `i8x16.replace_lane`, 4 of `v128.load32_lane`."""
    prefix, _, name = op.mnemonic.partition(".")
    return int(prefix.partition("x")[2]) if "x" in prefix else 128 // int("".join(c for c in name if c.isdigit()))
