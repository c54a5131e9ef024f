;; Binary trees of structures with a payload in an array, built, walked and dropped: allocation, field access, casts, collection.
;; n is the number of trees of depth 8.
(module
  (rec
    (type $tree (sub (struct (field $payload (ref null $numbers)))))
    (type $node (sub final $tree (struct (field (ref null $numbers)) (field $left (ref null $tree)) (field $right (ref null $tree)))))
    (type $numbers (array (mut i32))))

  (func $make (param $depth i32) (param $seed i32) (result (ref $tree))
    (if (result (ref $tree)) (i32.eqz (local.get $depth))
      (then (struct.new $tree (array.new $numbers (local.get $seed) (i32.const 4))))
      (else (struct.new $node
        (array.new_fixed $numbers 2 (local.get $seed) (local.get $depth))
        (call $make (i32.sub (local.get $depth) (i32.const 1)) (i32.mul (local.get $seed) (i32.const 3)))
        (call $make (i32.sub (local.get $depth) (i32.const 1)) (i32.add (local.get $seed) (i32.const 7)))))))

  (func $sum (param $tree (ref null $tree)) (result i32)
    (local $node (ref $node)) (local $numbers (ref null $numbers)) (local $i i32) (local $total i32)
    (local.set $numbers (struct.get $tree $payload (local.get $tree)))
    (local.set $i (array.len (local.get $numbers)))
    (loop $each
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $total (i32.add (local.get $total) (array.get $numbers (local.get $numbers) (local.get $i))))
      (br_if $each (local.get $i)))
    (block $leaf (result (ref null $tree))
      (local.set $node (br_on_cast_fail $leaf (ref null $tree) (ref $node) (local.get $tree)))
      (return (i32.add (local.get $total) (i32.xor
        (call $sum (struct.get $node $left (local.get $node)))
        (call $sum (struct.get $node $right (local.get $node)))))))
    (drop)
    (local.get $total))

  (func (export "run") (param $n i32) (result i32)
    (local $total i32)
    (loop $again
      (local.set $total (i32.add (i32.mul (local.get $total) (i32.const 31)) (call $sum (call $make (i32.const 8) (local.get $n)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $total)))
