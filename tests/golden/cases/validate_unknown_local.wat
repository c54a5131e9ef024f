;; RUN: validate %
(module (func (drop (local.get 3))))
