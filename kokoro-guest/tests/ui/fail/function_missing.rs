kokoro_guest::planet! {
    state: Page,
    exports: ["site:content/outline@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

impl outline::Guest for Page {
    fn headings(&mut self, _: String) -> Vec<outline::Heading> {
        Vec::new()
    }
}

fn main() {}
