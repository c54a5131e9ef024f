"""Scripts of the test language on wasmtime: which of its words mean what the suite says in its own."""

from __future__ import annotations

from pywasm_ref.embedding import functions
from pywasm_ref.embedding.engine import Module
from pywasm_ref.errors import Exhaustion, Trap, TrapReason, Unlinkable, WasmError
from pywasm_ref.features import Features
from pywasm_ref.script import commands as cmd
from pywasm_ref.script.run import Runner
from pywasm_ref.tools.difftest.wasmtime.engine import Refused, WasmtimeEngine, wat2wasm

NULLS = tuple(reason for reason in TrapReason if reason.name.startswith("NULL"))
ALIKE: dict[TrapReason, tuple[TrapReason, ...]] = {
    TrapReason.OUT_OF_BOUNDS_TABLE: (TrapReason.OUT_OF_BOUNDS_TABLE, TrapReason.UNDEFINED_ELEMENT),
    TrapReason.NULL_REFERENCE: NULLS,
}
"""Reasons that wasmtime has one code for."""


class WasmtimeRunner(Runner):
    """Runs a script. What is refused is refused, whatever the words; what traps has to trap for the right reason."""

    def __init__(self, engine: WasmtimeEngine, features: Features) -> None:
        engine.features = features  # of the store, before there is a module
        super().__init__(engine, features)

    def read(self, definition: cmd.Definition) -> Module:
        """A module in quotes is read by wasmtime's own parser of texts, so that it is asked and not ours."""
        if isinstance(definition, cmd.Quoted):
            return functions.module_decode(self.engine, wat2wasm(definition.text), self.features)
        return super().read(definition)

    def says(self, error: WasmError, words: str) -> bool:
        if isinstance(error, Refused | Unlinkable | Exhaustion):
            return True
        if isinstance(error, Trap):
            return any(
                words.startswith(reason.value) or reason.value.startswith(words) for reason in ALIKE.get(error.reason, (error.reason,))
            )
        return super().says(error, words)
