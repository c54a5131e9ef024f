"""The same loop as the machine's, at a price: counting fuel, and letting an observer see each step.

Fuel counts instructions, not the administrative steps between them; a branch back to a loop counts as the branch alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pywasm_ref.errors import Exhaustion, Interrupted
from pywasm_ref.execution.code import Choice, Structured
from pywasm_ref.execution.rules import rules_of_step
from pywasm_ref.syntax.instructions import Instr

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine
    from pywasm_ref.execution.runtime import Store


class Observer(Protocol):
    """Somebody who watches a machine. A method `after(z)`, if there is one, is called when the step is done.

    A constant is a value already, so it takes no step; a method `constant(z, instr)`, if there is one, is told of it.
    """

    def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
        """A rule is about to be applied; an instruction that takes several at once is announced with each of them.

        `instr` is None for the rules that apply between instructions.
        """


def run_metered(z: Machine) -> None:
    """Reduce, and pay for each instruction.

    Fails   Exhaustion  "fuel exhausted"  before the instruction that cannot be paid
    """
    store = z.store
    while not z.halted:
        for reduction, i in z.todo:
            if i is not None:
                pay(store)
            if reduction(z, i):
                break
        if store.stop and not z.halted:
            raise Interrupted("interrupted")


def run_observed(z: Machine, paid: bool) -> None:
    """Reduce, and tell the observer before and after each step; fuel is paid as well, if it is to be.

    Fails   Exhaustion  "fuel exhausted"  before the instruction that cannot be paid
    """
    store, observer = z.store, z.store.observer
    after, constant = getattr(observer, "after", None), getattr(observer, "constant", None)
    while not z.halted:
        for reduction, i in z.todo:
            if paid and i is not None:
                pay(store)
            instr = syntax(i)
            rules = rules_of_step(z, reduction, i)
            for rule in rules:
                observer.step(z, instr, rule)
            if constant is not None and instr is not None and not rules:
                constant(z, instr)
            transferred = reduction(z, i)
            if rules and after is not None:
                after(z)
            if transferred:
                break
        if store.stop and not z.halted:
            raise Interrupted("interrupted")


def pay(store: Store) -> None:
    """Take the price of one instruction."""
    if store.fuel_left is None:
        return
    if store.fuel_left <= 0:
        raise Exhaustion("fuel exhausted")
    store.fuel_left -= 1


def syntax(i: Any) -> Instr | None:
    """The instruction itself, where the machine holds something made ready from it."""
    if isinstance(i, Structured | Choice):
        return i.instr
    return i if isinstance(i, Instr) else None
