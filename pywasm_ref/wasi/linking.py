"""From a guest's `Wasi` to what a module imports, and back to the memory that it exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import cast

from pywasm_ref.embedding import words
from pywasm_ref.embedding.engine import Extern, Instance, Memory, Module, Store
from pywasm_ref.embedding.externs import Func
from pywasm_ref.embedding.store import Store as PythonStore
from pywasm_ref.errors import Unlinkable
from pywasm_ref.syntax.types import ExternType, FuncTypeUse, MemType
from pywasm_ref.validation.types import functype_deftype
from pywasm_ref.wasi import args, clocks, fd_io, fd_state, path, poll, process, shortcuts, sock, unstable
from pywasm_ref.wasi.context import Wasi
from pywasm_ref.wasi.function import DIFFERENT, PREVIEW1, WasiFunction, bound

START = "_start"
INITIALIZE = "_initialize"
"""What a program exports to be run, and a library to be made ready."""

GROUPS = (args, clocks, fd_io, fd_state, path, poll, process, shortcuts, sock, unstable)
"""Where the functions are; loading these files has made them known."""

MODULES: dict[str, Mapping[str, WasiFunction]] = {
    "wasi_snapshot_preview1": PREVIEW1,
    "wasi_unstable": {name: function for name, function in (PREVIEW1 | DIFFERENT).items() if name != "sock_accept"},
}
"""The functions of WASI, by the name of the module that they are imported from."""


def wants_wasi(imports: Iterable[tuple[str, str, ExternType]]) -> bool:
    """Whether a module imports anything of WASI."""
    return any(module in MODULES for module, _, _ in imports)


def import_of(wasi: Wasi, store: Store, module: str, name: str) -> Extern | None:
    """A function of WASI for one guest, as its engine has it; None where there is none of that name."""
    function = MODULES.get(module, {}).get(name)
    return None if function is None else store.func_alloc(functype_deftype(function.type), bound(wasi, function))


def imports_of(wasi: Wasi, store: PythonStore) -> dict[str, dict[str, Func]]:
    """All functions of WASI for one guest, as `instantiate` takes imports."""
    return {
        module: {
            name: Func.wrap(store, store.raw.func_alloc(functype_deftype(function.type), bound(wasi, function)), name)
            for name, function in functions.items()
        }
        for module, functions in MODULES.items()
    }


def externs_for(wasi: Wasi, store: Store, module: Module) -> list[Extern]:
    """An extern for each import of a module that imports nothing but WASI.

    Fails   Unlinkable for any other import; the engine says so of a function that has another type
    """
    externs: list[Extern] = []
    for home, name, t in module.imports:
        extern = import_of(wasi, store, home, name)
        if extern is None:
            known = words.suggestion(name, MODULES[home]) if home in MODULES else words.suggestion(home, MODULES)
            raise Unlinkable(f'unknown import {_called(home, name)}: {words.externtype(t)} is needed, and nothing provides it{known}')
        given = store.extern_type(extern)
        if not (isinstance(t, FuncTypeUse) and isinstance(given, FuncTypeUse) and given.type is t.type):
            wanted = words.externtype(t)
            raise Unlinkable(f'incompatible import type: {_called(home, name)} is {words.externtype(given)}, and {wanted} is wanted')
        externs.append(extern)
    return externs


def _called(home: str, name: str) -> str:
    return f'"{words.name(home)}"."{words.name(name)}"'


def attach(wasi: Wasi, store: Store, instance: Instance) -> None:
    """Let the functions reach the memory that a guest exports as `memory`, if it does."""
    memory = instance.exports.get("memory")
    if memory is not None and isinstance(store.extern_type(memory), MemType):
        attach_memory(wasi, store, cast(Memory, memory))


def attach_memory(wasi: Wasi, store: Store, memory: Memory) -> None:
    """Let the functions reach a memory."""
    wasi.attach(partial(store.mem_view, memory), memory)
