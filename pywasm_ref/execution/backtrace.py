"""Where an error happened: the place in the source of each call that was open, found only when an error is on its way out.

The iterators that the machine runs on know how far they have come. The path from a function's body down to the instruction that
failed is read off them, and turned into an index of the linear code, which `Expr.places` maps to the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from pywasm_ref.errors import WasmError
from pywasm_ref.execution.code import Choice, Step, Steps, Structured
from pywasm_ref.syntax import instructions as form
from pywasm_ref.syntax.instructions import Instr, Instrs

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine
    from pywasm_ref.execution.runtime import FuncInst

DEEPEST = 100
"""Frames that a back-trace tells of; of a deeper stack the innermost."""

Todo = Iterator[Step]
TUPLE_ITERATOR = type(iter(()))


def note_frames(z: Machine, error: WasmError) -> None:
    """Write the open calls of this machine, innermost first, into an error that leaves it."""
    top = len(z.labels)
    todo = z.todo
    for frame in z.frames[: -1 - max(DEEPEST - len(error.frames), 0) : -1]:
        func, base = frame[2], frame[4]
        if func is None:
            break
        todos = [label[2] for label in z.labels[base + 1 : top]] + [todo]
        at = place(func, todos)
        if error.at is None and at is not None and not error.frames:
            error.at = at
            error.source = func.module.module.source
        error.frames.append((name(func), at))
        top, todo = base, frame[-1]


def name(func: FuncInst) -> str | int:
    """What the name section calls a function, or its index."""
    return func.module.module.names.funcs.get(func.index, func.index)


def place(func: FuncInst, todos: list[Todo]) -> int | None:
    """The place of the instruction that the innermost of these sequences is at; each but the first stands in the one before."""
    places = func.code.body.places
    try:
        index = linear_index(func.code.body.body, path(todos))
    except LookupError:
        return None
    return places[index] if index < len(places) else None


def path(todos: list[Todo]) -> list[tuple[Steps, int]]:
    """For each sequence its steps, and the index of the one that was taken last.

    Fails   LookupError for an iterator at its end, which has forgotten where it came from
    """
    found: list[tuple[Steps, int]] = []
    for todo in todos:
        state: tuple[Any, ...] = cast(Any, todo).__reduce__() if isinstance(todo, TUPLE_ITERATOR) else ()
        if len(state) != 3:
            raise LookupError
        found.append((state[1][0], state[2] - 1))  # as an iterator is pickled: (iter, (tuple,), index)
    return found


def linear_index(body: Instrs, path: list[tuple[Steps, int]]) -> int:
    """How many opcodes stand before the instruction at the end of the path."""
    index = 0
    for depth, (steps, position) in enumerate(path):
        position = min(position, len(body))
        index += sum(map(opcodes, body[:position]))
        if depth + 1 == len(path):
            break
        before, body = enter(steps[position][1], path[depth + 1][0])
        index += before
    return index


def enter(ready: Any, inner: Steps) -> tuple[int, Instrs]:
    """How many opcodes a structured instruction has before the body whose steps these are, and that body."""
    if not isinstance(ready, Structured | Choice):
        raise LookupError
    body, earlier = ready.inside(inner)
    return 1 + sum(opcodes_of(b) + 1 for b in earlier), body


def opcodes_of(body: Instrs) -> int:
    """The opcodes of a sequence, its blocks included and its own `end` not."""
    return sum(map(opcodes, body))


def opcodes(i: Instr) -> int:
    """The opcodes of one instruction: itself, what is inside, and each `else`, `catch` and `end`."""
    total, todo = 0, [i]
    while todo:
        i = todo.pop()
        total += 1
        parts = BODIES.get(i.__class__)
        if parts is not None:
            bodies = parts(i)
            total += len(bodies)
            for body in bodies:
                todo.extend(body)
    return total


def _if_bodies(i: Any) -> list[Instrs]:
    return [i.then, i.orelse] if i.orelse else [i.then]


BODIES: dict[type[Instr], Callable[[Any], list[Instrs]]] = {
    form.Block: lambda i: [i.body],
    form.Loop: lambda i: [i.body],
    form.TryTable: lambda i: [i.body],
    form.If: _if_bodies,
    form.Try: lambda i: [i.body, *[clause.body for clause in i.catches]],
}
"""The bodies of the forms that have some; each ends in an opcode of its own (`else`, `catch`, `delegate` or `end`)."""
