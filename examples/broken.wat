(module
  (func (export "add") (param $a i32) (param $b i64) (result i32)
    (i32.add (local.get $a) (local.get $b))))
