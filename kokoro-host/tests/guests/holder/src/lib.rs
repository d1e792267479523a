//! A Planet (plugin) that keeps what it has as an option, for the length of a call.

kokoro_guest::planet! {
    state: Holder,
    exports: ["test:guests/holder@0.1.0"],
    requires: ["test:guests/gate@0.1.0"],
    optional: ["test:guests/counter@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Holder;

impl holder::Guest for Holder {
    fn hold(&mut self) -> Option<(u32, u32)> {
        let counter = counter::if_bound()?;
        let first = counter.next();
        gate::pass();
        Some((first, counter.next()))
    }

    fn is_bound(&mut self) -> bool {
        counter::if_bound().is_some()
    }
}
