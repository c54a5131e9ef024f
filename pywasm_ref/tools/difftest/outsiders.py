"""Engines that know nothing of our protocols: pywasm3, pywasm, V8 through Node, and anything with a command line.

They are asked for what they can tell: whether a module is refused, what calls give, and that they trap.
"""

from __future__ import annotations

import importlib
import json
import shlex
import shutil
import struct
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pywasm_ref.embedding.engine import Module
from pywasm_ref.syntax.types import F32, F64, I32, I64, DefType, ExternType, FuncType, FuncTypeUse, GlobalType, MemType, TableType, ValType
from pywasm_ref.tools.difftest import programs
from pywasm_ref.tools.difftest.generate.operands import WIDTHS
from pywasm_ref.tools.difftest.jobs import Answer, Call, Job, Outcome
from pywasm_ref.tools.difftest.observe import GLOBAL, host_number
from pywasm_ref.tools.difftest.outline import outline
from pywasm_ref.validation.types import functype


def required(name: str) -> Any:
    """A package, or how to get it.

    Fails   ImportError
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = {"wasm3": "pywasm3"}.get(name, name)
        raise ImportError(f"the engine {package} is not installed: pip install {package}", name=name) from error


def types_of(module: Module) -> dict[str, FuncType]:
    """The functions that are exported."""
    return {
        name: functype(t.type) for name, t in module.exports if isinstance(t, FuncTypeUse) and isinstance(t.type, DefType)
    }  # a closed type, as all that the door tells


def signed(t: ValType, bits: int) -> int:
    width = WIDTHS[t]
    return bits - (1 << width) if bits >> width - 1 else bits


def to_number(t: ValType, bits: int) -> int | float:
    """Bits as Python's numbers; a NaN may lose its own."""
    if t is F32:
        return float(struct.unpack("<f", struct.pack("<I", bits))[0])
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0]) if t is F64 else signed(t, bits)


def from_number(t: ValType, number: Any) -> str:
    """The same as answers have it."""
    if t in (F32, F64):
        if number != number:  # noqa: PLR0124  only a NaN differs from itself
            bits = 0x7FC0_0000 if t is F32 else 0x7FF8 << 48
        else:
            data = struct.pack("<f" if t is F32 else "<d", number)
            bits = int.from_bytes(data, "little")
    else:
        bits = int(number) % (1 << WIDTHS[t])
    return f"{getattr(t, 'value', t)}:{bits:#x}"


class Outsider:
    """What Python packages have in common: load, call, and tell what went wrong by the class of an exception."""

    def __init__(self, _: str) -> None:
        self.heard: list[str] = []

    def run(self, job: Job) -> Answer:
        self.heard = []
        if not job.instantiate or job.text is not None:
            raise NotImplementedError("it does not validate alone, nor read texts")
        module = outline(job.data, job.features)
        try:
            instance = self.instantiate(job, module)
        except NotImplementedError:
            raise
        except self.errors() as error:
            return Answer(self.refusal(error), host=self.heard)
        types = types_of(module)
        outcomes = [self.attempt(instance, call, types[call.name]) for call in job.calls]
        return Answer(Outcome("returned"), outcomes, self.heard)

    def attempt(self, instance: Any, call: Call, t: FuncType) -> Outcome:
        args = [to_number(p, arg if isinstance(arg, int) else 0) for p, arg in zip(t.params, call.args, strict=True)]
        try:
            values = self.invoke(instance, call.name, args, t)
        except self.errors() as error:
            return self.failure(error)
        return Outcome("returned", "", tuple(from_number(r, v) for r, v in zip(t.results, values, strict=True)))

    def host(self, name: str, t: FuncType) -> Callable[..., Any]:
        """A function that notes its calls and gives what every host of the lab gives."""

        def called(*args: Any) -> Any:
            n = len(self.heard)
            words = [from_number(p, arg) for p, arg in zip(t.params, args, strict=True)]
            self.heard.append(f"{name}({', '.join(words)})")
            given = [to_number(r, host_number(r, n)) for r in t.results]
            return given[0] if len(given) == 1 else given or None

        return called

    def instantiate(self, job: Job, module: Module) -> Any:
        raise NotImplementedError

    def invoke(self, instance: Any, name: str, args: Sequence[Any], t: FuncType) -> Sequence[Any]:
        raise NotImplementedError

    def errors(self) -> tuple[type[Exception], ...]:
        """What the package raises when WebAssembly refuses. Most of them raise whatever comes."""
        return (Exception,)

    def refusal(self, error: Exception) -> Outcome:
        """A module that we find valid and that does not start: for all that these packages tell, it trapped."""
        return Outcome("trap", str(error)[:200])

    def failure(self, error: Exception) -> Outcome:
        return Outcome("trap", str(error)[:200])


class Pywasm3(Outsider):
    """wasm3 through its package."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.wasm3 = required("wasm3")

    def instantiate(self, job: Job, module: Module) -> Any:
        if not all(isinstance(t, FuncTypeUse) for _, _, t in module.imports):
            raise NotImplementedError("imports that are no functions")
        environment = self.wasm3.Environment()
        runtime = environment.new_runtime(1 << 16)
        loaded = environment.parse_module(job.data)
        runtime.load(loaded)
        for place, name, t in module.imports:
            if isinstance(t, FuncTypeUse) and isinstance(t.type, DefType):
                ft = functype(t.type)
                letters: dict[ValType, str] = {I32: "i", I64: "I", F32: "f", F64: "F"}
                sides = ["".join(letters[u] for u in side) for side in (ft.results, ft.params)]
                loaded.link_function(place, name, f"{sides[0] or 'v'}({sides[1]})", self.host(name, ft))
        return environment, runtime

    def invoke(self, instance: Any, name: str, args: Sequence[Any], t: FuncType) -> Sequence[Any]:
        found = instance[1].find_function(name)(*args)
        return found if isinstance(found, tuple) else () if not t.results else (found,)

    def failure(self, error: Exception) -> Outcome:
        return Outcome("exhaustion" if "stack overflow" in str(error) else "trap", str(error)[:200])


class Pywasm(Outsider):
    """The interpreter in Python of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.pywasm = required("pywasm")

    def instantiate(self, job: Job, module: Module) -> Any:
        runtime = self.pywasm.core.Runtime()
        imports: dict[str, dict[str, Any]] = {}
        for place, name, t in module.imports:
            imports.setdefault(place, {})[name] = self._extern(runtime, name, t)
        runtime.imports = imports
        return runtime, runtime.instance_from_file(self._file(job.data))

    def _file(self, data: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".wasm", delete=False) as file:
            file.write(data)
        return file.name

    def _extern(self, runtime: Any, name: str, t: ExternType) -> Any:
        core = self.pywasm.core
        kinds: dict[ValType, Any] = {I32: core.ValType.i32, I64: core.ValType.i64, F32: core.ValType.f32, F64: core.ValType.f64}
        match t:
            case FuncTypeUse(DefType() as deftype):
                ft = functype(deftype)
                own = core.FuncType([kinds[u]() for u in ft.params], [kinds[u]() for u in ft.results])
                host = self.host(name, ft)
                return runtime.allocate_func_host(own, lambda _, args: _listed(host(*args)))
            case GlobalType():
                make = getattr(core.ValInst, f"from_{getattr(t.type, 'value', '')}")
                value = make(to_number(t.type, host_number(t.type, GLOBAL)))
                return runtime.allocate_global(core.GlobalType(kinds[t.type](), int(t.mut)), value)
            case MemType():
                return runtime.allocate_memory(core.MemType(core.Limits(t.limits.min, t.limits.max or 0)))
            case TableType():
                return runtime.allocate_table(core.TableType(core.ValType.ref_func(), core.Limits(t.limits.min, t.limits.max or 0)))
        raise NotImplementedError(f"importing {t!r}")

    def invoke(self, instance: Any, name: str, args: Sequence[Any], t: FuncType) -> Sequence[Any]:
        runtime, module = instance
        runtime.machine.stack = self.pywasm.core.Stack()  # a call that trapped leaves its frames there, and later calls fail over them
        found: Sequence[Any] = runtime.invocate(module, name, list(args))
        return found

    def failure(self, error: Exception) -> Outcome:
        if isinstance(error, RecursionError):
            return Outcome("exhaustion")
        return Outcome("trap", f"{type(error).__name__}: {error}"[:200])


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


class Node:
    """V8, in a process of Node that does one job."""

    SCRIPT = Path(__file__).with_name("node.js")

    def __init__(self, name: str) -> None:
        self.command = name.partition(":")[2] or "node"
        if shutil.which(self.command) is None:
            raise ImportError(f"the engine {self.command} is not installed: npm install node", name="node")

    def run(self, job: Job) -> Answer:
        if job.text is not None:
            raise NotImplementedError("texts")
        plain = job.plain()
        if job.instantiate:
            plain["types"] = {name: _letters(t) for name, t in types_of(outline(job.data, job.features)).items()}
            plain["imports"] = [[place, name, _described(t)] for place, name, t in outline(job.data, job.features).imports]
        command = [self.command, "--stack-size=4000", str(self.SCRIPT)]
        done = programs.run(command, json.dumps(plain))
        if failure := done.failure():
            return Answer(failure)
        if done.status or not done.out:
            return Answer(Outcome("crash", f"status {done.status} {done.err[:200]}"))
        return Answer.of(json.loads(done.out))


def _letters(t: FuncType) -> list[list[str]]:
    return [[str(getattr(u, "value", "ref")) for u in side] for side in (t.params, t.results)]


def _described(t: ExternType) -> dict[str, Any]:
    match t:
        case FuncTypeUse(DefType() as deftype):
            return {"kind": "func", "type": _letters(functype(deftype))}
        case GlobalType():
            return {"kind": "global", "type": getattr(t.type, "value", "ref"), "mutable": t.mut}
        case MemType():
            return {"kind": "memory", "min": t.limits.min, "max": t.limits.max, "wide": t.addr is I64}
        case TableType():
            return {"kind": "table", "min": t.limits.min, "max": t.limits.max}
    return {"kind": "tag"}


FIELDS = ("file", "name", "args")
"""What a command has a place for: nothing can be asked of one that does not get all three."""


class Command:
    """Any engine with a command line: a template with `{file}`, `{name}` and `{args}`, which prints the results in decimal, one a line."""

    def __init__(self, name: str) -> None:
        try:
            self.template = shlex.split(name.partition(":")[2])
            self._line("module.wasm", "f", ["1"])
        except (ValueError, LookupError) as error:
            raise ValueError(f"the command {name!r} cannot be filled in, {error}; there are {{file}}, {{name}} and {{args}}") from None
        if missing := [f"{{{field}}}" for field in FIELDS if f"{{{field}" not in name]:
            words = f"the command {name!r} has no {', no '.join(missing)}"
            raise ValueError(f"{words}; it is to be such as cmd:engine {{file}} --invoke {{name}} {{args}}")
        if shutil.which(self.template[0]) is None:
            raise ImportError(f"there is no program {self.template[0]!r}", name="cmd")

    def _line(self, file: str, name: str, args: list[str]) -> list[str]:
        """The command. Arguments are words of their own where `{args}` is one."""
        line: list[str] = []
        for part in self.template:
            line += args if part == "{args}" else [part.format(file=file, name=name, args=" ".join(args))]
        return line

    def run(self, job: Job) -> Answer:
        if not job.instantiate:
            raise NotImplementedError("validation alone, on a command line")
        module = outline(job.data, job.features)
        if module.imports:
            raise NotImplementedError("imports, on a command line")
        types = types_of(module)
        with tempfile.NamedTemporaryFile(suffix=".wasm") as file:
            file.write(job.data)
            file.flush()
            outcomes = [self._call(file.name, call, types[call.name]) for call in job.calls]
        return Answer(Outcome("returned"), outcomes)

    def _call(self, file: str, call: Call, t: FuncType) -> Outcome:
        """One run of the program, which makes its own instance."""
        args = [str(to_number(p, arg if isinstance(arg, int) else 0)) for p, arg in zip(t.params, call.args, strict=True)]
        done = programs.run(self._line(file, call.name, args))
        if failure := done.failure():
            return failure
        if done.status:
            return Outcome("trap", done.err[:200])
        words = done.out.split()[-len(t.results) :] if t.results else []
        try:
            values = tuple(from_number(r, float(word) if r in (F32, F64) else int(word)) for r, word in zip(t.results, words, strict=True))
        except ValueError:
            return Outcome("crash", f"{len(t.results)} results are wanted, it prints {done.out[:40]!r}")
        return Outcome("returned", "", values)
