"""Emitters of control, parametric and variable instructions."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref.features import Feature
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Catch, CatchKind, Op
from pywasm_ref.syntax.types import EXNREF, I32, FuncType, RefType, ResultType, ValType
from pywasm_ref.tools.difftest.generate.body import TERMINATORS, Body, Emitter, Left, emits
from pywasm_ref.tools.difftest.generate.types import H

LEAVING = (
    form.Br,
    form.BrTable,
    form.Return,
    form.Unreachable,
    form.Throw,
    form.ThrowRef,
    form.ReturnCall,
    form.ReturnCallIndirect,
    form.ReturnCallRef,
)


def ends(emitter: Emitter) -> Emitter:
    """The decorated emitter leaves for good."""
    TERMINATORS.append(emitter)
    return emitter


# Blocks


def shape(body: Body) -> tuple[list[ValType], ResultType]:
    """Parameters and results for a block. The parameters are values that happen to be on the stack."""
    params: list[ValType] = []
    if body.space.has(Feature.MULTI_VALUE) and body.pending == 0 and body.stack and body.choices.chance(40):
        n = body.choices.between(1, min(2, len(body.stack)))
        params = body.stack[len(body.stack) - n :]
    return params, body.types.results(2)


def may_nest(body: Body) -> bool:
    return len(body.labels) <= body.space.profile.nesting and body.budget > 4


@emits(form.Block)
def block(body: Body, op: Op) -> Left:
    if not may_nest(body):
        return None
    params, results = shape(body)
    body.need(params)
    body.add(form.Block(op, body.block_type(params, results), body.nested(results, params, results)))
    return list(results)


@emits(form.Loop)
def loop(body: Body, op: Op) -> Left:
    """A loop in a block: every round begins with leaving the block when there is no fuel."""
    if not may_nest(body):
        return None
    params, results = shape(body)
    body.need(params)

    def around() -> None:
        inside = body.nested(tuple(params), params, results, rounds)
        body.add(form.Loop(op, body.block_type(params, results), inside))
        body.stack = list(results)

    def rounds() -> None:
        body.labels.append(())  # of the `if` in the guard
        body.guard(lambda: body.cheaply(results, "br", 2))
        body.labels.pop()
        body.statements(body.choices.between(1, 4))
        if body.choices.chance(85):
            repeat(body, tuple(params))

    body.put("block", body.block_type(params, results), body.nested(results, params, results, around))
    return list(results)


def repeat(body: Body, params: ResultType) -> None:
    """Go round again, most of the times it is asked."""
    body.need(params)
    if body.choices.chance(60):
        body.put("global.get", body.space.fuel)
        body.const(I32, body.choices.choose((1, 3, 7)))
        body.put("i32.and")
    else:
        body.produce(I32)
    body.put("br_if", 0)
    body.stack += params


@emits(form.If)
def if_(body: Body, op: Op) -> Left:
    if not may_nest(body):
        return None
    params, results = shape(body)
    body.need([*params, I32])
    then = body.nested(results, params, results)
    same = list(params) == list(results)
    orelse = () if same and body.choices.chance(30) else body.nested(results, params, results)
    body.add(form.If(op, body.block_type(params, results), then, orelse))
    return list(results)


# Branches


def some_label(body: Body) -> int:
    return body.choices.below(len(body.labels))


def label_types(body: Body, label: int) -> ResultType:
    return body.labels[-1 - label]


@emits(form.BrIf)
def br_if(body: Body, op: Op) -> Left:
    label = some_label(body)
    types = label_types(body, label)
    body.need([*types, I32])
    body.add(form.BrIf(op, label))
    return list(types)


@ends
def br(body: Body, _: Op) -> Left:
    label = some_label(body)
    body.need(label_types(body, label))
    body.put("br", label)
    return []


@ends
def br_table(body: Body, _: Op) -> Left:
    """Labels of the same types as the default."""
    default = some_label(body)
    types = label_types(body, default)
    same = [label for label in range(len(body.labels)) if label_types(body, label) == types]
    body.need(types)
    body.produce(I32)
    if body.choices.chance(70):
        body.const(I32, 3)
        body.put("i32.and")
    body.put("br_table", tuple(body.choices.choose(same) for _ in range(body.choices.between(0, 4))), default)
    return []


@ends
def return_(body: Body, _: Op) -> Left:
    body.need(body.t.results)
    body.put("return")
    return []


@ends
def unreachable(body: Body, _: Op) -> Left:
    """A trap of its own accord, which is wanted less often than other ways out."""
    if body.choices.chance(80):
        return None
    body.put("unreachable")
    return []


@emits(
    form.Br,
    form.BrTable,
    form.Return,
    form.Unreachable,
    form.Throw,
    form.ThrowRef,
    form.ReturnCall,
    form.ReturnCallIndirect,
    form.ReturnCallRef,
)
def leave(body: Body, op: Op) -> Left:
    """What never goes on stands in a branch of its own, so that the rest is reached."""
    if not may_nest(body):
        return None
    emitter = BY_NAME[op.mnemonic]
    body.need([I32])
    if op.mnemonic in ("unreachable", "throw", "throw_ref") or body.choices.chance(50):
        body.const(I32, 3)
        body.put("i32.and")
        body.const(I32, 2)
        body.put("i32.eq")

    def inside() -> None:
        if emitter(body, op) is None:
            body.put("nop")

    then = body.nested((), (), (), inside)
    body.put("if", None, then, ())
    return []


@emits(form.BrOnNull)
def br_on_null(body: Body, op: Op) -> Left:
    """The reference is at hand or made; the label is one of a block of its own."""
    t = body.types.reference()

    def inside() -> None:
        body.produce(RefType(True, t.heap))
        body.add(form.BrOnNull(op, 0))
        body.stack = [RefType(False, t.heap)]

    body.put("block", None, body.nested((), (), (), inside))
    return []


@emits(form.BrOnNonNull)
def br_on_non_null(body: Body, op: Op) -> Left:
    t = body.types.reference()
    if not body.types.inhabited(t.heap) and t.heap is not H.EXN:
        return None
    result = RefType(False, t.heap)

    def inside() -> None:
        body.produce(RefType(True, t.heap))
        body.add(form.BrOnNonNull(op, 0))
        body.produce(result)
        body.stack = [result]

    body.put("block", body.block_type((), (result,)), body.nested((result,), (), (result,), inside))
    return [result]


# Calls


@emits(form.Call)
def call(body: Body, op: Op) -> Left:
    """A call of any function, half of them of the host, since what it hears is compared."""
    hosts = body.space.imported_funcs
    x = body.choices.below(hosts if hosts and body.choices.chance(50) else len(body.space.funcs))
    t = body.types.func(body.space.funcs[x])
    body.need(t.params)
    body.add(form.Call(op, x))
    return list(t.results)


@emits(form.CallIndirect)
def call_indirect(body: Body, op: Op) -> Left:
    x = body.choices.choose(body.space.funcs)
    t = body.types.func(x)
    body.need(t.params)
    _index_of(body, x)
    body.add(form.CallIndirect(op, 0, x))
    return list(t.results)


def _index_of(body: Body, x: int) -> None:
    """An index into table 0, mostly one where a function of type x is."""
    if body.safe():
        body.const(I32, body.choices.choose(body.space.funcs_of(x)))
    else:
        body.produce(I32)


@emits(form.CallRef)
def call_ref(body: Body, op: Op) -> Left:
    x = body.choices.choose(body.space.funcs)
    t = body.types.func(x)
    body.need(t.params)
    _function_reference(body, x)
    body.add(form.CallRef(op, x))
    return list(t.results)


def _function_reference(body: Body, x: int) -> None:
    if body.safe():
        body.put("ref.func", body.choices.choose(body.space.funcs_of(x)))
    else:
        body.produce(RefType(True, x))


def _callable_at_the_end(body: Body) -> int | None:
    """The type of some function that gives what this one gives."""
    fitting = [x for x in body.space.funcs if body.types.match_all(body.types.func(x).results, body.t.results)]
    return body.choices.choose(fitting) if fitting else None


@ends
def return_call(body: Body, op: Op) -> Left:
    """One of the three tail calls."""
    x = _callable_at_the_end(body)
    if x is None or not body.space.has(Feature.TAIL_CALL):
        return None
    names = ["return_call", "return_call_indirect"] + ["return_call_ref"] * body.space.has(Feature.FUNCTION_REFERENCES)
    name = op.mnemonic if op.mnemonic in names else body.choices.choose(names)
    t: FuncType = body.types.func(x)
    body.need(t.params)
    if name == "return_call":
        body.put(name, body.choices.choose(body.space.funcs_of(x)))
    elif name == "return_call_ref":
        _function_reference(body, x)
        body.put(name, x)
    else:
        _index_of(body, x)
        body.put(name, 0, x)
    return []


# Exceptions


@ends
def throw(body: Body, _: Op) -> Left:
    if not body.space.tags:
        return None
    tag = body.choices.below(len(body.space.tags))
    body.need(body.tag_types(tag))
    body.put("throw", tag)
    return []


@ends
def throw_ref(body: Body, _: Op) -> Left:
    """An exception again; mostly there is one, else it traps."""
    if not body.space.has(Feature.EXCEPTIONS) or body.choices.chance(50):
        return None
    body.produce(EXNREF)
    body.put("throw_ref")
    return []


@emits(form.TryTable)
def try_table(body: Body, op: Op) -> Left:
    """Code that may throw, in a block for what the handler gives."""
    if not may_nest(body):
        return None
    kind = body.choices.choose(list(CatchKind))
    tag = body.choices.below(len(body.space.tags)) if kind in (CatchKind.CATCH, CatchKind.CATCH_REF) else None
    caught: ResultType = body.tag_types(tag) if tag is not None else ()
    if kind in (CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF):
        caught = (*caught, EXNREF)
    params, results = shape(body)
    body.need(params)
    catches = (Catch(kind, tag, 0), *_more_catches(body))

    def around() -> None:
        inside = body.nested(results, params, results, lambda: throwing(body, tag))
        body.add(form.TryTable(op, body.block_type(params, results), catches, inside))
        body.stack = list(results)

    body.put("block", body.block_type(params, caught), body.nested(caught, params, caught, around))
    return list(caught)


def throwing(body: Body, tag: int | None) -> None:
    """Statements, and among them a throw of the tag that is waited for."""
    body.statements(body.choices.between(0, 2))
    if tag is not None and body.choices.chance(60):
        body.produce(I32)

        def inside() -> None:
            body.need(body.tag_types(tag))
            body.put("throw", tag)

        body.put("if", None, body.nested((), (), (), inside), ())
    body.statements(body.choices.between(0, 2))


def _more_catches(body: Body) -> Sequence[Catch]:
    """A second clause, for a label outside that takes what it gives. Labels of clauses count from outside of the instruction."""
    if not body.choices.chance(40):
        return ()
    found = [Catch(CatchKind.CATCH_ALL, None, 1 + label) for label in range(len(body.labels)) if label_types(body, label) == ()]
    for tag in range(len(body.space.tags)):
        types = body.tag_types(tag)
        found += [Catch(CatchKind.CATCH, tag, 1 + label) for label in range(len(body.labels)) if label_types(body, label) == types]
    return (body.choices.choose(found),) if found else ()


# Parametric and variable instructions


@emits(form.Nop)
def nop(body: Body, op: Op) -> Left:
    body.put_op(op)
    return []


@emits(form.Drop)
def drop(body: Body, op: Op) -> Left:
    body.need([body.types.value()] if body.pending or not body.stack else [body.stack[-1]])
    body.put_op(op)
    return []


@emits(form.Select)
def select(body: Body, op: Op) -> Left:
    t = body.types.number() if op.code == 0x1B else body.types.value()
    body.need([t, t, I32])
    body.add(form.Select(op, None if op.code == 0x1B else (t,)))
    return [t]


@emits(form.LocalGet)
def local_get(body: Body, op: Op) -> Left:
    known = [x for x in range(len(body.locals)) if x not in body.unset]
    if not known:
        return None
    x = body.choices.choose(known)
    body.add(form.LocalGet(op, x))
    return [body.locals[x]]


@emits(form.LocalSet)
def local_set(body: Body, op: Op) -> Left:
    if not body.locals:
        return None
    x = body.choices.below(len(body.locals))
    body.need([body.locals[x]])
    body.add(form.LocalSet(op, x))
    return []


@emits(form.LocalTee)
def local_tee(body: Body, op: Op) -> Left:
    if not body.locals:
        return None
    x = body.choices.below(len(body.locals))
    body.need([body.locals[x]])
    body.add(form.LocalTee(op, x))
    return [body.locals[x]]


@emits(form.GlobalGet)
def global_get(body: Body, op: Op) -> Left:
    x = body.choices.below(len(body.space.globals))
    body.add(form.GlobalGet(op, x))
    return [body.space.globals[x].type]


@emits(form.GlobalSet)
def global_set(body: Body, op: Op) -> Left:
    known = [x for x, gt in enumerate(body.space.globals) if gt.mut and x != body.space.fuel]
    if not known:
        return None
    x = body.choices.choose(known)
    body.need([body.space.globals[x].type])
    body.add(form.GlobalSet(op, x))
    return []


BY_NAME: dict[str, Emitter] = {
    "br": br,
    "br_table": br_table,
    "return": return_,
    "unreachable": lambda body, op: unreachable(body, op) or [],
    "throw": throw,
    "throw_ref": throw_ref,
    "return_call": return_call,
    "return_call_indirect": return_call,
    "return_call_ref": return_call,
}
