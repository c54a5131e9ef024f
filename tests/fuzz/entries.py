"""The entry points that hostile input reaches, each with what it may raise: the project's own errors, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pywasm_ref as wasm
from pywasm_ref import binary, text, validation
from pywasm_ref.errors import WasmError
from pywasm_ref.features import ALL
from pywasm_ref.syntax.types import V128, RefType, ValType

FUEL = 20_000
LIMITS = wasm.Limits(fuel=FUEL, memory_pages=64, table_entries=10_000, call_depth=300)


def decode(data: bytes) -> None:
    with contextlib.suppress(WasmError):
        binary.decode(data, ALL)


def parse(source: str) -> None:
    with contextlib.suppress(WasmError):
        text.parse(source, ALL)


def validate(data: bytes) -> None:
    with contextlib.suppress(WasmError):
        validation.validate(binary.decode(data, ALL), ALL)


def instantiate(data: bytes) -> wasm.Instance | None:
    """Start the module with stand-ins for whatever it imports; None where it is refused."""
    with contextlib.suppress(WasmError):
        module = wasm.Module(data, engine="reference", features=ALL)
        store = wasm.Store(module.engine, limits=LIMITS)
        return wasm.instantiate(module, {"env": {"log": lambda *_: None, "limit": 7}}, store=store)
    return None


def invoke(data: bytes) -> None:
    """Call each exported function with small and with extreme arguments."""
    instance = instantiate(data)
    if instance is None:
        return
    for name in list(instance.exports):
        function = instance.exports[name]
        if isinstance(function, wasm.Func):
            for number in (0, 1, -1, 2**31 - 1):
                call(function, number)


def call(function: wasm.Func, number: int) -> None:
    """Call with that number wherever one is wanted, and null elsewhere; where null is not allowed there is nothing to call with."""
    arguments = [argument(t, number) for t in function.type.params]
    if all(t.null for t in function.type.params if isinstance(t, RefType)):
        with contextlib.suppress(WasmError):
            function(*arguments)


def argument(t: ValType, number: int) -> object:
    if isinstance(t, RefType):
        return None
    return (number % 2**128).to_bytes(16, "little") if t is V128 else number


BINARY: dict[str, Callable[[bytes], Any]] = {"decode": decode, "validate": validate, "instantiate": instantiate, "invoke": invoke}
TEXT: dict[str, Callable[[str], Any]] = {"parse": parse}
