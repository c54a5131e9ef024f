"""A trace: every reduction of a run as the specification writes it, with the names of the rules.

    ↪ Step_read/call_ref-func    frame_1{locals (i32.const 2)} label_1{} local.get 0 … end end
    ↪ Step_read/local.get        frame_1{locals (i32.const 2)} label_1{} (i32.const 2) … end end

Beside a rule stands the configuration that it led to. Where the machine takes at once what the specification does in several steps, the
rules stand one under the other, and the configuration beside the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from pywasm_ref.execution.notation import Notation

if TYPE_CHECKING:
    from pywasm_ref.execution.machine import Machine
    from pywasm_ref.syntax.instructions import Instr

COLUMN = 28


class Tracer:
    """Writes each step of a store to a stream, as its observer; after `limit` steps it is silent."""

    def __init__(self, stream: TextIO, limit: int | None = None) -> None:
        self.stream = stream
        self.limit = limit
        self.steps = 0
        self.rules: list[str] = []
        self.entering = False
        self.notation = Notation()

    def step(self, z: Machine, instr: Instr | None, rule: str) -> None:
        """Remember a rule; the first one of a machine is applied before the machine runs, so its result is seen at the next."""
        if self.entering:
            self._write(z, instr)
        self.rules.append(rule)
        self.entering = len(z.frames) == 1 and not z.halted and instr is None and rule == "Step_read/call_ref-func"

    def after(self, z: Machine) -> None:
        """A step is done: write what it led to."""
        if self.rules:
            self._write(z, None)

    def close(self, ending: str) -> None:
        """The run is over, and nobody has seen where the last rules led: to `ending`."""
        if self.rules:
            self._line(ending)
        if self.limit is not None and self.steps > self.limit:
            self.stream.write(f"… and {self.steps - self.limit} more steps\n")

    def _full(self) -> bool:
        return self.limit is not None and self.steps >= self.limit

    def _write(self, z: Machine, instr: Instr | None) -> None:
        self.entering = False
        self._line("" if self._full() else self.notation.configuration(z, instr))

    def _line(self, configuration: str) -> None:
        """The rules one under the other, and beside the last one where they led."""
        if not self._full():
            *first, last = self.rules
            self.stream.writelines(f"↪ {rule}\n" for rule in first)
            self.stream.write(f"↪ {last:<{COLUMN}} {configuration}".rstrip() + "\n")
        self.steps += 1
        self.rules.clear()
