kokoro_guest::planet! {
    state: Page,
    satellites: ["site:content/markdown@0.1.0" in "markdown" { restart: "keep" }],
    wit: "../wit",
}

#[derive(Default)]
struct Page;

fn main() {}
