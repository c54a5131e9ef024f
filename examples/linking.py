"""Two modules that share a memory and call each other's functions, linked by name."""

import pywasm_ref as wasm

ALLOCATOR = """
(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 16))
  (func (export "allocate") (param $bytes i32) (result i32)
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get $bytes)))))
"""
PROGRAM = """
(module
  (import "heap" "memory" (memory 1))
  (import "heap" "allocate" (func $allocate (param i32) (result i32)))
  (import "env" "factor" (global $factor i64))
  (func (export "box") (param $value i64) (result i32)
    (local $at i32)
    (local.set $at (call $allocate (i32.const 8)))
    (i64.store (local.get $at) (i64.mul (local.get $value) (global.get $factor)))
    (local.get $at)))
"""

linker = wasm.Linker(wasm.Store())
linker.define("env", "factor", 3)
heap = linker.instantiate(ALLOCATOR, "heap")
program = linker.instantiate(PROGRAM)

for value in (7, -1):
    at = program.exports.box(value)
    print(f"{value} is boxed at {at} as {heap.exports.memory.load('i64', at)}")

try:
    wasm.instantiate(PROGRAM, {"heap": heap, "env": {"factors": 3}}, store=linker.store)
except wasm.Unlinkable as error:
    print(error)

# Prints:
#   7 is boxed at 16 as 21
#   -1 is boxed at 24 as -3
#   unknown import env.factor: immutable global i64 is needed, and module 'env' does not have it; did you mean 'factors'?
