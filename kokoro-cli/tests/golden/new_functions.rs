//! The Planet (plugin) `my-planet`.
#![expect(unused_variables, reason = "not written yet")]

kokoro_guest::planet! {
    state: MyPlanet,
    exports: ["site:build/page@0.1.0", "site:content/markdown@0.1.0"],
    // It starts only when all of these are served; list what it cannot do without, and the rest under
    // `optional`:
    // requires: [
    //     "images:native/codec@0.1.0",
    //     "site:build/pages@0.1.0",
    //     "site:build/files@0.1.0",
    //     "site:build/images@0.1.0",
    //     "site:build/backlinks@0.1.0",
    //     "site:content/outline@0.1.0",
    //     "site:content/highlight@0.1.0",
    // ],
}

/// The running Planet: made when it starts, dropped when it stops.
#[derive(Default)]
struct MyPlanet;

impl page::Guest for MyPlanet {
    fn render(&mut self, document: page::Document) -> Result<String, String> {
        Err("not written yet: `page.render`".to_owned())
    }

    fn assets(&mut self) -> Result<Vec<page::Asset>, String> {
        Err("not written yet: `page.assets`".to_owned())
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
