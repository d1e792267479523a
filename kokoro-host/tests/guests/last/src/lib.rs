//! The last Planet (plugin) of a chain: it answers, unless it panics.

use kokoro_guest::Failure;

kokoro_guest::planet! {
    state: Last,
    exports: ["test:guests/last@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Last;

impl last::Guest for Last {
    fn double(&mut self, number: u64) -> Result<u64, Failure> {
        Ok(number.checked_mul(2).expect("a number that can be doubled"))
    }
}
