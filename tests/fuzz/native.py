"""The native engine as a target: what it does with hostile bytes, and that it does what the reference engine does.

A guest that runs too long is stopped by another thread, so that no input needs fuel. What was stopped early is not compared.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pywasm_ref as wasm
from pywasm_ref.embedding import functions, selection
from pywasm_ref.embedding.engine import Extern, Func, Store, Value
from pywasm_ref.errors import Exhaustion, WasmError, WasmException
from pywasm_ref.features import ALL
from pywasm_ref.source import Source
from pywasm_ref.syntax.types import (
    F32,
    F64,
    I32,
    I64,
    V128,
    DefType,
    ExternType,
    FuncTypeUse,
    GlobalType,
    MemType,
    RefType,
    TableType,
    TagType,
    ValType,
)
from pywasm_ref.validation.types import functype

SECONDS = 0.25  # that a guest may run
FUEL = 30_000  # of the reference engine
NUMBERS = (0, 1, 2, 7, 63, 255, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
STOPPED = "stopped"
BITS = {I32: 32, F32: 32, I64: 64, F64: 64, V128: 128}


class Disagreement(Exception):
    """The engines do not say the same about an input; it is no `WasmError`, so nothing swallows it."""


# Reading


def read(data: bytes) -> None:
    """Decode, validate and lower."""
    verdict("fast", data)


def verdict(engine: str, data: bytes) -> str:
    """What is wrong with a module, in the words of an engine. What the native engine does not do yet, it says."""
    try:
        selection.engine(engine).decode(Source("<fuzz>", data), ALL).validate()
    except WasmError as error:
        return f"{type(error).__name__}: {error}"
    except NotImplementedError:
        return "not implemented"
    return "valid"


def agree(data: bytes) -> None:
    """Both engines say the same about the bytes, to the word."""
    native = verdict("fast", data)
    if native != "not implemented":
        compare(native, verdict("reference", data))


def compare(native: object, reference: object) -> None:
    if native != reference:
        raise Disagreement(f"fast: {native}\nreference: {reference}")


# Running


def run(data: bytes) -> None:
    """Instantiate with stand-ins for the imports and call every export, on the native engine."""
    outcomes("fast", data, wasm.Limits(memory_pages=64, table_entries=10_000, call_depth=300))


def agree_run(data: bytes) -> None:
    """The same on both engines: the outcomes are equal, up to where one of them was stopped."""
    native = outcomes("fast", data, wasm.Limits(memory_pages=64, table_entries=10_000))
    if native in (["not implemented"], ["invalid"]):
        return
    reference = outcomes("reference", data, wasm.Limits(memory_pages=64, table_entries=10_000, fuel=FUEL))
    n = min(found.index(STOPPED) if STOPPED in found else len(found) for found in (native, reference))
    compare(native[:n], reference[:n])


def outcomes(name: str, data: bytes, limits: wasm.Limits) -> list[str]:
    """What became of instantiating, and of each call."""
    engine = selection.engine(name)
    store = functions.store_init(engine, limits)
    with contextlib.ExitStack() as stack:
        if name == "fast":
            stack.enter_context(stopped_in_time(store))
        try:
            module = functions.module_decode(engine, Source("<fuzz>", data), ALL)
            externs = [stand_in(store, type) for _, _, type in functions.module_imports(module)]
            instance = functions.module_instantiate(store, module, externs)
        except (Exhaustion, WasmException, TypeError, wasm.Trap, wasm.Unlinkable) as error:
            return [outcome_of(error)]
        except WasmError:
            return ["invalid"]
        except NotImplementedError:
            return ["not implemented"]
        names = [name for name, type in functions.module_exports(module) if isinstance(type, FuncTypeUse)]
        exported = [cast(Func, functions.instance_export(instance, name)) for name in names]
        rng = random.Random(len(data))
        return [called(store, func, rng) for func in exported for _ in range(3)]


def called(store: Store, func: Func, rng: random.Random) -> str:
    """The outcome of a call with arguments at the edges; what wants a reference that is not null is left alone."""
    type = functype(functions.func_type(store, func))
    if any(isinstance(t, RefType) and not t.null for t in type.params):
        return "not called"
    try:
        results = functions.func_invoke(store, func, [argument(t, rng) for t in type.params])
    except (WasmError, TypeError) as error:
        return outcome_of(error)
    return " ".join(shown(t, value) for t, value in zip(type.results, results, strict=True))


def outcome_of(error: Exception) -> str:
    if isinstance(error, Exhaustion | wasm.Interrupted):
        return STOPPED
    return f"{type(error).__name__}: {error.message if isinstance(error, WasmError) else error}"


def argument(t: ValType, rng: random.Random) -> Value:
    if isinstance(t, RefType):
        return None
    return rng.choice(NUMBERS) * 0x1_0000_0000_0000_0001 % 2 ** BITS[t]


def shown(t: ValType, value: Any) -> str:
    """Of a reference only whether there is one; of a NaN only that it is one."""
    if isinstance(t, RefType):
        return "null" if value is None else "ref"
    exponent = 0x7F800000 if t is F32 else 0x7FF0000000000000 if t is F64 else 0
    if exponent and value & exponent == exponent and value & (exponent & -exponent) - 1:
        return "nan"
    return f"{value:x}"


def stand_in(store: Store, type: ExternType) -> Extern:
    """Something of the type that an import wants. TypeError where that is a reference that is not null."""
    match type:
        case FuncTypeUse(DefType() as deftype):
            return functions.func_alloc(store, deftype, lambda _: [functions.val_default(t) for t in functype(deftype).results])
        case TableType():
            return functions.table_alloc(store, type, None)
        case MemType():
            return functions.mem_alloc(store, type)
        case GlobalType():
            return functions.global_alloc(store, type, functions.val_default(type.type))
        case TagType():
            return functions.tag_alloc(store, type)
    raise TypeError(type)


@contextlib.contextmanager
def stopped_in_time(store: Store) -> Iterator[None]:
    """Another thread stops the guest at the end of its time."""
    timer = threading.Timer(SECONDS, store.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


NATIVE: dict[str, Callable[[bytes], None]] = {"read": read, "agree": agree, "run": run, "agree-run": agree_run}
"""Entry points that may crash, each for a process of its own."""
