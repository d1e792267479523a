//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["acme:greeter/greeting@0.1.0"],
    // It starts only when all of these are served; list what it cannot do without, and the rest under
    // `optional`:
    // requires: [
    //     "site:content/markdown@0.1.0",
    //     "site:content/outline@0.1.0",
    //     "site:content/highlight@0.1.0",
    // ],
    // Without permission to run it, `sieve::if_bound()` gives none.
    satellites: ["example:native/sieve@0.1.0" in "sieve" { optional }],
    wit: "../wit",
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

impl greeting::Guest for MyPlanet {
    fn greet(&mut self, name: String) -> String {
        unimplemented!("not written yet: `greeting.greet`")
    }
}
