;; RUN: parse %
(module (func (block (nop)
