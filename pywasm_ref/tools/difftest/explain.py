"""Differences that are no faults: where the specification leaves a choice, an answer is right when it is among the allowed ones."""

from __future__ import annotations

from enum import Enum
from functools import cached_property

from pywasm_ref import binary
from pywasm_ref.errors import WasmError
from pywasm_ref.syntax.instructions import Instr
from pywasm_ref.syntax.modules import Module
from pywasm_ref.tools.difftest.allowed import allows
from pywasm_ref.tools.difftest.jobs import Job, Outcome
from pywasm_ref.tools.difftest.single import CARRIERS, GROWTH, instruction_of, signature

REFUSED_GROWTH = ("i32:0xffffffff",)


class Verdict(Enum):
    """What two answers to a call are: one of them wrong; both right; or both right, and nothing after them comparable."""

    WRONG = 0
    RIGHT = 1
    PARTED = 2


class Oracle:
    """What the module of a job leaves open. It is read when the first difference asks."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.choices = 0

    @cached_property
    def module(self) -> Module | None:
        try:
            return binary.decode(self.job.data, self.job.features)
        except WasmError:
            return None

    @cached_property
    def instruction(self) -> tuple[Instr, bool] | None:
        """The only instruction of the module and whether values come in parts, if it is such a module."""
        return instruction_of(self.module) if self.module is not None else None

    def subject(self) -> str:
        """What a finding is about, beside the words of the engines."""
        return f"{self.instruction[0].op.mnemonic}, " if self.instruction is not None else ""

    def judge(self, number: int, measure: Outcome, other: Outcome) -> Verdict:
        """Whether another answer than that of the measure is right, too."""
        call = self.job.calls[number]
        if self.instruction is None or call.name != "f" or {measure.kind, other.kind} != {"returned"}:
            return Verdict.WRONG
        i, plain = self.instruction
        args = [arg if isinstance(arg, int) else 0 for arg in call.args]
        if i.op.mnemonic == GROWTH and REFUSED_GROWTH in (measure.values, other.values):
            grown = measure if other.values == REFUSED_GROWTH else other
            return self._right(Verdict.PARTED) if self._within(_bits(grown) + (args[0] & 2**32 - 1)) else Verdict.WRONG
        found = signature(i.op)
        if found is None or i.op.access:
            return Verdict.WRONG
        given = [_taken(args, len(CARRIERS.get(t, (t,))) if plain else 1) for t in found.params]
        right = allows(i, given, _bits(measure), _bits(other))
        return self._right(Verdict.RIGHT) if right else Verdict.WRONG

    def _within(self, pages: int) -> bool:
        """Whether the memory may become so large: growth may fail at any size, and has to beyond the maximum."""
        maximum = self.module.mems[0].type.limits.max if self.module is not None and self.module.mems else None
        return maximum is None or pages <= maximum

    def _right(self, verdict: Verdict) -> Verdict:
        self.choices += 1
        return verdict


def _taken(args: list[int], parts: int) -> int:
    """The value that the next so many arguments carry."""
    taken = [args.pop(0) for _ in range(parts)]
    return sum(part << 64 * k for k, part in enumerate(taken))


def _bits(outcome: Outcome) -> int:
    """The value that the results carry."""
    return sum(int(value.partition(":")[2], 16) << 64 * k for k, value in enumerate(outcome.values))
