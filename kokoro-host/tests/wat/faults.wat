;; Has one function of `test:guests/faults`, and lacks the others.
(component
  (core module $code (func (export "spin") (loop (br 0))))
  (core instance $code (instantiate $code))
  (func $spin (canon lift (core func $code "spin")))
  (instance $faults (export "spin" (func $spin)))
  (export "test:guests/faults@0.1.0" (instance $faults)))
