"""A configuration as the specification writes it, read off the machine at work: values, then what is left to do, label inside label.

    … frame_1{locals (i32.const 3)} label_1{} (i32.const 3) (i32.const 1) i32.sub call 0 … end end

Long parts are cut: what is far from the next step is an ellipsis.

Spec    exec/runtime.html#administrative-instructions, exec/runtime.html#configurations
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pywasm_ref.execution.backtrace import linear_index, name, path
from pywasm_ref.execution.code import Steps
from pywasm_ref.execution.instructions.exceptions import TryTable
from pywasm_ref.execution.metered import syntax
from pywasm_ref.execution.runtime import I31, ArrayInst, ExnInst, ExternRef, FuncInst, HostFunc, HostRef, ModuleInst, StructInst, Value
from pywasm_ref.features import ALL
from pywasm_ref.syntax.instructions import Instr
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, DefType, RefType, ValType
from pywasm_ref.text.printer_instructions import SPELLERS, STRUCTURED, Printer
from pywasm_ref.text.printer_names import Spaces
from pywasm_ref.text.printer_types import heaptype
from pywasm_ref.text.printer_values import f32, f64, i32, i64, v128
from pywasm_ref.validation import operand_types
from pywasm_ref.validation.types import functype, kind

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Frame, Label, Machine

MOST_VALUES = 6
MOST_INSTRS = 3
MOST_LABELS = 4
MOST_FRAMES = 2

NUMBERS = {I32: i32, I64: i64, F32: f32, F64: f64, V128: v128}
REFERENCES: dict[type, str] = {StructInst: "ref.struct", ArrayInst: "ref.array", ExnInst: "ref.exn"}


class Notation:
    """Writes configurations; remembers what it found out about modules and functions."""

    def __init__(self) -> None:
        self._printers: dict[ModuleInst, Printer] = {}
        self._operands: dict[FuncInst, list[tuple[ValType, ...]]] = {}

    # Parts

    def instr(self, i: Instr, module: ModuleInst) -> str:
        """One instruction; of a structured one the head, its body being an ellipsis."""
        speller = SPELLERS[i.op]
        text = speller.keyword + speller.immediates(self.printer(module), i)
        return f"{text} … end" if i.op in STRUCTURED else text

    def printer(self, module: ModuleInst) -> Printer:
        """What spells the indices of a module."""
        printer = self._printers.get(module)
        if printer is None:
            printer = self._printers[module] = Printer(Spaces(module.module))
        return printer

    def value(self, value: Value, type: ValType | None, module: ModuleInst) -> str:
        """A value as the instruction that makes it; a number of unknown type as it is."""
        if value is None:
            return f"(ref.null{self.null(type, module)})"
        if type in NUMBERS:
            return f"({type!r}.const {NUMBERS[type](value)})"
        return f"(const {value})" if isinstance(value, int) else f"({self.reference(value)})"

    def null(self, type: ValType | None, module: ModuleInst) -> str:
        """The heap type of a null, a defined type by its index in the module."""
        heap = type.heap if isinstance(type, RefType) else None
        if isinstance(heap, DefType):
            heap = next((x for x, deftype in enumerate(module.types) if deftype is heap), kind(heap))
        return "" if heap is None else f" {heaptype(self.printer(module).spaces, heap)}"

    def reference(self, ref: Any) -> str:
        """A reference that is not null; an object has no address, so its kind must do."""
        match ref:
            case FuncInst():
                return f"ref.func {name(ref)}"
            case HostFunc():
                return f"ref.func {ref.name or 'host'}"
            case I31(value=value):
                return f"ref.i31 {value}"
            case HostRef(value=value):
                return f"ref.host {value!r}"
            case ExternRef(ref=inner):
                return f"ref.extern ({self.reference(inner)})"
        return REFERENCES[type(ref)]

    def values(self, values: Sequence[Value], types: Sequence[ValType], module: ModuleInst) -> Iterator[str]:
        """Values of these types; of many the last ones, which are the top of the stack."""
        if len(values) > MOST_VALUES:
            yield "…"
        start = max(0, len(values) - MOST_VALUES)
        for k in range(start, len(values)):
            yield self.value(values[k], types[k] if k < len(types) else None, module)

    def rest(self, steps: Steps, last: int, module: ModuleInst) -> Iterator[str]:
        """The instructions of a sequence after the one that was taken last."""
        instrs = [i for i in (syntax(ready) for _, ready in steps[last + 1 : last + MOST_INSTRS + 2]) if i is not None]
        yield from (self.instr(i, module) for i in instrs[:MOST_INSTRS])
        if len(instrs) > MOST_INSTRS:
            yield "…"

    # Configurations

    def configuration(self, z: Machine, instr: Instr | None = None) -> str:
        """The whole state; `instr` is the instruction that is about to be reduced, where there is one in hand."""
        frames = list(islice(reversed(list(enumerate(z.frames))), MOST_FRAMES))
        parts = ["…"] if len(frames) < len(z.frames) else []
        ends: list[str] = []
        for k, frame in reversed(frames):
            above = z.frames[k + 1] if k + 1 < len(z.frames) else None
            opening, closing = self.frame(z, frame, above, instr)
            parts += opening
            ends[:0] = closing
        return " ".join(parts + ends)

    def sequence(self, z: Machine, instr: Instr | None = None) -> str:
        """The innermost sequence alone: the values of the label, the instruction in hand, and what comes next."""
        frame = z.frames[-1]
        start = z.labels[-1][1] if len(z.labels) > frame[4] else frame[5]
        types = self.types(z, frame, None, instr)[start - frame[5] :]
        after = [self.instr(instr, z.module)] if instr is not None else []
        inner = paths(z, frame, None)[-1:]
        rest = [text for steps, last in inner for text in self.rest(steps, last, z.module)]
        return " ".join([*self.values(z.values[start:], types, z.module), *after, *rest])

    def frame(self, z: Machine, frame: Frame, above: Frame | None, instr: Instr | None) -> tuple[list[str], list[str]]:
        """A frame up to the next one inside it, and what closes it."""
        locals, module, func, arity, base, height, _ = frame
        top = z.labels[base : above[4]] if above else z.labels[base:]
        end = above[5] if above else len(z.values)
        types = self.types(z, frame, above, instr)
        levels = paths(z, frame, above)
        opening = [] if func is None else [self.head(locals, func, arity)]
        closing = [] if func is None else ["end"]
        skipped = max(0, len(top) - MOST_LABELS)
        opening += ["…"] if skipped else []
        for k in range(skipped, len(top)):
            inner = top[k + 1][1] if k + 1 < len(top) else end
            opening += self.label(top[k], module)
            opening += self.values(z.values[top[k][1] : inner], types[top[k][1] - height :], module)
            innermost = above is None and k + 1 == len(top)
            if innermost and instr is not None:
                opening.append(self.instr(instr, module))
            rest = list(self.rest(*levels[k], module)) if k < len(levels) else []
            closing[:0] = [*rest, *(["end", "end"] if isinstance(top[k][4], TryTable) else ["end"])]
        if not top:
            opening += self.values(z.values[height:end], types, module)
        return opening, closing

    def head(self, locals: list[Value], func: FuncInst, arity: int) -> str:
        """A frame's arity and locals."""
        declared = [t for count, t in func.code.locals for t in [t] * min(count, MOST_VALUES)]
        types = [*functype(func.type).params, *declared]
        shown = [self.value(value, t, func.module) for value, t in zip(locals[:MOST_VALUES], types, strict=False)]
        more = ["…"] if len(locals) > MOST_VALUES else []
        return f"frame_{arity}{{{' '.join(['locals', *shown, *more]) if locals else ''}}}"

    def label(self, label: Label, module: ModuleInst) -> list[str]:
        """A label's arity and continuation, inside its handler if it has one."""
        arity, _, _, loop, handler = label
        again = "" if loop is None else self.instr(loop.instr, module)
        text = f"label_{arity}{{{again}}}"
        if isinstance(handler, TryTable):
            return [f"handler_{handler.arity}{{{'…' if handler.catches else ''}}}", text]
        return [text]

    def types(self, z: Machine, frame: Frame, above: Frame | None, instr: Instr | None) -> tuple[ValType, ...]:
        """What is known of the types of a frame's operands, from the validator."""
        func = frame[2]
        if func is None:
            return ()
        if len(z.labels) == frame[4]:
            return functype(func.type).results
        if func not in self._operands:
            self._operands[func] = operand_types(func.module.module, func.index, ALL)
        levels = paths(z, frame, above)
        if levels and instr is None and above is None:
            steps, last = levels[-1]
            levels[-1] = steps, last + 1
        try:
            return self._operands[func][linear_index(func.code.body.body, levels)]
        except LookupError:
            return ()


def paths(z: Machine, frame: Frame, above: Frame | None) -> list[tuple[Steps, int]]:
    """For each label of a frame its sequence, and the index of the instruction that was taken last."""
    base = frame[4]
    labels = z.labels[base + 1 : above[4]] if above else z.labels[base + 1 :]
    todos = [label[2] for label in labels] + [above[6] if above else z.todo]
    try:
        return path(todos)
    except LookupError:
        return []
