//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["site:content/outline@0.1.0", "site:content/markdown@0.1.0"],
    // It starts only when all of these are served; list what it cannot do without, and the rest under
    // `optional`:
    // requires: ["site:content/highlight@0.1.0"],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

impl outline::Guest for MyPlanet {
    fn outline(&mut self, source: String) -> Result<Vec<outline::Entry>, String> {
        Err("not written yet: `outline.outline`".to_owned())
    }
}

impl markdown::Guest for MyPlanet {
    fn inspect(&mut self, source: String) -> Result<markdown::Summary, String> {
        Err("not written yet: `markdown.inspect`".to_owned())
    }

    fn render(
        &mut self,
        source: String,
        links: Vec<markdown::Link>,
    ) -> Result<Vec<markdown::Part>, String> {
        Err("not written yet: `markdown.render`".to_owned())
    }
}
