"""An independent opinion on numbers: instructions run by wasmtime on many operands at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import wasmtime

from pywasm_ref.errors import TrapReason
from pywasm_ref.numerics import Floats

Row = tuple[int, ...]

# A row of memory: four operands, then two results, 16 bytes each. Floats are read and written as integers and reinterpreted
# beside the instruction, so that nothing on the way can touch the payload of a NaN.
_RESULTS = 4
_STRIDE = 6 * 16
_PAGES = 16
_ROWS = _PAGES * 65536 // _STRIDE

_LOAD = {
    "i32": "(i32.load {})",
    "i64": "(i64.load {})",
    "f32": "(f32.reinterpret_i32 (i32.load {}))",
    "f64": "(f64.reinterpret_i64 (i64.load {}))",
    "v128": "(v128.load {})",
}
_STORE = {
    "i32": "(i32.store {} {})",
    "i64": "(i64.store {} {})",
    "f32": "(i32.store {} (i32.reinterpret_f32 {}))",
    "f64": "(i64.store {} (i64.reinterpret_f64 {}))",
    "v128": "(v128.store {} {})",
}
_REASON = (
    (wasmtime.TrapCode.INTEGER_OVERFLOW, TrapReason.INTEGER_OVERFLOW),
    (wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO, TrapReason.INTEGER_DIVIDE_BY_ZERO),
    (wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER, TrapReason.INVALID_CONVERSION),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An instruction with its immediates, in the text format, and the function under test, which has them built in.

    `computes` says what the result, or a lane of it, is when it may be a NaN that the specification does not fix.
    """

    instruction: str
    operands: tuple[str, ...]
    results: tuple[str, ...]
    function: Callable[..., int | tuple[int, ...]]
    computes: Floats | None

    def __str__(self) -> str:
        return self.instruction.replace(" ", "_")

    def ours(self, row: Row) -> Row:
        """The results by the function under test."""
        results = self.function(*row)
        return results if isinstance(results, tuple) else (results,)


def _functions(k: int, case: Case) -> str:
    """Function k, which does one row, and its loop over a number of rows."""
    operands = [_LOAD[t].format(f"offset={16 * j} (local.get $row)") for j, t in enumerate(case.operands)]
    results = [
        (f"$r{j}", t, _STORE[t].format(f"offset={16 * (_RESULTS + j)} (local.get $row)", f"(local.get $r{j})"))
        for j, t in enumerate(case.results)
    ]
    return f"""
      (func $one{k} (export "one {k}") (param $row i32) {" ".join(f"(local {name} {t})" for name, t, _ in results)}
        {" ".join(operands)} {case.instruction} {" ".join(f"local.set {name}" for name, _, _ in reversed(results))}
        {" ".join(store for _, _, store in results)})
      (func (export "all {k}") (param $count i32) (local $row i32)
        (loop $next
          (call $one{k} (local.get $row))
          (local.set $row (i32.add (local.get $row) (i32.const {_STRIDE})))
          (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))"""


class Oracle:
    """A wasmtime instance that knows some cases."""

    def __init__(self, cases: Sequence[Case]) -> None:
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        config.wasm_relaxed_simd_deterministic = True
        config.wasm_wide_arithmetic = True
        engine = wasmtime.Engine(config)
        functions = "".join(_functions(k, case) for k, case in enumerate(cases))
        self._numbers = {str(case): k for k, case in enumerate(cases)}
        self._store = wasmtime.Store(engine)
        module = wasmtime.Module(engine, f'(module (memory (export "memory") {_PAGES}) {functions})')
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)

    def results(self, case: Case, rows: Sequence[Row]) -> list[Row]:
        """What the case gives for each row, none of which traps."""
        return [results for k in range(0, len(rows), _ROWS) for results in self._batch(case, rows[k : k + _ROWS])]

    def _batch(self, case: Case, rows: Sequence[Row]) -> list[Row]:
        self._write(rows)
        self._call("all", case, len(rows))
        memory = self._memory().read(self._store, 0, len(rows) * _STRIDE)
        places = [16 * (_RESULTS + j) for j in range(len(case.results))]
        return [
            tuple(int.from_bytes(memory[row + place : row + place + 16], "little") for place in places)
            for row in range(0, len(memory), _STRIDE)
        ]

    def trap(self, case: Case, row: Row) -> TrapReason | None:
        """Why the case traps on this row, or None if it does not."""
        self._write([row])
        try:
            self._call("one", case, 0)
        except wasmtime.Trap as trap:
            return next(reason for code, reason in _REASON if code is trap.trap_code)
        return None

    def _memory(self) -> wasmtime.Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return memory

    def _write(self, rows: Sequence[Row]) -> None:
        padded = (number.to_bytes(16, "little") for row in rows for number in (*row, *(0,) * (_STRIDE // 16 - len(row))))
        self._memory().write(self._store, b"".join(padded), 0)

    def _call(self, name: str, case: Case, argument: int) -> None:
        function = self._exports[f"{name} {self._numbers[str(case)]}"]
        assert isinstance(function, wasmtime.Func)
        function(self._store, argument)
