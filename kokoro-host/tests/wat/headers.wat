;; Makes as many sets of HTTP headers as it can, and keeps them.
(component
  (import "wasi:http/types@0.2.0" (instance $http
    (export "fields" (type $fields (sub resource)))
    (type $errors (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $error (eq $errors)))
    (type $bytes (list u8))
    (export "field-value" (type $value (eq $bytes)))
    (type $string string)
    (export "field-key" (type $key (eq $string)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[method]fields.append"
      (func (param "self" (borrow $fields)) (param "name" $key) (param "value" $value) (result (result (error $error)))))))
  (core module $memory
    (memory (export "memory") 3)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $memory (instantiate $memory))
  (core func $new (canon lower (func $http "[constructor]fields")))
  (core func $append (canon lower (func $http "[method]fields.append") (memory (core memory $memory "memory"))))
  (core module $code
    (import "own" "memory" (memory 3))
    (import "http" "new" (func $new (result i32)))
    (import "http" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (func (export "hoard") (param $sets i32) (param $bytes i32)
      (memory.fill (i32.const 1024) (i32.const 97) (local.get $bytes))
      (loop $more
        (call $append
          (call $new) (i32.const 1024) (i32.const 5) (i32.const 1024) (local.get $bytes) (i32.const 0))
        (local.set $sets (i32.sub (local.get $sets) (i32.const 1)))
        (br_if $more (local.get $sets)))))
  (core instance $code (instantiate $code
    (with "own" (instance $memory))
    (with "http" (instance (export "new" (func $new)) (export "append" (func $append))))))
  (func (export "hoard") (param "sets" u32) (param "bytes" u32) (canon lift (core func $code "hoard"))))
