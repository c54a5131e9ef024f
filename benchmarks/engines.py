"""The engines that a benchmark can drive, each behind the same two steps: load a module, call its `run`.

A checksum is compared as an i32 without a sign, because engines differ in which representative they return.
"""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[int], int]
MASK = 2**32 - 1
WINCH = 2
"""In wasmtime's C interface."""


def load_reference(path: Path) -> Run:
    """The reference engine of this project."""
    import pywasm_ref as wasm

    run = wasm.instantiate(path, engine="reference").exports.run
    return lambda argument: int(run(argument)) & MASK


def load_fast(path: Path) -> Run:
    """The native engine of this project."""
    import pywasm_ref as wasm

    run = wasm.instantiate(path, engine="fast").exports.run
    return lambda argument: int(run(argument)) & MASK


def load_pywasm3(path: Path) -> Run:
    """wasm3, an interpreter in C, through the package `pywasm3`."""
    import wasm3

    environment = wasm3.Environment()
    runtime = environment.new_runtime(1 << 20)
    runtime.load(environment.parse_module(path.read_bytes()))
    run = runtime.find_function("run")
    return lambda argument: int(run(argument)) & MASK


def load_pulley(path: Path) -> Run:
    """Wasmtime's interpreter: code optimized by Cranelift, for a machine that is interpreted."""
    import wasmtime

    config = everything()
    config.target = "pulley64"
    return run_of(wasmtime.Engine(config), path)


def load_winch(path: Path) -> Run:
    """Wasmtime's baseline compiler, which compiles in one pass. The Python face has no word for it, the C interface below has."""
    import wasmtime
    from wasmtime import _bindings

    config = wasmtime.Config()
    config.wasm_tail_call = False  # it refuses a configuration with what it cannot compile
    _bindings.wasmtime_config_strategy_set(config.ptr(), WINCH)
    return run_of(wasmtime.Engine(config), path)


def load_pywasm(path: Path) -> Run:
    """The pure-Python engine `pywasm`, through its Runtime."""
    import pywasm

    runtime = pywasm.core.Runtime()
    instance = runtime.instance_from_file(str(path))
    return lambda argument: int(runtime.invocate(instance, "run", [argument])[0]) & MASK


def load_wasmtime(path: Path) -> Run:
    """Wasmtime, which compiles to machine code: the judge of results, no rival in speed."""
    import wasmtime

    return run_of(wasmtime.Engine(everything()), path)


def everything() -> Any:
    """Wasmtime's configuration with what is off in it at first."""
    import wasmtime

    config = wasmtime.Config()
    config.wasm_function_references = config.wasm_gc = config.wasm_exceptions = True
    return config


def run_of(engine: Any, path: Path) -> Run:
    """The function `run` of a module in an engine of wasmtime's."""
    import wasmtime

    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(engine, str(path)), [])
    run = instance.exports(store)["run"]
    if not isinstance(run, wasmtime.Func):
        raise TypeError(f"{path} exports no function `run`")
    return lambda argument: int(run(store, argument)) & MASK


LOADERS: dict[str, Callable[[Path], Run]] = {
    "reference": load_reference,
    "fast": load_fast,
    "pywasm": load_pywasm,
    "pywasm3": load_pywasm3,
    "wasmtime": load_wasmtime,
    "pulley": load_pulley,
    "winch": load_winch,
}
LACKS = {"pywasm3": {"simd", "gc", "exceptions"}, "pywasm": {"gc", "exceptions"}, "winch": {"gc", "exceptions"}}
"""What a kernel may need and an engine has not."""

DISTRIBUTIONS = {
    "reference": "pywasm-ref",
    "fast": "pywasm-ref",
    "pywasm": "pywasm",
    "pywasm3": "pywasm3",
    "wasmtime": "wasmtime",
    "pulley": "wasmtime",
    "winch": "wasmtime",
}


def version(engine: str) -> str:
    """The installed version of an engine's package, or "not installed"."""
    try:
        return importlib.metadata.version(DISTRIBUTIONS[engine])
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
