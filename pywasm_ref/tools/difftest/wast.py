"""A find as a script: its story on top, the module, and what the first engine says about each call."""

from __future__ import annotations

from collections.abc import Sequence

from pywasm_ref import binary, text
from pywasm_ref.errors import WasmError
from pywasm_ref.script import render
from pywasm_ref.syntax.modules import Module
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, FuncTypeUse, RefType, ValType
from pywasm_ref.tools.difftest.hosting import host_module
from pywasm_ref.tools.difftest.jobs import Answer, Argument, Call, Job, Outcome

NUMBERS: dict[str, ValType] = {"i32": I32, "i64": I64, "f32": F32, "f64": F64, "v128": V128}
QUOTABLE = frozenset(range(32, 127)) - frozenset(b'"\\')
PATTERNS = ("func", "i31", "struct", "array", "exn")


def script(job: Job, answer: Answer, story: Sequence[str]) -> str:
    """The text of a `.wast` that fails on the engine that is wrong, if the difference shows in a call or at the start."""
    lines = [f";; {line}" for line in story]
    if job.text is not None:
        return "\n".join([*lines, _quote(job.text, answer.start), ""])
    try:
        module = binary.decode(job.data, job.features)
    except WasmError:
        return "\n".join([*lines, _refused(job, answer.start), ""])
    if answer.start.kind in ("malformed", "invalid"):
        return "\n".join([*lines, _refused(job, answer.start), ""])
    host = host_module(module)
    if host is not None:
        lines += [text.print_module(host).rstrip(), '(register "host")']
    lines.append(text.print_module(module).rstrip())
    lines += [_assertion(module, call, outcome) for call, outcome in zip(job.calls, answer.calls, strict=False)]
    return "\n".join([*lines, ""])


def _refused(job: Job, start: Outcome) -> str:
    data = "".join(f"\\{byte:02x}" for byte in job.data)
    kind = start.kind if start.kind in ("malformed", "invalid") else ""
    return f'(assert_{kind} (module binary "{data}") "{_quoted(start.words)}")' if kind else f'(module binary "{data}")'


def _quote(source: str, start: Outcome) -> str:
    """A text in quotes, and whether the first engine takes it."""
    data = "".join(chr(byte) if byte in QUOTABLE else f"\\{byte:02x}" for byte in source.encode())
    module = f'(module quote "{data}")'
    return f'(assert_malformed {module} "{_quoted(start.words)}")' if start.kind == "malformed" else module


def _quoted(words: str) -> str:
    return words.split(" (", maxsplit=1)[0].replace("\\", "\\\\").replace('"', '\\"')


def _assertion(module: Module, call: Call, outcome: Outcome) -> str:
    invoke = f'(invoke "{call.name}"{"".join(" " + argument(t, arg) for t, arg in zip(_params(module, call), call.args, strict=True))})'
    if outcome.kind == "returned":
        return f"(assert_return {invoke}{''.join(' ' + pattern(value) for value in outcome.values)})"
    if outcome.kind == "trap":
        return f'(assert_trap {invoke} "{outcome.words}")'
    if outcome.kind == "exception":
        return f"(assert_exception {invoke})"
    return invoke


def _params(module: Module, call: Call) -> Sequence[ValType]:
    types = [sub.comp for group in module.types for sub in group.subtypes]
    imported = [entry.type.type for entry in module.imports if isinstance(entry.type, FuncTypeUse)]
    funcs = [*imported, *(func.type for func in module.funcs)]
    x = next((entry.index for entry in module.exports if entry.name == call.name), 0)
    comp = types[funcs[x]]  # type: ignore[index]
    return getattr(comp, "params", ())


def argument(t: ValType, arg: Argument) -> str:
    if isinstance(t, RefType):
        return f"(ref.{arg})" if isinstance(arg, str) else f"(ref.null {getattr(t.heap, 'value', t.heap)})"
    return f"({t.value}.const {render.number(t, arg if isinstance(arg, int) else 0)})"


def pattern(value: str) -> str:
    """What an answer says of a value, as a script can say it."""
    prefix, _, bits = value.partition(":")
    if prefix in NUMBERS:
        return f"({prefix}.const {render.number(NUMBERS[prefix], int(bits, 16))})"
    if value == "null":
        return "(ref.null)"
    name = value.replace("(", " ").replace(":", " ").split()[0]
    if name == "extern" and value.removeprefix("extern ").isdigit():
        return f"(ref.{value})"
    return f"(ref.{name})" if name in PATTERNS else "(ref.extern)" if name == "extern" else "(ref.any)"
