kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/notes@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
