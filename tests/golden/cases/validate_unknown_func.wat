;; RUN: validate %
(module (func (call 1)) (export "f" (func 0)))
