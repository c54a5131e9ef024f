"""A linked list on the guest's garbage-collected heap, whose elements are any Python objects."""

import pywasm_ref as wasm

TEXT = """
(module
  (type $node (struct (field $value externref) (field $next (mut (ref null $node)))))
  (func (export "cons") (param externref (ref null $node)) (result (ref $node))
    (struct.new $node (local.get 0) (local.get 1)))
  (func (export "reverse") (param $list (ref null $node)) (result (ref null $node))
    (local $done (ref null $node)) (local $next (ref null $node))
    (loop $more
      (if (i32.eqz (ref.is_null (local.get $list)))
        (then
          (local.set $next (struct.get $node $next (local.get $list)))
          (struct.set $node $next (local.get $list) (local.get $done))
          (local.set $done (local.get $list))
          (local.set $list (local.get $next))
          (br $more))))
    (local.get $done)))
"""

guest = wasm.instantiate(TEXT).exports
head = None
for value in ("one", 2, [3.0]):
    head = guest.cons(value, head)
node = guest.reverse(head)
while node is not None:
    print(node.value)
    node = node.next

# Prints:
#   one
#   2
#   [3.0]
