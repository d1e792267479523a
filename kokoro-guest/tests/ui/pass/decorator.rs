//! A planet that imports what it exports hands values on: both sides have the same types.

kokoro_guest::planet! {
    state: Loud,
    exports: ["site:content/markdown@0.1.0"],
    requires: ["site:content/markdown@0.1.0" as quiet, "other:content/markdown@1.0.0" as renderer],
    wit: "../wit",
}

#[derive(Default)]
struct Loud;

impl markdown::Guest for Loud {
    fn parse(&mut self, source: String) -> markdown::Document {
        quiet::parse(&renderer::render(&source.to_uppercase()))
    }
}

fn main() {}
