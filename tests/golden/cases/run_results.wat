;; RUN: run % --invoke numbers
;; RUN: run % --invoke nothing
;; RUN: run % --invoke references 7
;; RUN: run % --invoke same -1 0x10 -0.5 nan:0x1
;; RUN: run % --invoke null null
;; RUN: run % --invoke i31
(module
  (type $s (struct))
  (elem declare func $numbers)
  (func $numbers (export "numbers") (result i32 i64 f32 f64 v128)
    (i32.const -1) (i64.const 0x7fff_ffff_ffff_ffff) (f32.const 0.1) (f64.const -inf) (v128.const i32x4 1 2 3 4))
  (func (export "nothing"))
  (func (export "references") (param externref) (result externref funcref anyref anyref)
    (local.get 0) (ref.func $numbers) (struct.new $s) (ref.null any))
  (func (export "same") (param i32 i64 f32 f64) (result i32 i64 f32 f64) (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func (export "null") (param (ref null $s)) (result (ref null $s)) (local.get 0))
  (func (export "i31") (result eqref) (ref.i31 (i32.const -1)))
)
