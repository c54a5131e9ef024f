"""wasmtime as a peer of the lab."""

from __future__ import annotations

from pywasm_ref.tools.difftest.jobs import Answer, Job
from pywasm_ref.tools.difftest.observe import observe
from pywasm_ref.tools.difftest.wasmtime.engine import WasmtimeEngine


class WasmtimePeer:
    """A job at a time; the features of each decide which engine of C it goes to."""

    def __init__(self, strategy: str) -> None:
        self.engine = WasmtimeEngine(strategy)

    def run(self, job: Job) -> Answer:
        return observe(self.engine, job)


def peer(name: str) -> WasmtimePeer:
    """`wasmtime` or `wasmtime:STRATEGY`."""
    return WasmtimePeer(name.partition(":")[2] or "cranelift")
