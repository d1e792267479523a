//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["site:build/images@0.1.0"],
    // It starts only when all of these are served; list what it cannot do without, and the rest under
    // `optional`:
    // requires: [
    //     "images:native/codec@0.1.0",
    //     "site:build/pages@0.1.0",
    //     "site:build/files@0.1.0",
    //     "site:build/backlinks@0.1.0",
    //     "site:build/page@0.1.0",
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

impl images::Guest for MyPlanet {
    fn versions(&mut self, pictures: Vec<String>) -> Result<Vec<Vec<images::Version>>, String> {
        Err("not written yet: `images.versions`".to_owned())
    }
}
