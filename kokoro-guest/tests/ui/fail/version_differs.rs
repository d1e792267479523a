kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdown@0.2.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
