"""Exceptions in both directions: a guest catches what the host throws, and Python catches what a guest throws."""

import pywasm_ref as wasm

TEXT = """
(module
  (import "bank" "insufficient" (tag $insufficient (param i64)))
  (import "bank" "withdraw" (func $withdraw (param i64)))
  (func (export "try") (param $amount i64) (result i64)
    (block $caught (result i64)
      (try_table (catch $insufficient $caught) (call $withdraw (local.get $amount)))
      (i64.const 0)))
  (func (export "insist") (param $amount i64) (call $withdraw (local.get $amount))))
"""

store = wasm.Store()
insufficient = wasm.Tag(store, [wasm.i64])
balances = [100]


def withdraw(amount: int) -> None:
    if amount > balances[0]:
        raise wasm.WasmException(insufficient, (amount - balances[0],))
    balances[0] -= amount


guest = wasm.instantiate(TEXT, {"bank": {"insufficient": insufficient, "withdraw": withdraw}}, store=store).exports
print(f"the guest lacks {guest['try'](70)}, then {guest['try'](70)}")
try:
    guest.insist(31)
except wasm.WasmException as error:
    print(f"the host lacks {error.values[0]}; the tag is ours: {error.tag == insufficient}")

# Prints:
#   the guest lacks 0, then 40
#   the host lacks 1; the tag is ours: True
