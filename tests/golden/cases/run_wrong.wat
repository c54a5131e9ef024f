;; RUN: run %
;; RUN: run % --invoke
;; RUN: run % --invoke nope
;; RUN: run % --invoke memory
;; RUN: run % --invoke add 1
;; RUN: run % --invoke add 1 two
;; RUN: run % --invoke add 1 4294967296
(module
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
