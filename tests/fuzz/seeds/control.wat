(module
  (type $op (func (param i32) (result i32)))
  (table $ops funcref (elem $double $fact $even))
  (tag $stop (param i32))
  (func $double (type $op) (i32.shl (local.get 0) (i32.const 1)))
  (func $fact (export "fact") (type $op)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (i32.mul (local.get 0) (call $fact (i32.sub (local.get 0) (i32.const 1)))))))
  (func $even (type $op)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
    (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
  (func $odd (type $op)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (return_call $even (i32.sub (local.get 0) (i32.const 1))))
  (func (export "pick") (param i32 i32) (result i32)
    (call_indirect $ops (type $op) (local.get 1) (local.get 0)))
  (func (export "count") (param $n i32) (result i32) (local $sum i32)
    block $out
      loop $again
        local.get $n i32.eqz br_if $out
        local.get $sum local.get $n i32.add local.set $sum
        local.get $n i32.const 1 i32.sub local.set $n
        br $again
      end
    end
    local.get $sum)
  (func (export "switch") (param i32) (result i32)
    (block $c (block $b (block $a (br_table $a $b $c (local.get 0))) (return (i32.const 10))) (return (i32.const 20)))
    i32.const 30)
  (func (export "catch") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $stop $caught) (throw $stop (local.get 0)))
      unreachable))
  (func (export "select") (param i32) (result i64)
    (select (result i64) (i64.const 1) (i64.const 2) (local.get 0))))
