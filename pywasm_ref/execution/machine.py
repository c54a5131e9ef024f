"""The machine: a configuration of the specification in three lists, and the loop that takes it from step to step.

Values, labels and frames are stacks. What is left to do in the innermost sequence is the iterator `todo`; a label keeps the
iterator of the sequence around it, and a frame that of its caller: these are the continuations of the specification's evaluation
contexts, so no rule has to look for the place where it applies, and no call of a guest is a call in Python.

Spec    exec/conventions.html, exec/runtime.html#configurations
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from pywasm_ref.errors import Exhaustion, Interrupted, Trap, WasmError, WasmException
from pywasm_ref.execution.allocation import ballast
from pywasm_ref.execution.backtrace import note_frames
from pywasm_ref.execution.code import Code, Handler, Step, Structured, prepare, steps
from pywasm_ref.execution.metered import run_metered, run_observed
from pywasm_ref.execution.rules import claims
from pywasm_ref.execution.runtime import MACHINES, VALUES, ExnInst, FuncInst, HostFunc, ModuleInst, Store, Value
from pywasm_ref.syntax.instructions import Instrs
from pywasm_ref.syntax.modules import Module
from pywasm_ref.validation.types import functype

Todo = Iterator[Step]

Label = tuple[int, int, Todo, Structured | None, Handler | None]
"""The values that a branch takes along, the height of the values below, what comes after, and two things that few labels have:
the loop that a branch starts again, and the handler of exceptions."""

Frame = tuple[list[Value], ModuleInst, FuncInst | None, int, int, int, Todo]
"""Locals, module and function; the arity, the height of labels and of values below, and what the caller does next. The bottom
frame is that of the host, and has no function."""

NOWHERE = ModuleInst(Module(), ())
"""The empty module that a host's frame refers to."""


# Administrative steps


@claims("Step_pure/label-vals")
def label_vals(z: Machine, _: None) -> bool:
    """At the end of a block the label goes, and its values stay.

    Spec    exec/instructions.html#exec-instrs-exit
    """
    z.todo = z.labels.pop()[2]
    return True


@claims("Step_pure/frame-vals")
def frame_vals(z: Machine, _: None) -> bool:
    """At the end of a function the frame goes, and its values stay.

    Spec    exec/instructions.html#exec-invoke-exit
    """
    return z.leave()


@claims(case=lambda z, i: ("Step_pure/label-vals", "Step_pure/frame-vals"))
def body_vals(z: Machine, _: None) -> bool:
    """At the end of a body its label and the frame go together."""
    return z.leave()


def halt(z: Machine, _: None) -> bool:
    """Only values are left: the configuration is a result."""
    z.halted = True
    return True


Structured.end = label_vals
Code.end = body_vals

# A branch to the label of a function body comes here; the iterators never end, so that all calls can share them.
LEAVE: Todo = repeat((frame_vals, None))
HALT: Todo = repeat((halt, None))


class Machine:
    """A configuration at work: the store, the current frame's module and locals, and the three stacks."""

    __slots__ = ("entered", "frames", "halted", "labels", "lent", "locals", "max_frames", "module", "store", "todo", "values")

    def __init__(self, store: Store, module: ModuleInst = NOWHERE) -> None:
        self.store = store
        self.module = module
        self.locals: list[Value] = []
        self.values: list[Value] = []
        self.labels: list[Label] = []
        self.frames: list[Frame] = [(self.locals, module, None, 0, 0, 0, HALT)]
        self.todo: Todo = HALT
        self.halted = False
        self.max_frames = store.call_depth
        self.entered = 0
        """Locals of functions with many, entered since all were counted, and those that there were then."""
        self.lent: MemoryError | None = None
        """What a host function raised, which is not the guest's affair."""

    # Running

    def run(self, func: FuncInst | HostFunc | None = None) -> list[Value]:
        """Reduce until only values are left; `func`, if there is one, is called first.

        Traps   as the instructions do; the error knows the place and the calls that led there
        Fails   Exhaustion, Interrupted; WasmException when no handler caught one; whatever a host function raised
        """
        store = self.store
        machines = store.machines
        self.may_run()
        store.ballast = store.ballast or ballast()
        self.max_frames = store.call_depth - sum([len(z.frames) - 1 for z in machines])
        machines.append(self)
        try:
            if func is not None:
                self.note("Step_read/call_ref-func")
                self.call(func)
            paid = store.fuel_left is not None and func is not None  # constant expressions are free
            if store.observer is not None:
                run_observed(self, paid)
            elif paid:
                run_metered(self)
            else:
                self.reduce()
        except WasmError as error:
            store.ballast = None
            note_frames(self, error)
            if store.observer is not None and isinstance(error, Trap):
                self.trap()
            raise
        except MemoryError as error:  # whatever takes memory comes after what sets some free: Python hangs when it cannot handle an error
            store.ballast = None
            self.values.clear()
            self.labels.clear()
            self.frames.clear()
            self.locals.clear()
            if error is self.lent:
                self.lent = None
                raise
            raise Exhaustion("out of memory") from None
        except RecursionError:
            if len(machines) == 1:
                raise
            raise Exhaustion("call stack exhausted: Python allows no deeper recursion") from None
        finally:
            machines.remove(self)
        return self.values

    def may_run(self) -> None:
        """Refuse to in a store that is interrupted, and inside of too many others.

        Fails   Interrupted, Exhaustion
        """
        if self.store.stop:
            raise Interrupted("interrupted")
        if len(self.store.machines) >= MACHINES:
            raise Exhaustion(f"call stack exhausted: {MACHINES} calls from the host are inside each other")

    @claims(
        "Step/pure", "Step/read", "Steps/refl", "Steps/trans", "Step/ctxt-instrs", "Step/ctxt-label", "Step/ctxt-handler", "Step/ctxt-frame"
    )  # fmt: skip
    def reduce(self) -> None:
        """Take steps: one sequence at a time, until a reduction says that control went elsewhere."""
        store = self.store
        while not self.halted:
            for reduction, i in self.todo:
                if reduction(self, i):
                    break
            if store.stop and not self.halted:
                raise Interrupted("interrupted")

    def note(self, rule: str) -> None:
        """Tell the observer, if there is one, of a rule that is found to apply in the middle of a step."""
        if self.store.observer is not None:
            self.store.observer.step(self, None, rule)

    # Transfers of control

    @claims("Step_pure/br-label-zero", "Step_pure/br-label-succ", "Step_pure/br-handler")
    def branch(self, l: int) -> bool:
        """Leave the labels inside the l-th, and continue where that one says.

        Spec    exec/instructions.html#exec-br
        """
        labels = self.labels
        if l:
            del labels[-l:]
        n, height, todo, loop, _ = labels[-1]
        values = self.values
        if len(values) - n != height:
            if n:
                values[height:] = values[-n:]
            else:
                del values[height:]
        if loop is None:
            labels.pop()
            self.todo = todo
        else:
            self.todo = iter(loop.steps)
        return True

    @claims("Step_read/call_ref-func")
    def call(self, f: FuncInst | HostFunc) -> bool:
        """Enter a function with the arguments that lie on the stack.

        Fails   Exhaustion  "call stack exhausted"
        Spec    exec/instructions.html#exec-invoke
        """
        code = f.prepared
        if code is None:
            if isinstance(f, HostFunc):
                return self.call_host(f)
            code = prepare(f)
        values, frames, labels = self.values, self.frames, self.labels
        n = code.params
        height = len(values) - n
        if len(frames) > self.max_frames or height > VALUES or (code.many_locals and self.is_crowded(code)):
            raise Exhaustion("call stack exhausted")
        if n:
            self.locals = locals = values[height:]
            del values[height:]
            locals += code.zeros
        else:
            self.locals = locals = [*code.zeros]
        self.module = module = f.module  # type: ignore[union-attr]
        frames.append((locals, module, f, code.arity, len(labels), height, self.todo))  # type: ignore[arg-type]
        labels.append((code.arity, height, LEAVE, None, None))
        self.todo = iter(code.steps)
        return True

    def is_crowded(self, code: Code) -> bool:
        """Whether there are too many locals to enter a function with many. They are counted only when that can be."""
        if self.entered > VALUES:
            self.entered = self.count_locals()
        crowded = self.entered > VALUES
        self.entered += code.params + len(code.zeros)
        return crowded

    def count_locals(self) -> int:
        """The locals in all frames."""
        return sum(len(frame[0]) for frame in self.frames)

    def call_host(self, f: HostFunc) -> bool:
        """Call a function of the host; what it raises passes through, except that a guest's exception may be caught by the guest.

        Fails   TypeError when it gives another number of results than its type says
        Spec    exec/instructions.html#host-functions
        """
        ft = functype(f.type)
        values = self.values
        height = len(values) - len(ft.params)
        arguments = values[height:]
        del values[height:]
        try:
            results = f.code(arguments)
        except WasmException as error:
            if self.store.stop:
                raise Interrupted("interrupted") from None  # a guest that was stopped catches nothing
            if self.is_caught(error.exn or ExnInst(error.tag, tuple(error.values))):
                return True
            raise
        except MemoryError as error:
            self.lent = error
            raise
        if len(results) != len(ft.results):
            raise TypeError(f"host function {f.name or f.code!r} gave {len(results)} results, its type says {len(ft.results)}")
        values.extend(results)
        return True

    def leave(self) -> bool:
        """Drop the frame and its labels; the results, on top of the stack, are the caller's.

        Spec    exec/instructions.html#exec-return
        """
        frames, values = self.frames, self.values
        _, _, _, n, base, height, self.todo = frames.pop()
        del self.labels[base:]
        if len(values) - n != height:
            if n:
                values[height:] = values[-n:]
            else:
                del values[height:]
        frame = frames[-1]
        self.locals = frame[0]
        self.module = frame[1]
        return True

    @claims("Step_read/return_call_ref-label", "Step_read/return_call_ref-handler", "Step_read/return_call_ref-frame-addr")
    def tail_call(self, f: FuncInst | HostFunc) -> bool:
        """Leave the frame and call a function in its place, with the arguments that lie on the stack.

        Spec    exec/instructions.html#exec-return_call_ref
        """
        frames = self.frames
        n = len(functype(f.type).params)
        locals, module, caller, _, base, height, todo = frames[-1]
        frames[-1] = locals, module, caller, n, base, height, todo
        self.leave()
        return self.call(f)

    # Exceptions

    def throw(self, exn: ExnInst) -> bool:
        """Go on at the handler that takes the exception.

        Fails   WasmException when there is none in this machine
        """
        if self.is_caught(exn):
            return True
        raise WasmException(exn.tag, exn.fields, exn)

    @claims("Step_read/throw_ref-instrs", "Step_read/throw_ref-label", "Step_read/throw_ref-frame")
    def is_caught(self, exn: ExnInst) -> bool:
        """Leave labels and frames up to the innermost handler that takes the exception. Without one all stays, for errors to tell of it.

        Spec    exec/instructions.html#exec-throw_ref
        """
        self.note("Step_read/throw_ref-instrs")
        labels, frames = self.labels, self.frames
        if self.store.observer is None and not any(label[4] is not None for label in labels):
            return False
        thrown_at = labels[:], frames[:], self.todo
        while True:
            base = frames[-1][4]
            while len(labels) > base:
                handler = labels[-1][4]
                if handler is None:
                    self.note("Step_read/throw_ref-label")
                elif handler.catch(self, exn):
                    return True
                labels.pop()
            if len(frames) == 1:
                labels[:], frames[:], self.todo = thrown_at
                return False
            self.note("Step_read/throw_ref-frame")
            _, _, _, _, _, height, self.todo = frames.pop()
            del self.values[height:]
            self.locals, self.module = frames[-1][:2]

    @claims("Step_pure/trap-instrs", "Step_pure/trap-label", "Step_pure/trap-handler", "Step_pure/trap-frame")
    def trap(self) -> None:
        """Let the observer see how a trap passes through all that surrounds it; nothing else is left to do.

        Unobserved, Python's own unwinding states these rules: the error leaves the loop, and the stacks with it.

        Spec    exec/instructions.html#exec-trap
        """
        self.note("Step_pure/trap-instrs")
        while self.frames:
            base = self.frames[-1][4]
            while len(self.labels) > base:
                self.note("Step_pure/trap-label")
                if self.labels.pop()[4] is not None:
                    self.note("Step_pure/trap-handler")
            if self.frames.pop()[2] is not None:
                self.note("Step_pure/trap-frame")


# Entry points


def invoke(store: Store, func: FuncInst | HostFunc, args: Sequence[Value]) -> list[Value]:
    """Call a function from the host, with as many arguments as its type says.

    Spec    exec/modules.html#invocation
    """
    z = Machine(store)
    z.values.extend(args)
    return z.run(func)


def evaluate(store: Store, module: ModuleInst, instrs: Instrs) -> Any:
    """The value of a constant expression.

    Spec    exec/modules.html#evaluation
    """
    z = Machine(store, module)
    z.todo = iter(steps(instrs, module.types, halt))
    return z.run()[-1]
