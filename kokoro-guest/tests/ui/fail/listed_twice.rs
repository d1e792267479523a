kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdown@0.1.0", "site:content/markdown@0.1.0"],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
