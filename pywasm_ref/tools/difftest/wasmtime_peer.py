"""wasmtime as a peer of the lab."""

from __future__ import annotations

from pywasm_ref.tools.difftest import texts
from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.difftest.wasmtime.engine import WasmtimeEngine, wat2wasm


class WasmtimePeer:
    """A job at a time; the features of each decide which engine of C it goes to."""

    def __init__(self, strategy: str) -> None:
        self.engine = WasmtimeEngine(strategy)
        self.metered = WasmtimeEngine(strategy, metered=True)

    def run(self, job: Job) -> Answer:
        if job.text is not None:
            return texts.read(self.engine, lambda source: wat2wasm(source.encode()), job)
        return observe(self.engine if job.fuel is None else self.metered, job)


def peer(name: str) -> WasmtimePeer:
    """`wasmtime` or `wasmtime:STRATEGY`."""
    return WasmtimePeer(name.partition(":")[2] or "cranelift")
