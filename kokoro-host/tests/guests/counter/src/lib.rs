//! A Planet (plugin) whose count survives a reload.

use serde::{Deserialize, Serialize};

kokoro_guest::planet! {
    state: Counter,
    exports: ["test:guests/counter@0.1.0"],
    saved: 1,
    wit: "../wit",
}

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    count: u32,
}

impl counter::Guest for Counter {
    fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    fn value(&mut self) -> u32 {
        self.count
    }
}
