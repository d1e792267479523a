kokoro_guest::planet! {
    state: Page,
    optional: ["site:content/types@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
