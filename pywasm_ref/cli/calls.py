"""Calling an export from the command line: `--invoke NAME ARGS…`, limits, and results in print."""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from pywasm_ref.cli.errors import Unusable, errors_in
from pywasm_ref.cli.inputs import engine_module_in, engine_named
from pywasm_ref.cli.options import chosen_features
from pywasm_ref.embedding import functions, words
from pywasm_ref.embedding.engine import Extern as EngineExtern
from pywasm_ref.embedding.engine import Func, Instance, Module, Store, Value
from pywasm_ref.embedding.limits import Limits
from pywasm_ref.errors import Exhaustion, Interrupted, Malformed, Unlinkable, WasmException
from pywasm_ref.script import render
from pywasm_ref.script.commands import Extern
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import I32, I64, V128, AbsHeapType, DefType, FuncTypeUse, RefType, ValType
from pywasm_ref.text.values import CONSTANTS, SHAPES, integer, is_integer, is_nat, is_number, natural, vector
from pywasm_ref.validation import types

DEFAULTS = Limits()
OPTIONS_OF = {
    "fuel exhausted": "--fuel",
    "call stack exhausted": "--call-depth",
    "out of memory: the heap": "--max-heap",
    "memory of": "--max-memory",
    "table of": "--max-table",
}
"""The options for limits, by how the messages begin that say that one was met."""

I31_BITS = 31
WITH_I31 = (AbsHeapType.ANY, AbsHeapType.EQ, AbsHeapType.I31)
INTEGERS: tuple[ValType, ...] = (I32, I64)


def add_invoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--invoke", nargs=argparse.REMAINDER, help="the name of an export to call, and its arguments; takes the rest of the command line"
    )


def invocation(options: argparse.Namespace) -> tuple[str, list[str]] | None:
    """What `--invoke` asks for, if it is there."""
    if options.invoke is None:
        return None
    if not options.invoke:
        raise Unusable("--invoke needs the name of an export")
    return options.invoke[0], options.invoke[1:]


def limits(options: argparse.Namespace) -> Limits:
    """The limits that were asked for, the rest as usual."""
    return Limits(
        fuel=options.fuel,
        memory_pages=DEFAULTS.memory_pages if options.max_memory is None else options.max_memory,
        table_entries=DEFAULTS.table_entries if options.max_table is None else options.max_table,
        call_depth=DEFAULTS.call_depth if options.call_depth is None else options.call_depth,
        heap=DEFAULTS.heap if options.max_heap is None else options.max_heap,
    )


def instantiated(options: argparse.Namespace, store: Store, source: Source) -> Instance:
    """The module of the command line as an instance; what it imports is nowhere to be had."""
    module = engine_module_in(source, store.engine, chosen_features(options))
    for module_name, name, t in functions.module_imports(module):
        wanted = f'"{words.name(module_name)}"."{words.name(name)}": {words.externtype(t)}'
        raise Unlinkable(f"unknown import {wanted} is needed, and nothing provides it")
    return instance_of(module, (), store, source)


def instance_of(module: Module, externs: Sequence[EngineExtern], store: Store, source: Source) -> Instance:
    with errors_in(source), exceptions_in(store, {}), options_named():
        return functions.module_instantiate(store, module, externs)


def store_for(options: argparse.Namespace) -> Store:
    return functions.store_init(engine_named(options.engine), limits(options))


@contextlib.contextmanager
def stopping_after(stop: Callable[[], None], seconds: float | None) -> Iterator[None]:
    """Stop the guest after a time."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Interrupted as error:
        error.message = f"after {seconds:g} s (--timeout)"
        raise
    finally:
        timer.cancel()


def call(store: Store, instance: Instance, source: Source, name: str, args: Sequence[str] = ()) -> list[str]:
    """Call an export; a line for each result."""
    func = instance.exports.get(name)
    t = store.extern_type(func) if func is not None else None
    if func is None or not isinstance(t, FuncTypeUse):
        raise Unusable(f"{'no export is called' if func is None else 'no function is'} {name!r}; {_functions(store, instance)}")
    functype = types.functype(cast(DefType, t.type))
    if len(args) != len(functype.params):
        wanted = f"{len(functype.params)} argument{'' if len(functype.params) == 1 else 's'}"
        late = next((arg for arg in args if arg.startswith("--")), None)
        hint = f"; options like {late} stand before --invoke" if late else ""
        raise Unusable(f"{name} takes {wanted}, {words.functype(functype)}; given {len(args)}{hint}")
    values = [argument(store, t, text) for t, text in zip(functype.params, args, strict=True)]
    with errors_in(source), exceptions_in(store, instance.exports), options_named():
        results = functions.func_invoke(store, cast("Func", func), values)
    return [render.value(store, t, v) for t, v in zip(functype.results, results, strict=True)]


@contextlib.contextmanager
def options_named() -> Iterator[None]:
    """Where a guest met a limit, the message names the option that sets it."""
    try:
        yield
    except Exhaustion as error:
        option = next((option for words, option in OPTIONS_OF.items() if error.message.startswith(words)), None)
        if option is not None and not error.message.endswith("than there is"):
            error.message += f" ({option})"
        raise


@contextlib.contextmanager
def exceptions_in(store: Store, exports: Mapping[str, object]) -> Iterator[None]:
    """An exception of the guest says what it carries, and the name of its tag where that is exported."""
    try:
        yield
    except WasmException as error:
        tag = store.tag_type(error.tag).type
        params = types.functype(cast(DefType, tag)).params
        name = next((f" {name!r}" for name, extern in exports.items() if extern is error.tag), "")
        carried = f": {render.results(store, params, error.values)}" if params else ""
        error.message = f"unhandled exception{name} {words.resulttype(params)}{carried}"
        raise


def _functions(store: Store, instance: Instance) -> str:
    names = [name for name, extern in instance.exports.items() if isinstance(store.extern_type(extern), FuncTypeUse)]
    return f"exported functions are {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else "no function is exported"


def argument(store: Store, t: ValType, text: str) -> Value:
    """A value from the command line, as its type asks for.

    Fails   Unusable
    """
    try:
        if isinstance(t, RefType):
            return _reference(store, t, text)
        return _vector(text) if t is V128 else CONSTANTS[str(t.value)](text)
    except Malformed as error:
        kind = "no number" if not is_number(text) else "no integer" if t in INTEGERS and not is_integer(text) else ""
        reason = error.message if isinstance(t, RefType) or t is V128 or not kind else kind
        raise Unusable(f"{text!r} does not stand for {words.valtype(t)}: {reason}") from error


def _vector(text: str) -> int:
    """`i32x4 1 2 3 4` in one argument, or a number of 128 bits."""
    shape, *lanes = text.split() or [""]
    if shape in SHAPES:
        return vector(shape, lanes)
    if not is_nat(text):
        raise Malformed(f"wanted is a shape and its lanes, as in 'i32x4 1 2 3 4'; shapes are {', '.join(SHAPES)}")
    return natural(text, 128)


def _reference(store: Store, t: RefType, text: str) -> Value:
    """`null`; a whole number where the type takes an i31; any number, which becomes an object of the host, where it takes those."""
    if text == "null" and t.null:
        return None
    null_or = "null or " if t.null else ""
    if t.heap in WITH_I31:
        if not is_integer(text):
            raise Malformed(f"only {null_or}a whole number can be given here")
        return store.i31_alloc(integer(text, I31_BITS))
    if t.heap is not AbsHeapType.EXTERN:
        raise Malformed(f"only {'null' if t.null else 'what a guest has made'} can be given here")
    if not is_nat(text):
        raise Malformed(f"only {null_or}a number can be given here")
    return store.host_alloc(Extern(natural(text, 32)))
