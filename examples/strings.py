"""Strings between Python and a guest: they live in its memory, and an address and a length travel."""

import pywasm_ref as wasm

TEXT = """
(module
  (import "host" "print" (func $print (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "how are you?")
  (func (export "shout") (param $at i32) (param $length i32)
    (local $i i32)
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $length))
        (then
          (i32.store8 (i32.add (local.get $at) (local.get $i))
            (i32.and (i32.load8_u (i32.add (local.get $at) (local.get $i))) (i32.const 0xdf)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (call $print (local.get $at) (local.get $length))
    (call $print (i32.const 100) (i32.const 12))))
"""


def show(at: int, length: int) -> None:
    print(instance.exports.memory.read(at, length).decode("utf-8"))


instance = wasm.instantiate(TEXT, {"host": {"print": show}})
greeting = bytearray("hello", "utf-8")
instance.exports.memory.write(0, greeting)
instance.exports.shout(0, len(greeting))

# Prints:
#   HELLO
#   how are you?
