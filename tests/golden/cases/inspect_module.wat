;; RUN: inspect %
;; RUN: inspect % --json
(module
  (import "env" "log" (func $log (param i32)))
  (import "env" "memory" (memory 1 16))
  (global (export "counter") (mut i64) (i64.const 0))
  (table (export "table") 1 funcref)
  (func $swap (export "swap") (param i32 i32) (result i32 i32) (local.get 1) (local.get 0))
  (func (export "main") (call $log (i32.extend8_s (i32.const 7))))
  (func $lanes (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))
  (data "passive")
)
