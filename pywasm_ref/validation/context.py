"""The context that code is checked in, and the stacks of the validation algorithm.

Spec    valid/conventions.html#context, appendix/algorithm.html
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar, overload

from pywasm_ref.errors import Exhaustion, Invalid
from pywasm_ref.features import WASM_3, Feature, Features
from pywasm_ref.syntax.instructions import BlockType, Instrs
from pywasm_ref.syntax.modules import LocalType
from pywasm_ref.syntax.types import (
    BOT,
    AbsHeapType,
    ArrayType,
    DefType,
    FieldType,
    FuncType,
    GlobalType,
    MemType,
    RefType,
    ResultType,
    StructType,
    TableType,
    TypeIdx,
    ValType,
)
from pywasm_ref.validation.gates import require, require_valtype
from pywasm_ref.validation.matching import match_resulttype, match_valtype
from pywasm_ref.validation.notation import resulttype_words, valtype_words
from pywasm_ref.validation.types import close, defaultable, expand, functype, look_up

T = TypeVar("T")
MOST_LISTED_LOCALS = 2_000
MOST_VALUES = 1_000_000
"""On the operand stack: far more than any frame has."""
LEAST_WORK = 50_000_000
WORK = 100
"""Values that may be pushed and taken, and more for each instruction: a type is spelled once, and named by two bytes where it is used."""


@dataclass(slots=True)
class Context:
    """C without what belongs to one function: everything that a module's indices may name, closed.

    `refs` are the functions that code may take references to. `closed` remembers types of the module in their closed form, so that
    equal types are mostly the same object.
    """

    features: Features = WASM_3
    types: list[DefType] = field(default_factory=list)
    tags: list[DefType] = field(default_factory=list)
    globals: list[GlobalType] = field(default_factory=list)
    mems: list[MemType] = field(default_factory=list)
    tables: list[TableType] = field(default_factory=list)
    funcs: list[DefType] = field(default_factory=list)
    functypes: list[FuncType] = field(default_factory=list)
    datas: int = 0
    imported_globals: int = 0
    elems: list[RefType] = field(default_factory=list)
    refs: set[int] = field(default_factory=set)
    closed: dict[ValType, ValType] = field(default_factory=dict)

    @overload
    def close(self, t: RefType) -> RefType: ...
    @overload
    def close(self, t: ValType) -> ValType: ...
    def close(self, t: ValType) -> ValType:
        """The closed form of a value type.

        Fails   Invalid  "unknown type"
        """
        done = self.closed.get(t)
        if done is None:
            done = close(t, self.types)
            done = self.closed[t] = self.closed.setdefault(done, done)
        return done

    @overload
    def valtype(self, t: RefType) -> RefType: ...
    @overload
    def valtype(self, t: ValType) -> ValType: ...
    def valtype(self, t: ValType) -> ValType:
        """The closed form of a value type that stands by itself.

        Fails   Invalid  "unknown type", or for a type of a feature that is off
        """
        require_valtype(self.features, t)
        return self.close(t)

    def type(self, x: TypeIdx) -> DefType:
        return look_up(self.types, x)

    def functype(self, x: TypeIdx) -> FuncType:
        comp = expand(look_up(self.types, x))
        if not isinstance(comp, FuncType):
            raise Invalid(f"non-function type {x}")
        return comp

    def structtype(self, x: TypeIdx) -> StructType:
        comp = expand(look_up(self.types, x))
        if not isinstance(comp, StructType):
            raise Invalid(f"non-structure type {x}")
        return comp

    def arraytype(self, x: TypeIdx) -> FieldType:
        """The one field that an array type consists of."""
        comp = expand(look_up(self.types, x))
        if not isinstance(comp, ArrayType):
            raise Invalid(f"non-array type {x}")
        return comp.field


class RunLocals(Sequence[ValType]):
    """The types of very many locals, kept as they are declared: four billion of them are a handful of runs, and any number of functions
    may have the same parameters."""

    __slots__ = ("ends", "params", "types")

    def __init__(self, params: ResultType, runs: Sequence[LocalType]) -> None:
        self.params = params
        self.types = [t for count, t in runs]
        self.ends = list(accumulate((count for count, t in runs), initial=len(params)))

    @overload
    def __getitem__(self, x: int) -> ValType: ...
    @overload
    def __getitem__(self, x: slice) -> Sequence[ValType]: ...
    def __getitem__(self, x: int | slice) -> ValType | Sequence[ValType]:
        if isinstance(x, slice):
            raise TypeError("locals are looked up one by one")
        return self.params[x] if x < len(self.params) else self.types[bisect_right(self.ends, x) - 1]

    def __len__(self) -> int:
        return self.ends[-1]


def locals_of(params: ResultType, runs: Sequence[LocalType]) -> Sequence[ValType]:
    """The index space of locals of a function: its parameters, then what it declares, in closed types."""
    if len(params) + sum(count for count, t in runs) > MOST_LISTED_LOCALS:
        return RunLocals(params, runs)
    space = list(params)
    for count, t in runs:
        space.extend([t] * count)
    return space


class Frame:
    """An entry of the control stack: a block that has been entered and not left.

    `label` is what a branch to it carries. `clauses` are the bodies still to come (of `else`, `catch`), each with the operands that
    it starts out with. `catching` is whether the code at hand stands in a legacy `catch`, where `rethrow` may name it.
    """

    __slots__ = ("catching", "clauses", "end", "height", "inits", "label", "unreachable")

    def __init__(self, label: ResultType, end: ResultType, height: int, inits: int, clauses: Iterable[Clause]) -> None:
        self.label = label
        self.end = end
        self.height = height
        self.inits = inits
        self.clauses = iter(clauses)
        self.unreachable = False
        self.catching = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A further body of a block, and what its operand stack starts with.

    `implied` is an `else` that is not written: it has no opcode.
    """

    start: ResultType
    body: Instrs
    catching: bool = False
    implied: bool = False


class Checker:
    """The operand stack, the control stack, and which locals have been set, while one expression is checked.

    `height` is that of the innermost block: operands below it are out of reach. `where` names the expression in messages.
    """

    __slots__ = ("blocktypes", "context", "ctrls", "height", "initialised", "inits", "locals", "params", "results", "vals", "where", "work")

    def __init__(self, context: Context) -> None:
        self.context = context
        self.vals: list[ValType] = []
        self.work = LEAST_WORK
        self.ctrls: list[Frame] = []
        self.height = 0
        self.where = ""
        self.locals: Sequence[ValType] = ()
        self.params = 0
        self.results: ResultType = ()
        self.inits: list[int] = []
        self.initialised: set[int] = set()
        self.blocktypes: dict[BlockType, tuple[ResultType, ResultType]] = {None: ((), ())}

    def start(self, where: str, params: int, locals_: Sequence[ValType], results: ResultType) -> None:
        """Begin with an expression: empty stacks, one frame. The first `params` of the locals are parameters."""
        self.where = where
        self.vals.clear()
        self.ctrls.clear()
        self.inits.clear()
        self.initialised.clear()
        self.params = params
        self.locals = locals_
        self.results = results
        self.enter(results, (), results)

    # The operand stack

    def push(self, t: ValType) -> None:
        self.vals.append(t)

    def push_vals(self, ts: Sequence[ValType]) -> None:
        self.afford(len(ts))
        self.vals.extend(ts)

    def afford(self, count: int) -> None:
        """Count that so many values are pushed or taken, or are parameters.

        Fails   Exhaustion  "too many values …"  when that is far more than modules have that are no attack
        """
        if count > 1:
            self.work -= count
            if self.work < 0:
                raise Exhaustion("too many values in the types of functions, blocks and calls")
            if count + len(self.vals) > MOST_VALUES:
                raise Exhaustion("too many values on the stack")

    def pop_any(self) -> ValType:
        """Take whatever operand there is; in unreachable code there is always one.

        Fails   Invalid  "type mismatch"  when there is none
        """
        if len(self.vals) > self.height:
            return self.vals.pop()
        if self.ctrls[-1].unreachable:
            return BOT
        raise Invalid("type mismatch: instruction requires a value but stack has []")

    def pop(self, expected: ValType) -> ValType:
        """Take an operand that matches, and say what it was.

        Fails   Invalid  "type mismatch"
        """
        vals = self.vals
        if len(vals) > self.height:
            actual = vals[-1]
            if actual is expected or match_valtype(actual, expected):
                return vals.pop()
        elif self.ctrls[-1].unreachable:
            return BOT
        raise self.mismatch((expected,))

    def pop_vals(self, expected: Sequence[ValType]) -> Sequence[ValType]:
        """Take as many operands as expected, the last from the top, and say what they were.

        Fails   Invalid  "type mismatch"
        """
        count = len(expected)
        self.afford(count)
        vals = self.vals
        bottom = len(vals) - count
        if bottom >= self.height:
            actual: Sequence[ValType] = vals[bottom:]
        elif self.ctrls[-1].unreachable:
            bottom = self.height
            actual = [BOT] * (count - len(vals) + bottom) + vals[bottom:]
        else:
            raise self.mismatch(expected)
        for t, want in zip(actual, expected, strict=True):
            if t is not want and not match_valtype(t, want):
                raise self.mismatch(expected)
        del vals[bottom:]
        return actual

    def pop_ref(self) -> RefType:
        """Take an operand that is a reference of whatever type.

        Fails   Invalid  "type mismatch"  when it is not a reference
        """
        t = self.pop_any()
        if isinstance(t, RefType):
            return t
        if t is BOT:
            return RefType(False, AbsHeapType.BOT)
        raise Invalid(f"type mismatch: instruction requires reference type but stack has {self.words(t)}")

    def unreachable(self) -> None:
        """From here to the end of the block nothing is executed: the stack can be anything."""
        del self.vals[self.height :]
        self.ctrls[-1].unreachable = True

    # The control stack

    def enter(self, label: ResultType, start: ResultType, end: ResultType, clauses: Iterable[Clause] = ()) -> None:
        """Push a frame. The operands that the block starts with have been popped already."""
        self.height = len(self.vals)
        self.ctrls.append(Frame(label, end, self.height, len(self.inits), clauses))
        self.push_vals(start)

    def leave(self) -> Clause | None:
        """The end of a body: check what is left on the stack. Go on with the block's next clause, or pop its frame.

        Fails   Invalid  "type mismatch"
        """
        frame = self.ctrls[-1]
        left = self.vals[frame.height :]
        self.pop_vals(frame.end)
        if len(self.vals) > frame.height:
            raise Invalid(f"type mismatch: block requires {self.words_of(frame.end)} but stack has {self.words_of(left)}")
        inits = self.inits
        while len(inits) > frame.inits:
            self.initialised.discard(inits.pop())
        clause = next(frame.clauses, None)
        if clause is None:
            self.ctrls.pop()
            self.height = self.ctrls[-1].height if self.ctrls else 0
            self.push_vals(frame.end)
        else:
            frame.unreachable = False
            frame.catching = clause.catching
            self.vals.extend(clause.start)
        return clause

    def frame(self, l: int) -> Frame:
        """The block that a label index names, counted from the innermost.

        Fails   Invalid  "unknown label"
        """
        if l >= len(self.ctrls):
            raise Invalid(f"unknown label {l}")
        return self.ctrls[-1 - l]

    def label(self, l: int) -> ResultType:
        """What a branch to that label carries.

        Fails   Invalid  "unknown label"
        """
        return self.frame(l).label

    def blocktype(self, bt: BlockType) -> tuple[ResultType, ResultType]:
        """What a block takes and gives.

        Fails   Invalid  "unknown type"
        Spec    valid/types.html#block-types
        """
        done = self.blocktypes.get(bt)
        if done is None:
            if isinstance(bt, int):
                require(self.context.features, Feature.MULTI_VALUE, "a block with a function type")
                functype = self.context.functype(bt)
                done = functype.params, functype.results
            else:
                done = (), (() if bt is None else (self.context.valtype(bt),))
            self.blocktypes[bt] = done
        return done

    # Locals

    def local(self, x: int) -> ValType:
        """Fails   Invalid  "unknown local" """
        try:
            return self.locals[x]
        except IndexError:
            raise Invalid(f"unknown local {x}") from None

    def is_set(self, x: int, t: ValType) -> bool:
        """Whether a local has a value: a parameter, one with a default, or one that has been set on the way here."""
        return x < self.params or defaultable(t) or x in self.initialised

    def set_local(self, x: int, t: ValType) -> None:
        if not self.is_set(x, t):
            self.initialised.add(x)
            self.inits.append(x)

    # What indices name

    def func(self, x: int) -> FuncType:
        """Fails   Invalid  "unknown function" """
        return _entry("function", self.context.functypes, x)

    def tag(self, x: int) -> FuncType:
        """Fails   Invalid  "unknown tag" """
        return functype(_entry("tag", self.context.tags, x))

    def global_(self, x: int) -> GlobalType:
        """Fails   Invalid  "unknown global" """
        return _entry("global", self.context.globals, x)

    def memory(self, x: int) -> MemType:
        """Fails   Invalid  "unknown memory" """
        return _entry("memory", self.context.mems, x)

    def table(self, x: int) -> TableType:
        """Fails   Invalid  "unknown table" """
        return _entry("table", self.context.tables, x)

    def elem(self, x: int) -> RefType:
        """Fails   Invalid  "unknown elem segment" """
        return _entry("elem segment", self.context.elems, x)

    def data(self, x: int) -> None:
        """Fails   Invalid  "unknown data segment" """
        if x >= self.context.datas:
            raise Invalid(f"unknown data segment {x}")

    # Matching, and words for what does not match

    def require_match(self, given: ResultType, expected: ResultType, words: Callable[[str, str], str]) -> None:
        """Fails   Invalid  "type mismatch", continued by `words` of the two types"""
        if not match_resulttype(given, expected):
            raise Invalid(f"type mismatch: {words(self.words_of(given), self.words_of(expected))}")

    def mismatch(self, expected: Sequence[ValType]) -> Invalid:
        """The error that says what an instruction asked for and what there was."""
        top = self.vals[max(self.height, len(self.vals) - len(expected)) :] if expected else []
        return Invalid(f"type mismatch: instruction requires {self.words_of(expected)} but stack has {self.words_of(top)}")

    def words(self, t: ValType) -> str:
        return valtype_words(t, self.context.types)

    def words_of(self, ts: Sequence[ValType]) -> str:
        return resulttype_words(ts, self.context.types)


def _entry(name: str, space: Sequence[T], x: int) -> T:
    if x >= len(space):
        raise Invalid(f"unknown {name} {x}")
    return space[x]
