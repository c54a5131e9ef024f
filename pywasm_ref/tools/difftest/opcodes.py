"""Opcode coverage: which instructions a campaign has executed.

An instruction counts when the reference engine begins to execute it, not when it merely stands in a module. Watching makes that engine
slower, so only modules are watched that have an instruction which nobody has seen executed so far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pywasm_ref.embedding.engine import Engine
from pywasm_ref.features import Features
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Instr, Op
from pywasm_ref.syntax.modules import Module
from pywasm_ref.tools.difftest.jobs import Answer, Job, Outcome
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.features_used import with_nested

TRIES = 10
"""How often a module is watched for the sake of an instruction that it has and that is not reached."""

_ROWS = Counter(op.mnemonic for op in OPS)


def name(op: Op) -> str:
    """The mnemonic; where two rows have the same one, with what tells them apart."""
    if _ROWS[op.mnemonic] == 1:
        return op.mnemonic
    return f"{op.mnemonic} ({' '.join(f'{part:#04x}' for part in (op.code if isinstance(op.code, tuple) else (op.code,)))})"


NAMES: dict[Op, str] = {op: name(op) for op in OPS}


def possible(features: Features) -> frozenset[str]:
    """The instructions that there are."""
    return frozenset(NAMES[op] for op in OPS if op.feature in features)


def used(module: Module) -> set[str]:
    """The instructions that stand in functions."""
    return {NAMES[i.op] for func in module.funcs for i in with_nested(func.body.body)}


class Watch:
    """What was seen so far, and whether a module is worth watching."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.tries: Counter[str] = Counter()

    def wants(self, module: Module) -> bool:
        missing = [name for name in used(module) - self.seen if self.tries[name] < TRIES]
        self.tries.update(missing)
        return bool(missing)

    def add(self, names: Iterable[str]) -> None:
        self.seen.update(names)


class Executed:
    """The instructions that a store executes, as its observer."""

    def __init__(self) -> None:
        self.rows: set[Op] = set()

    def step(self, configuration: object, instruction: Instr | None, rule: str) -> None:
        if instruction is not None:
            self.rows.add(instruction.op)

    def constant(self, configuration: object, instruction: Instr) -> None:
        """A constant takes no step, and is executed all the same."""
        self.rows.add(instruction.op)


def watched(engine: Engine, job: Job, answer: Answer) -> Answer:
    """The answer to a job with what was executed, which takes doing it once more; that must give the same."""
    observer = Executed()
    again = observe(engine, job, observer=observer)
    if again != answer:
        return Answer(Outcome("crash", "it does something else when it is watched"))
    answer.executed = sorted(NAMES[op] for op in observer.rows)
    return answer
