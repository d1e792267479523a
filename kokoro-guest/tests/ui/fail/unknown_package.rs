kokoro_guest::planet! {
    state: Page,
    requires: ["site:contents/markdown@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
