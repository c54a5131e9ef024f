;; RUN: inspect %
(module (func (result i32)) (export "f" (func 7)))
