//! A Planet (plugin) that has a Satellite if it may.

kokoro_guest::planet! {
    state: Choosy,
    exports: ["test:guests/choosy@0.1.0"],
    satellites: ["test:guests/work@0.1.0" in "worker" { optional }],
    wit: "../wit",
}

#[derive(Default)]
struct Choosy;

impl choosy::Guest for Choosy {
    fn add(&mut self, a: u32, b: u32) -> Option<u32> {
        work::if_bound().map(|work| work.add(a, b))
    }
}
