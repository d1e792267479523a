;; A provider of `test:guests/extra` that has never heard of Kokoro.
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 16) "extra, in WAT")
    ;; The canonical form of a string result: a pointer to its address and length.
    (data (i32.const 0) "\10\00\00\00\0d\00\00\00")
    (func (export "name") (result i32) i32.const 0)
    (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))
  (core instance $code (instantiate $code))
  (func $name (result string) (canon lift (core func $code "name") (memory (core memory $code "memory"))))
  (func $double (param "number" u32) (result u32) (canon lift (core func $code "double")))
  (instance $extra (export "name" (func $name)) (export "double" (func $double)))
  (export "test:guests/extra@0.1.0" (instance $extra)))
