;; A consumer of `test:guests/extra` that has never heard of Kokoro: doubles a number twice.
(component
  (import "test:guests/extra@0.1.0" (instance $extra (export "double" (func (param "number" u32) (result u32)))))
  (core func $double (canon lower (func $extra "double")))
  (core module $code
    (import "extra" "double" (func $double (param i32) (result i32)))
    (func (export "quadruple") (param i32) (result i32) (call $double (call $double (local.get 0)))))
  (core instance $code (instantiate $code (with "extra" (instance (export "double" (func $double))))))
  (func (export "quadruple") (param "number" u32) (result u32) (canon lift (core func $code "quadruple"))))
