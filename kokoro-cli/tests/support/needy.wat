;; A Planet (plugin) that fails without files, variables and names to look up.
(component
  (@custom "kokoro:planet" "MANIFEST")
  (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d))
    (export "get-directories" (func (result (list (tuple (own $d) string)))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
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

  (core module $heap
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $wanted i32) (result i32)
      (global.set $next (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get $wanted)))))
  (core instance $heap (instantiate $heap))
  (core func $directories (canon lower (func $preopens "get-directories")
    (memory $heap "memory") (realloc (func $heap "realloc"))))
  (core func $variables (canon lower (func $environment "get-environment")
    (memory $heap "memory") (realloc (func $heap "realloc"))))
  (core func $instance-network (canon lower (func $instance-network "instance-network")))
  (core func $resolve (canon lower (func $lookup "resolve-addresses")
    (memory $heap "memory") (realloc (func $heap "realloc"))))

  (core module $code
    (import "heap" "memory" (memory 1))
    (import "wasi" "directories" (func $directories (param i32)))
    (import "wasi" "variables" (func $variables (param i32)))
    (import "wasi" "network" (func $network (result i32)))
    (import "wasi" "resolve" (func $resolve (param i32 i32 i32 i32)))
    (data (i32.const 64) "nothing there")
    (data (i32.const 96) "localhost")
    ;; The canonical form of the result: 1 for `err`, then the string's address and length.
    (func $answer (param $missing i32) (result i32)
      (i32.store (i32.const 0) (local.get $missing))
      (i32.store (i32.const 4) (i32.const 64))
      (i32.store (i32.const 8) (i32.const 13))
      (i32.const 0))
    (func $files (export "files") (result i32)
      (call $directories (i32.const 32))
      (call $answer (i32.eqz (i32.load (i32.const 36)))))
    (func (export "insist")
      (if (i32.load (call $files)) (then unreachable)))
    (func (export "variables") (result i32)
      (call $variables (i32.const 32))
      (call $answer (i32.eqz (i32.load (i32.const 36)))))
    (func (export "names") (result i32)
      (call $resolve (call $network) (i32.const 96) (i32.const 9) (i32.const 32))
      (call $answer (i32.load8_u (i32.const 32))))
    (func (export "refuse") (result i32)
      (call $answer (i32.const 1)))
    START)
  (core instance $code (instantiate $code
    (with "heap" (instance $heap))
    (with "wasi" (instance
      (export "directories" (func $directories))
      (export "variables" (func $variables))
      (export "network" (func $instance-network))
      (export "resolve" (func $resolve))))))

  (func $files (result (result (error string))) (canon lift (core func $code "files") (memory $heap "memory")))
  (func $insist (canon lift (core func $code "insist")))
  (func $variables (result (result (error string))) (canon lift (core func $code "variables") (memory $heap "memory")))
  (func $names (result (result (error string))) (canon lift (core func $code "names") (memory $heap "memory")))
  (func $refuse (result (result (error string))) (canon lift (core func $code "refuse") (memory $heap "memory")))
  (instance $needs
    (export "files" (func $files))
    (export "insist" (func $insist))
    (export "variables" (func $variables))
    (export "names" (func $names))
    (export "refuse" (func $refuse)))
  (export "test:cli/needs@0.1.0" (instance $needs)))
