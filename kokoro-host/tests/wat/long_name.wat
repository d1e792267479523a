;; Looks up a name of 30 MiB.
(component
  (import "wasi:sockets/network@0.2.0" (instance $sockets
    (export "network" (type (sub resource)))
    (type $codes (enum
      "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout" "concurrency-conflict"
      "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable" "address-in-use"
      "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted" "datagram-too-large"
      "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type (eq $codes)))))
  (alias export $sockets "network" (type $network))
  (alias export $sockets "error-code" (type $code))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance-network
    (alias outer 1 $network (type $n))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/ip-name-lookup@0.2.0" (instance $lookup
    (alias outer 1 $network (type $n))
    (alias outer 1 $code (type $c))
    (export "resolve-address-stream" (type $stream (sub resource)))
    (export "resolve-addresses" (func
      (param "network" (borrow $n)) (param "name" string) (result (result (own $stream) (error $c)))))))
  (core module $memory (memory (export "memory") 600))
  (core instance $memory (instantiate $memory))
  (core func $network (canon lower (func $instance-network "instance-network")))
  (core func $resolve (canon lower (func $lookup "resolve-addresses") (memory (core memory $memory "memory"))))
  (core module $code
    (import "own" "memory" (memory 600))
    (import "wasi" "network" (func $network (result i32)))
    (import "wasi" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (func (export "look-up")
      (memory.fill (i32.const 1024) (i32.const 97) (i32.const 31457280))
      (call $resolve (call $network) (i32.const 1024) (i32.const 31457280) (i32.const 0))
      unreachable))
  (core instance $code (instantiate $code
    (with "own" (instance $memory))
    (with "wasi" (instance (export "network" (func $network)) (export "resolve" (func $resolve))))))
  (func (export "look-up") (canon lift (core func $code "look-up"))))
