kokoro_guest::planet! {
    state: Page,
    exports: ["site:content/outlines@0.1.0"],
    requires: ["site:content/markdown@0.1.0", "site:content/types"],
    version: "one",
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn parse(source: &str) -> markdown::Document {
    markdown::parse(source)
}

fn main() {}
