//! A Planet (plugin) that knows how many prime numbers there are. The counting is done by its
//! Satellite, a native program, on all cores; here it is asked for what is not known yet.

kokoro_guest::planet! {
    state: Primes,
    exports: ["example:numbers/primes@0.1.0"],
    satellites: ["example:native/sieve@0.1.0" in "sieve"],
    wit: "../wit",
}

/// Counting further than that would take too long.
const MOST: u32 = 100_000_000;

#[derive(Default)]
struct Primes {
    /// How many there are below `counted_to`.
    count: u32,
    counted_to: u32,
}

impl primes::Guest for Primes {
    fn count(&mut self, below: u32) -> Result<u32, String> {
        if below > MOST {
            return Err(format!("primes are counted below {MOST} only"));
        }
        if below < self.counted_to {
            return sieve::count(0, below);
        }
        // A Satellite that crashes, or is not permitted to run, is an `Err` here.
        self.count += sieve::count(self.counted_to, below)?;
        self.counted_to = below;
        Ok(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primes::Guest as _;

    // There is no Satellite in a test of the functions alone; `tests/` has one.

    #[test]
    fn nobody_counts_for_ever() {
        let error = Primes::default().count(u32::MAX).unwrap_err();
        assert_eq!(error, "primes are counted below 100000000 only");
    }
}
