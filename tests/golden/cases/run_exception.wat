;; RUN: run % --invoke plain
;; RUN: run % --invoke carrying
;; RUN: trace % --limit 0 --invoke past_a_handler
(module
  (tag $e)
  (tag $carries (export "carries") (param i32 f64 externref))
  (func $plain (export "plain") (throw $e))
  (func (export "carrying") (throw $carries (i32.const -1) (f64.const 0.5) (ref.null extern)))
  (func $past_a_handler (export "past_a_handler")
    (block $caught (try_table (catch $e $caught) (call $inner))))
  (func $inner (throw $carries (i32.const 1) (f64.const inf) (ref.null extern)))
)
