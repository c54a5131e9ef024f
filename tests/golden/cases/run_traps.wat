;; RUN: run % --invoke divide 1 0
;; RUN: run % --invoke divide 0x80000000 -1
;; RUN: run % --invoke unreachable
;; RUN: run % --invoke load 65536
;; RUN: run % --invoke recurse
;; RUN: run % --call-depth 10 --invoke recurse
;; RUN: run % --fuel 1000 --invoke forever
;; RUN: run % --invoke throw
(module
  (memory 1)
  (tag $e (param i32))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "unreachable") (unreachable))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func $recurse (export "recurse") (call $recurse))
  (func (export "forever") (loop (br 0)))
  (func (export "throw") (throw $e (i32.const 7)))
)
