//! The next release of `counter`, which remembers more and migrates what the old one saved.

use kokoro_guest::{Saved, StartError};
use serde::{Deserialize, Serialize};

kokoro_guest::planet! {
    state: Counter,
    name: "counter",
    exports: ["test:guests/counter@0.1.0"],
    saved: { version: 2, migrate: Counter::from_older },
    wit: "../wit",
}

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    count: u64,
    /// Every count so far; where the old release stopped is one of them.
    history: Vec<u64>,
}

impl Counter {
    fn from_older(saved: &Saved) -> Result<Self, StartError> {
        #[derive(Deserialize)]
        struct First {
            count: u32,
        }
        let First { count } = saved.read()?;
        Ok(Self { count: count.into(), history: vec![count.into()] })
    }
}

impl counter::Guest for Counter {
    fn next(&mut self) -> u32 {
        self.count += 1;
        self.history.push(self.count);
        self.value()
    }

    fn value(&mut self) -> u32 {
        self.count.try_into().unwrap_or(u32::MAX)
    }
}
