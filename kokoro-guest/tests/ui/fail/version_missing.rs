kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdown"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
