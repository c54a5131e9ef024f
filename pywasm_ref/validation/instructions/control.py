"""Control instructions.

Spec    valid/instructions.html#control-instructions
"""

from __future__ import annotations

from pywasm_ref.errors import Invalid
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Catch, CatchKind, Instrs
from pywasm_ref.syntax.types import EXNREF, FUNCREF, I32, AbsHeapType, FuncType, RefType, ResultType, ValType
from pywasm_ref.validation.context import Checker, Clause
from pywasm_ref.validation.instructions.registry import types
from pywasm_ref.validation.matching import match_reftype, match_valtype
from pywasm_ref.validation.types import difference

CAUGHT = RefType(False, AbsHeapType.EXN)


# Blocks


@types(form.Block, "Instr_ok/block")
def block(c: Checker, i: form.Block) -> Instrs:
    params, results = c.blocktype(i.type)
    c.pop_vals(params)
    c.enter(results, params, results)
    return i.body


@types(form.Loop, "Instr_ok/loop")
def loop(c: Checker, i: form.Loop) -> Instrs:
    """A branch to a loop goes back to its start, so it carries what the loop takes."""
    params, results = c.blocktype(i.type)
    c.pop_vals(params)
    c.enter(params, params, results)
    return i.body


@types(form.If, "Instr_ok/if")
def if_(c: Checker, i: form.If) -> Instrs:
    params, results = c.blocktype(i.type)
    c.pop(I32)
    c.pop_vals(params)
    c.enter(results, params, results, [Clause(params, i.orelse, implied=not i.orelse)])
    return i.then


@types(form.TryTable, "Instr_ok/try_table")
def try_table(c: Checker, i: form.TryTable) -> Instrs:
    """The labels of the handlers are those around the block."""
    params, results = c.blocktype(i.type)
    c.pop_vals(params)
    for clause in i.catches:
        catch(c, clause)
    c.enter(results, params, results)
    return i.body


def catch(c: Checker, clause: Catch) -> None:
    """What a handler passes on has to match its label.

    Fails   Invalid  "unknown tag", "unknown label", "type mismatch"
    Spec    valid/instructions.html#valid-catch
    """
    caught: ResultType = () if clause.tag is None else c.tag(clause.tag).params
    if clause.kind in (CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF):
        caught = (*caught, CAUGHT)
    c.require_match(caught, c.label(clause.label), "catch handler has {} but label requires {}".format)


# Branches


@types(form.Br, "Instr_ok/br")
def br(c: Checker, i: form.Br) -> None:
    c.pop_vals(c.label(i.label))
    c.unreachable()


@types(form.BrIf, "Instr_ok/br_if")
def br_if(c: Checker, i: form.BrIf) -> None:
    c.pop(I32)
    ts = c.label(i.label)
    if ts:
        c.pop_vals(ts)
        c.push_vals(ts)


@types(form.BrTable, "Instr_ok/br_table")
def br_table(c: Checker, i: form.BrTable) -> None:
    """All labels carry equally many operands; each is checked once, however often the list names it."""
    c.pop(I32)
    default = c.label(i.default)
    for l in dict.fromkeys(i.labels):
        ts = c.label(l)
        if len(ts) != len(default):
            raise Invalid(f"type mismatch: label {l} requires {c.words_of(ts)} but the default label {c.words_of(default)}")
        c.push_vals(c.pop_vals(ts))
    c.pop_vals(default)
    c.unreachable()


@types(form.BrOnNull, "Instr_ok/br_on_null")
def br_on_null(c: Checker, i: form.BrOnNull) -> None:
    t = c.pop_ref()
    ts = c.label(i.label)
    c.pop_vals(ts)
    c.push_vals(ts)
    c.push(RefType(False, t.heap))


@types(form.BrOnNonNull, "Instr_ok/br_on_non_null")
def br_on_non_null(c: Checker, i: form.BrOnNonNull) -> None:
    """The last type of the label is the reference, which on the stack may be null."""
    ts = c.label(i.label)
    last = ts[-1] if ts else None
    if not isinstance(last, RefType):
        raise Invalid(f"type mismatch: instruction requires reference type but label has {c.words_of(ts)}")
    c.pop_vals((*ts[:-1], RefType(True, last.heap)))
    c.push_vals(ts[:-1])


@types(form.BrOnCast, "Instr_ok/br_on_cast")
def br_on_cast(c: Checker, i: form.BrOnCast) -> None:
    source, target = cast_types(c, i)
    branch_on_cast(c, i.label, source, carried=target, left=difference(source, target))


@types(form.BrOnCastFail, "Instr_ok/br_on_cast_fail")
def br_on_cast_fail(c: Checker, i: form.BrOnCastFail) -> None:
    source, target = cast_types(c, i)
    branch_on_cast(c, i.label, source, carried=difference(source, target), left=target)


def cast_types(c: Checker, i: form.BrOnCast | form.BrOnCastFail) -> tuple[RefType, RefType]:
    """Both types of a cast, closed.

    Fails   Invalid  "unknown type", or "type mismatch" when the target is no subtype of the source
    """
    source, target = c.context.valtype(i.source), c.context.valtype(i.target)
    if not match_reftype(target, source):
        raise Invalid(f"type mismatch on cast: type {c.words(target)} does not match {c.words(source)}")
    return source, target


def branch_on_cast(c: Checker, l: int, source: RefType, carried: RefType, left: RefType) -> None:
    """A cast that branches with `carried` on top of the stack, or goes on with `left`.

    Fails   Invalid  "type mismatch"
    """
    ts = c.label(l)
    if not ts or not match_valtype(carried, ts[-1]):
        raise Invalid(f"type mismatch: instruction requires type {c.words(carried)} but label has {c.words_of(ts)}")
    c.pop_vals((*ts[:-1], source))
    c.push_vals(ts[:-1])
    c.push(left)


# Calls


@types(form.Return, "Instr_ok/return")
def return_(c: Checker, i: form.Return) -> None:
    c.pop_vals(c.results)
    c.unreachable()


@types(form.Call, "Instr_ok/call")
def call(c: Checker, i: form.Call) -> None:
    t = c.func(i.func)
    c.pop_vals(t.params)
    c.push_vals(t.results)


@types(form.CallRef, "Instr_ok/call_ref")
def call_ref(c: Checker, i: form.CallRef) -> None:
    t = c.context.functype(i.type)
    c.pop_vals((*t.params, reference(c, i)))
    c.push_vals(t.results)


@types(form.CallIndirect, "Instr_ok/call_indirect")
def call_indirect(c: Checker, i: form.CallIndirect) -> None:
    addr = function_table(c, i.table)
    t = c.context.functype(i.type)
    c.pop_vals((*t.params, addr))
    c.push_vals(t.results)


@types(form.ReturnCall, "Instr_ok/return_call")
def return_call(c: Checker, i: form.ReturnCall) -> None:
    t = c.func(i.func)
    tail_call(c, t, t.params)


@types(form.ReturnCallRef, "Instr_ok/return_call_ref")
def return_call_ref(c: Checker, i: form.ReturnCallRef) -> None:
    t = c.context.functype(i.type)
    tail_call(c, t, (*t.params, reference(c, i)))


@types(form.ReturnCallIndirect, "Instr_ok/return_call_indirect")
def return_call_indirect(c: Checker, i: form.ReturnCallIndirect) -> None:
    addr = function_table(c, i.table)
    t = c.context.functype(i.type)
    tail_call(c, t, (*t.params, addr))


def tail_call(c: Checker, t: FuncType, operands: ResultType) -> None:
    """A call whose results are those of the function at hand.

    Fails   Invalid  "type mismatch"
    """
    c.require_match(t.results, c.results, "callee returns {} but current function requires result type {}".format)
    c.pop_vals(operands)
    c.unreachable()


def reference(c: Checker, i: form.CallRef | form.ReturnCallRef) -> RefType:
    return RefType(True, c.context.type(i.type))


def function_table(c: Checker, x: int) -> ValType:
    """The address type of a table that has to hold functions.

    Fails   Invalid  "unknown table", "type mismatch"
    """
    t = c.table(x)
    if not match_reftype(t.elem, FUNCREF):
        raise Invalid(f"type mismatch: instruction requires table of function type but table has element type {c.words(t.elem)}")
    return t.addr


# Exceptions


@types(form.Throw, "Instr_ok/throw")
def throw(c: Checker, i: form.Throw) -> None:
    c.pop_vals(c.tag(i.tag).params)
    c.unreachable()


@types(form.ThrowRef, "Instr_ok/throw_ref")
def throw_ref(c: Checker, i: form.ThrowRef) -> None:
    c.pop(EXNREF)
    c.unreachable()
