"""Code that was kept: all that the official scripts do can be done with it, and bytes that were never code do no harm when they are loaded."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pywasm_ref.embedding.limits import DEFAULT
from pywasm_ref.embedding.objects import Module
from pywasm_ref.errors import Malformed, WasmError
from pywasm_ref.script.dialects import features_for
from pywasm_ref.script.parse import parse
from pywasm_ref.script.run import Runner
from pywasm_ref.source import Source

native = pytest.importorskip("pywasm_ref._fastcore.engine", reason="the native engine is not built", exc_type=ImportError)

SCRIPTS = [
    *("core/block.wast", "core/br_table.wast", "core/call.wast", "core/call_indirect.wast", "core/fac.wast", "core/f64.wast", "core/i64.wast"),
    *("core/linking.wast", "core/imports.wast", "core/data.wast", "core/elem.wast", "core/start.wast"),
    *("core/names.wast", "core/memory_grow.wast", "core/return_call_indirect.wast", "core/return_call_ref.wast", "core/br_on_null.wast"),
    *("core/bulk-memory", "core/exceptions", "core/gc", "core/memory64", "core/multi-memory", "core/relaxed-simd"),
    *("core/simd/simd_lane.wast", "core/simd/simd_f32x4.wast", "core/simd/simd_load.wast", "legacy/exceptions", "proposals/threads"),
]


class Again:
    """The native engine; but each valid module is kept, forgotten and loaded."""

    def __getattr__(self, name: str) -> Any:
        return getattr(native.ENGINE, name)

    def decode(self, source: Source, features: Any) -> Any:
        return self.loaded(native.ENGINE.decode(source, features))

    def adopt(self, module: Any, features: Any) -> Any:
        return self.loaded(native.ENGINE.adopt(module, features))

    def loaded(self, module: Any) -> Any:
        try:
            module.validate()
        except WasmError:
            return module
        return native.ENGINE.load(Source("<kept>", module.binary), module.features, memoryview(module.lowered()))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_passes_with_code_that_was_kept(script: str, spec_suite: Path) -> None:
    path = spec_suite / script
    for one in sorted(path.rglob("*.wast")) if path.is_dir() else [path]:
        runner = Runner(Again(), features_for(one), DEFAULT)
        failures = [failure for command in parse(Source(str(one), one.read_text())) if (failure := runner.run(command))]
        assert failures == [], one.name


SAMPLE = """(module (type $p (struct (field i32))) (type $q (array (mut f64))) (tag $e (param i32)) (memory 1) (global $g (mut i64) (i64.const 1))
  (func $f (param i32) (result i32) (local f64 v128)
    (block $h (result i32) (try_table (catch $e $h) (throw $e (local.get 0))) (i32.const 0))
    (block $a (block $b (br_table $a $b $a (local.get 0)))) (global.set $g (i64.const 0x123456789abcdef)))
  (func (export "g") (result i32) (local (ref null $p)) (local.set 0 (struct.new $p (call $f (i32.const 3))))
    (drop (array.new $q (f64.const 1.5) (i32.const 2))) (i32.store (i32.const 8) (i32.const 9))
    (struct.get $p 0 (local.get 0))))"""
OTHERS = "(module (type (func (param i32 i32 i64 f32))) (type (struct (field i64) (field i64))) (type (array (mut i16))))"
DUMP = f"""
import sys
import pywasm_ref as wasm
for text in sys.argv[1:-1]:
    wasm.Module(text, "fast")
print(wasm.Module({SAMPLE!r}, "fast").raw.lowered().hex())
"""


def test_the_bytes_are_the_same_in_every_process() -> None:
    """So there is no address in them, nor the number that a type has in its process, nor what memory held before."""
    found = set()
    for others, fill in (((), "0"), ((OTHERS,), "77"), ((OTHERS, "(module (type (func (result v128 v128))))"), "200")):
        environment = {**os.environ, "MALLOC_PERTURB_": fill}
        done = subprocess.run([sys.executable, "-c", DUMP, *others, ""], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


def loaded(module: Any, code: bytes) -> Any:
    return native.ENGINE.load(Source("<kept>", module.binary), module.features, memoryview(code))


def test_loading_bytes_that_are_no_code_is_refused_or_does_nothing() -> None:
    """They are never run: what says that they may be is the key."""
    module: Any = Module(SAMPLE, native.ENGINE).raw
    code = module.lowered()
    choose = random.Random(5)
    refused = 0
    for i in range(4_000):
        broken = bytearray(code)
        for _ in range(choose.choice((1, 1, 2, 5))):
            at = choose.randrange(len(broken) // 4) * 4
            broken[at : at + 4] = choose.choice((0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, choose.getrandbits(32))).to_bytes(4, "little")
        if i % 3 == 0:
            del broken[choose.randrange(len(broken)) :]
        try:
            loaded(module, bytes(broken))
        except Malformed:
            refused += 1
    assert refused > 2_000
    for size in range(len(code)):
        with pytest.raises(Malformed, match="does not fit"):
            loaded(module, code[:size] or b"\0")


def test_code_of_another_module_is_refused() -> None:
    module: Any
    other: Any
    module, other = (Module(text, native.ENGINE).raw for text in (SAMPLE, "(module (func))"))
    with pytest.raises(Malformed, match="does not fit"):
        loaded(module, other.lowered())
