;; RUN: print %
(module
  (rec
    (type $node (sub (struct (field $value (mut i32)) (field $next (ref null $node)))))
    (type $bytes (array (mut i8))))
  (import "env" "log" (func $log (param i32)))
  (memory $m (export "memory") 1 2)
  (memory $big i64 1)
  (table $t 2 funcref)
  (global $pi f64 (f64.const 0x1.921fb54442d18p+1))
  (global $nan (mut f32) (f32.const -nan:0x200000))
  (tag $e (param i32 i64))
  (elem (table $t) (i32.const 0) func $f $log)
  (data $d "bytes \00\ff \"quoted\"\n")
  (data (memory $m) (i32.const 8) "\u{4e2d}")
  (func $f (param $x i32) (local $v v128) (local i64 i64)
    (block $out
      (loop $again
        (br_if $out (i32.eqz (local.get $x)))
        (br_table $out $again (local.get $x))))
    (try_table (catch_all 0) (call $log (i32.const 1)))
    (drop (i32.load16_s $m offset=4 align=1 (i32.const 0)))
    (drop (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15))
    (drop (struct.get $node $value (struct.new $node (i32.const 1) (ref.null $node))))
    (memory.init $m $d (i32.const 0) (i32.const 0) (i32.const 3))
  )
  (start $go)
  (func $go)
)
