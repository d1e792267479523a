//! A Planet (plugin) in the middle of a chain, which counts what comes by.

use kokoro_guest::Failure;
use serde::{Deserialize, Serialize};

kokoro_guest::planet! {
    state: Middle,
    exports: ["test:guests/middle@0.1.0"],
    requires: ["test:guests/last@0.1.0"],
    saved: 1,
    wit: "../wit",
}

#[derive(Default, Serialize, Deserialize)]
struct Middle {
    passed: u64,
}

impl middle::Guest for Middle {
    fn pass(&mut self, number: u64) -> Result<u64, Failure> {
        self.passed += 1;
        last::double(number)
    }

    fn passed(&mut self) -> u64 {
        self.passed
    }
}
