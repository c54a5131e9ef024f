;; RUN: parse %
(module (data "fine" "not \q fine"))
