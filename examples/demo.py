"""A guided tour: from text to a running module, and what happens at the edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pywasm_ref as wasm
from pywasm_ref import wasi

HERE = Path(__file__).parent / "wasi"

TEXT = """
(module $demo
  (import "host" "log" (func $log (param externref i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello from linear memory")
  (type $point (struct (field $x (mut i32)) (field $y (mut i32))))
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2))
      (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func (export "report") (param $to externref) (param $n i32) (call $log (local.get $to) (call $fib (local.get $n))))
  (func $ratio (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))
  (func $average (export "average") (param $sum i32) (param $count i32) (result i32)
    (call $ratio (local.get $sum) (local.get $count)))
  (func (export "forever") (loop $again (br $again)))
  (func (export "point") (param i32 i32) (result (ref $point)) (struct.new $point (local.get 0) (local.get 1)))
  (func (export "mirror") (param $p (ref $point))
    (struct.set $point $x (local.get $p) (i32.sub (i32.const 0) (struct.get $point $x (local.get $p))))))
"""


def heading(words: str) -> None:
    print(f"\n--- {words}")


def read_and_validate() -> wasm.Module:
    heading("A text is parsed and validated")
    module = wasm.Module(TEXT)
    print(f"{module!r} wants {', '.join(map(str, module.imports))}")
    print(f"and has {', '.join(entry.name for entry in module.exports)}")
    try:
        wasm.Module("(module\n  (func (result i32)\n    (i64.const 1)))")
    except wasm.Invalid as error:
        print(f"a wrong one is refused: {error}")
        if error.source is not None and error.at is not None:
            print(error.source.excerpt(error.at))
    return module


def call(exports: Any) -> None:
    heading("A call, and the memory without a copy")
    print(f"fib(15) = {exports.fib(15)}")
    view = exports.memory.view()
    print(f"memory[16:40] = {bytes(view[16:40])!r}")
    exports.memory.store("f64", 0, 0.1)
    print(f"0.1 in memory: {bytes(view[0:8]).hex(' ')}")


def external_reference(exports: Any, heard: dict[str, int]) -> None:
    heading("A Python object travels through the guest as an externref, to a host function")
    exports.report(heard, 20)
    print(f"the host was told {heard}")


def trap(exports: Any) -> None:
    heading("A trap, and the calls that led there")
    try:
        exports.average(10, 0)
    except wasm.Trap as error:
        print(f"{type(error).__name__}: {error}")
        for name, at in error.frames:
            print(f"  in {name} at {error.source.where(at) if error.source and at is not None else 'an unknown place'}")


def mistakes(exports: Any) -> None:
    heading("Mistakes are errors; nothing is wrapped silently")
    for args in ((2**32,), (1.5,), (1, 2)):
        try:
            exports.fib(*args)
        except (TypeError, OverflowError) as error:
            print(f"{type(error).__name__}: {error}")


def limits(module: wasm.Module, imports: dict[str, Any]) -> None:
    heading("A guest that does not stop, in a store with limits")
    store = wasm.Store(module.engine, limits=wasm.Limits(fuel=50_000, memory_pages=16, call_depth=100))
    try:
        wasm.instantiate(module, imports, store=store).exports.forever()
    except wasm.Exhaustion as error:
        print(f"Exhaustion: {error.message}; {store.fuel} left of 50000")


def structure(exports: Any) -> None:
    heading("A structure on the guest's heap is an object with fields")
    point = exports.point(3, 4)
    exports.mirror(point)
    point.y += 1
    print(f"{point!r}, fields {point.fields}")


def program() -> None:
    heading("A program compiled from C reads the directory that it is lent, and no other")
    result = wasi.run(HERE / "look.wasm", args=["greeting.txt", "../look.c"], dirs={"/": HERE / "lent"}, capture=True)
    print(f"{(result.stdout + result.stderr).decode()}exit code {result.exit_code}")
    for event in result.refusals:
        print(f"refused {event.function}: {event.refused} ({event.hint})")


def main() -> None:
    imports = {"host": {"log": lambda book, number: book.update(answer=number)}}
    module = read_and_validate()
    exports: Any = wasm.instantiate(module, imports).exports
    call(exports)
    external_reference(exports, {})
    trap(exports)
    mistakes(exports)
    limits(module, imports)
    structure(exports)
    program()


if __name__ == "__main__":
    main()
