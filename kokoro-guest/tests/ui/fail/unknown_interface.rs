kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdwon@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
