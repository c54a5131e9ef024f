;; A linked list that grows until memory is used up. The error for that was raised while the machine still held the whole list, so
;; that nothing was left to report it with, and the process hung.
(module
  (type $n (struct (field (ref null $n))))
  (func (export "list") (local $x (ref null $n))
    (loop $l
      (local.set $x (struct.new $n (local.get $x)))
      (br $l))))
