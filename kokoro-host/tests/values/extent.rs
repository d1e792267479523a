//! How much is tried: a slice that is always the same, or as much as `cargo xtask fuzz` asks for.

use std::fmt;

/// What is to be tried.
#[derive(Debug)]
pub struct Extent {
    first: u64,
    /// So many rounds, or as many as it takes for so many values.
    rounds: usize,
    least: usize,
    /// Of each function in a round.
    pub calls: usize,
}

impl Extent {
    /// What the environment asks for, else this many rounds from seed 0.
    pub fn read(rounds: usize) -> Self {
        let number = |name: &str| -> Option<u64> {
            let text = std::env::var(name).ok()?;
            Some(text.parse().unwrap_or_else(|_| panic!("`{name}` has to be a number, and is `{text}`")))
        };
        let first = number("KOKORO_FUZZ_SEED").unwrap_or(0);
        match number("KOKORO_FUZZ_VALUES") {
            Some(least) => Self { first, rounds: usize::MAX, least: least as usize, calls: 64 },
            None => Self { first, rounds, least: usize::MAX, calls: 8 },
        }
    }

    /// The seed of the next round.
    pub fn next(&self, counts: &Counts) -> Option<u64> {
        (counts.rounds < self.rounds && counts.values < self.least)
            .then(|| self.first.wrapping_add(counts.rounds as u64))
    }
}

/// What was tried.
#[derive(Debug, Default)]
pub struct Counts {
    pub rounds: usize,
    pub types: usize,
    pub calls: usize,
    pub values: usize,
    pub bytes: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, types, calls, values, bytes } = self;
        write!(f, "{rounds} seeds, {types} types, {values} values in {calls} calls, {bytes} bytes")
    }
}

/// Says how to repeat a round, if it fails.
#[derive(Debug)]
pub struct OnFailure(pub u64);

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was seed {0}; repeat it by `cargo xtask fuzz --seed {0} --values 1`", self.0);
        }
    }
}
