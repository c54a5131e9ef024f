;; RUN: validate % --features 2.0
;; RUN: validate % --features 3.0
;; RUN: validate % --features 4.0
(module (memory 1) (memory 2))
