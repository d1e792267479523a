kokoro_guest::planet! {
    state: Page,
    requires: ["site:content/markdown@0.1.0"],
}

#[derive(Default)]
struct Page;

fn main() {}
