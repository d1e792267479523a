//! The Planet (plugin) as an application has it: the component, loaded and called. In place of its
//! Satellite there is a fake.

use kokoro_test::{Fake, Harness};
use primes::Primes;

kokoro_test::bindings!({ path: "../wit", interfaces: ["example:numbers/primes@0.1.0"] });

#[test]
fn what_was_counted_is_not_counted_again() {
    // It takes every number for a prime.
    let sieve = Fake::of("example:native/sieve").answers("count", |first: u32, below: u32| {
        Ok::<u32, String>(below - first)
    });
    let test = Harness::built().satellite(&sieve).start();
    let primes: Primes = test.get();
    assert_eq!(test.wait(primes.count(100)), Ok(100));
    assert_eq!(test.wait(primes.count(150)), Ok(150));
    assert_eq!(sieve.calls("count"), ["0, 100", "100, 150"]);
}

#[test]
fn a_satellite_that_crashes_is_an_error_for_the_caller_alone() {
    let sieve = Fake::of("example:native/sieve").answers_with("count", "ok(7)");
    let test = Harness::built().satellite(&sieve).start();
    let primes: Primes = test.get();
    sieve.crashes();
    assert!(test.wait(primes.count(100)).is_err());
    assert_eq!(test.wait(primes.count(100)), Ok(7));
}
