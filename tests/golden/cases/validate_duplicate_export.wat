;; RUN: validate %
;; RUN: validate -v %
(module (func (export "f")) (func (export "f")))
