kokoro_guest::planet! {
    state: Page,
    exports: ["site:content/outline@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
