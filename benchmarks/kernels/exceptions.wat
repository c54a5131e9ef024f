;; Exceptions thrown from three calls down and caught by tag with a value, mixed with calls that return: try_table, throw, unwinding.
;; n is the number of calls; one in four throws.
(module
  (tag $odd (param i32))
  (tag $never)

  (func $deepest (param $i i32) (result i32)
    (if (i32.eqz (i32.and (local.get $i) (i32.const 3)))
      (then (throw $odd (i32.mul (local.get $i) (i32.const 5)))))
    (i32.add (local.get $i) (i32.const 1)))

  (func $deeper (param $i i32) (result i32)
    (block $caught
      (return (try_table (result i32) (catch $never $caught) (call $deepest (i32.xor (local.get $i) (i32.const 16))))))
    (unreachable))

  (func $deep (param $i i32) (result i32)
    (i32.mul (call $deeper (local.get $i)) (i32.const 3)))

  (func (export "run") (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.rotl (i32.add (local.get $sum)
        (block $caught (result i32)
          (try_table (result i32) (catch $odd $caught) (call $deep (local.get $n)))))
        (i32.const 3)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
