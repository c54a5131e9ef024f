"""WASI preview 1: programs for the command line, over what a host lends them.

    from pywasm_ref import wasi

    result = wasi.run("program.wasm", args=["-v"], dirs={"/data": "data"}, stdin=b"…", capture=True)
    result.exit_code, result.stdout

`run` does it all; `Wasi` is for those who instantiate by themselves. What may be lent stands in `pywasm_ref.capabilities`.

Spec    wasi_snapshot_preview1.witx
"""

from pywasm_ref.capabilities.streams import INHERIT
from pywasm_ref.wasi.context import Event, Wasi
from pywasm_ref.wasi.faults import ProcExit
from pywasm_ref.wasi.linking import attach, imports_of
from pywasm_ref.wasi.run import Guest, GuestFailed, Result, run, run_async

__all__ = ["INHERIT", "Event", "Guest", "GuestFailed", "ProcExit", "Result", "Wasi", "attach", "imports_of", "run", "run_async"]
