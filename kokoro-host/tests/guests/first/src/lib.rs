//! The first Planet (plugin) of a chain.

use kokoro_guest::Failure;

kokoro_guest::planet! {
    state: First,
    exports: ["test:guests/first@0.1.0"],
    requires: ["test:guests/middle@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct First;

impl first::Guest for First {
    fn pass(&mut self, number: u64) -> Result<u64, Failure> {
        middle::pass(number)
    }
}
