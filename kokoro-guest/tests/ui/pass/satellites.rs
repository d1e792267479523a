//! Interfaces that programs of the planet's own serve: as required ones and as optional ones, one of them handed on.

kokoro_guest::planet! {
    state: Page,
    exports: ["site:content/outline@0.1.0"],
    satellites: [
        "site:content/markdown@0.1.0" in "worker" { start: "planet", reload: "keep" },
        "site:content/search@0.1.0" in "worker" { optional, start: "planet", reload: "keep" },
        "site:content/outline@0.1.0" as native in "outliner",
    ],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

impl outline::Guest for Page {
    fn headings(&mut self, source: String) -> Vec<outline::Heading> {
        native::headings(&markdown::parse(&source).text)
    }

    fn depth(&mut self, source: String) -> u8 {
        match search::if_bound() {
            Some(search) => search.find(&source).map_or(0, |found| found as u8),
            None => native::depth(&source),
        }
    }
}

fn main() {
    // Natively nobody provides anything.
    assert!(search::if_bound().is_none());
}
