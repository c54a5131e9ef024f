"""Code made ready to run: each sequence of instructions as pairs of a reduction and what it reduces.

Looking a reduction up once, and not at each step, makes the machine a third faster. A function is made ready at its first call, a
block when it is first entered; so what never runs costs nothing, and nesting costs no recursion. Ready sequences end in an
administrative step, which does what the specification's rules do when only values are left (`label-vals`, `handler-vals`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pywasm_ref.errors import Exhaustion
from pywasm_ref.execution.rules import REDUCE, Reduction
from pywasm_ref.execution.runtime import VALUES, ExnInst, FuncInst
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import BlockType, Instr, Instrs
from pywasm_ref.syntax.modules import Func
from pywasm_ref.syntax.types import DefType, RefType
from pywasm_ref.validation.types import functype

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

Step = tuple[Reduction, Any]
"""A reduction and its instruction, which is a `Structured` where the instruction has a body, and None for administrative steps."""

Steps = tuple[Step, ...]

MANY_LOCALS = 1000
"""A function with more locals than this is watched for how much memory its frames take."""


class Handler(Protocol):
    """What stands between a label and an exception that passes it."""

    def catch(self, z: Machine, exn: ExnInst) -> bool:
        """Continue at the handler, whose label is the innermost now, or leave the state alone and say no."""


def arity(type: BlockType, types: Sequence[DefType]) -> tuple[int, int]:
    """How many values a block takes, and how many it leaves.

    Spec    exec/conventions.html#aux-instrtype
    """
    if type is None:
        return 0, 0
    if isinstance(type, int):
        ft = functype(types[type])
        return len(ft.params), len(ft.results)
    return 0, 1


class Structured:
    """A structured instruction made ready: its arity is known, and its body is there once it was entered.

    `steps` is empty before that. `end` is the administrative step at the end of the body.
    """

    __slots__ = ("arity", "instr", "instrs", "params", "steps", "types")
    end: ClassVar[Reduction]

    def __init__(self, instr: Instr, type: BlockType, instrs: Instrs, types: Sequence[DefType]) -> None:
        self.instr = instr
        self.instrs = instrs
        self.types = types
        self.params, self.arity = arity(type, types)
        self.steps: Steps = ()

    def prepare(self) -> Steps:
        """Make the body ready, at the first entry."""
        self.steps = steps(self.instrs, self.types, type(self).end)
        return self.steps

    def inside(self, steps: Steps) -> tuple[Instrs, Sequence[Instrs]]:
        """The body that these steps were made from, and the bodies of the instruction that stand before it."""
        return self.instrs, ()


class Choice:
    """An `if` made ready: two blocks."""

    __slots__ = ("instr", "orelse", "then")

    def __init__(self, instr: form.If, types: Sequence[DefType]) -> None:
        self.instr = instr
        self.then = Structured(instr, instr.type, instr.then, types)
        self.orelse = Structured(instr, instr.type, instr.orelse, types)

    def inside(self, steps: Steps) -> tuple[Instrs, Sequence[Instrs]]:
        """The arm that these steps were made from, and the arm before it."""
        return (self.instr.then, ()) if self.then.steps is steps else (self.instr.orelse, (self.instr.then,))


Ready = Callable[[Any, Sequence[DefType]], "Structured | Choice"]

READY: dict[type[Instr], Ready] = {
    form.Block: lambda i, types: Structured(i, i.type, i.body, types),
    form.Loop: lambda i, types: Structured(i, i.type, i.body, types),
    form.If: Choice,
}
"""How the forms that have bodies are made ready; families with handlers add theirs."""


def steps(instrs: Instrs, types: Sequence[DefType], end: Reduction) -> Steps:
    """A sequence as pairs, with its administrative end."""
    return (
        *[(REDUCE[i.__class__], READY[i.__class__](i, types) if i.__class__ in READY else i) for i in instrs],
        (end, None),
    )


class Code:
    """A function made ready: `zeros` are the default values of the locals that are not parameters.

    `end` is the administrative step at the end of the body.
    """

    __slots__ = ("arity", "many_locals", "params", "steps", "zeros")
    end: ClassVar[Reduction]

    def __init__(self, params: int, arity: int, zeros: tuple[int | None, ...], steps: Steps) -> None:
        self.params = params
        self.arity = arity
        self.zeros = zeros
        self.steps = steps
        self.many_locals = params + len(zeros) > MANY_LOCALS


def prepare(f: FuncInst) -> Code:
    """The code of a function, kept for its next calls.

    Fails   Exhaustion when it has more locals than all values may be
    """
    ft = functype(f.type)
    f.prepared = Code(len(ft.params), len(ft.results), zeros(f.code), steps(f.code.body.body, f.module.types, Code.end))
    return f.prepared


def zeros(code: Func) -> tuple[int | None, ...]:
    """Default values for the locals; the runs may claim billions, so they are added up before they are laid out."""
    if sum(count for count, _ in code.locals) > VALUES:
        raise Exhaustion("call stack exhausted: too many locals")
    return tuple([value for count, t in code.locals for value in repeat(None if isinstance(t, RefType) else 0, count)])
