"""Running a script: one function for each command.

A command that fails never stops the script: its failure is recorded and the next command runs.

An error is the expected one when its message starts with the expected words, as in the reference interpreter; the same refusal with
other words is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Engine, Extern, Func, Global, Instance, Module, Store, Value
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Exhaustion, Invalid, Malformed, Trap, Unlinkable, WasmError, WasmException
from pywasm_ref.features import Features
from pywasm_ref.script import commands as cmd
from pywasm_ref.script import patterns, render
from pywasm_ref.script.parse import parse
from pywasm_ref.script.report import Failure, FileReport
from pywasm_ref.script.spectest import spectest
from pywasm_ref.source import Source, line_and_column
from pywasm_ref.syntax.types import DefType, FuncType, FuncTypeUse, GlobalType, ValType
from pywasm_ref.text.lexer import source_text
from pywasm_ref.text.modules import read_module_fields
from pywasm_ref.validation.types import functype

T = TypeVar("T")


class Mismatch(Exception):
    """A command did not do what the script says; the message is for a person."""


class Runner:
    """The state of a script: its store, and what its names stand for. None is the name of the latest one."""

    def __init__(self, engine: Engine, features: Features, limits: Limits | None = None) -> None:
        self.engine = engine
        self.features = features
        self.store: Store = functions.store_init(engine, limits or Limits())
        self.modules: dict[str | None, Module] = {}
        self.instances: dict[str | None, Instance] = {}
        self.registry: dict[str, Mapping[str, Extern]] = {"spectest": spectest(self.store, features)}

    def run(self, command: cmd.Command, script: Source | None = None) -> str | None:
        """Run one command; None when it passed, else what went wrong, and where in the script if that can be told."""
        try:
            RUN[type(command)](self, command)
        except Mismatch as mismatch:
            return str(mismatch)
        except WasmError as error:
            return f"{_kind(error)}: {error.message}{_place(command, error, script)}"
        except Exception as error:  # noqa: BLE001  a crash of the engine is a failed command, not the end of the script
            return f"crash: {type(error).__name__}: {error}"
        return None

    def says(self, error: WasmError, words: str) -> bool:
        """Whether an error is the one that the script has in mind: its message starts with these words."""
        return error.message.startswith(words)

    # Modules

    def define(self, name: str | None, definition: cmd.Definition) -> Module:
        """Read, validate and name a module."""
        module = self.read(definition)
        functions.module_validate(module)
        _bind("module", self.modules, name, module)
        return module

    def read(self, definition: cmd.Definition) -> Module:
        match definition:
            case cmd.Encoded(data):
                return functions.module_decode(self.engine, data, self.features)
            case cmd.Quoted(text):
                return functions.module_parse(self.engine, source_text(text), self.features)
            case cmd.Textual(tokens, i, _, name):
                tokens.i = i
                return self.engine.adopt(read_module_fields(tokens, self.features, name), self.features)

    def module(self, subject: cmd.Definition | cmd.ModuleName) -> Module:
        """The module that is named, or else one that is defined on the spot."""
        if isinstance(subject, cmd.ModuleName):
            return _lookup("module", self.modules, subject.name)
        return self.define(None, subject)

    def instantiate(self, module: Module) -> Instance:
        externs = [self.resolve(module_name, name) for module_name, name, _ in functions.module_imports(module)]
        return functions.module_instantiate(self.store, module, externs)

    def resolve(self, module: str, name: str) -> Extern:
        found = self.registry.get(module, {}).get(name)
        if found is None:
            raise Unlinkable(f'unknown import "{module}"."{name}"')
        return found

    # Actions

    def act(self, action: cmd.Action) -> tuple[Sequence[ValType], Sequence[Value]]:
        """The results of an action, and their types."""
        instance = _lookup("module instance", self.instances, action.instance)
        extern = instance.exports.get(action.name)
        if extern is None:
            raise Mismatch(f'undefined export "{action.name}"')
        t = self.store.extern_type(extern)
        match action, t:
            case cmd.Invoke(), FuncTypeUse(DefType() as deftype):
                return self.invoke(cast("Func", extern), functype(deftype), action)
            case cmd.Get(), GlobalType():
                return (t.type,), (functions.global_read(self.store, cast("Global", extern)),)
        raise Mismatch(f'export "{action.name}" is not a {"function" if isinstance(action, cmd.Invoke) else "global"}')

    def invoke(self, func: Func, t: FuncType, action: cmd.Invoke) -> tuple[Sequence[ValType], Sequence[Value]]:
        if len(t.params) != len(action.args):
            raise Mismatch("wrong number of arguments")
        if not all(functions.match_valtype(patterns.type_of(a), p) for a, p in zip(action.args, t.params, strict=True)):
            raise Mismatch("wrong type of argument")
        args = [patterns.value_of(self.store, arg) for arg in action.args]
        values = functions.func_invoke(self.store, func, args)
        if len(values) != len(t.results):
            raise Mismatch(f"the function has {len(t.results)} results by its type, and gave {len(values)}")
        return t.results, values


# Commands


def define_module(s: Runner, c: cmd.DefineModule) -> None:
    s.modules.pop(None, None)
    if c.instantiate:
        s.instances.pop(None, None)
    module = s.define(c.name, c.module)
    if c.instantiate:
        _bind("module instance", s.instances, c.name, s.instantiate(module))


def instantiate_module(s: Runner, c: cmd.InstantiateModule) -> None:
    s.instances.pop(None, None)
    _bind("module instance", s.instances, c.name, s.instantiate(s.module(c.module)))


def register(s: Runner, c: cmd.Register) -> None:
    s.registry[c.name] = _lookup("module instance", s.instances, c.instance).exports


def act(s: Runner, c: cmd.Act) -> None:
    s.act(c.action)


def assert_return(s: Runner, c: cmd.AssertReturn) -> None:
    types, values = s.act(c.action)
    if not patterns.all_match(s.store, types, values, c.results):
        raise Mismatch(f"expected {render.patterns(c.results)}, got {render.results(s.store, types, values)}")


def assert_trap(s: Runner, c: cmd.AssertTrap) -> None:
    if isinstance(c.subject, cmd.Invoke | cmd.Get):
        action = c.subject
        _expect(s, Trap, c.message, lambda: s.act(action))
    else:
        module = s.module(c.subject)
        _expect(s, (Trap, WasmException), c.message, lambda: s.instantiate(module))


def assert_exception(s: Runner, c: cmd.AssertException) -> None:
    _expect(s, WasmException, "", lambda: s.act(c.action))


def assert_exhaustion(s: Runner, c: cmd.AssertExhaustion) -> None:
    _expect(s, Exhaustion, c.message, lambda: s.act(c.action))


def assert_malformed(s: Runner, c: cmd.AssertMalformed) -> None:
    _expect(s, Malformed, c.message, lambda: s.read(c.module))


def assert_invalid(s: Runner, c: cmd.AssertInvalid) -> None:
    _expect(s, Invalid, c.message, lambda: functions.module_validate(s.read(c.module)))


def assert_unlinkable(s: Runner, c: cmd.AssertUnlinkable) -> None:
    module = s.module(c.module)
    _expect(s, Unlinkable, c.message, lambda: s.instantiate(module))


def unreadable(s: Runner, c: cmd.Unreadable) -> None:
    raise c.error


RUN: dict[type[cmd.Command], Callable[[Runner, Any], None]] = {
    cmd.DefineModule: define_module,
    cmd.InstantiateModule: instantiate_module,
    cmd.Register: register,
    cmd.Act: act,
    cmd.AssertReturn: assert_return,
    cmd.AssertTrap: assert_trap,
    cmd.AssertException: assert_exception,
    cmd.AssertExhaustion: assert_exhaustion,
    cmd.AssertMalformed: assert_malformed,
    cmd.AssertInvalid: assert_invalid,
    cmd.AssertUnlinkable: assert_unlinkable,
    cmd.Unreadable: unreadable,
}


# Scripts


def run_script(source: Source, runner: Runner) -> FileReport:
    """Run all commands of a script and count them."""
    report = FileReport(source.name)
    for command in parse(source):
        reason = runner.run(command, source)
        if reason is None:
            report.passed += command.forms
        else:
            report.failed += command.forms
            report.failures.append(Failure.at(source, command.at, reason))
    return report


def _expect(s: Runner, kinds: type[WasmError] | tuple[type[WasmError], ...], words: str, run: Callable[[], object]) -> None:
    """Run something that must fail in one of these ways, with a message that starts with these words."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    wanted = f"expected {_name(kinds[0])} {words!r}" if words else f"expected {_name(kinds[0])}"
    try:
        run()
    except kinds as error:
        if not s.says(error, words):
            raise Mismatch(f"{wanted}, got {error.message!r}") from error
    except WasmError as error:
        raise Mismatch(f"{wanted}, got {_kind(error)}: {error.message}") from error
    else:
        raise Mismatch(f"{wanted}, and nothing went wrong")


def _place(command: cmd.Command, error: WasmError, script: Source | None) -> str:
    """Where in the script a module that is written out in it goes wrong, or a command that cannot be read."""
    module = getattr(command, "module", None)
    here = isinstance(command, cmd.Unreadable) or (isinstance(module, cmd.Textual) and error.source is module.tokens.source)
    if not here or error.at is None or script is None or not isinstance(script.data, str):
        return ""
    line, column = line_and_column(script.data, command.at + error.at)
    return f" (at {line}:{column})"


def _kind(error: WasmError) -> str:
    return _name(type(error))


def _name(kind: type[WasmError]) -> str:
    return "exception" if kind is WasmException else kind.__name__.lower()


def _lookup(category: str, names: Mapping[str | None, T], name: str | None) -> T:
    try:
        return names[name]
    except KeyError:
        raise Mismatch(f"no {category} is defined" if name is None else f"unknown {category} ${name}") from None


def _bind(category: str, names: dict[str | None, T], name: str | None, thing: T) -> None:
    """Make something the latest of its category, and give it its name, which nothing else may have."""
    if name is not None and name in names:
        raise Mismatch(f"{category} ${name} is already defined")
    names[name] = names[None] = thing
