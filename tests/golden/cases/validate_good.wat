;; RUN: validate %
;; RUN: validate -v %
(module (memory 1) (memory 2))
