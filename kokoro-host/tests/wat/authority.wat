;; Says whether a request is refused an authority of so many bytes.
(component
  (import "wasi:http/types@0.2.0" (instance $http
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $request (sub resource)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-request" (func (param "headers" (own $fields)) (result (own $request))))
    (export "[method]outgoing-request.set-authority"
      (func (param "self" (borrow $request)) (param "authority" (option string)) (result (result))))))
  (core module $memory (memory (export "memory") 3))
  (core instance $memory (instantiate $memory))
  (core func $fields (canon lower (func $http "[constructor]fields")))
  (core func $request (canon lower (func $http "[constructor]outgoing-request")))
  (core func $set (canon lower (func $http "[method]outgoing-request.set-authority") (memory (core memory $memory "memory"))))
  (core module $code
    (import "own" "memory" (memory 3))
    (import "http" "fields" (func $fields (result i32)))
    (import "http" "request" (func $request (param i32) (result i32)))
    (import "http" "set" (func $set (param i32 i32 i32 i32) (result i32)))
    (func (export "refused") (param $bytes i32) (result i32)
      (memory.fill (i32.const 1024) (i32.const 97) (local.get $bytes))
      (call $set (call $request (call $fields)) (i32.const 1) (i32.const 1024) (local.get $bytes))))
  (core instance $code (instantiate $code
    (with "own" (instance $memory))
    (with "http" (instance
      (export "fields" (func $fields)) (export "request" (func $request)) (export "set" (func $set))))))
  (func (export "refused") (param "bytes" u32) (result u32) (canon lift (core func $code "refused"))))
