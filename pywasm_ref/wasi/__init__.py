"""WASI preview 1: programs for the command line, over what a host lends them.

    from pywasm_ref import wasi

    result = wasi.run("program.wasm", args=["-v"], dirs={"/data": "data"}, stdin=b"…", capture=True)
    result.exit_code, result.stdout

`run` does it all; `Wasi` is for those who instantiate by themselves. What may be lent stands in `pywasm_ref.capabilities`.

Spec    wasi_snapshot_preview1.witx
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pywasm_ref.capabilities.streams import INHERIT
    from pywasm_ref.wasi.beside import run_async
    from pywasm_ref.wasi.context import Event, Wasi
    from pywasm_ref.wasi.faults import ProcExit
    from pywasm_ref.wasi.guests import Guest, GuestFailed, Result, run
    from pywasm_ref.wasi.linking import attach, imports_of

__all__ = ["INHERIT", "Event", "Guest", "GuestFailed", "ProcExit", "Result", "Wasi", "attach", "imports_of", "run", "run_async"]

_HOMES = {
    "capabilities.streams": ("INHERIT",),
    "wasi.beside": ("run_async",),
    "wasi.context": ("Event", "Wasi"),
    "wasi.faults": ("ProcExit",),
    "wasi.linking": ("attach", "imports_of"),
    "wasi.guests": ("Guest", "GuestFailed", "Result", "run"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

if not TYPE_CHECKING:  # names are loaded when they are first used, as those of the package are

    def __getattr__(name: str) -> Any:
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"pywasm_ref.{home}"), name)
        return value


def __dir__() -> list[str]:
    return [*globals(), *_HOME_OF]
