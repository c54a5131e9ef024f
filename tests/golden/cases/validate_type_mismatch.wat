;; RUN: validate %
(module
  (func (param i32) (result i64)
    local.get 0
    i32.const 1
    i32.add))
