;; Rules of execution that the official suite, as pinned, never uses, or (the last) only in a script with very long loops.

(module
  (type $f (func))
  (memory 1)
  (func (export "br-handler") (result i32)
    (block $b (result i32) (block $h (try_table (catch_all $h) (br $b (i32.const 1)))) (i32.const 2)))
  (func (export "return-handler") (result i32)
    (block $h (try_table (catch_all $h) (return (i32.const 1)))) (i32.const 2))
  (func (export "throw_ref-null") (throw_ref (ref.null exn)))
  (func (export "vload_lane-oob") (drop (v128.load8_lane 0 (i32.const -1) (v128.const i32x4 0 0 0 0))))
  (func (export "vstore_lane-oob") (v128.store8_lane 0 (i32.const -1) (v128.const i32x4 0 0 0 0)))
  (func (export "return_call_ref-frame-null") (return_call_ref $f (ref.null $f)))
)

(assert_return (invoke "br-handler") (i32.const 1))
(assert_return (invoke "return-handler") (i32.const 1))
(assert_trap (invoke "throw_ref-null") "null exception reference")
(assert_trap (invoke "vload_lane-oob") "out of bounds memory access")
(assert_trap (invoke "vstore_lane-oob") "out of bounds memory access")
(assert_trap (invoke "return_call_ref-frame-null") "null function reference")
