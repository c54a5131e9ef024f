(module
  (rec
    (type $node (sub (struct (field $value i32) (field $next (mut (ref null $node))))))
    (type $leaf (sub final $node (struct (field i32) (field (mut (ref null $node))) (field $tag i8)))))
  (type $bytes (array (mut i8)))
  (type $boxes (array (ref null any)))
  (type $fn (func (param i32) (result i32)))
  (data $text "some bytes")
  (elem declare func $inc)
  (func $inc (type $fn) (i32.add (local.get 0) (i32.const 1)))
  (func (export "apply") (param i32) (result i32) (call_ref $fn (local.get 0) (ref.func $inc)))
  (func (export "list") (param i32) (result i32) (local $head (ref null $node)) (local $sum i32)
    (loop $build
      (local.set $head (struct.new $node (local.get 0) (local.get $head)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_if $build (i32.gt_s (local.get 0) (i32.const 0))))
    (loop $walk
      (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $head))))
      (local.set $head (struct.get $node $next (local.get $head)))
      (br_if $walk (i32.eqz (ref.is_null (local.get $head)))))
    local.get $sum)
  (func (export "cast") (param i32) (result i32)
    (block $no (result (ref null any))
      (br_on_cast_fail $no (ref null any) (ref $leaf)
        (struct.new $leaf (local.get 0) (ref.null none) (i32.const 200)))
      (return (struct.get_s $leaf $tag)))
    (ref.test (ref i31)))
  (func (export "array") (param i32) (result i32)
    (array.get_u $bytes (array.new_data $bytes $text (i32.const 1) (i32.const 4)) (local.get 0)))
  (func (export "box") (param i32 externref) (result externref)
    (extern.convert_any
      (array.get $boxes
        (array.new_fixed $boxes 2 (ref.i31 (local.get 0)) (any.convert_extern (local.get 1)))
        (i32.and (local.get 0) (i32.const 1))))))
