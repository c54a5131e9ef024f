"""The engines that a benchmark can drive, each behind the same two steps: load a module, call its `run`.

A checksum is compared as an i32 without a sign, because engines differ in which representative they return.
"""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

Run = Callable[[int], int]
MASK = 2**32 - 1


def load_reference(path: Path) -> Run:
    """The reference engine of this project."""
    import pywasm_ref as wasm

    run = wasm.instantiate(path, engine="reference").exports.run
    return lambda argument: int(run(argument)) & MASK


def load_pywasm(path: Path) -> Run:
    """The pure-Python engine `pywasm`, through its Runtime."""
    import pywasm

    runtime = pywasm.core.Runtime()
    instance = runtime.instance_from_file(str(path))
    return lambda argument: int(runtime.invocate(instance, "run", [argument])[0]) & MASK


def load_wasmtime(path: Path) -> Run:
    """Wasmtime, which compiles to machine code: the judge of results, no rival in speed."""
    import wasmtime

    store = wasmtime.Store()
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, str(path)), [])
    run = instance.exports(store)["run"]
    if not isinstance(run, wasmtime.Func):
        raise TypeError(f"{path} exports no function `run`")
    return lambda argument: int(run(store, argument)) & MASK


LOADERS: dict[str, Callable[[Path], Run]] = {"reference": load_reference, "pywasm": load_pywasm, "wasmtime": load_wasmtime}
DISTRIBUTIONS = {"reference": "pywasm-ref", "pywasm": "pywasm", "wasmtime": "wasmtime"}


def version(engine: str) -> str:
    """The installed version of an engine's package, or "not installed"."""
    try:
        return importlib.metadata.version(DISTRIBUTIONS[engine])
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
