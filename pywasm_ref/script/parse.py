"""Reading a script: each top-level form becomes a command, when the runner asks for it.

A form that cannot be read becomes a command that fails, so that the rest of the script still runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pywasm_ref.errors import Malformed
from pywasm_ref.script import commands as cmd
from pywasm_ref.script.forms import Form, split
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import F32, F64, I32, I64, V128, AbsHeapType, NumType
from pywasm_ref.text.lexer import Kind, Tokens, tokenize
from pywasm_ref.text.values import CONSTANTS, SHAPES

FIELDS = frozenset({"type", "rec", "import", "func", "table", "memory", "global", "tag", "export", "start", "elem", "data"})
"""A script that starts with one of these is the fields of a single module."""

NUMBERS: dict[str, NumType] = {"i32.const": I32, "i64.const": I64, "f32.const": F32, "f64.const": F64}
BITS: dict[NumType, int] = {I32: 32, I64: 64, F32: 32, F64: 64}
NANS = {nan.value: nan for nan in cmd.Nan}
REFERENCES = {
    "ref": AbsHeapType.ANY,
    "ref.any": AbsHeapType.ANY,
    "ref.eq": AbsHeapType.EQ,
    "ref.i31": AbsHeapType.I31,
    "ref.struct": AbsHeapType.STRUCT,
    "ref.array": AbsHeapType.ARRAY,
    "ref.func": AbsHeapType.FUNC,
    "ref.exn": AbsHeapType.EXN,
    "ref.extern": AbsHeapType.EXTERN,
}


def parse(source: Source) -> Iterator[cmd.Command]:
    """The commands of a script in order.

    Fails   Malformed "unclosed comment", when no command can be told from the rest
    """
    text = source.data if isinstance(source.data, str) else source.data.decode()
    forms = list(split(text))
    if forms and _starts_a_field(text, forms[0]):
        yield inline_module(text, forms)
    else:
        yield from (command(text[start:end], start) for start, end in forms)


def _starts_a_field(text: str, form: Form) -> bool:
    tokens = tokenize(text[slice(*form)])
    return tokens.accept("(") and tokens.text in FIELDS


def inline_module(text: str, forms: list[Form]) -> cmd.Command:
    """A script that is nothing but the fields of one module; it counts as many times as it has fields."""
    start, end = forms[0][0], forms[-1][1]
    definition = cmd.Textual(tokenize(text[start:end]), 0, start)
    return cmd.DefineModule(start, None, definition, True, forms=len(forms))


def command(text: str, at: int) -> cmd.Command:
    """The command that a form spells; `at` is where it stands in its script."""
    tokens = tokenize(text)
    try:
        tokens.expect("(")
        read = COMMANDS.get(tokens.text)
        if tokens.text in LEFT_OUT:
            raise tokens.error(f"unknown command {tokens.text}: {LEFT_OUT[tokens.text]}")
        if read is None:
            raise tokens.unexpected()
        tokens.i += 1
        done = read(tokens, at)
        tokens.expect(")")
        if tokens.kind is not Kind.END:
            raise tokens.unexpected()
    except Malformed as error:
        return cmd.Unreadable(at, error)
    return done


# Modules


def module_command(t: Tokens, at: int) -> cmd.Command:
    if t.accept("instance"):
        return instance(t, at)
    is_definition = t.accept("definition")
    name = t.identifier()
    return cmd.DefineModule(at, name, definition(t, at, name), not is_definition)


def instance(t: Tokens, at: int) -> cmd.InstantiateModule:
    """The rest of `(module instance $instance? $module?)`: one name alone is the module's."""
    first, second = t.identifier(), t.identifier()
    return cmd.InstantiateModule(at, first if second else None, cmd.ModuleName(second or first))


def definition(t: Tokens, at: int, name: str | None) -> cmd.Definition:
    """What a module consists of, after its name; the cursor ends on the closing parenthesis."""
    place = at + t.at
    if t.accept("binary"):
        return cmd.Encoded(t.strings(), place)
    if t.accept("quote"):
        return cmd.Quoted(t.strings(), place)
    fields = cmd.Textual(t, t.i, at, name)
    while t.text == "(":
        t.i = t.closing(t.i) + 1
    return fields


def nested_module(t: Tokens, at: int) -> cmd.Definition:
    """`(module …)` in an assertion; its name is of no use there."""
    if not t.enter("module"):
        raise t.unexpected()
    t.accept("definition")
    done = definition(t, at, t.identifier())
    t.expect(")")
    return done


def nested_instance(t: Tokens, at: int) -> cmd.Definition | cmd.ModuleName:
    """The same, or `(module instance …)`."""
    if not (t.opens("module") and t.texts[t.i + 2] == "instance"):
        return nested_module(t, at)
    t.i += 3
    done = instance(t, at).module
    t.expect(")")
    return done


# Actions


def action(t: Tokens) -> cmd.Action:
    """An action in parentheses."""
    t.expect("(")
    read = ACTIONS.get(t.text)
    if read is None:
        raise t.unexpected()
    t.i += 1
    done = read(t)
    t.expect(")")
    return done


def invoke(t: Tokens) -> cmd.Invoke:
    """The rest of `(invoke $instance? "name" literal*)`"""
    instance, name, args = t.identifier(), t.name(), []
    while t.text == "(":
        args.append(literal(t))
    return cmd.Invoke(instance, name, tuple(args))


def get(t: Tokens) -> cmd.Get:
    """The rest of `(get $instance? "name")`"""
    return cmd.Get(t.identifier(), t.name())


def act(t: Tokens, at: int) -> cmd.Command:
    """An action as a command of its own, from behind its parenthesis."""
    t.i -= 1
    return cmd.Act(at, ACTIONS[t.take()](t))


ACTIONS: dict[str, Callable[[Tokens], cmd.Action]] = {"invoke": invoke, "get": get}


# Literals and patterns


def literal(t: Tokens) -> cmd.Literal:
    """A pattern that is exactly one value."""
    i = t.i
    done = result(t)
    if not isinstance(done, cmd.Number | cmd.Null | cmd.Host | cmd.Extern):
        raise t.error("a pattern is no argument", t.starts[i])
    return done


def results(t: Tokens) -> tuple[cmd.Pattern, ...]:
    patterns = []
    while t.text == "(":
        patterns.append(result(t))
    return tuple(patterns)


def result(t: Tokens) -> cmd.Pattern:
    """A literal or a pattern in parentheses."""
    return either(t) if t.opens("either") else single(t)


def either(t: Tokens) -> cmd.Either:
    """`(either pattern*)`; alternatives in alternatives are alternatives, so they are read without recursion."""
    patterns, depth = [], 0
    while True:
        if t.enter("either"):
            depth += 1
        elif t.text == "(":
            patterns.append(single(t))
        else:
            t.expect(")")
            depth -= 1
        if depth == 0:
            return cmd.Either(tuple(patterns))


def single(t: Tokens) -> cmd.Pattern:
    """What is not made of other patterns."""
    t.expect("(")
    word = t.take()
    if word in NUMBERS:
        done = number(t, NUMBERS[word])
    elif word == "v128.const":
        done = vector(t)
    else:
        done = reference(t, word)
    t.expect(")")
    return done


def number(t: Tokens, numtype: NumType) -> cmd.Pattern:
    nan = NANS.get(t.text)
    if nan is None or numtype not in (F32, F64):
        return cmd.Number(numtype, t.number(CONSTANTS[numtype.value]))
    t.i += 1
    return cmd.Lanes(numtype, BITS[numtype], (nan,))


def vector(t: Tokens) -> cmd.Pattern:
    shape = t.take()
    if shape not in SHAPES:
        raise t.unexpected()
    count, width, read = SHAPES[shape]
    lanes: list[int | cmd.Nan] = []
    while t.text != ")":
        nan = NANS.get(t.text) if shape[0] == "f" else None
        if nan is None:
            lanes.append(t.number(read))
        else:
            t.i += 1
            lanes.append(nan)
    if len(lanes) != count:
        raise t.error("wrong number of lane literals")
    if any(isinstance(lane, cmd.Nan) for lane in lanes):
        return cmd.Lanes(V128, width, tuple(lanes))
    return cmd.Number(V128, sum(int(lane) << i * width for i, lane in enumerate(lanes) if isinstance(lane, int)))


def reference(t: Tokens, word: str) -> cmd.Pattern:
    if word == "ref.null":
        return null(t)
    if word == "ref.host":
        return cmd.Host(t.natural(32))
    if word == "ref.extern" and t.kind is Kind.NAT:
        return cmd.Extern(t.natural(32))
    if word not in REFERENCES:
        t.i -= 1
        raise t.unexpected()
    return cmd.RefOf(REFERENCES[word])


def null(t: Tokens) -> cmd.Null:
    """The rest of `(ref.null heaptype?)`; which type of a module an index means makes no difference to null."""
    if t.text == ")":
        return cmd.Null(None)
    if t.kind in (Kind.ID, Kind.NAT):
        t.i += 1
        return cmd.Null(None)
    heap = HEAPS.get(t.text)
    if heap is None:
        raise t.unexpected()
    t.i += 1
    return cmd.Null(heap)


HEAPS = {heap.value: heap for heap in AbsHeapType if heap is not AbsHeapType.BOT}


# Assertions


def register(t: Tokens, at: int) -> cmd.Command:
    return cmd.Register(at, t.name(), t.identifier())


def assert_return(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertReturn(at, action(t), results(t))


def assert_exception(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertException(at, action(t))


def assert_trap(t: Tokens, at: int) -> cmd.Command:
    subject = nested_instance(t, at) if t.opens("module") else action(t)
    return cmd.AssertTrap(at, subject, t.name())


def assert_exhaustion(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertExhaustion(at, action(t), t.name())


def assert_malformed(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertMalformed(at, nested_module(t, at), t.name())


def assert_invalid(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertInvalid(at, nested_module(t, at), t.name())


def assert_unlinkable(t: Tokens, at: int) -> cmd.Command:
    return cmd.AssertUnlinkable(at, nested_instance(t, at), t.name())


COMMANDS: dict[str, Callable[[Tokens, int], cmd.Command]] = {
    "module": module_command,
    "register": register,
    "invoke": act,
    "get": act,
    "assert_return": assert_return,
    "assert_trap": assert_trap,
    "assert_exception": assert_exception,
    "assert_exhaustion": assert_exhaustion,
    "assert_malformed": assert_malformed,
    "assert_malformed_custom": assert_malformed,
    "assert_invalid": assert_invalid,
    "assert_invalid_custom": assert_invalid,
    "assert_unlinkable": assert_unlinkable,
}
"""What reads the rest of a form, after its first word; the cursor ends on the closing parenthesis."""

LEFT_OUT = {
    **dict.fromkeys(("input", "output"), "a script reads and writes no files here"),
    "script": "name the modules and write the commands in a row",
    **dict.fromkeys(("thread", "wait"), "commands run one after another"),
}
"""Commands of the reference interpreter, and of the threads proposal, that are not here."""
