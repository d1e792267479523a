//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["example:app/greeting@0.1.0"],
    // It starts only when all of these are served; list what it cannot do without, and the rest under
    // `optional`:
    // requires: ["example:app/people@0.1.0"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

impl greeting::Guest for MyPlanet {
    fn greet(&mut self, name: String) -> Result<String, String> {
        Err("not written yet: `greeting.greet`".to_owned())
    }
}
