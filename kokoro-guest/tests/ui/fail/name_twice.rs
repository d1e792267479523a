kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdown@0.1.0", "other:content/markdown@1.0.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
