"""Control instructions, but for exceptions.

Spec    exec/instructions.html#control-instructions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pywasm_ref.errors import Trap, TrapReason
from pywasm_ref.execution.code import Choice, Structured
from pywasm_ref.execution.instructions.reference import ref_ok
from pywasm_ref.execution.rules import reduces
from pywasm_ref.execution.runtime import FuncInst, HostFunc
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.types import TypeIdx
from pywasm_ref.validation.types import is_subtype

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine

CALL_REF = "Step_read/call_ref-func"


# Which rules a transfer of control takes, for observers


def branch_rules(z: Machine, l: int) -> tuple[str, ...]:
    """The labels and handlers that a branch passes, up to the one it goes to."""
    rules = []
    for label in z.labels[: -1 - l : -1]:
        rules.append("Step_pure/br-label-succ")
        if label[4] is not None:
            rules.append("Step_pure/br-handler")
    _, _, _, loop, handler = z.labels[-1 - l]
    rules.append("Step_pure/br-label-zero")
    if loop is not None:
        rules.append("Step_read/loop")
    if handler is not None:
        rules.append("Step_pure/handler-vals")
    return tuple(rules)


def leave_rules(z: Machine, label: str, handler: str) -> list[str]:
    """The same for all labels of the frame."""
    rules = []
    for entry in reversed(z.labels[z.frames[-1][4] :]):
        rules.append(label)
        if entry[4] is not None:
            rules.append(handler)
    return rules


def tail_call_rules(z: Machine, f: Any) -> tuple[str, ...]:
    """What a tail call takes once the function is known."""
    rules = leave_rules(z, "Step_read/return_call_ref-label", "Step_read/return_call_ref-handler")
    if f is None:
        return *rules, "Step_read/return_call_ref-frame-null"
    return *rules, "Step_read/return_call_ref-frame-addr", CALL_REF


def indirect_rules(z: Machine, i: Any) -> tuple[tuple[str, ...], Any]:
    """What an indirect call takes until its function is known, and the function; False when it traps before."""
    refs, index = z.module.tables[i.table].refs, z.values[-1]
    if index >= len(refs):
        return ("Step_read/table.get-oob",), False
    f: Any = refs[index]
    if f is None or is_subtype(f.type, z.module.types[i.type]):
        return ("Step_read/table.get-val", "Step_read/ref.cast-succeed"), f
    return ("Step_read/table.get-val", "Step_read/ref.cast-fail"), False


# Blocks


@reduces(form.Block, "Step_read/block")
def block(z: Machine, i: Structured) -> bool:
    """Enter a label whose continuation is what follows.

    Spec    exec/instructions.html#exec-block
    """
    z.labels.append((i.arity, len(z.values) - i.params, z.todo, None, None))
    z.todo = iter(i.steps or i.prepare())
    return True


@reduces(form.Loop, "Step_read/loop")
def loop(z: Machine, i: Structured) -> bool:
    """Enter a label whose continuation is the loop again; a branch to it takes the parameters along.

    Spec    exec/instructions.html#exec-loop
    """
    z.labels.append((i.params, len(z.values) - i.params, z.todo, i, None))
    z.todo = iter(i.steps or i.prepare())
    return True


def _if_case(z: Machine, i: Choice) -> tuple[str, ...]:
    return "Step_pure/if-true" if z.values[-1] else "Step_pure/if-false", "Step_read/block"


@reduces(form.If, "Step_pure/if-true", "Step_pure/if-false", case=_if_case)
def if_(z: Machine, i: Choice) -> bool:
    """Enter one of two blocks.

    Spec    exec/instructions.html#exec-if
    """
    return block(z, i.then if z.values.pop() else i.orelse)


# Branches


@reduces(form.Br, case=lambda z, i: branch_rules(z, i.label))
def br(z: Machine, i: form.Br) -> bool:
    """Spec    exec/instructions.html#exec-br"""
    return z.branch(i.label)


def _br_if_case(z: Machine, i: form.BrIf) -> tuple[str, ...]:
    return ("Step_pure/br_if-true", *branch_rules(z, i.label)) if z.values[-1] else ("Step_pure/br_if-false",)


@reduces(form.BrIf, "Step_pure/br_if-true", "Step_pure/br_if-false", case=_br_if_case)
def br_if(z: Machine, i: form.BrIf) -> bool | None:
    """Branch if the operand is not zero.

    Spec    exec/instructions.html#exec-br-if
    """
    if z.values.pop():
        return z.branch(i.label)
    return None


def _br_table_case(z: Machine, i: form.BrTable) -> tuple[str, ...]:
    index = z.values[-1]
    if index < len(i.labels):
        return "Step_pure/br_table-lt", *branch_rules(z, i.labels[index])
    return "Step_pure/br_table-ge", *branch_rules(z, i.default)


@reduces(form.BrTable, "Step_pure/br_table-lt", "Step_pure/br_table-ge", case=_br_table_case)
def br_table(z: Machine, i: form.BrTable) -> bool:
    """Branch to the label that the operand selects, or to the default when it is past the list.

    Spec    exec/instructions.html#exec-br-table
    """
    index = z.values.pop()
    return z.branch(i.labels[index] if index < len(i.labels) else i.default)


def _br_on_null_case(z: Machine, i: form.BrOnNull) -> tuple[str, ...]:
    if z.values[-1] is None:
        return "Step_pure/br_on_null-null", *branch_rules(z, i.label)
    return ("Step_pure/br_on_null-addr",)


@reduces(form.BrOnNull, "Step_pure/br_on_null-null", "Step_pure/br_on_null-addr", case=_br_on_null_case)
def br_on_null(z: Machine, i: form.BrOnNull) -> bool | None:
    """Branch without the operand if it is null, or else keep it.

    Spec    exec/instructions.html#exec-br-on-null
    """
    if z.values[-1] is not None:
        return None
    z.values.pop()
    return z.branch(i.label)


def _br_on_non_null_case(z: Machine, i: form.BrOnNonNull) -> tuple[str, ...]:
    if z.values[-1] is None:
        return ("Step_pure/br_on_non_null-null",)
    return "Step_pure/br_on_non_null-addr", *branch_rules(z, i.label)


@reduces(form.BrOnNonNull, "Step_pure/br_on_non_null-null", "Step_pure/br_on_non_null-addr", case=_br_on_non_null_case)
def br_on_non_null(z: Machine, i: form.BrOnNonNull) -> bool | None:
    """Branch with the operand unless it is null, or else drop it.

    Spec    exec/instructions.html#exec-br-on-non-null
    """
    if z.values[-1] is not None:
        return z.branch(i.label)
    z.values.pop()
    return None


def _br_on_cast_case(z: Machine, i: form.BrOnCast) -> tuple[str, ...]:
    if ref_ok(z.values[-1], i.target, z.module.types):
        return "Step_read/br_on_cast-succeed", *branch_rules(z, i.label)
    return ("Step_read/br_on_cast-fail",)


@reduces(form.BrOnCast, "Step_read/br_on_cast-succeed", "Step_read/br_on_cast-fail", case=_br_on_cast_case)
def br_on_cast(z: Machine, i: form.BrOnCast) -> bool | None:
    """Branch with the operand if it has the target type.

    Spec    exec/instructions.html#exec-br-on-cast
    """
    return z.branch(i.label) if ref_ok(z.values[-1], i.target, z.module.types) else None


def _br_on_cast_fail_case(z: Machine, i: form.BrOnCastFail) -> tuple[str, ...]:
    if ref_ok(z.values[-1], i.target, z.module.types):
        return ("Step_read/br_on_cast_fail-succeed",)
    return "Step_read/br_on_cast_fail-fail", *branch_rules(z, i.label)


@reduces(form.BrOnCastFail, "Step_read/br_on_cast_fail-succeed", "Step_read/br_on_cast_fail-fail", case=_br_on_cast_fail_case)
def br_on_cast_fail(z: Machine, i: form.BrOnCastFail) -> bool | None:
    """Branch with the operand unless it has the target type.

    Spec    exec/instructions.html#exec-br-on-cast-fail
    """
    return None if ref_ok(z.values[-1], i.target, z.module.types) else z.branch(i.label)


def _return_case(z: Machine, i: form.Return) -> tuple[str, ...]:
    return *leave_rules(z, "Step_pure/return-label", "Step_pure/return-handler"), "Step_pure/return-frame"


@reduces(form.Return, "Step_pure/return-frame", "Step_pure/return-label", "Step_pure/return-handler", case=_return_case)
def return_(z: Machine, i: form.Return) -> bool:
    """Leave the function with the results that lie on the stack.

    Spec    exec/instructions.html#exec-return
    """
    return z.leave()


# Calls


@reduces(form.Call, "Step_read/call", case=lambda z, i: ("Step_read/call", CALL_REF))
def call(z: Machine, i: form.Call) -> bool:
    """Spec    exec/instructions.html#exec-call"""
    return z.call(z.module.funcs[i.func])


@reduces(form.CallRef, "Step_read/call_ref-null", case=lambda z, i: 0 if z.values[-1] is None else (CALL_REF,))
def call_ref(z: Machine, i: form.CallRef) -> bool:
    """Call the function that the operand refers to.

    Traps   "null function reference"  when there is none
    Spec    exec/instructions.html#exec-call-ref
    """
    return z.call(referred(z.values.pop()))


def referred(f: Any) -> FuncInst | HostFunc:
    """The function behind a reference to one.

    Traps   "null function reference"  when there is none
    """
    if f is None:
        raise Trap(TrapReason.NULL_FUNCTION_REFERENCE)
    callee: FuncInst | HostFunc = f
    return callee


def selected(z: Machine, x: int, y: TypeIdx) -> FuncInst | HostFunc:
    """The function that the operand selects from a table, if its type is the expected one or below.

    Traps   "undefined element"            when the operand is past the table
            "uninitialized element"        when the entry is null
            "indirect call type mismatch"  when the type is another one
    """
    index = z.values.pop()
    refs = z.module.tables[x].refs
    if index >= len(refs):
        raise Trap(TrapReason.UNDEFINED_ELEMENT, str(index))
    f: Any = refs[index]
    if f is None:
        raise Trap(TrapReason.UNINITIALIZED_ELEMENT, str(index))
    expected = z.module.types[y]
    if f.type is not expected and not is_subtype(f.type, expected):
        raise Trap(TrapReason.INDIRECT_CALL_TYPE_MISMATCH)
    callee: FuncInst | HostFunc = f
    return callee


def _call_indirect_case(z: Machine, i: form.CallIndirect) -> tuple[str, ...]:
    rules, f = indirect_rules(z, i)
    callee = () if f is False else ("Step_read/call_ref-null",) if f is None else (CALL_REF,)
    return "Step_pure/call_indirect", *rules, *callee


@reduces(form.CallIndirect, "Step_pure/call_indirect", case=_call_indirect_case)
def call_indirect(z: Machine, i: form.CallIndirect) -> bool:
    """Call a function through a table.

    Traps   as `selected`
    Spec    exec/instructions.html#exec-call-indirect
    """
    return z.call(selected(z, i.table, i.type))


def _return_call_case(z: Machine, i: form.ReturnCall) -> tuple[str, ...]:
    return "Step_read/return_call", *tail_call_rules(z, z.module.funcs[i.func])


@reduces(form.ReturnCall, "Step_read/return_call", case=_return_call_case)
def return_call(z: Machine, i: form.ReturnCall) -> bool:
    """Spec    exec/instructions.html#exec-return-call"""
    return z.tail_call(z.module.funcs[i.func])


@reduces(form.ReturnCallRef, "Step_read/return_call_ref-frame-null", case=lambda z, i: tail_call_rules(z, z.values[-1]))
def return_call_ref(z: Machine, i: form.ReturnCallRef) -> bool:
    """Call the function that the operand refers to, in place of this one.

    Traps   "null function reference"  when there is none
    Spec    exec/instructions.html#exec-return-call-ref
    """
    return z.tail_call(referred(z.values.pop()))


def _return_call_indirect_case(z: Machine, i: form.ReturnCallIndirect) -> tuple[str, ...]:
    rules, f = indirect_rules(z, i)
    return "Step_pure/return_call_indirect", *rules, *(() if f is False else tail_call_rules(z, f))


@reduces(form.ReturnCallIndirect, "Step_pure/return_call_indirect", case=_return_call_indirect_case)
def return_call_indirect(z: Machine, i: form.ReturnCallIndirect) -> bool:
    """Call a function through a table, in place of this one.

    Traps   as `selected`
    Spec    exec/instructions.html#exec-return-call-indirect
    """
    return z.tail_call(selected(z, i.table, i.type))
