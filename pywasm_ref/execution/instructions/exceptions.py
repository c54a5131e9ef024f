"""Control instructions for exceptions.

The handler of a `try_table` stands right outside the label of its body, so one entry of the label stack is both.

Spec    exec/instructions.html#exec-throw
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.allocation import share
from pywasm_ref.execution.code import READY, Structured
from pywasm_ref.execution.instructions.control import branch_rules
from pywasm_ref.execution.machine import label_vals
from pywasm_ref.execution.rules import claims, reduces
from pywasm_ref.execution.runtime import ExnInst
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import CatchKind
from pywasm_ref.syntax.types import DefType
from pywasm_ref.validation.types import functype

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

WITH_FIELDS = frozenset({CatchKind.CATCH, CatchKind.CATCH_REF})
WITH_REFERENCE = frozenset({CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF})


@claims("Step_pure/handler-vals", case=lambda z, i: ("Step_pure/label-vals", "Step_pure/handler-vals"))
def handler_vals(z: Machine, _: None) -> bool:
    """At the end of a `try_table` label and handler go, and their values stay."""
    return label_vals(z, None)


class TryTable(Structured):
    """A `try_table` made ready, which is also its own handler."""

    __slots__ = ("catches",)
    end = handler_vals

    def __init__(self, i: form.TryTable, types: Sequence[DefType]) -> None:
        super().__init__(i, i.type, i.body, types)
        self.catches = i.catches

    @claims(
        "Step_read/throw_ref-handler-empty",
        "Step_read/throw_ref-handler-catch",
        "Step_read/throw_ref-handler-catch_ref",
        "Step_read/throw_ref-handler-catch_all",
        "Step_read/throw_ref-handler-catch_all_ref",
        "Step_read/throw_ref-handler-next",
    )
    def catch(self, z: Machine, exn: ExnInst) -> bool:
        """Try the clauses in order; the first that fits branches, seen from outside of the `try_table`.

        Spec    exec/instructions.html#exec-throw_ref
        """
        z.note("Step_read/throw_ref-label")
        for clause in self.catches:
            if clause.tag is not None and z.module.tags[clause.tag] is not exn.tag:
                z.note("Step_read/throw_ref-handler-next")
                continue
            z.note(f"Step_read/throw_ref-handler-{clause.kind.name.lower()}")
            _, height, z.todo, _, _ = z.labels.pop()
            del z.values[height:]
            if clause.kind in WITH_FIELDS:
                z.values.extend(exn.fields)
            if clause.kind in WITH_REFERENCE:
                z.values.append(exn)
            for rule in branch_rules(z, clause.label) if z.store.observer is not None else ():
                z.note(rule)
            return z.branch(clause.label)
        z.note("Step_read/throw_ref-handler-empty")
        return False


READY[form.TryTable] = TryTable


@reduces(form.TryTable, "Step_read/try_table")
def try_table(z: Machine, i: TryTable) -> bool:
    """Enter a label inside a handler.

    Spec    exec/instructions.html#exec-try-table
    """
    z.labels.append((i.arity, len(z.values) - i.params, z.todo, None, i))
    z.todo = iter(i.steps or i.prepare())
    return True


@reduces(form.Throw, "Step/throw")
def throw(z: Machine, i: form.Throw) -> bool:
    """Make an exception of the operands, and throw it.

    Spec    exec/instructions.html#exec-throw
    """
    tag = z.module.tags[i.tag]
    n = len(functype(cast(DefType, tag.type.type)).params)
    fields = tuple(z.values[-n:]) if n else ()
    return z.throw(ExnInst(tag, fields, share(z.store, n)))


@reduces(form.ThrowRef, "Step_read/throw_ref-null", case=lambda z, i: 0 if z.values[-1] is None else ())
def throw_ref(z: Machine, i: form.ThrowRef) -> bool:
    """Throw an exception again.

    Traps   "null exception reference"  when the operand is null
    Spec    exec/instructions.html#exec-throw-ref
    """
    exn = z.values.pop()
    if exn is None:
        raise Trap(TrapReason.NULL_EXCEPTION_REFERENCE)
    return z.throw(exn)
