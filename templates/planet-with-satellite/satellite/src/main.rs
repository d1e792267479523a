//! The Satellite (native program) of the Planet (plugin) `{{project-name}}`: counts prime numbers, on
//! all cores.

use std::num::NonZero;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

kokoro_satellite::satellite! {
    state: Sieve,
    exports: ["example:native/sieve@0.1.0"],
    wit: "../wit",
}

/// How many numbers a thread looks at before it takes others.
const BLOCK: u64 = 1 << 14;

#[derive(Default)]
struct Sieve;

impl sieve::Guest for Sieve {
    fn count(&mut self, first: u32, below: u32) -> Result<u32, String> {
        let below = u64::from(below);
        let next = AtomicU64::new(first.into());
        let work = || {
            let mut count = 0;
            loop {
                let block = next.fetch_add(BLOCK, Ordering::Relaxed);
                if block >= below || kokoro_satellite::is_cancelled() {
                    return count;
                }
                let numbers = block..below.min(block + BLOCK);
                count += numbers.filter(|number| is_prime(*number)).count() as u32;
            }
        };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
            let counts = threads.into_iter().map(|thread| thread.join());
            counts.sum::<Result<u32, _>>()
        });
        // Nobody looks at the answer of a call that was cancelled, and a part is none.
        kokoro_satellite::give_up_if_cancelled()?;
        count.map_err(|_| "a thread has panicked".to_owned())
    }
}

fn is_prime(number: u64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 1 && divisors.all(|divisor| !number.is_multiple_of(divisor))
}

fn main() -> ExitCode {
    kokoro_satellite::run::<Sieve>()
}

#[cfg(test)]
mod tests {
    use kokoro_satellite::testing;

    use super::*;
    use crate::sieve::Guest as _;

    #[test]
    fn primes_are_counted_where_they_are() {
        let mut sieve = testing::start::<Sieve>();
        assert_eq!(sieve.count(0, 3), Ok(1)); // 2
        assert_eq!(sieve.count(3, 12), Ok(4)); // 3, 5, 7 and 11
        assert_eq!(sieve.count(0, 100_000), Ok(9592));
        assert_eq!(sieve.count(12, 3), Ok(0));
    }
}
