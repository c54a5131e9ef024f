"""Which function states which rule: the reductions by form, and the formal rules that each of them claims.

A function is found by the class of the instruction. It claims the rules of the specification that it states, each rule claimed
once; `case` tells an observer which of them the next step takes, and costs nothing while nobody observes.

Spec    exec/conventions.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pywasm_ref.errors import Trap
from pywasm_ref.syntax.instructions import Instr

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

Reduction = Callable[["Machine", Any], "bool | None"]
"""Takes the state one step further; true when control went elsewhere, so that the sequence at hand is not continued."""

Case = Callable[["Machine", Any], "int | bool | tuple[str, ...]"]
"""Which of its rules a function is about to apply, from the state before: an index, or all that it takes at once, by name."""

Computing = Any
"""An instruction whose row of the table has a numeric function."""

F = TypeVar("F", bound=Callable[..., Any])

REDUCE: dict[type[Instr], Reduction] = {}
RULES: dict[Callable[..., Any], tuple[str, ...]] = {}
CASES: dict[Callable[..., Any], Case] = {}

_TOTAL = "the rule is for operators without a result on some operands, and no operator of this form is like that"
UNCLAIMED: dict[str, str] = {
    "Step_pure/unop-trap": _TOTAL,
    "Step_pure/vunop-trap": _TOTAL,
    "Step_pure/vbinop-trap": _TOTAL,
    "Step_pure/vternop-trap": _TOTAL,
}
"""Rules of execution that no function states, and why."""


def claims(*rules: str, case: Case | None = None) -> Callable[[F], F]:
    """A function of the machine that states these rules."""

    def register(function: F) -> F:
        RULES[function] = rules
        if case is not None:
            CASES[function] = case
        return function

    return register


def reduces(form: type[Instr], *rules: str, case: Case | None = None) -> Callable[[F], F]:
    """The reduction of a form, and the rules that it states."""

    def register(function: F) -> F:
        REDUCE[form] = function
        return claims(*rules, case=case)(function)

    return register


def rules_of_step(z: Machine, reduction: Reduction, i: Any) -> tuple[str, ...]:
    """The rules that the next step takes, in order, seen from the state before it."""
    rules = RULES.get(reduction, ())
    case = CASES.get(reduction)
    if case is None:
        return rules[:1]
    which = case(z, i)
    return which if isinstance(which, tuple) else rules[which : which + 1]


def traps(function: Callable[..., Any] | None, *operands: Any) -> bool:
    """Whether a numeric function traps on these operands; it has no effect, so asking is free of consequences."""
    if function is None:
        return False
    try:
        function(*operands)
    except Trap:
        return True
    return False
