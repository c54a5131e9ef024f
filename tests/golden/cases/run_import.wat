;; RUN: run %
(module (import "env" "log" (func (param i32) (result i64))))
