"""Does a long run leave anything on the C stack? Every instruction in a loop, on a stack of half a megabyte, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pywasm_ref import binary, text
from pywasm_ref.features import ALL
from pywasm_ref.isa import OPS
from pywasm_ref.syntax.instructions import Op

pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)

TYPES = {"i32": "(i32.const 16)", "i64": "(i64.const 16)", "f32": "(f32.const 16)", "f64": "(f64.const 16)", "v128": "(v128.const i64x2 16 16)"}
IMMEDIATES = {
    (): "", ("memarg",): "", ("laneidx",): "1", ("memarg", "laneidx"): "1", ("laneidx*16",): "7 " * 16, ("memidx",): "", ("memidx", "memidx"): "",
}  # fmt: skip
AROUND = 30_000
LOCALS = " ".join(f"(local ${kind}{t} {t})" for t in TYPES for kind in ("in_", "out_"))
INPUTS = " ".join(f"(local.set $in_{t} {value})" for t, value in TYPES.items())
AGAIN = "(br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))"
REST = {
    "call": "(call $same (local.get $n)) (local.set $out_i32)",
    "call_indirect": "(call_indirect (type $f) (local.get $n) (i32.const 0)) (local.set $out_i32)",
    "call_ref": "(call_ref $f (local.get $n) (ref.func $same)) (local.set $out_i32)",
    "call_import": "(call $host)",
    "br_table": "(block $b (br_table $b $b (local.get $n)))",
    "throw": "(block $b (try_table (catch_all $b) (throw $e)))",
    "table": "(table.set (i32.const 0) (table.get (i32.const 0))) (drop (table.grow (ref.null func) (i32.const 0))) (table.fill (i32.const 0) "
    "(ref.func $same) (i32.const 1)) (table.copy (i32.const 0) (i32.const 0) (i32.const 1))",
    "struct": "(struct.set $s 0 (struct.new $s (local.get $n)) (struct.get $s 0 (struct.new_default $s)))",
    "array": "(array.fill $a (array.new $a (i32.const 1) (i32.const 3)) (i32.const 0) (i32.const 1) (array.len (array.new_fixed $a 1 (i32.const 0))))",
    "cast": "(drop (ref.cast (ref i31) (ref.i31 (local.get $n)))) (drop (ref.test (ref $s) (struct.new_default $s)))",
    "global": "(global.set $g (i32.add (global.get $g) (i32.const 1)))",
}
RUN = """
import sys, threading
from pathlib import Path
import pywasm_ref as wasm
instance = wasm.instantiate(Path(sys.argv[1]).read_bytes(), {"m": {"host": lambda: None}}, engine="fast", features="all")
def run():
    for name in instance.exports:
        print(name, end=" ", flush=True)
        instance.exports[name]()
threading.stack_size(1 << 19)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def line(op: Op) -> str | None:
    """The instruction with its operands, and where its results go; nothing for one whose type is not fixed."""
    params, results = (re.sub(r"\bat\b", "i32", part).split() for part in op.type.split("->"))
    if op.immediates not in IMMEDIATES or not {*params, *results} <= TYPES.keys() or op.mnemonic == "unreachable":
        return None
    operands = " ".join(f"(local.get $in_{t})" for t in params)
    return f"({op.mnemonic} {IMMEDIATES[op.immediates]} {operands}) " + " ".join(f"(local.set $out_{t})" for t in reversed(results))


def module() -> bytes:
    lines = {op.mnemonic: line(op) for op in OPS} | REST
    functions = "\n".join(
        f'(func (export "{name}") (local $n i32) {LOCALS} (local.set $n (i32.const {AROUND})) {INPUTS} (loop $again {body} {AGAIN}))'
        for name, body in lines.items()
        if body
    )
    source = f"""(module
        (type $f (func (param i32) (result i32))) (type $s (struct (field (mut i32)))) (type $a (array (mut i32)))
        (import "m" "host" (func $host)) (memory 2 2 shared) (table 1 9 funcref) (elem (i32.const 0) $same) (tag $e) (global $g (mut i32) (i32.const 0))
        (func $same (type $f) (return_call $last (local.get 0))) (func $last (type $f) (local.get 0))
        {functions})"""
    return binary.encode(text.parse(source, ALL))


@pytest.mark.parametrize("dispatch", ["threaded", "loop"])
def test_long_runs_of_every_instruction_leave_nothing_on_the_c_stack(dispatch: str, tmp_path: Path) -> None:
    place = tmp_path / "every.wasm"
    place.write_bytes(module())
    environment = os.environ | {"PYWASM_FASTCORE_DISPATCH": dispatch}
    done = subprocess.run([sys.executable, "-c", RUN, place], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-60:] + done.stderr
    assert len(done.stdout.split()) > 400
