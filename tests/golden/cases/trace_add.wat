;; RUN: trace % --invoke add 2 3
;; RUN: trace % --invoke count 2
;; RUN: trace % --limit 3 --invoke count 2
;; RUN: trace % --invoke trap
(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "count") (param i32) (result i32)
    (loop (result i32)
      (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if 0 (local.get 0))))
  (func (export "trap") (block (i32.div_u (i32.const 1) (i32.const 0)) (drop)))
)
