"""Running code that nobody trusts: with fuel, with a deadline, and with as little memory as it needs."""

import threading

import pywasm_ref as wasm

TEXT = """
(module
  (memory 1)
  (func (export "spin") (loop $again (br $again)))
  (func $deep (export "deep") (call $deep))
  (func (export "hoard") (result i32) (memory.grow (i32.const 1000)))
  (func (export "crash") (result i32) (i32.load (i32.const -1))))
"""

module = wasm.Module(TEXT)


def attempt(name: str, limits: wasm.Limits, seconds: float | None = None) -> None:
    store = wasm.Store(module.engine, limits)
    timer = threading.Timer(seconds or 0, store.interrupt)
    if seconds is not None:
        timer.start()
    try:
        print(f"{name}: returned {wasm.instantiate(module, store=store).exports[name]()}")
    except wasm.WasmError as error:
        print(f"{name}: {type(error).__name__}, {error.message}")
    finally:
        timer.cancel()


attempt("spin", wasm.Limits(fuel=10_000))
attempt("spin", wasm.Limits(), seconds=0.05)
attempt("deep", wasm.Limits(call_depth=500))
attempt("hoard", wasm.Limits(memory_pages=16))
attempt("crash", wasm.Limits())

# Prints:
#   spin: Exhaustion, fuel exhausted
#   spin: Interrupted, interrupted
#   deep: Exhaustion, call stack exhausted
#   hoard: returned -1
#   crash: Trap, out of bounds memory access
