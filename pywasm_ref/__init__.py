"""WebAssembly 3.0 in Python: read, validate, run and embed modules.

    import pywasm_ref as wasm

    instance = wasm.instantiate("fib.wasm", {"env": {"log": print}})
    instance.exports.fib(30)

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pywasm_ref import capabilities as capabilities
    from pywasm_ref import wasi as wasi
    from pywasm_ref.embedding.engine import Engine, Observer
    from pywasm_ref.embedding.exports import Exports
    from pywasm_ref.embedding.externs import Func, Global, Table, Tag
    from pywasm_ref.embedding.limits import Limits
    from pywasm_ref.embedding.linker import Linker
    from pywasm_ref.embedding.memory import Memory
    from pywasm_ref.embedding.objects import ExportType, ImportType, Instance, Module, instantiate
    from pywasm_ref.embedding.references import I31, Array, Exn, Struct
    from pywasm_ref.embedding.selection import engine
    from pywasm_ref.embedding.store import Store
    from pywasm_ref.embedding.valtypes import (
        anyref,
        arrayref,
        eqref,
        exnref,
        externref,
        f32,
        f64,
        funcref,
        functype,
        i31ref,
        i32,
        i64,
        structref,
        v128,
    )
    from pywasm_ref.errors import (
        Exhaustion,
        Interrupted,
        Invalid,
        Malformed,
        Trap,
        TrapReason,
        Unlinkable,
        WasmError,
        WasmException,
    )
    from pywasm_ref.features import Feature
    from pywasm_ref.syntax.types import FuncType, GlobalType, MemType, TableType

__version__ = "0.1.0"

_HOMES = {
    "embedding.engine": ("Engine", "Observer"),
    "embedding.exports": ("Exports",),
    "embedding.externs": ("Func", "Global", "Table", "Tag"),
    "embedding.limits": ("Limits",),
    "embedding.linker": ("Linker",),
    "embedding.memory": ("Memory",),
    "embedding.objects": ("ExportType", "ImportType", "Instance", "Module", "instantiate"),
    "embedding.references": ("I31", "Array", "Exn", "Struct"),
    "embedding.selection": ("engine",),
    "embedding.store": ("Store",),
    "embedding.valtypes": (
        *("i32", "i64", "f32", "f64", "v128"),
        *("anyref", "arrayref", "eqref", "exnref", "externref", "funcref", "i31ref", "structref", "functype"),
    ),
    "errors": ("Exhaustion", "Interrupted", "Invalid", "Malformed", "Trap", "TrapReason", "Unlinkable", "WasmError", "WasmException"),
    "features": ("Feature",),
    "syntax.types": ("FuncType", "GlobalType", "MemType", "TableType"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

_PARTS = ("capabilities", "wasi")
"""Parts of the package that are used by their own names."""

__all__ = [
    "I31",
    "Array",
    "Engine",
    "Exhaustion",
    "Exn",
    "ExportType",
    "Exports",
    "Feature",
    "Func",
    "FuncType",
    "Global",
    "GlobalType",
    "ImportType",
    "Instance",
    "Interrupted",
    "Invalid",
    "Limits",
    "Linker",
    "Malformed",
    "MemType",
    "Memory",
    "Module",
    "Observer",
    "Store",
    "Struct",
    "Table",
    "TableType",
    "Tag",
    "Trap",
    "TrapReason",
    "Unlinkable",
    "WasmError",
    "WasmException",
    "anyref",
    "arrayref",
    "engine",
    "eqref",
    "exnref",
    "externref",
    "f32",
    "f64",
    "funcref",
    "functype",
    "i31ref",
    "i32",
    "i64",
    "instantiate",
    "structref",
    "v128",
]


if not TYPE_CHECKING:  # a type checker that sees it would take any name for granted

    def __getattr__(name: str) -> Any:
        if name in _PARTS:
            return import_module(f"{__name__}.{name}")
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME_OF, *_PARTS]
