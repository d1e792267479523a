//! Under the strictest lints, generated code gives no warning.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused, clippy::all, clippy::pedantic)]

kokoro_guest::planet! {
    state: Outline,
    exports: ["site:content/outline@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:content/types@0.1.0"],
    optional: ["site:words/glossary@0.2.0"],
    name: "outline",
    version: "1.2.3-beta.1",
    wit: "../wit",
    app: "../app.json",
}

#[derive(Debug, Default)]
struct Outline {
    pages: u32,
}

impl outline::Guest for Outline {
    fn headings(&mut self, source: String) -> Vec<outline::Heading> {
        self.pages += 1;
        kokoro_guest::log::info!("page {}", self.pages);
        kokoro_guest::tracing::debug!(page = self.pages, "page");
        markdown::parse(&source).headings
    }

    fn depth(&mut self, _source: String) -> u8 {
        let heading = types::Heading { level: 1, text: String::new() };
        assert_eq!(heading, heading.clone());
        heading.level
    }
}

fn main() {
    use outline::Guest as _;
    assert_eq!(Outline::default().depth(String::new()), 1);
}
