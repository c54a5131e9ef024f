"""The legacy exception instructions: `try` with its clauses, `delegate` and `rethrow`.

Spec    the legacy proposal for exception handling
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pywasm_ref.execution.code import READY, Structured
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import ExnInst
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Instrs
from pywasm_ref.syntax.types import DefType

if TYPE_CHECKING:
    from pywasm_ref.execution.code import Steps
    from pywasm_ref.execution.machine import Machine


class Caught:
    """What the label of a clause remembers: the exception, for `rethrow`. It handles nothing itself."""

    __slots__ = ("exn",)

    def __init__(self, exn: ExnInst) -> None:
        self.exn = exn

    def catch(self, z: Machine, exn: ExnInst) -> bool:
        """Never: an exception inside a clause is not for the same `try`."""
        return False


class Try(Structured):
    """A `try` made ready, with its clauses as blocks; which is also its own handler."""

    __slots__ = ("clauses",)

    def __init__(self, i: form.Try, types: Sequence[DefType]) -> None:
        super().__init__(i, i.type, i.body, types)
        self.clauses = [(clause.tag, Structured(i, i.type, clause.body, types)) for clause in i.catches]

    def inside(self, steps: Steps) -> tuple[Instrs, Sequence[Instrs]]:
        """The body that these steps were made from, and the bodies before it."""
        blocks: list[Structured] = [self, *[block for _, block in self.clauses]]
        place = next((k for k, block in enumerate(blocks) if block.steps is steps), 0)
        return blocks[place].instrs, [block.instrs for block in blocks[:place]]

    def catch(self, z: Machine, exn: ExnInst) -> bool:
        """Enter the first clause that fits, under a label in the place of the body's."""
        for tag, block in self.clauses:
            if tag is None or z.module.tags[tag] is exn.tag:
                arity, height, todo, _, _ = z.labels.pop()
                del z.values[height:]
                z.values.extend(() if tag is None else exn.fields)
                z.labels.append((arity, height, todo, None, Caught(exn)))
                z.todo = iter(block.steps or block.prepare())
                return True
        return False


class Delegate(Try):
    """A `try` that hands its exceptions to the label of another block, as if they were thrown right there."""

    __slots__ = ("label",)

    def __init__(self, i: form.Try, types: Sequence[DefType], label: int) -> None:
        super().__init__(i, types)
        self.label = label

    def catch(self, z: Machine, exn: ExnInst) -> bool:
        """Leave the labels between this and the one it names, whose turn is next."""
        if self.label:
            del z.labels[-self.label :]
        return False


def _ready(i: form.Try, types: Sequence[DefType]) -> Try:
    return Try(i, types) if i.delegate is None else Delegate(i, types, i.delegate)


READY[form.Try] = _ready


@reduces(form.Try)
def try_(z: Machine, i: Try) -> bool:
    """Enter a label whose handler are the clauses."""
    z.labels.append((i.arity, len(z.values) - i.params, z.todo, None, i))
    z.todo = iter(i.steps or i.prepare())
    return True


@reduces(form.Rethrow)
def rethrow(z: Machine, i: form.Rethrow) -> bool:
    """Throw again what the clause of that label has caught."""
    caught = cast(Caught, z.labels[-1 - i.label][4])
    return z.throw(caught.exn)
